//! Where a value stands in a document: `spec.template.spec.containers[0].image`.

use std::fmt;

/// One step of a [`FieldPath`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Segment<'p> {
    /// The value of a mapping's key.
    Key(&'p str),
    /// An element of a sequence, counted from 0.
    Index(usize),
}

/// The way from a document's root to a value. Kept in two pieces of memory whatever its length: a run over a large tree
/// makes one for each image.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct FieldPath {
    /// The keys, one behind the other.
    keys: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    /// A key that ends there in `keys`.
    Key {
        end: usize,
    },
    Index(usize),
}

impl FieldPath {
    /// The empty path, with room for `steps` steps.
    #[must_use]
    pub fn with_capacity(steps: usize) -> Self {
        Self { keys: String::with_capacity(12 * steps), steps: Vec::with_capacity(steps) }
    }

    /// Goes on to a key or element.
    pub fn push(&mut self, segment: Segment<'_>) {
        self.steps.push(match segment {
            Segment::Key(key) => {
                self.keys.push_str(key);
                Step::Key { end: self.keys.len() }
            }
            Segment::Index(index) => Step::Index(index),
        });
    }

    /// Goes back by one step.
    pub fn pop(&mut self) {
        if let Some(Step::Key { .. }) = self.steps.pop() {
            self.keys.truncate(self.keys_of(self.steps.len()));
        }
    }

    /// How many steps there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether it leads to the root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The steps from `depth` steps below the root on.
    #[must_use]
    pub fn segments_below(
        &self,
        depth: usize,
    ) -> impl DoubleEndedIterator<Item = Segment<'_>> + ExactSizeIterator {
        let depth = depth.min(self.steps.len());
        (depth..self.steps.len()).map(|at| match self.steps[at] {
            Step::Key { end } => Segment::Key(&self.keys[self.keys_of(at)..end]),
            Step::Index(index) => Segment::Index(index),
        })
    }

    /// The steps.
    #[must_use]
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = Segment<'_>> + ExactSizeIterator {
        self.segments_below(0)
    }

    /// The same path from `depth` steps below the root on.
    #[must_use]
    pub fn below(&self, depth: usize) -> Self {
        self.segments_below(depth).collect()
    }

    /// How much of `keys` the first `steps` steps take.
    fn keys_of(&self, steps: usize) -> usize {
        let last_key = self.steps[..steps].iter().rev().find_map(|step| match step {
            Step::Key { end } => Some(*end),
            Step::Index(_) => None,
        });
        last_key.unwrap_or(0)
    }
}

impl<'p> FromIterator<Segment<'p>> for FieldPath {
    fn from_iter<T: IntoIterator<Item = Segment<'p>>>(segments: T) -> Self {
        let segments = segments.into_iter();
        let mut path = Self::with_capacity(segments.size_hint().0);
        segments.for_each(|segment| path.push(segment));
        path
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
        for (i, segment) in self.segments().enumerate() {
            match segment {
                Segment::Key(key) if is_simple(key) && i == 0 => f.write_str(key)?,
                Segment::Key(key) if is_simple(key) => write!(f, ".{key}")?,
                Segment::Key(key) => write!(f, "[{}]", serde_json::Value::from(key))?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FieldPath({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_as_kubectl_users_write_it() {
        let segments =
            [Segment::Key("spec"), Segment::Key("containers"), Segment::Index(0), Segment::Key("image")];
        let path: FieldPath = segments.into_iter().collect();
        assert_eq!(path.to_string(), "spec.containers[0].image");
        assert_eq!(path.below(1).to_string(), "containers[0].image");
        assert_eq!(path.segments().collect::<Vec<_>>(), segments);
        let odd: FieldPath = [Segment::Index(1), Segment::Key("a.b/c")].into_iter().collect();
        assert_eq!(odd.to_string(), "[1][\"a.b/c\"]");
    }

    #[test]
    fn goes_on_and_back() {
        let mut path = FieldPath::default();
        path.push(Segment::Key("a"));
        path.push(Segment::Index(0));
        path.push(Segment::Key("b"));
        path.pop();
        path.pop();
        path.push(Segment::Key("c"));
        assert_eq!(path.to_string(), "a.c");
        assert_eq!((path.len(), path.is_empty()), (2, false));
    }
}
