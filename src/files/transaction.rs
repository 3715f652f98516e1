//! The two phases of writing (rules F1 to F5): every new content is staged in a hidden temp file beside its
//! target; only when all are there and on the disk are they renamed over the targets.
//!
//! What a changed file costs, beyond reading it ([`Source::read`]): open, writev, fstat, two flistxattr,
//! fchmod and close in the first phase; lstat and rename in the second. fchown and the attribute
//! calls come only where there is something to keep. Flushing costs two syncfs for each file system and run:
//! after the temps (else a crash could leave a renamed but empty file) and after the renames (so that what
//! was reported done is done).
//!
//! Cancelling: the flag is looked at before each file is staged, between the writes of a large one, and on
//! both sides of the first flush. Once the first file is renamed the rest follow (some ten microseconds each):
//! stopping half-way would leave a tree of old and new files. Whoever kills the process then, with a second
//! signal, leaves whole files, but possibly temps.
//!
//! A file with several hard links loses the link, as with `sed -i`: this name gets the new content, the
//! others keep the old one. A warning says so. A file without write permission is replaced, as with `sed -i`:
//! the folder's permission counts.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::fd::OwnedFd;

use super::metadata::{self, OwnerChange};
use super::outcome::{CommitError, Committed, FileError, StageError, Warning, WarningKind};
use super::source::{Source, Stamp};
use super::temp::{self, Temp};

/// How a transaction writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Flush to the disk before and after the renames (rule F4). Without it a crash of the machine can leave
    /// empty files, and a full disk behind a network may go unnoticed; a crash of the process cannot.
    pub sync: bool,
    /// How many threads rename; 0 counts as 1.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { sync: true, threads: 1 }
    }
}

/// Files that are to change together. Dropped without [`commit`](Self::commit) it removes its temps, and
/// nothing has changed.
#[derive(Debug)]
pub struct Transaction<'c> {
    options: Options,
    cancel: &'c AtomicBool,
    pid: u32,
    next: AtomicU64,
    staged: Mutex<StagedFiles>,
}

#[derive(Debug, Default)]
struct StagedFiles {
    files: Vec<Staged>,
    /// An open file on each file system that is written to, to flush it by.
    filesystems: Vec<FileSystem>,
}

#[derive(Debug)]
struct FileSystem {
    device: u64,
    file: OwnedFd,
    /// A path on it, to name it by.
    example: PathBuf,
}

#[derive(Debug)]
struct Staged {
    temp: Temp,
    stamp: Stamp,
    other_links: u64,
    owner: Option<OwnerChange>,
}

impl<'c> Transaction<'c> {
    /// An empty transaction, given up when `cancel` becomes true.
    #[must_use]
    pub fn new(options: Options, cancel: &'c AtomicBool) -> Self {
        Self { options, cancel, pid: std::process::id(), next: AtomicU64::new(0), staged: Mutex::default() }
    }

