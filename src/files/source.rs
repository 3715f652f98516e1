//! A file that is open and read: its bytes go into the caller's buffer, what must be kept or checked later
//! stays here.

use std::io;
use std::path::{Path, PathBuf};

use rustix::buffer::spare_capacity;
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Mode, OFlags, Stat};

use super::found::FoundFile;
use super::reason::{Reason, advice};

/// A file that was read and may be staged for a new content. Holds the open file, so that its attributes
/// are those of the bytes that were read; drop it as soon as nothing changes in it.
#[derive(Debug)]
pub struct SourceFile<'f> {
    pub(super) found: &'f FoundFile,
    pub(super) file: OwnedFd,
    pub(super) stat: Stat,
}

/// What tells that a file is the one that was read (rule F5): device, inode, size, and when its content
/// and its attributes changed last, to the nanosecond.
///
/// Two changes within one tick of the file system's clock (4 ms at most on Linux) that keep the size are
/// not told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    dev: u64,
    ino: u64,
    size: i64,
    modified: (i64, i64),
    /// `None` for a file with several hard links: writing one name of it changes this for the others.
    changed: Option<(i64, i64)>,
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is a folder, a FIFO, a socket or a device.
    #[error("{}: not a regular file", path.display())]
    NotRegular {
        /// The file.
        path: PathBuf,
    },
    /// The system refuses to open or read it.
    #[error("{}: {}", path.display(), Reason(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl<'f> SourceFile<'f> {
    /// Opens `found` and reads it into `buffer`, whose old content goes.
    ///
    /// Three system calls for a file that fits: open, fstat, read; close when dropped. The buffer is grown to one byte more
    /// than the file, so that one read shows its end; it is never shrunk. A FIFO or a device is refused
    /// without waiting for it.
    ///
    /// # Errors
    /// [`ReadError`], with `buffer` in no particular state.
    pub fn read(found: &'f FoundFile, buffer: &mut Vec<u8>) -> Result<Self, ReadError> {
        let refuse =
            |error: rustix::io::Errno| ReadError::Io { path: found.path.clone(), source: error.into() };
        // NONBLOCK: opening a FIFO must not wait for its writer. NOFOLLOW: links were resolved by the walk.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = rustix::fs::open(found.real(), flags, Mode::empty()).map_err(refuse)?;
        let stat = rustix::fs::fstat(&file).map_err(refuse)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(ReadError::NotRegular { path: found.path.clone() });
        }
        read_all(&file, size(&stat), buffer).map_err(refuse)?;
        Ok(Self { found, file, stat })
    }

    /// The file's path as users see it.
    #[must_use]
    pub fn path(&self) -> &'f Path {
        &self.found.path
    }

    /// What tells that the file is still the one that was read.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        Stamp::of(&self.stat)
    }

    /// How many names this file has besides this one.
    #[must_use]
    #[allow(clippy::useless_conversion, reason = "the width differs between platforms")]
    pub fn other_links(&self) -> u64 {
        u64::from(self.stat.st_nlink).saturating_sub(1)
    }
}

impl Stamp {
    /// The stamp of a file's stat data.
    #[allow(clippy::unnecessary_cast, clippy::cast_lossless, reason = "the widths differ between platforms")]
    pub(super) fn of(stat: &Stat) -> Self {
        Self {
            dev: stat.st_dev as u64,
            ino: stat.st_ino as u64,
            size: stat.st_size as i64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed: (stat.st_nlink == 1).then_some((stat.st_ctime as i64, stat.st_ctime_nsec as i64)),
        }
    }

    /// The device of the file's file system.
    pub(super) fn device(&self) -> u64 {
        self.dev
    }

    /// Whether a file with the stamp `now` is the file with this stamp, unchanged.
    #[must_use]
    pub fn is_still(&self, now: &Self) -> bool {
        let same_change = match (self.changed, now.changed) {
            (Some(then), Some(now)) => then == now,
            // It has or had several names; see the field.
            (None, _) => true,
            (Some(_), None) => false,
        };
        same_change && Self { changed: None, ..*self } == Self { changed: None, ..*now }
    }
}

impl ReadError {
    /// What to do about it, if there is good advice.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotRegular { .. } => Some("pipe it into standard input"),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::OutOfMemory => advice(source),
            Self::Io { .. } => None,
        }
    }
}

/// A file's size in bytes.
fn size(stat: &Stat) -> usize {
    usize::try_from(stat.st_size).unwrap_or(0)
}

fn read_all(file: &OwnedFd, size: usize, buffer: &mut Vec<u8>) -> rustix::io::Result<()> {
    buffer.clear();
    let mut wanted = size.saturating_add(1);
    loop {
        buffer.try_reserve(wanted).map_err(|_| rustix::io::Errno::NOMEM)?;
        match rustix::io::read(file, spare_capacity(buffer)) {
            Ok(0) => return Ok(()),
            // A regular file gives less than was asked for only at its end.
            Ok(_) if buffer.len() == size && buffer.capacity() > size => return Ok(()),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error),
        }
        // It grew, or it is one of those whose size is not known before (as in /proc).
        wanted = if buffer.len() < size { size + 1 - buffer.len() } else { buffer.len().max(8192) };
    }
}
