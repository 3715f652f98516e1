//! Work on many files with several threads, and a progress bar for whoever waits.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::files::{FoundFile, PassedOverReason, WalkError, Walked};

use super::progress::Progress;
use super::stderr;

/// How often the bar moves.
const TICK: Duration = Duration::from_millis(100);

/// How long a run may take to stop by itself.
const GRACE: Duration = Duration::from_millis(500);

/// So few files, of so few bytes together, are read before another thread would have started.
const FEW_FILES: usize = 8;
const FEW_BYTES: u64 = 256 << 10;

/// What is looked at while others work.
#[derive(Clone, Copy)]
pub struct Watch<'w> {
    /// Whether to stop.
    pub cancel: &'w AtomicBool,
    /// Whether somebody watches, and wants to see how far it is.
    pub watched: bool,
    /// What is done when the work has not stopped in half a second, as while a large file is parsed.
    pub late: Option<&'w (dyn Fn() + Sync)>,
}

/// Whether `files` are read so soon that nobody waits for it, and no other thread is worth its start.
pub fn is_little_work(files: &[FoundFile]) -> bool {
    let size = |file: &FoundFile| file.real().metadata().map_or(0, |metadata| metadata.len());
    files.len() <= FEW_FILES && files.iter().map(size).sum::<u64>() <= FEW_BYTES
}

/// Calls `work` for each file, from at most `threads` threads, each with a state of its own, and returns the results in
/// the order of the files, and the states. Stops early when told to; files that were not reached
/// have no result. Little work is done in the thread that calls.
pub fn each<T: Send, S: Send>(
    files: &[FoundFile],
    threads: usize,
    watch: Watch<'_>,
    start: impl Fn() -> S + Sync,
    work: impl Fn(&FoundFile, &mut S) -> T + Sync,
) -> (Vec<T>, Vec<S>) {
    let (next, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let threads = threads.clamp(1, files.len().max(1));
    let worker = || {
        let mut state = start();
        let mut done = Vec::new();
        while !watch.cancel.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = files.get(index) else { break };
            done.push((index, work(file, &mut state)));
            finished.fetch_add(1, Ordering::Relaxed);
        }
        (done, state)
    };
    let is_unwatched = threads == 1 && !watch.watched && watch.late.is_none();
    let shares = if is_unwatched || is_little_work(files) {
        vec![worker()]
    } else {
        thread::scope(|scope| {
            let (over, ended) = mpsc::channel::<()>();
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    let (over, worker) = (over.clone(), &worker);
                    scope.spawn(move || {
                        let result = worker();
                        drop(over);
                        result
                    })
                })
                .collect();
            drop(over);
            attend(&ended, &finished, files.len(), watch);
            let joined = workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            joined.collect()
        })
    };
    let (mut results, mut states) = (Vec::with_capacity(files.len()), Vec::new());
    for (done, state) in shares {
        results.extend(done);
        states.push(state);
    }
    results.sort_unstable_by_key(|(index, _)| *index);
    (results.into_iter().map(|(_, result)| result).collect(), states)
}

/// Until the work has ended: shows how far it is, if it takes long, and sees to it that it stops when told to.
fn attend(ended: &mpsc::Receiver<()>, finished: &AtomicUsize, total: usize, watch: Watch<'_>) {
    let mut progress = Progress::new(total, "files", watch.watched);
    let mut cancelled: Option<Instant> = None;
    while let Err(mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(TICK) {
        if watch.cancel.load(Ordering::Relaxed)
            && cancelled.get_or_insert_with(Instant::now).elapsed() >= GRACE
            && let Some(late) = watch.late
        {
            late();
        }
        // Every time, so that the time goes on where one large file takes all of it.
        progress.show(finished.load(Ordering::Relaxed));
    }
}

/// What to do about a path that cannot be read, if there is good advice.
pub fn hint(error: &WalkError) -> Option<&'static str> {
    match error {
        WalkError::LeavesRoot { .. } => Some("--follow takes it along, --exclude leaves it out"),
        WalkError::Missing { .. } | WalkError::NotRegular { .. } | WalkError::Io { .. } => None,
    }
}

/// What to say of given folders in which there is nothing to read, and of globs that matched nothing.
pub fn remarks(walked: &Walked) -> (Vec<(String, String)>, Vec<String>) {
    let empty = walked.empty.iter().map(|folder| {
        let folder = folder.display().to_string();
        let text = format!(
            "{folder}: no manifests in this folder: ignored files are read with --no-ignore, other names with --include"
        );
        (folder, text)
    });
    let globs = walked.unused_globs.iter().map(|glob| format!("the glob `{glob}` matched nothing"));
    (empty.collect(), globs.collect())
}

/// What the summary calls things that the walk passed over.
pub fn passed_over(reason: PassedOverReason) -> &'static str {
    match reason {
        PassedOverReason::HelmTemplate => "Helm templates",
        PassedOverReason::Dockerfile => "Dockerfiles",
        PassedOverReason::LinkedFolder => "links to folders",
        PassedOverReason::DanglingLink => "links to nothing",
        PassedOverReason::NotRegular => "special files",
    }
}

/// Why the walk passed over something, in words.
pub fn why(reason: PassedOverReason) -> &'static str {
    match reason {
        PassedOverReason::HelmTemplate => "a Helm template (--templates reads it)",
        PassedOverReason::Dockerfile => "a Dockerfile",
        PassedOverReason::LinkedFolder => "a link to a folder (--follow enters it)",
        PassedOverReason::DanglingLink => "a link to nothing",
        PassedOverReason::NotRegular => "a special file",
    }
}

/// Whether a progress bar may be shown.
pub fn is_watched(quiet: bool) -> bool {
    !quiet && stderr::is_watched()
}
