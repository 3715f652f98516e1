//! SIGINT and SIGTERM at any time of a run (rule F9): no temp file is left, every file is wholly old or wholly
//! new, and the program ends by the signal. `IMAGESWAP_SIGNALS` sets how many are sent (24).
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests stop at the first surprise and say why"
)]

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

const FILES: usize = 600;
const OLD: &str = "kind: Pod\nspec:\n  containers:\n  - image: nginx # first\n  - image: quay.io/a/b\n";
const NEW: &str =
    "kind: Pod\nspec:\n  containers:\n  - image: m.example/nginx # first\n  - image: m.example/a/b\n";

/// A tree of old files.
fn fill(folder: &Path) {
    for number in 0..FILES {
        let parent = folder.join(format!("d{}", number % 40));
        fs::create_dir_all(&parent).unwrap();
        fs::write(parent.join(format!("f{number}.yaml")), OLD).unwrap();
    }
}

fn command(tree: &Path, output: Option<&Path>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imageswap"));
    command.args(["rewrite", "-q", "--no-sync", "--map", "default::m.example"]).arg(tree);
    if let Some(output) = output {
        command.arg("--output").arg(output);
    }
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// All files below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

/// Sends signals at moments spread over the time that a whole run takes, and asks `look` how the folder is
/// left; it says whether the run had written.
fn sweep(name: &str, with_output: bool, look: impl Fn(&Path, &Path) -> bool) {
    let signals: u32 = std::env::var("IMAGESWAP_SIGNALS").map_or(24, |signals| signals.parse().unwrap());
    let scratch = tempfile::tempdir().unwrap();
    let (tree, output) = (scratch.path().join("tree"), scratch.path().join("output"));
    let output_argument = with_output.then_some(output.as_path());
    fill(&tree);
    let started = Instant::now();
    assert!(command(&tree, output_argument).status().unwrap().success());
    let whole = started.elapsed();
    let (mut by_signal, mut written) = (0, 0);
    fill(&tree);
    for number in 0..signals {
        let _ = fs::remove_dir_all(&output);
        let mut child = command(&tree, output_argument).spawn().unwrap();
        // The moment is what this test varies.
        std::thread::sleep(whole * number * 5 / (signals * 4) + Duration::from_millis(1));
        let signal = if number % 2 == 0 { Signal::INT } else { Signal::TERM };
        let pid = Pid::from_child(&child);
        let ended = child.try_wait().unwrap().is_some();
        if !ended {
            kill_process(pid, signal).unwrap();
        }
        let status = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&status.stderr).into_owned();
        match status.status.signal() {
            Some(by) => {
                assert_eq!(by, signal.as_raw(), "{name}: {said}");
                by_signal += 1;
                // When it comes before the program watches, nothing is said.
                let told = said.is_empty() || said == "error: interrupted; nothing was written\n";
                assert!(told, "{name}: {said}");
            }
            None => assert!(status.status.success(), "{name}: {:?}: {said}", status.status),
        }
        if look(&tree, &output) {
            written += 1;
            fill(&tree);
        }
    }
    eprintln!("{name}: {by_signal} of {signals} runs ended by the signal, {written} had written");
    assert!(by_signal > 0, "no signal came in time: this test shows nothing");
}

/// How many of the files at `folder` are new; panics on temp files and on files that are neither old nor new.
fn new_files(folder: &Path) -> usize {
    let mut new = 0;
    let files = files(folder);
    for path in &files {
        assert!(path.extension().is_some_and(|e| e == "yaml"), "left behind: {}", path.display());
        match fs::read_to_string(path).unwrap().as_str() {
            OLD => {}
            NEW => new += 1,
            other => panic!("{} is neither old nor new: {other:?}", path.display()),
        }
    }
    new
}

#[test]
fn in_place() {
    sweep("in place", false, |tree, _| {
        assert_eq!(files(tree).len(), FILES);
        new_files(tree) > 0
    });
}

#[test]
fn into_a_folder() {
    sweep("into a folder", true, |tree, output| {
        assert_eq!(new_files(tree), 0, "the old tree changed");
        new_files(output) > 0
    });
}

/// A second signal ends a run that does not end by the first.
#[test]
fn before_it_begins() {
    let tree = tempfile::tempdir().unwrap();
    fill(tree.path());
    let mut child = command(tree.path(), None).spawn().unwrap();
    for _ in 0..2 {
        let _ = kill_process(Pid::from_child(&child), Signal::TERM);
    }
    let status = child.wait().unwrap();
    assert!(status.success() || status.signal() == Some(Signal::TERM.as_raw()), "{status:?}");
}
