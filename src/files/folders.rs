//! The folders that a transaction makes for new files, and removes again when it comes to nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashSet;

/// Folders that are there, and which of them were made; those go when this is dropped, unless they are kept.
#[derive(Debug, Default)]
pub(super) struct Folders {
    known: FxHashSet<PathBuf>,
    /// Outer ones before inner ones.
    made: Vec<PathBuf>,
}

impl Folders {
    /// Makes `folder` and those around it where they are not there.
    pub(super) fn make(&mut self, folder: &Path) -> io::Result<()> {
        if folder == Path::new("") || self.known.contains(folder) {
            return Ok(());
        }
        if !folder.is_dir() {
            self.make(folder.parent().unwrap_or(Path::new("")))?;
            match fs::create_dir(folder) {
                Ok(()) => self.made.push(folder.to_owned()),
                Err(_) if folder.is_dir() => {}
                Err(error) => return Err(error),
            }
        }
        self.known.insert(folder.to_owned());
        Ok(())
    }

    /// Lets what was made stay.
    pub(super) fn keep(&mut self) {
        self.made.clear();
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        for folder in self.made.iter().rev() {
            // Somebody may have put something there: then it stays.
            let _ = fs::remove_dir(folder);
        }
    }
}
