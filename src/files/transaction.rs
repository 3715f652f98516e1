//! The two phases of writing (rules F1 to F5): every new content is staged in a hidden temp file beside its
//! target; only when all are there and on the disk do they take the places of the targets. This is the one writer:
//! of files in place ([`Transaction::stage`]), of trees in another folder ([`Transaction::stage_at`]), and of a single
//! file ([`super::write_file`]).
//!
//! All or nothing: before the first file is replaced all targets are looked at again, and when one cannot be replaced
//! after all, those before it get their old content back. For this the new file and the old one change places, and the
//! old one goes when all is done. With [`WriteOptions::keep_going`], and on file systems that cannot exchange two
//! files, each file is for itself; [`Committed::written`] says what was written in the end.
//!
//! What a changed file costs, beyond reading it ([`super::SourceFile::read`]): open, writev, fstat, two flistxattr,
//! fchmod and close in the first phase; lstat (twice, unless keeping going), rename and unlink in the second. fchown
//! and the attribute calls come only where there is something to keep. Flushing costs two syncfs for each file system
//! and run: after the temps (else a crash could leave a renamed but empty file) and after the renames (so that what was
//! reported done is done).
//!
//! Cancelling: the flag is looked at before each file is staged, between the writes of a large one, and on
//! both sides of the first flush. Once the first file is replaced the rest follow (some ten microseconds each):
//! stopping half-way would leave a tree of old and new files. Whoever kills the process then, with a second
//! signal, leaves whole files, but possibly temps.
//!
//! A file with several hard links loses the link, as with `sed -i`: this name gets the new content, the
//! others keep the old one. A warning says so. A file without write permission is replaced, as with `sed -i`:
//! the folder's permission counts.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Mode, Stat};

use super::commit::{self, CommitTarget, Staged};
use super::folders::Folders;
use super::found::FoundFile;
use super::metadata::{self, OwnerChanges};
use super::outcome::{CommitError, Committed, FileError, StageError};
use super::parts::write_parts;
use super::source::{SourceFile, Stamp};
use super::temp::Temp;

/// How a transaction writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteOptions {
    /// Flush to the disk before and after the renames (rule F4). Without it a crash of the machine can leave
    /// empty files, and a full disk behind a network may go unnoticed; a crash of the process cannot.
    pub sync: bool,
    /// How many threads rename, at most; 0 counts as 1.
    pub threads: usize,
    /// Write the files that can be written though others cannot.
    pub keep_going: bool,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self { sync: true, threads: 1, keep_going: false }
    }
}

/// Files that are to change together. Dropped without [`commit`](Self::commit) it removes its temps and the folders
/// it made, and nothing has changed.
#[derive(Debug)]
pub struct Transaction<'c> {
    options: WriteOptions,
    cancel: &'c AtomicBool,
    pid: u32,
    next: AtomicU64,
    staged: Mutex<StagedFiles>,
}

#[derive(Debug, Default)]
struct StagedFiles {
    files: Vec<Staged>,
    /// The temps that are being written.
    in_flight: FxHashMap<u64, PathBuf>,
    /// The places outside of the files that were read.
    places: FxHashSet<PathBuf>,
    /// Goes after the files, so that what it made is empty.
    folders: Folders,
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

impl<'c> Transaction<'c> {
    /// An empty transaction, given up when `cancel` becomes true.
    #[must_use]
    pub fn new(options: WriteOptions, cancel: &'c AtomicBool) -> Self {
        Self { options, cancel, pid: std::process::id(), next: AtomicU64::new(0), staged: Mutex::default() }
    }

    /// Stages `parts`, one after another, as the new content of `source`.
    ///
    /// # Errors
    /// [`StageError`]; the temp file is gone then, and the transaction may go on without this file.
    pub fn stage(&self, source: &SourceFile<'_>, parts: &[impl AsRef<[u8]>]) -> Result<(), StageError> {
        let path = || source.found.path.clone();
        if let Err(source) = may_replace(source) {
            return Err(StageError::Sticky { path: path(), source });
        }
        let (temp, file, made) = self.write(source.found, Mode::RUSR | Mode::WUSR, parts)?;
        if made.st_dev != source.stat.st_dev {
            return Err(StageError::MountPoint { path: path() });
        }
        let owners = metadata::carry_over(&source.file, &source.stat, &file, &made)
            .map_err(|error| StageError::Metadata { path: path(), source: error })?;
        let target = CommitTarget::Read { stamp: source.stamp(), other_links: source.other_links() };
        self.keep(Staged { temp, target, owners }, file, &made);
        Ok(())
    }

