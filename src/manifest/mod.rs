//! Where images are in a manifest, and how their text is edited. Knows YAML and JSON text and Kubernetes'
//! places for images; knows no maps, files or arguments.

pub mod edit;
mod span;

pub use span::Span;
