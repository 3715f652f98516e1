//! What lint finds: how bad it is, where it stands, its kind by the name that users see, and what there is to say.

use super::rule::Rule;

/// The kind of a finding; `docs/maps.md` has a table of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindingCode {
    /// An image, given as an example, would be rewritten twice.
    Chained,
    /// The result for an example is no valid image.
    InvalidResult,
    /// The rule never applies: an earlier one takes all that it names.
    Shadowed,
    /// The rule changes nothing: what its key names is the target of a rule.
    AtTarget,
    /// A later source replaces the rule.
    Overridden,
    /// The value with braces gives many images one name.
    SameName,
    /// The key looks like a mistyped keyword.
    Keyword,
    /// A port that no registry has.
    Port,
    /// The value names no registry, so that images become Docker Hub's.
    NoRegistry,
    /// The key names an image of Docker Hub, and an organisation.
    SingleName,
    /// Proxy caches of Docker Hub want `library/`.
    Library,
    /// No image contains an entry of `noswap_wildcards`.
    NeverContained,
    /// A form that is only still read.
    Deprecated,
}

impl FindingCode {
    /// All of them, in the order of the table.
    pub const ALL: &[Self] = &[
        Self::Chained,
        Self::InvalidResult,
        Self::Shadowed,
        Self::AtTarget,
        Self::Overridden,
        Self::SameName,
        Self::Keyword,
        Self::Port,
        Self::NoRegistry,
        Self::SingleName,
        Self::Library,
        Self::NeverContained,
        Self::Deprecated,
    ];

    /// The name used in messages and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chained => "chained",
            Self::InvalidResult => "invalid-result",
            Self::Shadowed => "shadowed",
            Self::AtTarget => "at-target",
            Self::Overridden => "overridden",
            Self::SameName => "same-name",
            Self::Keyword => "keyword",
            Self::Port => "port",
            Self::NoRegistry => "no-registry",
            Self::SingleName => "single-name",
            Self::Library => "library",
            Self::NeverContained => "never-contained",
            Self::Deprecated => "deprecated",
        }
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Images that the rules name are left alone with an error.
    Error,
    /// It works, and surely not as meant, or not for long.
    Warning,
    /// Advice.
    Hint,
}

impl Severity {
    /// The name used in messages and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Hint => "hint",
        }
    }
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
    /// The kind of finding.
    pub code: FindingCode,
    /// What there is to say.
    pub message: String,
}

/// A finding about `rule`.
pub(super) fn finding(rule: &Rule, severity: Severity, code: FindingCode, message: String) -> Finding {
    let source = rule.source_name().to_owned();
    Finding { severity, source, line: rule.line(), column: rule.column(), code, message }
}
