//! What goes wrong with a layout: which file, and what to do.

use std::io;
use std::path::{Path, PathBuf};

/// A failure, with the layout that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", .path.display())]
pub struct LayoutError {
    /// The folder, the tar file, or the part of one.
    pub path: PathBuf,
    /// What went wrong.
    pub reason: Box<LayoutReason>,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutReason {
    /// The system refuses.
    #[error("cannot {doing}: {message}")]
    Io {
        /// What was being done: `read it`.
        doing: &'static str,
        /// What the system says.
        message: String,
    },
    /// Neither a folder nor a file nor parts of one.
    #[error("there is no such folder, no such file, and no part of it that ends in .00")]
    NotFound,
    /// A file that every layout has is not there.
    #[error("it is not an OCI image layout, or only a part of one: there is no {file} in it")]
    NoFile {
        /// The file.
        file: &'static str,
    },
    /// Some other version of the format.
    #[error("it is a layout of version {found:?}; only version 1.0.0 is known")]
    Version {
        /// What `oci-layout` says.
        found: String,
    },
    /// A file whose content is malformed.
    #[error("{file} cannot be read: {message}")]
    Malformed {
        /// The file in the layout.
        file: String,
        /// What is wrong with it.
        message: String,
    },
    /// A file that is larger than it may be.
    #[error("{file} has {size} bytes; at most {limit} are read")]
    TooLarge {
        /// The file in the layout.
        file: String,
        /// How large it is, in bytes.
        size: u64,
        /// How large it may be, in bytes.
        limit: u64,
    },
    /// A tar file that is malformed, or holds what no layout holds.
    #[error("the tar file is refused at byte {at}: {message}")]
    Tar {
        /// Where the header of the member starts.
        at: u64,
        /// What is wrong with it.
        message: String,
    },
    /// One of the parts of a tar file is not there.
    #[error("the part {part} is missing, though there are later ones")]
    PartMissing {
        /// The name of the file.
        part: String,
    },
    /// The whole file and parts of it stand side by side.
    #[error("the whole file and {part} are both there")]
    PartsAndWhole {
        /// The name of the first part.
        part: String,
    },
    /// A blob is not there.
    #[error("the blob {digest} is not in the layout{}", if *.left_out { ", for it was left out by --since-lock" } else { "" })]
    NoBlob {
        /// Its digest.
        digest: String,
        /// Whether the layout says that it was left out.
        left_out: bool,
    },
    /// A blob has another size than its descriptor says.
    #[error("the blob {digest} has {found} bytes, but its descriptor says {expected}")]
    Size {
        /// Its digest.
        digest: String,
        /// What the descriptor says.
        expected: u64,
        /// What there is.
        found: u64,
    },
    /// A blob whose bytes have another digest.
    #[error("the blob {digest} is damaged: its bytes have the digest {found}")]
    Damaged {
        /// Its digest.
        digest: String,
        /// The digest of the bytes.
        found: String,
    },
    /// A digest whose algorithm is not known.
    #[error("the digest {digest} cannot be verified: its algorithm is not known")]
    Algorithm {
        /// The digest.
        digest: String,
    },
    /// The file that was to be written is there.
    #[error("it is there already")]
    Exists,
    /// Another run writes to the same place.
    #[error("another run is writing to it")]
    InUse,
    /// A place that cannot be written as was asked.
    #[error("{message}")]
    Target {
        /// Why.
        message: &'static str,
    },
}

impl LayoutError {
    pub(super) fn new(path: &Path, reason: LayoutReason) -> Self {
        Self { path: path.to_owned(), reason: Box::new(reason) }
    }

    pub(super) fn io(path: &Path, doing: &'static str, error: &io::Error) -> Self {
        Self::new(path, LayoutReason::Io { doing, message: error.to_string() })
    }

    /// What to try.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match *self.reason {
            LayoutReason::NotFound => {
                "check the path: it is a folder, a .tar file, or its parts .tar.00, .tar.01 and so on"
            }
            LayoutReason::NoFile { .. } | LayoutReason::PartMissing { .. } => {
                "was all of it copied? parts of a tar file (.00, .01 and so on) must stand side by side"
            }
            LayoutReason::Tar { .. } | LayoutReason::Damaged { .. } | LayoutReason::Size { .. } => {
                "copy it again from where it was written, and compare its checksum there and here"
            }
            LayoutReason::PartsAndWhole { .. } => "remove the one that is not meant",
            LayoutReason::NoBlob { left_out: true, .. } => {
                "the other side lacks it: write the layout again without --since-lock, or with the lock of what is there"
            }
            LayoutReason::NoBlob { left_out: false, .. } => "write the layout again",
            LayoutReason::Exists => "remove it, or name another file",
            LayoutReason::InUse => "wait for the other run to end",
            LayoutReason::Io { .. }
            | LayoutReason::Version { .. }
            | LayoutReason::Malformed { .. }
            | LayoutReason::TooLarge { .. }
            | LayoutReason::Algorithm { .. }
            | LayoutReason::Target { .. } => return None,
        })
    }
}
