//! Where images are in a manifest, and how their text is edited. Knows YAML and JSON text and Kubernetes'
//! places for images; knows no maps, files or arguments.

mod aliases;
mod chart_parts;
mod chart_places;
mod data_spec;
mod dockerfile;
mod document_error;
mod document_events;
mod documents;
mod drained;
pub mod edit;
mod embedded;
#[doc(hidden)]
pub mod encoding;
#[doc(hidden)]
pub mod event;
#[doc(hidden)]
pub mod fast;
mod fields;
mod finder;
mod formats;
#[doc(hidden)]
pub mod json;
pub(crate) mod json_text;
mod keys;
mod layers;
mod lines;
mod mention;
mod name_glob;
mod name_hash;
mod new_key;
mod notes;
mod occurrence;
mod old_line_ends;
mod path;
mod places;
mod role;
#[doc(hidden)]
pub mod scalar;
mod scan;
mod slot;
mod span;
mod template;
mod texts;
#[doc(hidden)]
pub mod tree;
#[doc(hidden)]
pub mod yaml;

pub use chart_parts::{ChartPart, ChartPartContent, Nested};
pub use dockerfile::base_images;
pub use document_error::DocumentError;
pub use drained::drained;
pub use event::ScalarStyle;
pub use fields::{FieldSpec, FieldSpecError};
pub use formats::{
    Chart, Defaults, EmptyDigest, Format, FormatSpec, FoundImage, FoundKind, NamePart, PathFormat,
    ValuesReader, find_fields, parse_values, path_formats,
};
pub use layers::Layers;
pub use lines::{Lines, Position};
pub use mention::is_image_like;
pub use new_key::{NewKey, place_behind};
pub use notes::Notes;
pub use occurrence::{Blocked, KustomizeImage, Note, NoteKind, Occurrence, Origin, Place, Resource, Text};
pub use path::{FieldPath, Segment};
pub use places::{PlaceSpec, PlaceSpecError, Places};
pub use scan::{DISABLE_LABEL, Job, Scan, Scanner, Workers};
pub use slot::Slot;
pub use span::Span;
pub(crate) use template::is_registry;
pub use template::{LiteralStart, TemplateValue, literal_start, template_values};
pub use texts::{ImageText, image_texts};

/// Why a text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at byte {offset})")]
pub struct ParseError {
    /// Where the reader stopped, in bytes from the start of the text.
    pub offset: usize,
    /// What it stopped at.
    pub message: String,
}
