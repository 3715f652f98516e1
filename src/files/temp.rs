//! The hidden file beside a target that holds its new content until the rename.

use std::io::{self, IoSlice};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::found::Found;

/// How many slices one writev takes; Linux' limit is 1,024.
const SLICES: usize = 1024;

/// A temp file `.imageswap-<pid>-<n>.tmp` in the folder of the file it is for. Removed when dropped, unless
/// it was renamed. Its name has no manifest extension, so that no tool reads it should a kill leave it.
#[derive(Debug)]
pub(super) struct Temp {
    /// The file it is for.
    pub(super) found: Found,
    pid: u32,
    number: u64,
    renamed: bool,
}

impl Temp {
    /// Creates the temp file for `found`, empty, for its owner's eyes only. Numbers are drawn from `next`; one
    /// whose name is taken (a killed run's file; another container with this `pid`) is passed over.
    pub(super) fn create(found: &Found, pid: u32, next: &AtomicU64) -> rustix::io::Result<(Self, OwnedFd)> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mut temp = Self { found: found.clone(), pid, number: 0, renamed: true };
        loop {
            temp.number = next.fetch_add(1, Ordering::Relaxed);
            match rustix::fs::open(temp.path(), flags, Mode::RUSR | Mode::WUSR) {
                Ok(file) => {
                    temp.renamed = false;
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

    /// Puts it in the place of the file it is for.
    pub(super) fn rename(&mut self) -> rustix::io::Result<()> {
        rustix::fs::rename(self.path(), self.found.real())?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if !self.renamed {
            // There is nobody to tell, and nothing else to do.
            let _ = rustix::fs::unlink(self.path());
        }
    }
}

/// Writes `parts`, one after another, with one writev for every 1,024 of them. Stops with `Interrupted`
/// when `cancel` is set between two of these.
pub(super) fn write_parts(file: &OwnedFd, parts: &[&str], cancel: &AtomicBool) -> io::Result<()> {
    let mut slices = Vec::with_capacity(parts.len().min(SLICES));
    for batch in parts.chunks(SLICES) {
        slices.clear();
        slices.extend(batch.iter().map(|part| IoSlice::new(part.as_bytes())));
        let mut rest = slices.as_mut_slice();
        // Empty slices at the front must go before the test, else the last write would be of nothing.
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            if cancel.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            match rustix::io::writev(file, rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut rest, written),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}
