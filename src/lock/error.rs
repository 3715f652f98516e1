//! What can be wrong with a lock file.

use std::fmt;

use crate::image::ReferenceError;

/// One fault of a lock file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {kind}")]
pub struct LockError {
    /// The file's name, for messages.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub kind: LockErrorKind,
}

/// What is wrong at one place of a lock file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockErrorKind {
    /// No YAML, or of another shape.
    #[error("{0}")]
    Shape(String),
    /// The file is empty, or has several documents.
    #[error("{0} documents, expected one")]
    Documents(usize),
    /// A key of the document has another value than it must.
    #[error("{key} is {found:?}, expected {expected:?}")]
    Header {
        /// `apiVersion` or `kind`.
        key: &'static str,
        /// What stands there; empty when the key is not there.
        found: String,
        /// What must stand there.
        expected: &'static str,
    },
    /// An entry without `image`.
    #[error("an entry without image")]
    NoImage,
    /// `image` is no digest reference.
    #[error("image {image:?} has no digest, expected name@sha256:…")]
    NoDigest {
        /// What stands there.
        image: String,
    },
    /// A reference cannot be read.
    #[error("{what} {text:?} is no image reference: {reason}")]
    Reference {
        /// `image`, or the annotation.
        what: &'static str,
        /// What stands there.
        text: String,
        /// Why.
        reason: ReferenceError,
    },
    /// An annotation of ours cannot be read.
    #[error("{annotation} is {text:?}: {reason}")]
    Annotation {
        /// The annotation.
        annotation: &'static str,
        /// What stands there.
        text: String,
        /// Why.
        reason: String,
    },
    /// The target is not in the repository of the image.
    #[error("{target:?} and {image:?} are not of the same repository")]
    Torn {
        /// The annotation's value.
        target: String,
        /// The entry's `image`.
        image: String,
    },
    /// Two entries for the same image.
    #[error("{id:?} stands there twice, with {target:?} as its target")]
    Twice {
        /// The image as written.
        id: String,
        /// What it became.
        target: String,
    },
}

/// All the faults of a lock file, in its order; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockErrors(pub Vec<LockError>);

impl fmt::Display for LockErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if i > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for LockErrors {}
