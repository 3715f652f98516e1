//! What can be wrong with a maps text, located, and what is only worth a notice.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::image::ReferenceError;

/// One fault of a maps text: where it stands, the line, what is wrong and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}:{line}:{column}: {kind} in `{text}`, expected {expected}")]
pub struct MapsError {
    source_name: Arc<str>,
    line: usize,
    column: usize,
    text: String,
    kind: MapsErrorKind,
    expected: String,
}

impl MapsError {
    pub(super) fn new(
        place: &LinePlace<'_>,
        column: usize,
        kind: MapsErrorKind,
        expected: impl Into<String>,
    ) -> Self {
        Self {
            source_name: Arc::clone(place.source),
            line: place.line,
            column: place.indent + column,
            text: place.text.to_owned(),
            kind,
            expected: expected.into(),
        }
    }

    /// The file, or what stands for it (`--map`).
    #[must_use]
    pub fn source_name(&self) -> &str {
        &self.source_name
    }

    /// The line in the source, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column in the source, in characters from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// The line's text, without a comment and white space around it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &MapsErrorKind {
        &self.kind
    }

    /// What was expected instead.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// Advice, where there is a simple one.
    #[must_use]
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self.kind {
            MapsErrorKind::AmbiguousColon => Some("use :: between key and value"),
            MapsErrorKind::NoSeparator => match self.text.split_once('=') {
                Some((key, value)) if !key.trim().is_empty() => {
                    return Some(format!("did you mean {}::{}?", key.trim_end(), value.trim_start()).into());
                }
                Some(_) | None => Some("use :: between key and value; KEY:: leaves KEY alone"),
            },
            MapsErrorKind::Regex => Some("use [REPLACE] with a shell glob"),
            MapsErrorKind::UnknownForm { .. }
            | MapsErrorKind::EmptyKey
            | MapsErrorKind::Key { .. }
            | MapsErrorKind::Value { .. }
            | MapsErrorKind::Glob { .. }
            | MapsErrorKind::Duplicate { .. } => None,
        };
        hint.map(Cow::Borrowed)
    }
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapsErrorKind {
    /// There is neither `::` nor `:`.
    #[error("no rule")]
    NoSeparator,
    /// A single `:` separates, and a port makes it unclear which one.
    #[error("ambiguous `:`")]
    AmbiguousColon,
    /// Nothing stands before the separator.
    #[error("empty key")]
    EmptyKey,
    /// `[REGEX]` is reserved.
    #[error("[REGEX] is reserved and not supported")]
    Regex,
    /// `[WORD]` with another word.
    #[error("unknown form [{word}]")]
    UnknownForm {
        /// The word.
        word: String,
    },
    /// The key names no registry, path or reference.
    #[error("bad key: {reason}")]
    Key {
        /// Why.
        reason: String,
    },
    /// No image can come of the value.
    #[error("bad value: {reason}")]
    Value {
        /// Why.
        reason: String,
    },
    /// The glob does not compile.
    #[error("bad glob: {reason}")]
    Glob {
        /// Why.
        reason: &'static str,
    },
    /// The same text gave this key before.
    #[error("duplicate key (the first is on line {first})")]
    Duplicate {
        /// The line of the earlier rule.
        first: usize,
    },
}

impl MapsErrorKind {
    pub(super) fn key(error: &ReferenceError) -> Self {
        Self::Key { reason: error.reason() }
    }
}

/// All the faults of the texts that were read, in order; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapsErrors(Vec<MapsError>);

impl MapsErrors {
    pub(super) fn unless_empty(errors: Vec<MapsError>) -> Result<(), Self> {
        if errors.is_empty() { Ok(()) } else { Err(Self(errors)) }
    }

    /// The faults, in order of the texts and lines.
    pub fn iter(&self) -> impl Iterator<Item = &MapsError> {
        self.0.iter()
    }

