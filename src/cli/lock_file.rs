//! The lock file on the disk: read whole, written in one piece.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use crate::files::write_file;
use crate::lock::{Index, Lock};

use super::stderr;

/// Its name where none is given.
pub const NAME: &str = "imageswap.lock";

/// A lock file, as it was read.
pub struct LockFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its entries; none where there is no such file yet.
    pub lock: Lock,
    /// The same, to be looked up.
    pub index: Index,
    /// Its text; `None` where there is no such file yet.
    text: Option<String>,
}

impl LockFile {
    /// Reads the lock file at `path`, which may not be there yet unless `required`.
    pub fn open(path: &Path, required: bool) -> Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => None,
            Err(error) => {
                let error = stderr::failure(&format!("cannot read the lock file {}", path.display()), &error);
                let advice = format!("'imageswap rewrite --pin --lock {}' writes it", path.display());
                return Err(anyhow!("{error}: {advice}"));
            }
        };
        let name = path.display().to_string();
        let lock = match &text {
            Some(text) => Lock::parse(&name, text).map_err(|errors| {
                let noun = stderr::count(errors.0.len(), "fault");
                anyhow!("{noun} in the lock file\n{errors}\nfix these lines, or delete the file and run with --pin --lock again")
            })?,
            None => Lock::default(),
        };
        Ok(Self { path: path.to_owned(), index: lock.index(), lock, text })
    }

    /// Its name as given.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Puts `lock` in its place, in one piece, where that changes its text. Says whether it does.
    pub fn save(&self, lock: &Lock) -> Result<bool> {
        let text = lock.render();
        if self.text.as_deref() == Some(&text) || self.text.is_none() && lock.is_empty() {
            return Ok(false);
        }
        write_file(&self.path, text.as_bytes())
            .with_context(|| format!("cannot write the lock file {}; it is unchanged", self.name()))?;
        Ok(true)
    }
}
