//! Why an image was not copied.

use crate::image::Digest;

use super::{ContentsError, StoreError};

/// Why an image was not copied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The source or the target failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A manifest cannot be read.
    #[error(transparent)]
    Contents(#[from] ContentsError),
    /// A manifest has another size than the index says.
    #[error("{digest} has {size} bytes, and the index that names it says {named}")]
    Size {
        /// The manifest.
        digest: Digest,
        /// What the index says, in bytes.
        named: u64,
        /// What it has, in bytes.
        size: u64,
    },
    /// Indexes within indexes.
    #[error("its indexes stand more than {most} deep in each other")]
    TooDeep {
        /// The most that is read.
        most: usize,
    },
    /// An endless image.
    #[error("it has more than {most} manifests")]
    TooMany {
        /// The most that is read.
        most: usize,
    },
    /// Larger than what may be copied.
    #[error("it has {size} bytes, which is more than --max-size {most}")]
    TooLarge {
        /// How many bytes it has.
        size: u64,
        /// How many it may have.
        most: u64,
    },
    /// A tag of the target stands for something else.
    #[error("the target's tag {tag} stands for {found}, and not for {wanted}")]
    Conflict {
        /// The tag.
        tag: String,
        /// What it stands for.
        found: Digest,
        /// What it would be moved to.
        wanted: Digest,
    },
    /// The target wants all that an index names.
    #[error("the registry takes no index of which some platforms are missing: {0}")]
    NotSparse(StoreError),
    /// An index without the platforms.
    #[error("there is no {asked} in the index, which has {available}")]
    NoPlatform {
        /// What was asked for.
        asked: String,
        /// What there is.
        available: String,
    },
    /// A smaller index has another digest than the one that somebody wants.
    #[error("an index of some platforms has another digest, and {why}")]
    KeepsDigest {
        /// Why it must have the one it has.
        why: &'static str,
    },
}

impl CopyError {
    /// What was being done, in words.
    #[must_use]
    pub fn step(&self) -> String {
        match self {
            Self::Store(error) | Self::NotSparse(error) => error.step(),
            Self::Contents(_) | Self::Size { .. } | Self::TooDeep { .. } | Self::TooMany { .. } => {
                "reading the manifest".to_owned()
            }
            Self::TooLarge { .. } | Self::NoPlatform { .. } | Self::KeepsDigest { .. } => {
                "planning".to_owned()
            }
            Self::Conflict { .. } => "writing the tag".to_owned(),
        }
    }

    /// The HTTP status that was the answer, where there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Store(error) | Self::NotSparse(error) => error.status(),
            _ => None,
        }
    }

    /// A short name, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Contents(_) | Self::Size { .. } | Self::TooDeep { .. } | Self::TooMany { .. } => {
                "bad-manifest"
            }
            Self::TooLarge { .. } => "too-large",
            Self::Conflict { .. } => "conflict",
            Self::NotSparse(_) => "not-sparse",
            Self::NoPlatform { .. } => "no-platform",
            Self::KeepsDigest { .. } => "keeps-digest",
        }
    }

    /// What to try.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::TooLarge { .. } => {
                Some("allow more with --max-size, or copy fewer platforms with --platform".into())
            }
            Self::Conflict { .. } => Some("--overwrite moves it".into()),
            Self::NotSparse(_) => Some("without --sparse, the index names what is copied alone".into()),
            Self::NoPlatform { .. } => Some("leave out --platform to copy all".into()),
            Self::KeepsDigest { .. } => {
                Some("--sparse keeps the index as it is; without --platform all are copied".into())
            }
            Self::Contents(_) | Self::Size { .. } | Self::TooDeep { .. } | Self::TooMany { .. } => None,
        }
    }

    /// Whether the target does not know yet what was just written to it.
    pub(super) fn may_be_late(&self) -> bool {
        matches!(self, Self::Store(error) if error.may_be_late())
    }
}
