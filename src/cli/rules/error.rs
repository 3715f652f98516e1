//! Why rules cannot be used, with what to do about it.

use std::fmt;

use anyhow::Error;

use crate::maps::MapsErrors;

use super::super::stderr;
use super::FLAG;

/// Why rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Lines that are no rules.
    #[error(transparent)]
    Maps(#[from] MapsErrors),
    /// A source that cannot be read.
    #[error("{0:#}")]
    Unreadable(#[from] Error),
}

impl SourceError {
    /// What is wrong, a string each.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Maps(errors) => errors
                .iter()
                .map(|error| match error.hint() {
                    Some(hint) => format!("{error} ({hint})"),
                    None => error.to_string(),
                })
                .collect(),
            Self::Unreadable(error) => format!("{error:#}").lines().map(str::to_owned).collect(),
        }
    }
}

/// The error with what to do about it.
pub fn with_advice(error: SourceError) -> Error {
    match error {
        SourceError::Unreadable(error) => error,
        SourceError::Maps(errors) => UnreadableMaps(errors).into(),
    }
}

/// Maps with lines that cannot be read: all of them, with what to do about them.
#[derive(Debug)]
pub struct UnreadableMaps(pub MapsErrors);

impl std::error::Error for UnreadableMaps {}

impl fmt::Display for UnreadableMaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = stderr::count(self.0.iter().count(), "line");
        let advice = if self.0.iter().all(|error| error.source_name() == FLAG) {
            "see docs/maps.md for the language"
        } else {
            "run 'imageswap maps lint' on it, or see docs/maps.md for the language"
        };
        write!(f, "{noun} of the maps cannot be read\n{}\n{advice}", errors_with_hints(&self.0))
    }
}

/// The errors, one per line, with what to do about them.
pub fn errors_with_hints(errors: &MapsErrors) -> String {
    let lines: Vec<String> = errors
        .iter()
        .map(|error| match error.hint() {
            Some(hint) => format!("  {error}\n    {hint}"),
            None => format!("  {error}"),
        })
        .collect();
    lines.join("\n")
}
