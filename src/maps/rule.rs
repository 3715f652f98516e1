//! One rule: its kind, its two sides, where it stands, and what it makes of an image.

use std::fmt;
use std::sync::Arc;

use crate::image::{ImageReference, ReferenceError};

use super::name::{LIBRARY, NameEnds, NamePrefix};
use super::rule_value::{self, RuleValue};

/// The kinds of rules. Their order is the order in which they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RuleKind {
    /// `[EXACT]reference::reference`
    Exact,
    /// `[REPLACE]glob::name`
    Replace,
    /// `registry::name`
    Registry,
    /// `registry/path::name`
    Path,
    /// `noswap_wildcards::a, b`
    NoSwap,
    /// `default::name`
    Default,
    /// The prefix of LEGACY mode.
    Legacy,
}

impl RuleKind {
    /// The name used in messages and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Replace => "replace",
            Self::Registry => "registry",
            Self::Path => "path",
            Self::NoSwap => "noswap",
            Self::Default => "default",
            Self::Legacy => "legacy",
        }
    }
}

impl fmt::Display for RuleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A rule of the maps. There may be ten thousand, so each text is kept once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub(super) kind: RuleKind,
    /// The key, and behind it the value.
    text: Box<str>,
    key_length: usize,
    pub(super) source: Arc<str>,
    pub(super) line: usize,
    pub(super) column: usize,
    /// Where the parts of the key's name end; registry and path rules have one.
    name: Option<NameEnds>,
    /// Whether the key is a name as [`NamePrefix::names_official_image`] means it.
    pub(super) names_official_image: bool,
    pub(super) parsed: RuleValue,
}

/// The two sides of a rule as they were read.
pub(super) struct RuleSides<'a> {
    pub(super) key: &'a str,
    /// The key's name; registry and path rules have one.
    pub(super) name: Option<NameEnds>,
    pub(super) value: &'a str,
    pub(super) parsed: RuleValue,
}

/// What a key has of an image's name that it applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyFront<'a> {
    pub(super) port: Option<&'a str>,
    /// How much of the canonical path.
    pub(super) path_length: usize,
}

impl<'a> From<NamePrefix<'a>> for KeyFront<'a> {
    fn from(name: NamePrefix<'a>) -> Self {
        Self { port: name.port, path_length: name.path.len() }
    }
}

/// Why what a rule makes of an image cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResultError {
    /// It is no image reference.
    #[error("{0}")]
    Reference(#[from] ReferenceError),
    /// The rule's value is a registry, and nothing of the path is left to stand behind it.
    #[error("only a registry is left, without a path")]
    RegistryOnly,
    /// The image's tag and digest would not stay what they are.
    #[error("the value would change tag or digest")]
    Suffix,
}

impl Rule {
    /// A rule that stands at this place.
    pub(super) fn new(
        kind: RuleKind,
        sides: RuleSides<'_>,
        source: &Arc<str>,
        line: usize,
        column: usize,
    ) -> Self {
        let RuleSides { key, name, value, parsed } = sides;
        Self {
            kind,
            text: [key, value].concat().into(),
            key_length: key.len(),
            source: Arc::clone(source),
            line,
            column,
            name,
            names_official_image: name.is_some_and(|name| name.of(key).names_official_image()),
            parsed,
        }
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> RuleKind {
        self.kind
    }

    /// The left side as written, without `[EXACT]` or `[REPLACE]`; empty for a LEGACY prefix.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.text[..self.key_length]
    }

