//! The kinds of findings of lint, by the names that users see.

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