    /// Stages `parts`, one after another, for `path`: a new file in a folder that is made when it is not there, or the
    /// new content of a file that nobody read. It gets the permissions of `like`; without, those of the file that
    /// stands there, or what the system gives.
    ///
    /// # Errors
    /// [`StageError`], as when `path` is a folder, is `like` itself, or was staged before; the temp file is gone then, and
    /// the transaction may go on without this file.
    pub fn stage_at(
        &self,
        path: &Path,
        like: Option<&SourceFile<'_>>,
        parts: &[impl AsRef<[u8]>],
    ) -> Result<(), StageError> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(StageError::Cancelled);
        }
        let owned = || path.to_owned();
        let there = rustix::fs::lstat(path).ok();
        if let Some(there) = &there {
            match FileType::from_raw_mode(there.st_mode) {
                FileType::Directory => return Err(StageError::IsFolder { path: owned() }),
                FileType::RegularFile | FileType::Symlink => {}
                _ => return Err(StageError::NotRegular { path: owned() }),
            }
            if like.is_some_and(|like| (like.stat.st_dev, like.stat.st_ino) == (there.st_dev, there.st_ino)) {
                return Err(StageError::IsInput { path: owned() });
            }
        }
        {
            let mut all = self.all();
            if !all.places.insert(owned()) {
                return Err(StageError::Twice { path: owned() });
            }
            let folder = path.parent().unwrap_or(Path::new(""));
            all.folders
                .make(folder)
                .map_err(|source| StageError::Folder { path: folder.to_owned(), source })?;
        }
        // The permissions of a link say nothing.
        let is_regular = |there: &&Stat| FileType::from_raw_mode(there.st_mode) == FileType::RegularFile;
        let model = like.map(|like| &like.stat).or(there.as_ref().filter(is_regular));
        let mode = if model.is_some() { 0o600 } else { 0o666 };
        let (temp, file, made) = self.write(&FoundFile::file(owned()), Mode::from_raw_mode(mode), parts)?;
        if let Some(model) = model {
            let permissions = Mode::from_raw_mode(model.st_mode & 0o777);
            rustix::fs::fchmod(&file, permissions)
                .map_err(|error| StageError::Metadata { path: owned(), source: error.into() })?;
        }
        self.keep(Staged { temp, target: CommitTarget::Other, owners: OwnerChanges::default() }, file, &made);
        Ok(())
    }

    /// Writes a temp file for `found`.
    fn write(
        &self,
        found: &FoundFile,
        mode: Mode,
        parts: &[impl AsRef<[u8]>],
    ) -> Result<(Temp, OwnedFd, Stat), StageError> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(StageError::Cancelled);
        }
        let path = || found.path.clone();
        let (temp, file) = Temp::create(found, mode, self.pid, &self.next)
            .map_err(|error| StageError::Create { path: path(), source: error.into() })?;
        self.all().in_flight.insert(temp.number(), temp.path());
        write_parts(&file, parts, self.cancel).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => StageError::Cancelled,
            _ => StageError::Write { path: path(), source: error },
        })?;
        let made = rustix::fs::fstat(&file)
            .map_err(|error| StageError::Write { path: path(), source: error.into() })?;
        Ok((temp, file, made))
    }

    /// Takes a staged file in, and keeps its open file if it is the first on its file system.
    fn keep(&self, staged: Staged, file: OwnedFd, made: &Stat) {
        let device = Stamp::of(made).device();
        let mut all = self.all();
        all.in_flight.remove(&staged.temp.number());
        if self.options.sync && all.filesystems.iter().all(|other| other.device != device) {
            let example = staged.temp.found.path.clone();
            all.filesystems.push(FileSystem { device, file, example });
        }
        all.files.push(staged);
    }

    /// Whether files are written though others cannot be.
    #[must_use]
    pub fn keeps_going(&self) -> bool {
        self.options.keep_going
    }

    /// Removes all temps, and the folders that were made, for somebody who ends the process at once.
    pub fn abandon(&self) {
        let mut all = self.all();
        for temp in std::mem::take(&mut all.in_flight).into_values() {
            // It may be gone, and there is nobody to tell.
            let _ = rustix::fs::unlink(temp);
        }
        drop(std::mem::take(&mut *all));
    }

    fn all(&self) -> MutexGuard<'_, StagedFiles> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts all staged files into place, once their contents are on the disk. Each target is
    /// checked before: one that is not what was read is left alone (rule F5).
    ///
    /// # Errors
    /// [`CommitError`] when nothing was changed at all; a single file's failure is in
    /// [`Committed::failed`].
    pub fn commit(self) -> Result<Committed, CommitError> {
        let mut staged = self.staged.into_inner().unwrap_or_else(PoisonError::into_inner);
        // In this order, so that the temps go before the folders that they are in.
        let mut folders = std::mem::take(&mut staged.folders);
        let StagedFiles { files, filesystems, .. } = staged;
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
        let mut committed = commit::replace_all(files, self.options.threads, self.options.keep_going);
        if !committed.written.is_empty() {
            folders.keep();
        }
        for system in filesystems {
            if let Err(error) = flush(&system.file) {
                committed.failed.push(FileError::Sync { path: system.example, source: error.into() });
            }
        }
        Ok(committed)
    }
}

/// Whether the system lets us replace the file, as far as that is known before: in a sticky folder only the owner of the
/// file or of the folder may.
fn may_replace(source: &SourceFile<'_>) -> io::Result<()> {
    let user = rustix::process::geteuid();
    if user.is_root() || source.stat.st_uid == user.as_raw() {
        return Ok(());
    }
    let folder = match source.found.real().parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let folder = rustix::fs::stat(folder)?;
    let is_sticky = Mode::from_raw_mode(folder.st_mode).contains(Mode::SVTX);
    if is_sticky && folder.st_uid != user.as_raw() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    Ok(())
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
