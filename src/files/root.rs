//! The given paths: files as they are, and folders that are to be walked.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::found::{FoundFile, WalkError};

/// A folder that is walked.
#[derive(Debug)]
pub(super) struct Root {
    /// As given.
    pub(super) shown: PathBuf,
    /// The folder's one path without links.
    pub(super) real: PathBuf,
    /// What the walker gets: `shown`, unless that is a link.
    pub(super) start: PathBuf,
}

impl Root {
    /// `path`, which the walker made, relative to this folder.
    pub(super) fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        // The walker appends to the start, so that comparing bytes tells as much as comparing parts, at a tenth of the cost.
        let start = self.start.as_os_str().as_bytes();
        let rest = path.as_os_str().as_bytes().strip_prefix(start);
        match rest.and_then(|rest| rest.strip_prefix(b"/")) {
            Some(relative) => Path::new(OsStr::from_bytes(relative)),
            None => path.strip_prefix(&self.start).unwrap_or(path),
        }
    }

    /// `path`, which the walker made, without links above it.
    pub(super) fn real_of(&self, path: &Path) -> PathBuf {
        self.real.join(self.relative(path))
    }

    /// `path`, which the walker made, as users see it.
    pub(super) fn show(&self, path: PathBuf) -> PathBuf {
        if self.start == self.shown { path } else { self.shown.join(self.relative(&path)) }
    }
}

/// What stands at a given path.
#[derive(Debug)]
pub(super) enum Given {
    File(FoundFile),
    Folder(Root),
}

impl Given {
    /// Looks at `path`.
    pub(super) fn at(path: &Path) -> Result<Self, WalkError> {
        let refuse = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => WalkError::Missing { path: path.to_owned() },
            _ => WalkError::Io { path: path.to_owned(), source },
        };
        let own_type = path.symlink_metadata().map_err(refuse)?.file_type();
        let is_link = own_type.is_symlink();
        let file_type = if is_link { path.metadata().map_err(refuse)?.file_type() } else { own_type };
        if file_type.is_dir() {
            let real = path.canonicalize().map_err(refuse)?;
            // The walker does not follow a link at its root, and takes "-" for standard input.
            let start = if is_link || path == Path::new("-") { real.clone() } else { path.to_owned() };
            return Ok(Self::Folder(Root { shown: path.to_owned(), real, start }));
        }
        if !file_type.is_file() {
            return Err(WalkError::NotRegular { path: path.to_owned() });
        }
        let target = is_link.then(|| path.canonicalize()).transpose().map_err(refuse)?;
        Ok(Self::File(FoundFile { path: path.to_owned(), target }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_to_the_root() {
        for (start, path, expected) in [
            ("a", "a/b/c.yaml", "b/c.yaml"),
            ("a/", "a/b.yaml", "b.yaml"),
            (".", "./b.yaml", "b.yaml"),
            ("/", "/a/b.yaml", "a/b.yaml"),
            ("a", "a", ""),
            ("a", "ab/c.yaml", "ab/c.yaml"),
        ] {
            let start = PathBuf::from(start);
            let root = Root { shown: start.clone(), real: start.clone(), start };
            assert_eq!(root.relative(Path::new(path)), Path::new(expected), "{path}");
        }
    }
}
