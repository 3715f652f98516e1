//! What goes wrong with what is copied from and to.

use crate::registry::{Reason, RegistryError};

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

    /// What to try.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Registry(error) => error.hint(),
            Self::Layout(error) => error.hint().map(str::to_owned),
        }
    }
}
