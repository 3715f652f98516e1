//! What the tests of the files layer share: trees, snapshots of them, and running a test as a process of its
//! own.

#![allow(dead_code, clippy::print_stderr, reason = "each test program uses some of it, and skipping is said")]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use imageswap::files::{FoundFile, SourceFile, StageError, Transaction};
use tempfile::TempDir;

/// The environment variable that tells a test that it is the child.
const CHILD: &str = "IMAGESWAP_TEST_CHILD";

/// A folder with these files in it.
pub(crate) fn tree(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// `count` files `f0000.yaml` … with `text`, and their paths.
pub(crate) fn many(folder: &Path, count: usize, text: &str) -> Vec<FoundFile> {
    (0..count)
        .map(|number| {
            let path = folder.join(format!("f{number:04}.yaml"));
            fs::write(&path, text).unwrap();
            FoundFile::file(path)
        })
        .collect()
}

/// All files below a folder with their bytes.
pub(crate) fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            all.extend(contents(&entry.path()));
        } else {
            all.insert(entry.path(), fs::read(entry.path()).unwrap_or_default());
        }
    }
    all
}

/// The temp files below a folder.
pub(crate) fn temps(folder: &Path) -> Vec<PathBuf> {
    contents(folder).into_keys().filter(|path| path.to_string_lossy().contains(".imageswap-")).collect()
}

/// Device, inode, mtime, ctime: what a file that nobody touched keeps.
pub(crate) fn identity(path: &Path) -> (u64, u64, i64, i64, i64, i64) {
    let stat = path.symlink_metadata().unwrap();
    (stat.dev(), stat.ino(), stat.mtime(), stat.mtime_nsec(), stat.ctime(), stat.ctime_nsec())
}

/// Reads `found` and stages `text` for it.
pub(crate) fn stage(transaction: &Transaction<'_>, found: &FoundFile, text: &str) -> Result<(), StageError> {
    let mut buffer = Vec::new();
    let source = SourceFile::read(found, &mut buffer).unwrap();
    transaction.stage(&source, &[text])
}

/// A command that runs the test `name` of this program alone, as a child that [`child`] tells `argument`.
pub(crate) fn run_test(program: &Path, name: &str, argument: &str) -> Command {
    let mut command = Command::new(program);
    command.args([name, "--exact", "--nocapture", "--test-threads=1"]).env(CHILD, argument);
    command
}

/// Runs `child` under strace with these arguments; `None`, and a word about it, where that cannot be. CI must have strace.
pub(crate) fn traced(arguments: &[&str], child: &Command) -> Option<Output> {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq"]).args(arguments).arg(child.get_program()).args(child.get_args());
    for (name, value) in child.get_envs() {
        strace.env(name, value.unwrap());
    }
    let Ok(output) = strace.output() else {
        assert!(env::var_os("CI").is_none_or(|value| value.is_empty()), "CI must have strace");
        eprintln!("SKIPPED: there is no `strace` program");
        return None;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("PTRACE") || said.contains("ptrace") {
        eprintln!("SKIPPED: may not trace: {said}");
        return None;
    }
    Some(output)
}

/// What the parent said, when this process is a child.
pub(crate) fn child() -> Option<String> {
    env::var(CHILD).ok()
}

/// Whether this test may do what only root may; says so when not.
pub(crate) fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("SKIPPED: needs root");
    }
    root
}
