//! Many folders are one walk, small ones start no threads, and what nothing was found for is named.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop at the first surprise and say why")]

mod files_support;

use std::fs;
use std::path::{Path, PathBuf};

use files_support::tree;
use imageswap::files::{WalkOptions, Walked, walk};

fn walked(paths: &[impl AsRef<Path>], options: &WalkOptions) -> Walked {
    walk(paths, options).unwrap()
}

/// The threads of this process.
fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn a_hundred_folders_are_found_as_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let roots: Vec<PathBuf> = (0..100).map(|number| folder.path().join(format!("d{number}"))).collect();
    for root in &roots {
        fs::create_dir_all(root.join("chart/templates")).unwrap();
        for path in ["a.yaml", "skip/b.yaml", "chart/Chart.yaml", "chart/templates/t.yaml"] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), "").unwrap();
        }
    }
    // Globs are relative to each folder, and so are charts.
    let options = WalkOptions { exclude: vec!["/skip".to_owned()], ..WalkOptions::default() };
    let all = walked(&roots, &options);
    let mut one_by_one = Vec::new();
    for root in &roots {
        one_by_one.extend(walked(&[root], &options).files);
    }
    one_by_one.sort_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
    assert_eq!(all.files.len(), 200);
    assert_eq!(all.files, one_by_one);
    assert_eq!(all.skipped.len(), 100);
    assert!(all.empty.is_empty() && all.unused_globs.is_empty());
}

#[test]
fn folders_within_folders_and_twice() {
    let folder = tree(&[("a/x.yaml", ""), ("a/b/y.yaml", ""), ("c/z.txt", "")]);
    let path = |name: &str| folder.path().join(name);
    let slash = PathBuf::from(format!("{}/", path("a").display()));
    let walked = walked(&[path("a"), path("a/b"), slash, path("c")], &WalkOptions::default());
    assert_eq!(walked.files.len(), 2);
    assert_eq!(walked.empty, [path("c")]);
}

#[test]
fn globs_that_match_nothing_are_named() {
    let folder = tree(&[("apps/a.yaml", ""), ("vendor/b.yaml", ""), ("c.tpl", "")]);
    let owned = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
    let options = WalkOptions {
        include: owned(&["apps/**", "*.tpl", "*.txt"]),
        exclude: owned(&["vendor/", "!b.yaml", "vnedor/"]),
        ..WalkOptions::default()
    };
    assert_eq!(walked(&[folder.path()], &options).unused_globs, ["*.txt", "!b.yaml", "vnedor/"]);
    let file = folder.path().join("c.tpl");
    assert!(walked(&[&file], &options).unused_globs.is_empty(), "globs are for folders");
}

#[test]
fn more_threads_are_not_started_than_walk() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..600 {
        fs::create_dir(folder.path().join(format!("d{number}"))).unwrap();
        fs::write(folder.path().join(format!("d{number}/a.yaml")), "").unwrap();
    }
    let before = threads();
    let done = std::sync::atomic::AtomicBool::new(false);
    let most = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut most = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                most = most.max(threads());
            }
            most
        });
        let options = WalkOptions { threads: 5000, ..WalkOptions::default() };
        assert_eq!(walked(&[folder.path()], &options).files.len(), 600);
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        watcher.join().unwrap()
    });
    // The other tests of this program have threads, too: some.
    assert!(most < before + 40, "{most} threads at once");
}
