//! Values of resources' `data`, as users name them: `ConfigMap NAME:KEY`.

use std::fmt;

use super::name_glob::NameGlob;
use super::occurrence::Resource;
use super::path::{FieldPath, Segment};

/// Values of resources' `data`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DataSpec {
    pub(super) kind: String,
    pub(super) name: NameGlob,
    pub(super) key: NameGlob,
}

impl DataSpec {
    /// What `text` says, as `ConfigMap NAME:KEY`; `None` when it does not say that.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(' ')?;
        let (name, key) = rest.split_once(':')?;
        let is_whole = matches!(kind, "ConfigMap" | "Secret") && !name.is_empty() && !key.is_empty();
        is_whole.then(|| Self { kind: kind.to_owned(), name: NameGlob::new(name), key: NameGlob::new(key) })
    }

    /// Whether it is a single value, and no pattern.
    pub(super) fn is_name(&self) -> bool {
        self.name.is_name() && self.key.is_name()
    }

    /// Whether `path` leads to this key of the data of `resource`.
    pub(super) fn matches(&self, resource: &Resource, path: &FieldPath) -> bool {
        let mut steps = path.segments_below(resource.depth);
        let (Some(Segment::Key("data")), Some(Segment::Key(key)), None) =
            (steps.next(), steps.next(), steps.next())
        else {
            return false;
        };
        let name = resource.name.as_deref().unwrap_or_default();
        self.kind == resource.kind && self.name.matches(name) && self.key.matches(key)
    }
}

impl fmt::Display for DataSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}:{}", self.kind, self.name, self.key)
    }
}
