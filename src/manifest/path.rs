//! Where a value stands in a document: `spec.template.spec.containers[0].image`.

use std::fmt;

/// One step of a [`FieldPath`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// The value of a mapping's key.
    Key(String),
    /// An element of a sequence, counted from 0.
    Index(usize),
}

/// The way from a document's root to a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct FieldPath(pub Vec<Segment>);

impl FieldPath {
    /// The same path from `depth` steps below the root on.
    #[must_use]
    pub fn below(&self, depth: usize) -> Self {
        Self(self.0.get(depth..).unwrap_or_default().to_vec())
    }

    /// The steps.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }
}

/// Whether `key` can stand in a path without brackets.
fn is_simple(key: &str) -> bool {
    let mut chars = key.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '$')
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '-'))
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if is_simple(key) && i == 0 => f.write_str(key)?,
                Segment::Key(key) if is_simple(key) => write!(f, ".{key}")?,
                Segment::Key(key) => write!(f, "[{}]", serde_json::Value::from(key.as_str()))?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_as_kubectl_users_write_it() {
        let key = |k: &str| Segment::Key(k.to_owned());
        let path = FieldPath(vec![key("spec"), key("containers"), Segment::Index(0), key("image")]);
        assert_eq!(path.to_string(), "spec.containers[0].image");
        assert_eq!(path.below(1).to_string(), "containers[0].image");
        assert_eq!(FieldPath(vec![Segment::Index(1), key("a.b/c")]).to_string(), "[1][\"a.b/c\"]");
    }
}
