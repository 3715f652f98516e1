//! What the system is asked for, and in which order (rule F4), as strace sees it.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests stop at the first surprise and say why"
)]

mod files_support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use files_support::{child, many, run_test, traced};
use imageswap::files::{FoundFile, SourceFile, Transaction, WriteOptions};

/// A trace: the name of each call, and its line.
type Calls = Vec<(String, String)>;

/// Rewrites the first `changed` of `read` files under strace; `None` where there is none.
fn trace(test: &str, read: usize, changed: usize, sync: bool) -> Option<Calls> {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    fs::create_dir(&files).unwrap();
    many(&files, read, "old");
    let log = folder.path().join("log");
    let argument = format!("{}:{changed}:{sync}", files.display());
    let child = run_test(&std::env::current_exe().unwrap(), test, &argument);
    let output = traced(&["-y", "-o", log.to_str().unwrap()], &child)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let log = fs::read_to_string(&log).unwrap();
    assert_eq!(fs::read(files.join("f0000.yaml")).unwrap(), b"new");
    // Those between the two marks are the transaction's.
    let lines = log.lines().map(|line| line.split_once(' ').unwrap().1.trim_start());
    let calls =
        lines.skip_while(|line| !line.contains("\"/begin\"")).take_while(|line| !line.contains("\"/end\""));
    Some(
        calls
            .skip(1)
            .filter_map(|line| Some((plain_name(line.split_once('(')?.0).to_owned(), line.to_owned())))
            // Debug builds of the standard library look at a file before closing it.
            .filter(|(name, _)| name != "fcntl")
            .filter(|(name, line)| {
                line.contains(files.to_str().unwrap()) || name == "rename" || name == "syncfs"
            })
            .collect(),
    )
}

/// The name of a call without the differences between processors.
fn plain_name(name: &str) -> &str {
    match name {
        "openat" => "open",
        "newfstatat" => "lstat",
        "renameat" | "renameat2" => "rename",
        "unlinkat" => "unlink",
        _ => name,
    }
}

fn as_child(argument: &str) {
    let mut parts = argument.split(':');
    let folder = Path::new(parts.next().unwrap());
    let changed: usize = parts.next().unwrap().parse().unwrap();
    let sync = parts.next() == Some("true");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let files: Vec<_> = paths.into_iter().map(FoundFile::file).collect();
    let go_on = AtomicBool::new(false);
    let mut buffer = Vec::new();
    assert!(fs::metadata("/begin").is_err());
    let transaction = Transaction::new(WriteOptions { sync, threads: 1, keep_going: true }, &go_on);
    for (number, found) in files.iter().enumerate() {
        let source = SourceFile::read(found, &mut buffer).unwrap();
        if number < changed {
            transaction.stage(&source, &["n", "e", "w"]).unwrap();
        }
    }
    transaction.commit().unwrap();
    assert!(fs::metadata("/end").is_err());
}

#[test]
fn temps_then_flush_then_renames_then_flush() {
    if let Some(argument) = child() {
        return as_child(&argument);
    }
    let name = "temps_then_flush_then_renames_then_flush";
    let Some(calls) = trace(name, 12, 10, true) else { return };
    let steps: Vec<&str> = calls
        .iter()
        .filter_map(|(name, line)| match name.as_str() {
            "open" if line.contains("O_EXCL") => Some("temp"),
            "writev" => Some("write"),
            "syncfs" => Some("flush"),
            "rename" => Some("rename"),
            "fsync" | "fdatasync" | "sync" => Some("unexpected"),
            "unlink" => Some("remove the old"),
            _ => None,
        })
        .collect();
    let mut expected = ["temp", "write"].repeat(10);
    expected.push("flush");
    expected.extend(["rename"; 10]);
    expected.extend(["remove the old"; 10]);
    expected.push("flush");
    assert_eq!(steps, expected);
    for (_, line) in calls.iter().filter(|(_, line)| line.contains("O_EXCL")) {
        assert!(line.contains(".imageswap-") && line.contains(".tmp") && line.contains("0600"), "{line}");
    }
}

#[test]
fn without_sync_there_is_no_flush() {
    if let Some(argument) = child() {
        return as_child(&argument);
    }
    let Some(calls) = trace("without_sync_there_is_no_flush", 2, 2, false) else { return };
    assert!(calls.iter().any(|(name, _)| name.starts_with("rename")));
    assert!(!calls.iter().any(|(name, _)| name.contains("sync")));
}

/// The table in the documentation of the transaction, held to the letter.
#[test]
fn each_file_costs_what_the_documentation_says() {
    if let Some(argument) = child() {
        return as_child(&argument);
    }
    let name = "each_file_costs_what_the_documentation_says";
    let count = |read, changed| {
        let mut counts = BTreeMap::new();
        for (name, _) in trace(name, read, changed, false)? {
            *counts.entry(name).or_insert(0) += 1;
        }
        Some(counts)
    };
    let (Some(few), Some(more_read), Some(more_changed)) = (count(10, 1), count(110, 1), count(110, 101))
    else {
        return;
    };
    let grown = |from: &BTreeMap<String, i32>, to: &BTreeMap<String, i32>| -> BTreeMap<String, i32> {
        let of = |name: &String| to[name] - from.get(name).unwrap_or(&0);
        to.keys().map(|name| (name.clone(), of(name))).filter(|(_, count)| *count != 0).collect()
    };
    let table = |calls: &[(&str, i32)]| -> BTreeMap<String, i32> {
        calls.iter().map(|(name, count)| ((*name).to_owned(), count * 100)).collect()
    };
    assert_eq!(grown(&few, &more_read), table(&[("open", 1), ("fstat", 1), ("read", 1), ("close", 1)]));
    let staged = [("open", 1), ("writev", 1), ("fstat", 1), ("flistxattr", 2), ("fchmod", 1), ("close", 1)];
    let committed = [("lstat", 1), ("rename", 1), ("unlink", 1)];
    assert_eq!(grown(&more_read, &more_changed), table(&[&staged[..], &committed].concat()));
}
