//! Which scalars of a tree are shared: through aliases and merges one scalar of the text stands at several places.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::manifest::path::{FieldPath, Segment};
use crate::manifest::tree::Node;

/// The places of each scalar, by where it starts in the text; the first is where it is written.
#[derive(Debug, Default)]
pub(super) struct Places(FxHashMap<usize, Vec<FieldPath>>);

impl Places {
    /// Those of the scalars below `root`.
    pub(super) fn new(root: &Node<'_>) -> Self {
        let mut places = Self::default();
        places.add(root, &mut FieldPath::default());
        places
    }

    fn add(&mut self, node: &Node<'_>, path: &mut FieldPath) {
        match node {
            Node::Scalar(scalar) => self.0.entry(scalar.start).or_default().push(path.clone()),
            Node::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(Segment::Index(index));
                    self.add(item, path);
                    path.pop();
                }
            }
            Node::Mapping(pairs) => {
                for (key, value) in pairs {
                    path.push(Segment::Key(&key.value));
                    self.add(value, path);
                    path.pop();
                }
            }
        }
    }

    /// Whether the scalar that starts at `start` also stands at a place that is none of `used`. Where it is written does
    /// not count when it stands elsewhere, too.
    pub(super) fn is_shared(&self, start: usize, used: &FxHashSet<FieldPath>) -> bool {
        let Some(places) = self.0.get(&start) else { return false };
        places.iter().skip(1).any(|place| !used.contains(place))
    }
}
