//! Why a document cannot be read.

use super::Position;

/// A document that does not parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{}: {message} (document {document})", position.line, position.column)]
pub struct DocumentError {
    /// The document of the file, from 0.
    pub document: usize,
    /// Where the reader stopped.
    pub position: Position,
    /// What it stopped at.
    pub message: String,
}
