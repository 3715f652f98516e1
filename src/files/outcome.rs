//! How staging and committing end: the errors, the warnings, and what was written.

use std::io;
use std::path::{Path, PathBuf};

use super::metadata::{MetadataError, OwnerChange};
use super::reason::{Reason, advice};

/// Why a file's new content cannot be staged; the file is untouched.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The run was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// No temp file can be made beside it.
    #[error("{}: cannot create a file in its folder: {}", path.display(), Reason(source))]
    Create {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Its temp file cannot be written.
    #[error("{}: cannot write its new content: {}", path.display(), Reason(source))]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Its owner, mode, attributes or ACL cannot be kept.
    #[error("{}: {source}", path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// What cannot be kept.
        source: MetadataError,
    },
    /// It lies in a sticky folder, where only its owner may replace it.
    #[error("{}: only its owner may replace a file of this folder (it is sticky): {}", path.display(), Reason(source))]
    Sticky {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A folder for it cannot be made.
    #[error("{}: cannot make this folder: {}", path.display(), Reason(source))]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// There is a folder at its place.
    #[error("{}: cannot write this file: there is a folder of that name", path.display())]
    IsFolder {
        /// The place.
        path: PathBuf,
    },
    /// A pipe, a socket or a device stands there.
    #[error("{}: not a regular file", path.display())]
    NotRegular {
        /// The place.
        path: PathBuf,
    },
    /// It would be written over the file it is made from.
    #[error("{}: would be written over itself", path.display())]
    IsInput {
        /// The file.
        path: PathBuf,
    },
    /// Another file has the same place.
    #[error("two of the given files would be written to {}", path.display())]
    Twice {
        /// The place.
        path: PathBuf,
    },
    /// The file is mounted for itself (as a Kubernetes `subPath` volume is), and cannot be replaced.
    #[error("{}: the file is a mount point and cannot be replaced", path.display())]
    MountPoint {
        /// The file.
        path: PathBuf,
    },
}

/// Why a transaction was not committed; no file has changed and all temps are gone.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The run was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The new contents could not be brought to the disk.
    #[error("cannot flush the file system of {}: {}", path.display(), Reason(source))]
    Sync {
        /// A file on that file system.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// Why a single file was not written, or not for sure, while others were.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is not the file that was read any more (rule F5); it was left as it is.
    #[error("{}: the file was changed by somebody else meanwhile, and was left alone", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be replaced; it was left as it is.
    #[error("{}: cannot replace the file: {}", path.display(), Reason(source))]
    Rename {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The files are written, but a crash of the machine may yet undo some.
    #[error("cannot flush the file system of {} after writing: {}", path.display(), Reason(source))]
    Sync {
        /// A file on that file system.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// Something about a written file that users should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The file.
    pub path: PathBuf,
    /// What it is.
    pub kind: WarningKind,
}

/// What users should know about a written file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarningKind {
    /// It had that many other names (hard links), which keep the old content.
    HardLink {
        /// How many.
        others: u64,
    },
    /// It belongs to another user now.
    Owner(OwnerChange),
    /// It belongs to another group now, which may do no more with it than everybody.
    Group(OwnerChange),
}

/// What became of a transaction's files; each list is sorted by path.
#[derive(Debug, Default)]
pub struct Committed {
    /// The files that hold their new content.
    pub written: Vec<PathBuf>,
    /// The files that do not.
    pub failed: Vec<FileError>,
    /// What users should know about the written ones.
    pub warnings: Vec<Warning>,
}

impl StageError {
    /// What to do about it, if there is good advice.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Cancelled | Self::IsFolder { .. } => None,
            Self::NotRegular { .. } => Some("name a file, or write to standard output with `--output -`"),
            Self::Twice { .. } => Some("rewrite them in two runs, to two folders"),
            Self::IsInput { .. } => Some("leave out --output to rewrite in place"),
            Self::Create { source, .. } | Self::Folder { source, .. } | Self::Write { source, .. } => {
                advice(source)
            }
            Self::Sticky { .. } | Self::Metadata { .. } => Some("run as the file's owner, or as root"),
            Self::MountPoint { .. } => Some("rewrite the file where it is mounted from"),
        }
    }
}

impl CommitError {
    /// What to do about it, if there is good advice.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Cancelled => None,
            Self::Sync { source, .. } => advice(source),
        }
    }
}

impl FileError {
    /// The file, or one on the file system, that it is about.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Changed { path } | Self::Rename { path, .. } | Self::Sync { path, .. } => path,
        }
    }

    /// What to do about it, if there is good advice.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Changed { .. } => Some("run again"),
            Self::Rename { source, .. } | Self::Sync { source, .. } => advice(source),
        }
    }
}
