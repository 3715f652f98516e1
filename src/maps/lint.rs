//! What is wrong or suspicious in maps texts: faults, deprecated forms, rules that never apply, chains.

use super::error::MapsError;
use super::parse::Reader;
use super::text::MapsText;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The maps cannot be used, or an image that they name is left alone with an error.
    Error,
    /// It works, and surely not as meant.
    Warning,
    /// Advice.
    Hint,
}

/// Something lint has to say about a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The file.
    pub source: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// A short name of the kind of finding: `chained`, `shadowed`.
    pub code: &'static str,
    /// What there is to say.
    pub message: String,
}

/// What lint found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LintReport {
    /// Faults that stop the maps from being used.
    pub errors: Vec<MapsError>,
    /// Everything else.
    pub findings: Vec<Finding>,
}

/// Checks texts as [`super::Maps::parse`] reads them.
#[must_use]
pub fn lint(texts: &[MapsText<'_>]) -> LintReport {
    let read = Reader::read(texts);
    LintReport { errors: read.errors, findings: Vec::new() }
}
