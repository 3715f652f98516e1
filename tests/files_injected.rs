//! Failures, kills and signals at chosen system calls, which strace injects (rules F1, F4, F9).

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests stop at the first surprise and say why"
)]

mod files_support;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use files_support::{child, contents, many, run_test, stage, temps, traced};
use imageswap::files::{FoundFile, Transaction, WriteOptions};
use tempfile::TempDir;

const FILES: usize = 6;

/// What a run left behind.
struct Left {
    /// What the child reported; empty when it was killed before.
    outcome: String,
    old: usize,
    new: usize,
    temps: usize,
}

impl Left {
    fn is(&self, outcome: &str, new: usize) -> bool {
        self.outcome.starts_with(outcome) && (self.new, self.old, self.temps) == (new, FILES - new, 0)
    }
}

/// Runs a transaction over a few files under strace with `inject`; `None` where that cannot be.
fn run(test: &str, inject: &str) -> Option<(Left, TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    fs::create_dir(&files).unwrap();
    many(&files, FILES, "old");
    let child = run_test(&std::env::current_exe().unwrap(), test, folder.path().to_str().unwrap());
    let output = traced(&["-o", "/dev/null", "-e", &format!("inject={inject}")], &child)?;
    let said = String::from_utf8_lossy(&output.stderr);
    let outcome = fs::read_to_string(folder.path().join("outcome")).unwrap_or_default();
    assert!(outcome.is_empty() != output.status.success(), "{inject}: {outcome}{said}");
    let contents = contents(&files);
    let count = |bytes: &[u8]| {
        contents.iter().filter(|(path, all)| path.extension().unwrap() == "yaml" && *all == bytes).count()
    };
    let left = Left { outcome, old: count(b"old"), new: count(b"new"), temps: temps(&files).len() };
    eprintln!("{inject}: {} old, {} new, {} temps; {}", left.old, left.new, left.temps, left.outcome);
    Some((left, folder))
}

fn as_child(folder: &Path) {
    as_child_that(folder, true);
}

fn as_child_that(folder: &Path, keep_going: bool) {
    let outcome = transact(&folder.join("files"), keep_going);
    fs::write(folder.join("outcome"), outcome).unwrap();
}

fn transact(folder: &Path, keep_going: bool) -> String {
    let cancel = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&cancel)).unwrap();
    let mut paths: Vec<_> = contents(folder).into_keys().collect();
    paths.sort();
    let transaction = Transaction::new(WriteOptions { sync: true, threads: 1, keep_going }, &cancel);
    for path in paths {
        if let Err(error) = stage(&transaction, &FoundFile::file(path), "new") {
            return format!("stage: {error}");
        }
    }
    match transaction.commit() {
        Ok(committed) => {
            let failed: Vec<_> = committed.failed.iter().map(ToString::to_string).collect();
            format!("wrote {}; {}", committed.written.len(), failed.join("; "))
        }
        Err(error) => format!("commit: {error}"),
    }
}

#[test]
fn killed_at_each_system_call() {
    if let Some(folder) = child() {
        return as_child(Path::new(&folder));
    }
    for call in ["writev", "flistxattr", "fchmod", "syncfs", "?rename,?renameat,?renameat2"] {
        for when in [1, 2, FILES] {
            let inject = format!("{call}:signal=SIGKILL:when={when}");
            let Some((left, _folder)) = run("killed_at_each_system_call", &inject) else { return };
            assert_eq!(left.old + left.new, FILES, "a file is neither old nor new");
            if call == "syncfs" && when > 2 {
                assert!(left.is("wrote 6; ", FILES), "there are two flushes only");
                continue;
            }
            assert!(left.outcome.is_empty());
            // strace's kill strikes on leaving the call.
            match call {
                "syncfs" => assert_eq!(left.new, if when == 1 { 0 } else { FILES }),
                "writev" | "flistxattr" | "fchmod" => assert_eq!(left.new, 0),
                _ => assert!(left.new == when || left.new == when - 1),
            }
        }
    }
}

#[test]
fn a_flush_that_fails_changes_nothing() {
    if let Some(folder) = child() {
        return as_child(Path::new(&folder));
    }
    let name = "a_flush_that_fails_changes_nothing";
    let Some((left, _folder)) = run(name, "syncfs:error=EIO:when=1") else { return };
    assert!(left.is("commit: cannot flush the file system of ", 0), "{}", left.outcome);
    let Some((left, _folder)) = run(name, "syncfs:error=EIO:when=2") else { return };
    assert!(left.is("wrote 6; cannot flush the file system of ", FILES), "{}", left.outcome);
}

#[test]
fn a_rename_that_fails_is_reported_and_the_rest_done() {
    if let Some(folder) = child() {
        return as_child(Path::new(&folder));
    }
    let name = "a_rename_that_fails_is_reported_and_the_rest_done";
    let Some((left, _folder)) = run(name, "?rename,?renameat,?renameat2:error=EACCES:when=3") else { return };
    assert!(left.is("wrote 5; ", FILES - 1), "{}", left.outcome);
    assert!(
        left.outcome.ends_with("f0002.yaml: cannot replace the file: permission denied"),
        "{}",
        left.outcome
    );
}

/// All or nothing: the files that were replaced before get their old content back, and nothing is left beside them.
#[test]
fn a_rename_that_fails_takes_the_others_back() {
    if let Some(folder) = child() {
        return as_child_that(Path::new(&folder), false);
    }
    for when in [1, 3, FILES] {
        let inject = format!("?rename,?renameat,?renameat2:error=EACCES:when={when}");
        let Some((left, _folder)) = run("a_rename_that_fails_takes_the_others_back", &inject) else { return };
        assert!(left.is("wrote 0; ", 0), "{}", left.outcome);
        assert!(left.outcome.ends_with("cannot replace the file: permission denied"), "{}", left.outcome);
    }
}

#[test]
fn a_mode_that_cannot_be_set_is_an_error() {
    if let Some(folder) = child() {
        return as_child(Path::new(&folder));
    }
    let Some((left, _folder)) = run("a_mode_that_cannot_be_set_is_an_error", "fchmod:error=EPERM:when=2")
    else {
        return;
    };
    assert!(left.is("stage: ", 0) && left.outcome.contains("f0001.yaml: its mode and attributes"));
}

/// Rule F9: a signal before the first rename stops everything, one after it nothing.
#[test]
fn signals_leave_no_temps() {
    if let Some(folder) = child() {
        return as_child(Path::new(&folder));
    }
    for (at, outcome, new) in [
        ("writev:signal=SIGTERM:when=1", "stage: cancelled", 0),
        ("fchmod:signal=SIGTERM:when=4", "stage: cancelled", 0),
        ("fchmod:signal=SIGTERM:when=6", "commit: cancelled", 0),
        ("syncfs:signal=SIGTERM:when=1", "commit: cancelled", 0),
        ("?rename,?renameat,?renameat2:signal=SIGTERM:when=1", "wrote 6; ", FILES),
        ("syncfs:signal=SIGTERM:when=2", "wrote 6; ", FILES),
    ] {
        let Some((left, _folder)) = run("signals_leave_no_temps", at) else { return };
        assert!(left.is(outcome, new), "{at}: {}", left.outcome);
    }
}
