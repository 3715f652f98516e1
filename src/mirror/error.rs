//! What goes wrong with what is copied from and to.

use crate::registry::{Reason, RegistryError, Step};

use super::layout::LayoutError;

/// A failure of a source or a target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A registry's.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// An image layout's.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

impl StoreError {
    /// What was being done, in words.
    #[must_use]
    pub fn step(&self) -> String {
        match self {
            Self::Registry(error) => error.step.to_string(),
            Self::Layout(_) => "reading or writing the layout".to_owned(),
        }
    }

    /// The HTTP status that was the answer, where there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Registry(error) => match &*error.reason {
                Reason::Unauthorized { .. } => Some(401),
                Reason::Forbidden { .. } => Some(403),
                Reason::NotFound { .. } => Some(404),
                Reason::RateLimited { .. } => Some(429),
                Reason::Status { status, .. } => Some(*status),
                _ => None,
            },
            Self::Layout(_) => None,
        }
    }

    /// A short name, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Registry(error) => match &*error.reason {
                Reason::Unauthorized { .. } => "unauthorized",
                Reason::Forbidden { .. } => "forbidden",
                Reason::NotFound { .. } => "not-found",
                Reason::RateLimited { .. } => "rate-limited",
                Reason::Mismatch { .. } | Reason::BadDigest { .. } => "wrong-digest",
                Reason::BadManifest { .. } => "bad-manifest",
                Reason::Tls { .. } => "tls",
                Reason::Dns { .. } | Reason::Connect { .. } => "unreachable",
                Reason::TimedOut { .. } => "timed-out",
                _ => "registry",
            },
            Self::Layout(_) => "layout",
        }
    }

    /// Whether a registry says that it has no such thing, of what was just written to it; or finds a wrong digest, which
    /// docker-registry does while what a manifest refers to is written again.
    pub(super) fn may_be_late(&self) -> bool {
        match self {
            Self::Registry(RegistryError { step: Step::Push, reason, .. }) => match &**reason {
                Reason::NotFound { .. } => true,
                Reason::Status { status: 400, answer } => {
                    answer.contains("MANIFEST_BLOB_UNKNOWN") || answer.contains("DIGEST_INVALID")
                }
                _ => false,
            },
            Self::Registry(_) | Self::Layout(_) => false,
        }
    }

    /// What to try.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Registry(error) => error.hint(),
            Self::Layout(error) => error.hint().map(str::to_owned),
        }
    }
}
