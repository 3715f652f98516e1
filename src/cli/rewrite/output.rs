//! Where the new manifests go with `--output`: every file that is read has a place there, whether it changes or not.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::files::{FoundFile, end_of_links};

/// The place of each file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Places<'r> {
    /// A folder, in which files lie as they do in the given folders; those that are given themselves lie at its top.
    Folder { folder: &'r Path, given: &'r [PathBuf] },
    /// The one file that was asked for.
    File(&'r Path),
}

impl<'r> Places<'r> {
    /// The places that `output` means when the paths `given` are read.
    pub(super) fn new(output: &'r Path, given: &'r [PathBuf]) -> Result<Self> {
        let one_file = matches!(given, [path] if !path.is_dir());
        if one_file && names_file(output) {
            return Ok(Self::File(output));
        }
        let shown = output.display();
        if output.exists() && !output.is_dir() {
            bail!("{shown}: --output is a file; more than one file can only be written to a folder");
        }
        if let Ok(real) = output.canonicalize()
            && given.iter().any(|path| path.is_dir() && path.canonicalize().is_ok_and(|path| path == real))
        {
            bail!(
                "{shown}: --output is a folder that is read: leave out --output to rewrite in place; \
                 nothing was written"
            );
        }
        Ok(Self::Folder { folder: output, given })
    }

    /// The place of the file at `path`.
    pub(super) fn of(&self, path: &Path) -> PathBuf {
        match self {
            Self::File(place) => end_of_links(place),
            Self::Folder { folder, given } => {
                let below =
                    |root: &PathBuf| path.strip_prefix(root).ok().filter(|p| !p.as_os_str().is_empty());
                let relative = given.iter().find_map(below).or(path.file_name().map(Path::new));
                folder.join(relative.unwrap_or(path))
            }
        }
    }

    /// Leaves out the files of `found` that an earlier run put into the folder, when that lies in one that is read.
    pub(super) fn leave_out_earlier(&self, found: &mut Vec<FoundFile>) {
        let Self::Folder { folder, given } = self else { return };
        let Ok(folder) = folder.canonicalize() else { return };
        let lies_in = |path: &PathBuf| path.canonicalize().is_ok_and(|path| folder.starts_with(path));
        if given.iter().any(|path| path.is_dir() && lies_in(path)) {
            let real = |file: &FoundFile| {
                let parent = file.path.parent().filter(|parent| *parent != Path::new(""));
                parent.unwrap_or(Path::new(".")).canonicalize()
            };
            let mut last: Option<(PathBuf, bool)> = None;
            found.retain(|file| {
                let parent = file.path.parent().unwrap_or(Path::new(""));
                if last.as_ref().is_none_or(|(known, _)| known != parent) {
                    let stays = !real(file).is_ok_and(|real| real.starts_with(&folder));
                    last = Some((parent.to_owned(), stays));
                }
                last.as_ref().is_none_or(|(_, stays)| *stays)
            });
        }
    }
}

/// Whether `output` can only be meant as a file.
pub(super) fn names_file(output: &Path) -> bool {
    let manifest = output.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "json");
    !output.is_dir() && (manifest || output.exists())
}
