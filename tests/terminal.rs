//! What a person at a terminal sees besides: how far a long run is, that the program waits for input, and colours.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Runs `imageswap` with these arguments in `folder` on a terminal of its own, types `input` there, and returns what the
/// terminal shows and the exit code. `script` belongs to util-linux, which every Linux distribution has.
fn on_terminal(folder: &Path, arguments: &str, input: &str) -> (String, Option<i32>) {
    let mut child = Command::new("script")
        .args(["-qec", &format!("{} {arguments}", env!("CARGO_BIN_EXE_imageswap")), "/dev/null"])
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .env_remove("IMAGESWAP_MAPS_FILE")
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script is installed");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

const POD: &str = "kind: Pod\nspec:\n  containers:\n    - image: nginx:1\n";

/// One file takes all the time, so that the number of finished files says nothing: the time that has passed does.
#[test]
fn a_large_file_shows_that_the_run_goes_on() {
    let folder = TempDir::new().unwrap();
    // The second document is one that only the slower reader takes.
    let mut large = format!("{POD}---\nkind: ConfigMap\ndata: {{image: [\n");
    let mut more = 4 << 20;
    loop {
        while large.len() < more {
            large.push_str("  {name: &a http, port: 80}, {name: 'metrics', port: 9090},\n");
        }
        fs::write(folder.path().join("large.yaml"), format!("{large}]}}\n")).unwrap();
        let started = Instant::now();
        let (shown, code) =
            on_terminal(folder.path(), "rewrite --map docker.io::m.io --output out large.yaml", "");
        assert_eq!(code, Some(0), "{shown}");
        assert!(shown.contains("rewrote 1 image in 1 file"), "{shown}");
        if started.elapsed() < Duration::from_secs(2) {
            // A fast machine, or an optimised build: nothing was to be shown.
            more *= 2;
            continue;
        }
        assert!(shown.contains("0/1 files, 1s"), "{shown}");
        assert!(!shown.contains("1/1 files"), "{shown}");
        // The bar is gone when the report comes.
        let (_, end) = shown.rsplit_once("\u{1b}[2K").expect("the line of the bar is cleared");
        assert!(end.contains("rewrote 1 image in 1 file"), "{shown}");
        return;
    }
}

#[test]
fn whoever_forgets_the_input_is_told() {
    let folder = TempDir::new().unwrap();
    let (shown, code) = on_terminal(folder.path(), "rewrite --map docker.io::m.io -", "kind: Pod\n\u{4}");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("reading from the terminal; press Ctrl-D to end"), "{shown}");
}

#[test]
fn errors_are_coloured_unless_nobody_wants_it() {
    let folder = TempDir::new().unwrap();
    let (shown, code) = on_terminal(folder.path(), "rewrite --map docker.io::m.io missing.yaml", "");
    assert_eq!(code, Some(2), "{shown}");
    assert!(shown.contains("\u{1b}[31m"), "{shown:?}");
    let plain = "rewrite --map docker.io::m.io --color never missing.yaml";
    assert!(!on_terminal(folder.path(), plain, "").0.contains('\u{1b}'));
}
