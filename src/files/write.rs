//! Writing one file whole, as lock files and reports want it.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::outcome::{CommitError, FileError, StageError};
use super::transaction::{Transaction, WriteOptions};

/// Why a file was not written; it is as it was.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum WriteError {
    /// Its new content cannot be written beside it.
    Stage(#[from] StageError),
    /// Its new content does not reach the disk.
    Commit(#[from] CommitError),
    /// It cannot be replaced.
    Replace(#[from] FileError),
}

/// Writes `bytes` to `path` in one step: whoever reads the file, and whatever happens to this process or the machine
/// meanwhile, finds its old content or all of `bytes`. The file keeps its permissions; a link stays, and the file it leads
/// to is written; folders that are missing are made.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("imageswap.lock");
/// imageswap::files::write_file(&path, b"images: []\n")?;
/// assert_eq!(std::fs::read(&path)?, b"images: []\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`WriteError`]; the file is as it was.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let never = AtomicBool::new(false);
    let target = end_of_links(path);
    let transaction = Transaction::new(WriteOptions::default(), &never);
    transaction.stage_at(&target, None, &[bytes])?;
    match transaction.commit()?.failed.pop() {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

/// How many links in a row are followed; the system's own limit.
const LINKS_MAX: usize = 40;

/// Where `path` leads when it is a link, also where nothing is there yet; else `path` itself.
#[must_use]
pub fn end_of_links(path: &Path) -> PathBuf {
    let mut end = path.to_owned();
    for _ in 0..LINKS_MAX {
        let Ok(next) = end.read_link() else { break };
        end = end.parent().unwrap_or(Path::new("")).join(next);
    }
    end
}
