//! What can be wrong with a function's configuration.

use std::fmt;

use crate::nearest::nearest;

/// One fault of a function's configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}: {message}{}", AtLine(*.line))]
pub struct ConfigError {
    /// `functionConfig`, or the file that holds the configuration.
    pub source_name: String,
    /// The line of the text that holds it, from 1; 0 where the message says the place.
    pub line: usize,
    /// What is wrong, and what was expected.
    pub message: String,
}

struct AtLine(usize);

impl fmt::Display for AtLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { Ok(()) } else { write!(f, " (line {} of the input)", self.0) }
    }
}

/// All the faults of a configuration, in its order; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if i > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// `unknown key "mpas", did you mean "maps"?`, or the known keys where none is near.
pub(super) fn unknown_key(key: &str, known: &[&str]) -> String {
    match nearest(key, known) {
        Some(near) => format!("unknown key '{key}', did you mean '{near}'?"),
        None => format!("unknown key '{key}', expected one of {}", known.join(", ")),
    }
}
