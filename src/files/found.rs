//! What a walk is asked and what it answers: options, the files found, what was passed over and what cannot be read.

use std::io;
use std::path::{Path, PathBuf};

use super::reason::Reason;

/// How folders are walked.
#[derive(Debug, Clone, Default)]
pub struct WalkOptions {
    /// Read what ignore files name, too.
    pub no_ignore: bool,
    /// Gitignore-style globs, relative to the walked folder; when there are any, a file must match one, or
    /// lie in a folder that does. One whose last part is more than stars (`*.tpl`) adds that name to the
    /// manifest names; `apps/**` does not.
    pub include: Vec<String>,
    /// Gitignore-style globs, relative to the walked folder: what matches is not read, folders not entered.
    pub exclude: Vec<String>,
    /// Follow links to folders, and links that lead out of the walked folder.
    pub follow: bool,
    /// Read charts' templates, too: the manifest names and `*.tpl` under `templates/` beside a `Chart.yaml`.
    pub templates: bool,
    /// How many threads walk, at most twelve; 0 lets the machine decide. Few folders take one whatever this says.
    pub threads: usize,
}

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// Its path as users see it: the given path, joined.
    pub path: PathBuf,
    /// Where a link leads, when `path` is one.
    pub target: Option<PathBuf>,
}

impl FoundFile {
    /// A regular file, taken at its word.
    #[must_use]
    pub fn file(path: PathBuf) -> Self {
        Self { path, target: None }
    }

    /// The path of the file itself, behind the link.
    #[must_use]
    pub fn real(&self) -> &Path {
        self.target.as_deref().unwrap_or(&self.path)
    }
}

/// A file or folder that is not read, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// Its path as users see it.
    pub path: PathBuf,
    /// Why it is not read.
    pub reason: PassedOverReason,
}

/// Why a file or folder is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PassedOverReason {
    /// It lies under `templates/` beside a `Chart.yaml`.
    HelmTemplate,
    /// It is a Dockerfile, which is no manifest and names images all the same.
    Dockerfile,
    /// It is a link to a folder (or, with [`WalkOptions::follow`], one to a folder around it).
    LinkedFolder,
    /// It is a link that leads nowhere.
    DanglingLink,
    /// It is a FIFO, a socket or a device.
    NotRegular,
}

/// Why a path cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// There is nothing at a given path.
    #[error("{}: no such file or folder", path.display())]
    Missing {
        /// The given path.
        path: PathBuf,
    },
    /// A link in a walked folder leads out of it (rule F3).
    #[error("{}: the link leads to {}, outside of {}", path.display(), target.display(), root.display())]
    LeavesRoot {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
        /// The walked folder.
        root: PathBuf,
    },
    /// A given path is a FIFO, a socket or a device.
    #[error("{}: neither a regular file nor a folder", path.display())]
    NotRegular {
        /// The given path.
        path: PathBuf,
    },
    /// The system refuses to read a folder or a link.
    #[error("{}: {}", path.display(), Reason(source))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl WalkError {
    /// The path that cannot be read.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Missing { path }
            | Self::LeavesRoot { path, .. }
            | Self::NotRegular { path }
            | Self::Io { path, .. } => path,
        }
    }
}

/// What a walk found; each list is sorted by path (by its bytes) and names each file once.
#[derive(Debug, Default)]
pub struct Walked {
    /// The files to read.
    pub files: Vec<FoundFile>,
    /// What is not read.
    pub skipped: Vec<Skipped>,
    /// What cannot be read.
    pub errors: Vec<WalkError>,
    /// The given folders in which there is nothing to read, in the order given.
    pub empty: Vec<PathBuf>,
    /// The globs of [`WalkOptions::include`] and [`WalkOptions::exclude`] that matched nothing.
    pub unused_globs: Vec<String>,
}
