//! The hidden file beside a target that holds its new content until it takes the target's place.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fd::OwnedFd;
use rustix::fs::{CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::found::FoundFile;

/// A temp file `.imageswap-<pid>-<n>.tmp` in the folder of the file it is for. Removed when dropped, unless
/// it was renamed; when the two changed places, that removes the old content. Its name has no manifest extension, so
/// that no tool reads it should a kill leave it.
#[derive(Debug)]
pub(super) struct Temp {
    /// The file it is for.
    pub(super) found: FoundFile,
    pid: u32,
    number: u64,
    /// Whether there is nothing at its path any more.
    gone: bool,
}

/// How a new content came to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placed {
    /// It changed places with the old file, which is now where the temp was.
    Exchanged,
    /// There was nothing at its place.
    Created,
    /// The old file is gone.
    Over,
}

impl Temp {
    /// Creates the temp file for `found`, empty. Numbers are drawn from `next`; one
    /// whose name is taken (a killed run's file; another container with this `pid`) is passed over.
    pub(super) fn create(
        found: &FoundFile,
        mode: Mode,
        pid: u32,
        next: &AtomicU64,
    ) -> rustix::io::Result<(Self, OwnedFd)> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mut temp = Self { found: found.clone(), pid, number: 0, gone: true };
        loop {
            temp.number = next.fetch_add(1, Ordering::Relaxed);
            match rustix::fs::open(temp.path(), flags, mode) {
                Ok(file) => {
                    temp.gone = false;
                    return Ok((temp, file));
                }
                Err(Errno::EXIST | Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> PathBuf {
        self.found.real().with_file_name(format!(".imageswap-{}-{}.tmp", self.pid, self.number))
    }

    /// Its number among the temps of this process.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Puts it in the place of the file it is for. That file takes the temp's place, so that this can be taken back, where
    /// the file system can exchange two files.
    pub(super) fn place(&mut self) -> rustix::io::Result<Placed> {
        let (temp, target) = (self.path(), self.found.real());
        #[cfg(target_os = "linux")]
        match rustix::fs::renameat_with(CWD, &temp, CWD, target, RenameFlags::EXCHANGE) {
            Ok(()) => return Ok(Placed::Exchanged),
            Err(Errno::NOENT) => {
                rustix::fs::rename(&temp, target)?;
                self.gone = true;
                return Ok(Placed::Created);
            }
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
            Err(error) => return Err(error),
        }
        rustix::fs::rename(&temp, target)?;
        self.gone = true;
        Ok(Placed::Over)
    }

    /// Puts back what was at its place; says whether that is so now.
    pub(super) fn take_back(&mut self, placed: Placed) -> bool {
        let (temp, target) = (self.path(), self.found.real());
        match placed {
            #[cfg(target_os = "linux")]
            Placed::Exchanged => {
                rustix::fs::renameat_with(CWD, &temp, CWD, target, RenameFlags::EXCHANGE).is_ok()
            }
            #[cfg(not(target_os = "linux"))]
            Placed::Exchanged => false,
            Placed::Created => rustix::fs::unlink(target).is_ok(),
            Placed::Over => false,
        }
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if !self.gone {
            // There is nobody to tell, and nothing else to do.
            let _ = rustix::fs::unlink(self.path());
        }
    }
}
