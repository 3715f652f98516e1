//! Putting staged files into place, and taking that back.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::FileType;

use super::metadata::OwnerChanges;
use super::outcome::{Committed, FileError, Warning, WarningKind};
use super::source::Stamp;
use super::temp::{Placed, Temp};

/// Fewer files than this are not worth a thread.
const FILES_PER_THREAD: usize = 64;

/// A file whose new content is written beside it.
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) temp: Temp,
    pub(super) target: CommitTarget,
    pub(super) owners: OwnerChanges,
}

/// What the new content takes the place of.
#[derive(Debug, Clone, Copy)]
pub(super) enum CommitTarget {
    /// A file that was read, and must still be that file.
    Read { stamp: Stamp, other_links: u64 },
    /// Whatever file stands there, or nothing.
    Other,
}

impl Staged {
    /// Whether the target is still what was read.
    fn check(&self) -> Result<(), FileError> {
        let path = || self.temp.found.path.clone();
        let now = rustix::fs::lstat(self.temp.found.real());
        let CommitTarget::Read { stamp, .. } = &self.target else {
            // A file and a folder can change places, too.
            let is_folder = now.is_ok_and(|now| FileType::from_raw_mode(now.st_mode) == FileType::Directory);
            let error = FileError::Rename { path: path(), source: std::io::ErrorKind::IsADirectory.into() };
            return if is_folder { Err(error) } else { Ok(()) };
        };
        match now {
            Ok(now) if stamp.is_still(&Stamp::of(&now)) => Ok(()),
            Ok(_) | Err(rustix::io::Errno::NOENT) => Err(FileError::Changed { path: path() }),
            Err(error) => Err(FileError::Rename { path: path(), source: error.into() }),
        }
    }

    fn place(&mut self) -> Result<Placed, FileError> {
        self.check()?;
        self.temp
            .place()
            .map_err(|error| FileError::Rename { path: self.temp.found.path.clone(), source: error.into() })
    }
}

/// Puts all files into place. Unless told to `keep_going`, the first that cannot be ends that, and those that were are
/// taken back.
pub(super) fn replace_all(files: Vec<Staged>, threads: usize, keep_going: bool) -> Committed {
    let mut committed = Committed::default();
    let mut files = files;
    if !keep_going {
        let check = |part: Vec<Staged>| {
            let failed: Vec<FileError> = part.iter().filter_map(|staged| staged.check().err()).collect();
            (part, failed)
        };
        for (part, failed) in in_parts(&mut files, threads, check) {
            files.extend(part);
            committed.failed.extend(failed);
        }
        if !committed.failed.is_empty() {
            return sorted(committed);
        }
    }
    let stop = AtomicBool::new(false);
    let placed = in_parts(&mut files, threads, |part| place_some(part, &stop, keep_going));
    let mut placed: Vec<Attempt> = placed.into_iter().flatten().collect();
    if stop.load(Ordering::Relaxed) {
        for attempt in placed.iter_mut().rev() {
            attempt.take_back();
        }
    }
    let finished = in_parts(&mut placed, threads, finish);
    for part in finished {
        committed.written.extend(part.written);
        committed.failed.extend(part.failed);
        committed.warnings.extend(part.warnings);
    }
    sorted(committed)
}

/// A file, and what became of putting it into place; nothing, when another's failure came before.
struct Attempt {
    staged: Staged,
    result: Option<Result<Placed, FileError>>,
}

impl Attempt {
    fn take_back(&mut self) {
        if let Some(Ok(placed)) = self.result
            && self.staged.temp.take_back(placed)
        {
            self.result = None;
        }
    }
}

fn place_some(files: Vec<Staged>, stop: &AtomicBool, keep_going: bool) -> Vec<Attempt> {
    let attempt = |mut staged: Staged| {
        let result = (!stop.load(Ordering::Relaxed)).then(|| staged.place());
        if !keep_going && matches!(result, Some(Err(_))) {
            stop.store(true, Ordering::Relaxed);
        }
        Attempt { staged, result }
    };
    files.into_iter().map(attempt).collect()
}

/// Removes what is left beside the files, and says what became of them.
fn finish(attempts: Vec<Attempt>) -> Committed {
    let mut committed = Committed::default();
    for Attempt { staged, result } in attempts {
        match result {
            None => {}
            Some(Err(error)) => committed.failed.push(error),
            Some(Ok(_)) => {
                let path = staged.temp.found.path.clone();
                let Staged { target, owners, .. } = &staged;
                let mut warn = |kind| committed.warnings.push(Warning { path: path.clone(), kind });
                if let CommitTarget::Read { other_links: others @ 1.., .. } = *target {
                    warn(WarningKind::HardLink { others });
                }
                if let Some(change) = owners.user {
                    warn(WarningKind::Owner(change));
                }
                if let Some(change) = owners.group {
                    warn(WarningKind::Group(change));
                }
                committed.written.push(path);
            }
        }
    }
    committed
}

/// Does `work` on parts of `items` in at most so many threads, and returns the results in order.
fn in_parts<T: Send, R: Send>(
    items: &mut Vec<T>,
    threads: usize,
    work: impl Fn(Vec<T>) -> R + Sync,
) -> Vec<R> {
    let share = items.len().div_ceil(threads.max(1)).max(FILES_PER_THREAD);
    std::thread::scope(|scope| {
        let mut workers = Vec::new();
        while items.len() > share {
            let part = items.split_off(items.len() - share);
            workers.push(scope.spawn(|| work(part)));
        }
        let mut results = vec![work(std::mem::take(items))];
        let joined = workers.into_iter().rev();
        results.extend(
            joined.map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))),
        );
        results
    })
}

/// Stable sorts, for they are quick with what is nearly in order.
fn sorted(mut committed: Committed) -> Committed {
    committed.written.sort_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    committed.failed.sort_by(|a, b| a.path().as_os_str().cmp(b.path().as_os_str()));
    committed.warnings.sort_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
    committed
}
