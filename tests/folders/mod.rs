//! Going through folders and copying them, for tests that work on real trees.

#![allow(dead_code, reason = "each test program uses some of it")]

use std::fs;
use std::path::{Path, PathBuf};

/// Visits every file and link below a folder, sorted by path.
pub(crate) fn each_file(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.symlink_metadata().unwrap().is_dir() { each_file(&path, visit) } else { visit(&path) }
    }
}

/// Copies a folder, links as links.
pub(crate) fn copy(from: &Path, to: &Path) {
    each_file(from, &mut |path| {
        let target = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        if path.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(path).unwrap(), &target).unwrap();
        } else {
            fs::write(&target, fs::read(path).unwrap()).unwrap();
        }
    });
}