    /// The right side as written, without a `/` at its end.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.text[self.key_length..]
    }

    /// The key's name; registry and path rules have one.
    pub(super) fn name(&self) -> Option<NamePrefix<'_>> {
        self.name.map(|name| name.of(self.key()))
    }

    /// The name that all its results start with, if it has a value of which that is known.
    pub(super) fn target(&self) -> Option<NamePrefix<'_>> {
        match &self.parsed {
            RuleValue::Name { target, .. } => Some(target.of(self.value())),
            RuleValue::Template { target, .. } => target.map(|target| target.of(self.value())),
            RuleValue::Dash | RuleValue::Empty | RuleValue::Reference | RuleValue::Substrings(_) => None,
        }
    }

    /// The file it stands in, or what stands for it (`--map`).
    #[must_use]
    pub fn source_name(&self) -> &str {
        &self.source
    }

    /// Its line there, from 1; 0 for a LEGACY prefix.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column of its key there, from 1; 0 for a LEGACY prefix.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// The rule as a line of a maps file: `[EXACT]a::b`.
    #[must_use]
    pub fn to_line(&self) -> String {
        self.line_parts().concat()
    }

    /// The pieces of [`Rule::to_line`].
    fn line_parts(&self) -> [&str; 4] {
        match self.kind {
            RuleKind::Exact => ["[EXACT]", self.key(), "::", self.value()],
            RuleKind::Replace => ["[REPLACE]", self.key(), "::", self.value()],
            RuleKind::Registry | RuleKind::Path | RuleKind::NoSwap | RuleKind::Default => {
                ["", self.key(), "::", self.value()]
            }
            RuleKind::Legacy => ["", "", "", self.value()],
        }
    }

    /// Whether the value is empty: what the rule names is left alone.
    #[must_use]
    pub fn is_empty_value(&self) -> bool {
        self.value().is_empty()
    }

    /// The value, read.
    pub(super) fn parsed(&self) -> &RuleValue {
        &self.parsed
    }

    /// What the rule makes of an image that it applies to. Not called for empty values and substrings.
    pub(super) fn result(&self, image: ImageReference<'_>) -> Result<String, (String, ResultError)> {
        let mut text = String::with_capacity(self.value().len() + image.as_str().len() + 16);
        let outcome = self.write_name(image, &mut text);
        if self.parsed != RuleValue::Reference {
            text.push_str(image.suffix());
        }
        match outcome.and_then(|()| self.check(image, &text)) {
            Ok(()) => Ok(text),
            Err(error) => Err((text, error)),
        }
    }

    fn write_name(&self, image: ImageReference<'_>, text: &mut String) -> Result<(), ResultError> {
        match &self.parsed {
            RuleValue::Template { pieces, .. } => rule_value::fill(pieces, image, text),
            RuleValue::Reference | RuleValue::Empty | RuleValue::Substrings(_) => text.push_str(self.value()),
            RuleValue::Dash => {
                text.push_str(self.value());
                if self.kind == RuleKind::Legacy {
                    text.push_str(image.name());
                } else {
                    text.push_str(image.canonical_registry());
                    text.push('/');
                    text.push_str(image.path());
                }
            }
            RuleValue::Name { target, .. } => {
                text.push_str(self.value());
                let rest = match self.kind {
                    RuleKind::Replace | RuleKind::Legacy => image.last_part(),
                    RuleKind::Path => self.behind_key(image),
                    RuleKind::Registry | RuleKind::Default | RuleKind::Exact | RuleKind::NoSwap => {
                        image.path()
                    }
                };
                if let Some(port) = image.port()
                    && self.keeps_port()
                {
                    text.push(':');
                    text.push_str(port);
                }
                if rest.is_empty() {
                    if target.is_registry() {
                        return Err(ResultError::RegistryOnly);
                    }
                } else {
                    text.push('/');
                    text.push_str(rest);
                }
            }
        }
        Ok(())
    }

    /// A registry rule from a host without port to a host without port keeps the image's port.
    pub(super) fn keeps_port(&self) -> bool {
        self.kind == RuleKind::Registry
            && self.name().is_some_and(|name| name.port.is_none())
            && matches!(&self.parsed, RuleValue::Name { bare_host: true, .. })
    }

    /// The key as it names `image`: `docker.io/nginx` names `nginx` as `docker.io/library/nginx`.
    pub(super) fn key_for(&self, image: ImageReference<'_>) -> Option<KeyFront<'_>> {
        let name = self.name()?;
        let mut key = KeyFront::from(name);
        if self.names_official_image
            && let Some(path) = image.canonical_path().strip_prefix(LIBRARY)
            && path.strip_prefix(name.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        {
            key.path_length += LIBRARY.len();
        }
        Some(key)
    }

    /// What stands behind the key's path in the image's path, without the `/` between them.
    fn behind_key<'i>(&self, image: ImageReference<'i>) -> &'i str {
        let key = self.key_for(image).map_or(0, |key| key.path_length);
        let canonical = image.canonical_path();
        // What is behind is the same in the path as written: only `library/` is missing there, at the front.
        let behind = canonical.len() - (key + 1).min(canonical.len());
        let path = image.path();
        &path[path.len() - behind..]
    }

    fn check(&self, image: ImageReference<'_>, text: &str) -> Result<(), ResultError> {
        let result = ImageReference::parse(text)?;
        if self.parsed == RuleValue::Reference {
            return Ok(());
        }
        if result.suffix() != image.suffix() {
            return Err(ResultError::Suffix);
        }
        let name = result.name();
        if !name.contains('/') && (name.contains('.') || name == "localhost") {
            return Err(ResultError::RegistryOnly);
        }
        Ok(())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())?;
        f.write_str(" rule ")?;
        self.line_parts().into_iter().try_for_each(|part| f.write_str(part))?;
        f.write_str(" (")?;
        f.write_str(&self.source)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        f.write_str(")")
    }
}
