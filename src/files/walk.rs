//! Which files are read: the given ones, and those of the given folders.
//!
//! In a folder the same files count as in `rg --hidden --files`: hidden ones too; what `.gitignore`,
//! `.ignore`, `.git/info/exclude` and git's global excludes name is left out, and as with ripgrep a
//! `.gitignore` counts only inside a git repository. `.git` is never entered. Of these, the manifest names
//! are read (`*.yaml`, `*.yml`, `*.json`, `Kustomization`).
//!
//! | in a walked folder | what happens |
//! |---|---|
//! | link to a file of the folder | its target is edited, the link stays; once, whatever the number of links |
//! | link to a file elsewhere | [`WalkError::LeavesRoot`], unless [`WalkOptions::follow`] |
//! | link to a folder | skipped and counted, unless [`WalkOptions::follow`] |
//! | link to nothing, FIFO, socket, device | skipped and counted |
//! | `templates/` beside a `Chart.yaml` | skipped and counted |
//!
//! A file that is given itself is read whatever its name, and a link that is given itself is followed
//! wherever it leads: that is what was asked for.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::dedup::{self, Candidate};
use super::reason::Reason;
use super::selection::{GlobError, Selection};
use super::visit::{Gathered, walk_folder};

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
    /// How many threads walk; 0 lets the machine decide.
    pub threads: usize,
}

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its path as users see it: the given path, joined.
    pub path: PathBuf,
    /// Where a link leads, when `path` is one.
    pub target: Option<PathBuf>,
}

impl Found {
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
    pub reason: SkipReason,
}

/// Why a file or folder is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// It lies under `templates/` beside a `Chart.yaml`.
    HelmTemplate,
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
    pub files: Vec<Found>,
    /// What is not read.
    pub skipped: Vec<Skipped>,
    /// What cannot be read.
    pub errors: Vec<WalkError>,
}

/// Finds the files of `paths`: files as they are, folders walked.
///
/// Errors of single paths are collected in [`Walked::errors`]; the walk goes on.
///
/// # Errors
/// [`GlobError`] for an include or exclude glob that cannot be read.
pub fn walk(paths: &[impl AsRef<Path>], options: &WalkOptions) -> Result<Walked, GlobError> {
    let selection = Arc::new(Selection::new(options)?);
    let mut gathered = Gathered::default();
    let mut roots = Vec::new();
    for path in paths {
        let path = path.as_ref();
        match given(path) {
            Ok(Given::File(found)) => gathered.files.push(Candidate { found, root: None }),
            Ok(Given::Folder(root)) => {
                roots.push(root);
                walk_folder(roots.len() - 1, &roots, &selection, options, &mut gathered);
            }
            Err(error) => gathered.errors.push(error),
        }
    }
    let alone = paths.len() == 1 && !options.follow;
    let mut walked = Walked {
        files: dedup::once(gathered.files, &roots, alone),
        skipped: gathered.skipped,
        errors: gathered.errors,
    };
    walked.skipped.sort_unstable();
    walked.skipped.dedup();
    walked.errors.sort_by(|a, b| a.path().as_os_str().cmp(b.path().as_os_str()));
    Ok(walked)
}

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
        path.strip_prefix(&self.start).unwrap_or(path)
    }

    /// `path`, which the walker made, as users see it.
    pub(super) fn show(&self, path: PathBuf) -> PathBuf {
        if self.start == self.shown { path } else { self.shown.join(self.relative(&path)) }
    }
}

enum Given {
    File(Found),
    Folder(Root),
}

/// What stands at a given path.
fn given(path: &Path) -> Result<Given, WalkError> {
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
        return Ok(Given::Folder(Root { shown: path.to_owned(), real, start }));
    }
    if !file_type.is_file() {
        return Err(WalkError::NotRegular { path: path.to_owned() });
    }
    let target = is_link.then(|| path.canonicalize()).transpose().map_err(refuse)?;
    Ok(Given::File(Found { path: path.to_owned(), target }))
}
