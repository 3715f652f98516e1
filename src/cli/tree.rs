//! Work on many files with several threads, and a progress bar for whoever waits.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::files::{Found, SkipReason, WalkError, Walked};

use super::speech;

/// How long a run is before it is worth a progress bar.
const LONG: Duration = Duration::from_secs(1);

/// How often the bar moves.
const TICK: Duration = Duration::from_millis(100);

/// Calls `work` for each file, from `threads` threads, each with a state of its own, and returns the results in
/// the order of the files, and the states. Stops early when `cancel` is set; files that were not reached
/// have no result.
pub fn each<T: Send, S: Send>(
    files: &[Found],
    threads: usize,
    cancel: &AtomicBool,
    watched: bool,
    start: impl Fn() -> S + Sync,
    work: impl Fn(&Found, &mut S) -> T + Sync,
) -> (Vec<T>, Vec<S>) {
    let next = AtomicUsize::new(0);
    let threads = threads.clamp(1, files.len().max(1));
    let worker = || {
        let mut state = start();
        let mut done = Vec::new();
        while !cancel.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = files.get(index) else { break };
            done.push((index, work(file, &mut state)));
        }
        (done, state)
    };
    let finished = if threads == 1 && !watched {
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
            if watched {
                show_progress(&ended, &next, files.len());
            }
            let joined = workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            joined.collect()
        })
    };
    let (mut results, mut states) = (Vec::with_capacity(files.len()), Vec::new());
    for (done, state) in finished {
        results.extend(done);
        states.push(state);
    }
    results.sort_unstable_by_key(|(index, _)| *index);
    (results.into_iter().map(|(_, result)| result).collect(), states)
}

/// Shows how far the work is, until it has ended, if it takes long.
fn show_progress(ended: &mpsc::Receiver<()>, next: &AtomicUsize, total: usize) {
    let started = Instant::now();
    let mut bar: Option<ProgressBar> = None;
    while let Err(mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(TICK) {
        if started.elapsed() < LONG {
            continue;
        }
        let bar = bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{bar:40} {pos}/{len} files, {eta} left");
            let bar = ProgressBar::new(total as u64);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        bar.set_position(next.load(Ordering::Relaxed).min(total) as u64);
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
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
pub fn passed_over(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::HelmTemplate => "Helm templates",
        SkipReason::LinkedFolder => "links to folders",
        SkipReason::DanglingLink => "links to nothing",
        SkipReason::NotRegular => "special files",
    }
}

/// Whether a progress bar may be shown.
pub fn is_watched(quiet: bool) -> bool {
    !quiet && speech::is_watched()
}
