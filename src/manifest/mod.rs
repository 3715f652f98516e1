//! Where images are in a manifest, and how their text is edited. Knows YAML and JSON text and Kubernetes'
//! places for images; knows no maps, files or arguments.

mod aliases;
mod documents;
pub mod edit;
mod embedded;
pub mod encoding;
pub mod event;
pub mod fast;
mod fields;
mod finder;
pub mod json;
mod keys;
mod lines;
mod mention;
mod name_glob;
mod new_key;
mod occurrence;
mod old_line_ends;
mod path;
mod places;
pub mod scalar;
mod scan;
mod slot;
mod span;
pub mod tree;
pub mod yaml;

pub use embedded::Layers;
pub use event::ScalarStyle;
pub use fields::{FieldSpec, FieldSpecError};
pub use lines::{Lines, Position};
pub use new_key::{NewKey, place_behind};
pub use occurrence::{Blocked, KustomizeImage, Note, NoteKind, Occurrence, Origin, Place, Resource, Text};
pub use path::{FieldPath, Segment};
pub use places::{PlaceSpec, PlaceSpecError, Places};
pub use scan::{DISABLE_LABEL, DocumentError, Scan, Scanner};
pub use slot::Slot;
pub use span::Span;

/// Why a text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at byte {offset})")]
pub struct ParseError {
    /// Where the reader stopped, in bytes from the start of the text.
    pub offset: usize,
    /// What it stopped at.
    pub message: String,
}
