//! A folder that new files are written to beside the originals: all of them staged, then renamed.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::reason::Reason;

/// Why a file cannot be written to the output folder.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The system refuses.
    #[error("cannot write {}: {}", path.display(), Reason(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Two of the given files have the same place in the folder.
    #[error("two of the given files would be written to {}", path.display())]
    Twice {
        /// The place.
        path: PathBuf,
    },
}

/// Files on their way into a folder. Dropped without [`commit`](Self::commit) it removes what it staged; folders that
/// it made stay.
#[derive(Debug)]
pub struct OutputFolder {
    folder: PathBuf,
    next: AtomicU64,
    /// Places in the folder, each with its temp file.
    staged: Mutex<BTreeMap<PathBuf, PathBuf>>,
}

impl OutputFolder {
    /// Writes to `folder`, which is made when it is not there.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), next: AtomicU64::new(0), staged: Mutex::default() }
    }

    /// Stages a file whose place in the folder is `relative`.
    ///
    /// # Errors
    /// [`OutputError`]; nothing of the file is left then.
    pub fn stage(&self, relative: &Path, parts: &[&str]) -> Result<(), OutputError> {
        let path = self.folder.join(relative);
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let parent = path.parent().unwrap_or(&self.folder);
        let temp = parent.join(format!(".imageswap-{}-{number}.tmp", std::process::id()));
        let write = || -> io::Result<()> {
            fs::create_dir_all(parent)?;
            let mut file: File = OpenOptions::new().write(true).create_new(true).open(&temp)?;
            parts.iter().try_for_each(|part| file.write_all(part.as_bytes()))
        };
        if let Err(source) = write() {
            let _ = fs::remove_file(&temp);
            return Err(OutputError::Io { path, source });
        }
        let mut staged = self.staged.lock().unwrap_or_else(PoisonError::into_inner);
        if staged.contains_key(&path) {
            let _ = fs::remove_file(&temp);
            return Err(OutputError::Twice { path });
        }
        staged.insert(path, temp);
        Ok(())
    }

    /// Renames what was staged to its places.
    ///
    /// # Errors
    /// The first file that cannot be renamed; those before it are in place.
    pub fn commit(self) -> Result<(), OutputError> {
        let mut staged = self.staged.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((path, temp)) = staged.pop_first() {
            if let Err(source) = fs::rename(&temp, &path) {
                staged.insert(path.clone(), temp);
                return Err(OutputError::Io { path, source });
            }
        }
        Ok(())
    }
}

impl Drop for OutputFolder {
    fn drop(&mut self) {
        let staged = self.staged.get_mut().unwrap_or_else(PoisonError::into_inner);
        for temp in staged.values() {
            let _ = fs::remove_file(temp);
        }
    }
}
