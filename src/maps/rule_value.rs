//! The right side of a rule: what it is, and what an image becomes by it.

use crate::image::{ImageReference, ReferenceError};

use super::name::NameEnds;

/// A value, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RuleValue {
    /// Leave alone.
    Empty,
    /// The whole new reference (`[EXACT]`).
    Reference,
    /// A registry, or a registry and path, that stands before what is kept of the name.
    Name {
        /// Of the value.
        target: NameEnds,
        /// A host without port and path: for a registry rule the port is kept.
        bare_host: bool,
    },
    /// Ends in `-`: the source's registry and whole path come behind it.
    Dash,
    /// Has parts of the source in braces, and is the whole new name.
    Template {
        pieces: Box<[Piece]>,
        /// Of the value.
        target: Option<NameEnds>,
    },
    /// What `noswap_wildcards` lists.
    Substrings(Box<[String]>),
}

/// A piece of a value with braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(String),
    /// `{registry}`: without port.
    Registry,
    /// `{path}`: with `library/` filled in.
    Path,
    /// `{name}`: the last part of the path.
    Name,
}

/// Why a value is refused: the byte in it, the reason, and what was expected.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ValueError {
    pub(super) at: usize,
    pub(super) reason: String,
    pub(super) expected: &'static str,
}

const NAME: &str = "a registry and path without tag or digest, such as m.example/hub";

impl RuleValue {
    /// Reads the value of a registry, path, default or (without the dash form) `[REPLACE]` rule. The `/` at its end is
    /// gone already.
    pub(super) fn of_name(text: &str, takes_dash: bool) -> Result<Self, ValueError> {
        if text.is_empty() {
            return Ok(Self::Empty);
        }
        if text.contains(['{', '}']) {
            return template(text);
        }
        if takes_dash && text.ends_with('-') {
            return Ok(Self::Dash);
        }
        let target = NameEnds::parse(text).map_err(|error| name_error(text, &error))?;
        let bare_host = target.is_registry() && target.of(text).port.is_none();
        Ok(Self::Name { target, bare_host })
    }

    /// Reads the value of an `[EXACT]` rule.
    pub(super) fn of_exact(text: &str) -> Result<Self, ValueError> {
        if text.is_empty() {
            return Ok(Self::Empty);
        }
        match ImageReference::parse(text) {
            Ok(_) => Ok(Self::Reference),
            Err(error) => Err(ValueError {
                at: error.offset(),
                reason: error.reason(),
                expected: "a whole image reference, such as m.example/app:v1",
            }),
        }
    }

    /// Reads the list of `noswap_wildcards`: blank entries are ignored.
    pub(super) fn of_noswap(text: &str) -> Self {
        Self::Substrings(
            text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect(),
        )
    }
}

fn name_error(text: &str, error: &ReferenceError) -> ValueError {
    if ImageReference::parse(text).is_ok_and(|image| !image.suffix().is_empty()) {
        return ValueError { at: 0, reason: "it has a tag or a digest".to_owned(), expected: NAME };
    }
    if text.contains("://") {
        return ValueError { at: 0, reason: "it is a URL".to_owned(), expected: NAME };
    }
    ValueError { at: error.offset().min(text.len()), reason: error.reason(), expected: NAME }
}

fn template(text: &str) -> Result<RuleValue, ValueError> {
    let error = |at, reason: String| ValueError { at, reason, expected: "{registry}, {path} or {name}" };
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(brace) = text[at..].find(['{', '}']).map(|found| at + found) {
        if text[brace..].starts_with('}') {
            return Err(error(brace, "`}` without `{`".to_owned()));
        }
        if brace > at {
            pieces.push(Piece::Literal(text[at..brace].to_owned()));
        }
        let Some(end) = text[brace..].find('}').map(|found| brace + found + 1) else {
            return Err(error(brace, "`{` is not closed".to_owned()));
        };
        pieces.push(match &text[brace..end] {
            "{registry}" => Piece::Registry,
            "{path}" => Piece::Path,
            "{name}" => Piece::Name,
            other => return Err(error(brace, format!("unknown part {other}"))),
        });
        at = end;
    }
    if at < text.len() {
        pieces.push(Piece::Literal(text[at..].to_owned()));
    }
    // The literal front, up to the last `/` before the first brace.
    let front = match pieces.first() {
        Some(Piece::Literal(front)) => front.rsplit_once('/').map(|(front, _)| front),
        Some(Piece::Registry | Piece::Path | Piece::Name) | None => None,
    };
    let target = front.and_then(|front| NameEnds::parse(front).ok());
    Ok(RuleValue::Template { pieces: pieces.into(), target })
}

/// What the pieces make of an image, without its tag and digest.
pub(super) fn fill(pieces: &[Piece], image: ImageReference<'_>, into: &mut String) {
    for piece in pieces {
        match piece {
            Piece::Literal(text) => into.push_str(text),
            Piece::Registry => into.push_str(image.canonical_registry()),
            Piece::Path => into.push_str(&image.canonical_path()),
            Piece::Name => into.push_str(image.last_part()),
        }
    }
}