    /// Stages `parts`, one after another, as the new content of `source`.
    ///
    /// # Errors
    /// [`StageError`]; the temp file is gone then, and the transaction may go on without this file.
    pub fn stage(&self, source: &Source<'_>, parts: &[&str]) -> Result<(), StageError> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(StageError::Cancelled);
        }
        let path = || source.found.path.clone();
        let (temp, file) = Temp::create(source.found, self.pid, &self.next)
            .map_err(|error| StageError::Create { path: path(), source: error.into() })?;
        temp::write_parts(&file, parts, self.cancel).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => StageError::Cancelled,
            _ => StageError::Write { path: path(), source: error },
        })?;
        let made = rustix::fs::fstat(&file)
            .map_err(|error| StageError::Write { path: path(), source: error.into() })?;
        if made.st_dev != source.stat.st_dev {
            return Err(StageError::MountPoint { path: path() });
        }
        let owner = metadata::carry_over(&source.file, &source.stat, &file, &made)
            .map_err(|error| StageError::Metadata { path: path(), source: error })?;
        let staged = Staged { temp, stamp: source.stamp(), other_links: source.other_links(), owner };
        self.keep(staged, file, source);
        Ok(())
    }

    /// Takes a staged file in, and keeps its open file if it is the first on its file system.
    fn keep(&self, staged: Staged, file: OwnedFd, source: &Source<'_>) {
        let device = staged.stamp.device();
        let mut all = self.staged.lock().unwrap_or_else(PoisonError::into_inner);
        all.files.push(staged);
        if self.options.sync && all.filesystems.iter().all(|other| other.device != device) {
            all.filesystems.push(FileSystem { device, file, example: source.found.path.clone() });
        }
    }

    /// Renames all staged files over their targets, once their contents are on the disk. Each target is
    /// checked before: one that is not what was read is left alone (rule F5).
    ///
    /// # Errors
    /// [`CommitError`] when nothing was changed at all; a single file's failure is in
    /// [`Committed::failed`].
    pub fn commit(self) -> Result<Committed, CommitError> {
        let StagedFiles { files, filesystems } =
            self.staged.into_inner().unwrap_or_else(PoisonError::into_inner);
        let cancelled = || self.cancel.load(Ordering::Relaxed);
        if cancelled() {
            return Err(CommitError::Cancelled);
        }
        for system in &filesystems {
            flush(&system.file)
                .map_err(|error| CommitError::Sync { path: system.example.clone(), source: error.into() })?;
        }
        if cancelled() {
            return Err(CommitError::Cancelled);
        }
        let mut committed = rename_all(files, self.options.threads);
        for system in filesystems {
            if let Err(error) = flush(&system.file) {
                committed.failed.push(FileError::Sync { path: system.example, source: error.into() });
            }
        }
        Ok(committed)
    }
}

/// Brings everything on a file system to the disk.
fn flush(file: &OwnedFd) -> rustix::io::Result<()> {
    #[cfg(target_os = "linux")]
    return rustix::fs::syncfs(file);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = file;
        rustix::fs::sync();
        Ok(())
    }
}

fn rename_all(mut files: Vec<Staged>, threads: usize) -> Committed {
    let share = files.len().div_ceil(threads.max(1)).max(1);
    let mut committed = std::thread::scope(|scope| {
        let mut workers = Vec::new();
        while files.len() > share {
            let part = files.split_off(files.len() - share);
            workers.push(scope.spawn(move || rename_some(part)));
        }
        let mut all = rename_some(files);
        for worker in workers.into_iter().rev() {
            let other = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            all.written.extend(other.written);
            all.failed.extend(other.failed);
            all.warnings.extend(other.warnings);
        }
        all
    });
    // Stable sorts, for they are quick with what is nearly in order.
    committed.written.sort_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    committed.failed.sort_by(|a, b| a.path().as_os_str().cmp(b.path().as_os_str()));
    committed.warnings.sort_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
    committed
}

fn rename_some(files: Vec<Staged>) -> Committed {
    let mut committed = Committed::default();
    for mut staged in files {
        if let Err(error) = staged.rename() {
            committed.failed.push(error);
            continue;
        }
        let path = std::mem::take(&mut staged.temp.found.path);
        if staged.other_links > 0 {
            let kind = WarningKind::HardLink { others: staged.other_links };
            committed.warnings.push(Warning { path: path.clone(), kind });
        }
        if let Some(change) = staged.owner {
            committed.warnings.push(Warning { path: path.clone(), kind: WarningKind::Owner(change) });
        }
        committed.written.push(path);
    }
    committed
}

impl Staged {
    fn rename(&mut self) -> Result<(), FileError> {
        let path = || self.temp.found.path.clone();
        match rustix::fs::lstat(self.temp.found.real()) {
            Ok(now) if self.stamp.is_still(&Stamp::of(&now)) => {}
            Ok(_) | Err(rustix::io::Errno::NOENT) => return Err(FileError::Changed { path: path() }),
            Err(error) => return Err(FileError::Rename { path: path(), source: error.into() }),
        }
        self.temp.rename().map_err(|error| {
            let path = self.temp.found.path.clone();
            FileError::Rename { path, source: error.into() }
        })
    }
}
