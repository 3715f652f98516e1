//! The disk is full (rule F1): no file changes, no temp stays, and the message says so. On small tmpfs.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests stop at the first surprise and say why"
)]

mod files_support;

use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;

use files_support::{contents, many, stage, temps};
use imageswap::files::{StageError, Transaction, WriteOptions};
use tempfile::TempDir;

static GO_ON: AtomicBool = AtomicBool::new(false);

/// A mounted tmpfs, unmounted when dropped.
struct Tmpfs(TempDir);

impl Tmpfs {
    /// `None`, and a word about it, when mounting is not permitted.
    fn new(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "imageswap-test"])
            .arg(folder.path())
            .output();
        if !mount.is_ok_and(|output| output.status.success()) {
            eprintln!("SKIPPED: may not mount a tmpfs");
            return None;
        }
        Some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

/// Stages `text` for the files until one fails, and gives its error; nothing has changed then.
fn first_failure(folder: &Path, files: usize, text: &str) -> (StageError, usize) {
    let files = many(folder, files, "old");
    let before = contents(folder);
    let transaction = Transaction::new(WriteOptions::default(), &GO_ON);
    let error =
        files.iter().find_map(|found| stage(&transaction, found, text).err()).expect("the disk is full");
    let staged = temps(folder).len();
    drop(transaction);
    assert!(contents(folder) == before);
    (error, staged)
}

#[test]
fn no_space_for_the_bytes() {
    let Some(disk) = Tmpfs::new("size=1m") else { return };
    let (error, staged) = first_failure(disk.path(), 16, &"new".repeat(100_000));
    assert!(matches!(error, StageError::Write { .. }), "{error:?}");
    assert!(
        error.to_string().ends_with("cannot write its new content: no space left on the disk"),
        "{error}"
    );
    assert!(error.hint().is_some_and(|hint| hint.contains("free space")));
    assert_eq!(staged, 3, "the temp that did not fit is gone at once");
}

#[test]
fn no_space_for_another_file() {
    let Some(disk) = Tmpfs::new("size=1m,nr_inodes=20") else { return };
    let (error, _) = first_failure(disk.path(), 15, "new");
    assert!(matches!(error, StageError::Create { .. }), "{error:?}");
    assert!(error.to_string().ends_with("no space left on the disk"), "{error}");
}

#[test]
fn a_read_only_disk() {
    let Some(disk) = Tmpfs::new("size=1m") else { return };
    let files = many(disk.path(), 1, "old");
    let remount = Command::new("mount").args(["-o", "remount,ro"]).arg(disk.path()).status();
    assert!(remount.unwrap().success());
    let error = stage(&Transaction::new(WriteOptions::default(), &GO_ON), &files[0], "new").unwrap_err();
    assert!(error.to_string().ends_with("the file system is read-only"), "{error}");
    assert!(error.hint().is_some());
}

/// The whole program with `--keep-going`: what fits is written, what does not keeps its old content, and both are said.
#[test]
fn keep_going_writes_what_fits_and_says_the_rest() {
    let Some(disk) = Tmpfs::new("size=1m") else { return };
    let pod = |comment: usize| {
        format!("# {}\nkind: Pod\nspec: {{containers: [{{image: nginx}}]}}\n", "x".repeat(comment))
    };
    let (small, large) = (disk.path().join("a-small.yaml"), disk.path().join("b-large.yaml"));
    std::fs::write(&small, pod(10)).unwrap();
    std::fs::write(&large, pod(700_000)).unwrap();
    let run = |format: &str| {
        Command::new(env!("CARGO_BIN_EXE_imageswap"))
            .args(["rewrite", "--keep-going", "--map", "docker.io::m.example.com", "--format", format, "."])
            .current_dir(disk.path())
            .output()
            .unwrap()
    };
    let output = run("text");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("error: ./b-large.yaml: cannot write its new content: no space left"), "{said}");
    assert!(said.contains("rewrote 1 image in 1 file\n1 error\n"), "{said}");
    assert!(std::fs::read_to_string(&small).unwrap().contains("m.example.com/nginx"));
    assert_eq!(std::fs::read_to_string(&large).unwrap(), pod(700_000));
    assert_eq!(temps(disk.path()), Vec::<std::path::PathBuf>::new());
    let output = run("json");
    let report = String::from_utf8(output.stdout).unwrap();
    let summary: serde_json::Value = serde_json::from_str(report.lines().last().unwrap()).unwrap();
    assert_eq!((&summary["changes"], &summary["errors"]), (&0.into(), &1.into()), "{report}");
    assert_eq!(output.status.code(), Some(2));
}