    /// Adds the faults of other texts; those that are here already came from a text that both were read from.
    pub fn add(&mut self, others: Self) {
        let new: Vec<MapsError> = others.0.into_iter().filter(|error| !self.0.contains(error)).collect();
        self.0.extend(new);
    }

    /// The faults as a list.
    #[must_use]
    pub fn into_vec(self) -> Vec<MapsError> {
        self.0
    }
}

impl fmt::Display for MapsErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for MapsErrors {}

/// Something that does not stop the maps from being used, and that their writer should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapsNotice {
    source: Arc<str>,
    line: usize,
    column: usize,
    kind: NoticeKind,
}

/// What a [`MapsNotice`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// The old single `:` separates key and value.
    SingleColon {
        /// The same rule with `::`.
        instead: String,
    },
    /// A `noswap_wildcards` entry that no reference can contain.
    NeverContained {
        /// The entry.
        entry: String,
    },
    /// Lenient reading skipped a line, or let the last of two duplicates win.
    Lenient(Box<MapsError>),
    /// LEGACY mode is deprecated.
    Legacy {
        /// The same as maps, one rule a line; `None` for an empty prefix, which changes nothing.
        instead: Option<String>,
    },
}

impl MapsNotice {
    pub(super) fn new(place: &LinePlace<'_>, column: usize, kind: NoticeKind) -> Self {
        Self { source: Arc::clone(place.source), line: place.line, column: place.indent + column, kind }
    }

    pub(super) fn lenient(error: MapsError) -> Self {
        Self {
            source: Arc::clone(&error.source_name),
            line: error.line,
            column: error.column,
            kind: NoticeKind::Lenient(Box::new(error)),
        }
    }

    /// The file, or what stands for it.
    #[must_use]
    pub fn source_name(&self) -> &str {
        &self.source
    }

    /// The line in the source, from 1; 0 where there is no line.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column in the source, in characters from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// What it is about.
    #[must_use]
    pub fn kind(&self) -> &NoticeKind {
        &self.kind
    }

    /// What there is to say, without the place.
    #[must_use]
    pub fn message(&self) -> String {
        match &self.kind {
            NoticeKind::SingleColon { instead } => {
                format!("the single `:` separator is deprecated, write `{instead}`")
            }
            NoticeKind::NeverContained { entry } => {
                format!(
                    "no image contains {entry:?}: noswap_wildcards are plain substrings, separated by commas"
                )
            }
            NoticeKind::Lenient(error) => match error.kind {
                MapsErrorKind::Duplicate { .. } => format!("{}, the last one wins", error.kind),
                MapsErrorKind::NoSeparator
                | MapsErrorKind::AmbiguousColon
                | MapsErrorKind::EmptyKey
                | MapsErrorKind::Regex
                | MapsErrorKind::UnknownForm { .. }
                | MapsErrorKind::Key { .. }
                | MapsErrorKind::Value { .. }
                | MapsErrorKind::Glob { .. } => {
                    format!("line skipped: {} in `{}`, expected {}", error.kind, error.text, error.expected)
                }
            },
            NoticeKind::Legacy { instead: Some(instead) } => {
                let lines = instead.replace('\n', " and ");
                // Maps write the registry behind a dash, docker.io where an image has none.
                let but = if instead.contains("{name}") { "" } else { " (docker.io/ is then written out)" };
                format!("LEGACY mode is deprecated, the same as maps is {lines}{but}")
            }
            NoticeKind::Legacy { instead: None } => {
                "LEGACY mode is deprecated, and an empty prefix changes no image".to_owned()
            }
        }
    }
}

impl fmt::Display for MapsNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "{}:{}:{}: {}", self.source, self.line, self.column, self.message())
        } else {
            write!(f, "{}: {}", self.source, self.message())
        }
    }
}

/// Where a line stands; what errors and notices need to say so.
#[derive(Debug)]
pub(super) struct LinePlace<'a> {
    pub(super) source: &'a Arc<str>,
    pub(super) line: usize,
    pub(super) indent: usize,
    /// The line without a comment and white space around it.
    pub(super) text: &'a str,
}
