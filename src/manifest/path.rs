//! Where a value stands in a document: `spec.template.spec.containers[0].image`.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::keys::Key;

/// One step of a [`FieldPath`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Segment<'p> {
    /// The value of a mapping's key.
    Key(&'p str),
    /// An element of a sequence, counted from 0.
    Index(usize),
}

/// The way from a document's root to a value. Paths share the steps that they begin with, so that many images below one long
/// key take the memory of one; their ends, such as `[0].image`, take none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct FieldPath {
    start: Trunk,
    end: End,
}

/// The last steps of a path: an element, a known key, or that key of an element. Always as many as there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct End {
    index: Option<usize>,
    key: Option<Key>,
}

impl End {
    /// The end of a path whose steps before the last are unknown; none when `last` is a key that few manifests have.
    fn of(last: Segment<'_>) -> Option<Self> {
        match last {
            Segment::Key(key) => known(key).map(|key| Self { index: None, key: Some(key) }),
            Segment::Index(index) => Some(Self { index: Some(index), key: None }),
        }
    }

    /// How many steps it has.
    fn len(self) -> usize {
        usize::from(self.index.is_some()) + usize::from(self.key.is_some())
    }

    fn segments<'p>(self) -> impl Iterator<Item = Segment<'p>> {
        self.index.map(Segment::Index).into_iter().chain(self.key.and_then(Key::name).map(Segment::Key))
    }
}

fn known(key: &str) -> Option<Key> {
    Some(Key::of(key.as_bytes())).filter(|key| *key != Key::Other)
}

/// The first steps of paths, shared by all that begin with them.
#[derive(Clone, Default)]
pub(super) struct Trunk {
    last: Option<Arc<Link>>,
}

/// The last step of a [`Trunk`], and the steps before it.
struct Link {
    before: Trunk,
    /// How many steps there are, this one included.
    length: usize,
    step: TrunkStep,
}

#[derive(Debug, PartialEq, Eq, Hash)]
enum TrunkStep {
    Known(Key),
    Key(Box<str>),
    Index(usize),
}

impl TrunkStep {
    fn new(segment: Segment<'_>) -> Self {
        match segment {
            Segment::Key(key) => known(key).map_or_else(|| Self::Key(key.into()), Self::Known),
            Segment::Index(index) => Self::Index(index),
        }
    }

    fn segment(&self) -> Segment<'_> {
        match self {
            Self::Known(key) => Segment::Key(key.name().unwrap_or_default()),
            Self::Key(key) => Segment::Key(key),
            Self::Index(index) => Segment::Index(*index),
        }
    }
}

impl Trunk {
    /// These steps and one more.
    pub(super) fn then(&self, segment: Segment<'_>) -> Self {
        let link = Link { before: self.clone(), length: self.len() + 1, step: TrunkStep::new(segment) };
        Self { last: Some(Arc::new(link)) }
    }

    fn len(&self) -> usize {
        self.last.as_ref().map_or(0, |link| link.length)
    }

    /// The steps with what is before each, the last first.
    fn links(&self) -> impl Iterator<Item = &Link> {
        std::iter::successors(self.last.as_deref(), |link| link.before.last.as_deref())
    }
}

/// Without recursion: documents may be deep.
impl Drop for Trunk {
    fn drop(&mut self) {
        let mut last = self.last.take();
        while let Some(link) = last.and_then(Arc::into_inner) {
            let mut before = link.before;
            last = before.last.take();
        }
    }
}

impl PartialEq for Trunk {
    fn eq(&self, other: &Self) -> bool {
        let (mut one, mut two) = (&self.last, &other.last);
        loop {
            match (one, two) {
                (Some(a), Some(b)) if Arc::ptr_eq(a, b) => return true,
                (Some(a), Some(b)) if a.length == b.length && a.step == b.step => {
                    (one, two) = (&a.before.last, &b.before.last);
                }
                (None, None) => return true,
                _ => return false,
            }
        }
    }
}

impl Eq for Trunk {}

impl Hash for Trunk {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.len().hash(state);
        self.links().for_each(|link| link.step.hash(state));
    }
}

impl fmt::Debug for Trunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.links().map(|link| &link.step)).finish()
    }
}

/// How many of the last steps, of which `last` comes behind `before`, a path holds at its end.
pub(super) fn end_len(before: Option<Segment<'_>>, last: Segment<'_>) -> usize {
    match (before, last) {
        (Some(Segment::Index(_)), Segment::Key(key)) if known(key).is_some() => 2,
        (_, last) => usize::from(End::of(last).is_some()),
    }
}

impl FieldPath {
    /// The path of the steps `start` and those behind, which are as many as [`end_len`] says.
    pub(super) fn new<'p>(start: Trunk, rest: impl Iterator<Item = Segment<'p>>) -> Self {
        let mut path = Self { start, end: End::default() };
        rest.for_each(|segment| path.push(segment));
        path
    }

    /// Goes on to a key or element.
    pub fn push(&mut self, segment: Segment<'_>) {
        let end = End::of(segment);
        if let Some(End { key: Some(key), .. }) = end
            && self.end.key.is_none()
            && self.end.index.is_some()
        {
            self.end.key = Some(key);
            return;
        }
        for passed in std::mem::take(&mut self.end).segments() {
            self.start = self.start.then(passed);
        }
        match end {
            Some(end) => self.end = end,
            None => self.start = self.start.then(segment),
        }
    }

    /// Goes back by one step.
    pub fn pop(&mut self) {
        if self.end.index.is_some() && self.end.key.take().is_some() {
            return;
        }
        if self.end == End::default() {
            self.start = self.start.last.as_ref().map_or_else(Trunk::default, |link| link.before.clone());
        }
        // What is the end now was in the middle.
        let steps = self.start.clone();
        let mut links = steps.links();
        let (last, before) = (links.next(), links.next());
        let length =
            last.map_or(0, |last| end_len(before.map(|before| before.step.segment()), last.step.segment()));
        let start = match length {
            0 => steps.clone(),
            1 => last.map_or_else(Trunk::default, |last| last.before.clone()),
            _ => before.map_or_else(Trunk::default, |before| before.before.clone()),
        };
        let rest = [before, last].into_iter().flatten().map(|link| link.step.segment());
        let known = usize::from(last.is_some()) + usize::from(before.is_some());
        *self = Self::new(start, rest.skip(known - length));
    }

    /// How many steps there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.start.len() + self.end.len()
    }

    /// Whether it leads to the root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The steps from `depth` steps below the root on.
    #[must_use]
    pub fn segments_below(
        &self,
        depth: usize,
    ) -> impl DoubleEndedIterator<Item = Segment<'_>> + ExactSizeIterator {
        let mut steps = Vec::with_capacity(self.len());
        steps.extend(self.start.links().map(|link| link.step.segment()));
        steps.reverse();
        steps.extend(self.end.segments());
        steps.drain(..depth.min(steps.len()));
        steps.into_iter()
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
}

impl<'p> Extend<Segment<'p>> for FieldPath {
    fn extend<T: IntoIterator<Item = Segment<'p>>>(&mut self, segments: T) {
        segments.into_iter().for_each(|segment| self.push(segment));
    }
}

impl<'p> FromIterator<Segment<'p>> for FieldPath {
    fn from_iter<T: IntoIterator<Item = Segment<'p>>>(segments: T) -> Self {
        let mut path = Self::default();
        path.extend(segments);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    #[test]
    fn is_equal_by_its_steps() {
        let path = |steps: &[Segment<'_>]| steps.iter().copied().collect::<FieldPath>();
        let spec = [Segment::Key("spec"), Segment::Index(1), Segment::Key("x")];
        assert_eq!(path(&spec), path(&spec));
        assert_ne!(path(&spec), path(&spec[..2]));
        assert_ne!(path(&spec), path(&[Segment::Key("spec"), Segment::Index(2), Segment::Key("x")]));
        let hash = |path: &FieldPath| {
            let mut hasher = rustc_hash::FxHasher::default();
            path.hash(&mut hasher);
            hasher.finish()
        };
        assert_eq!(hash(&path(&spec)), hash(&path(&spec)));
        assert_ne!(hash(&path(&spec)), hash(&path(&spec[..2])));
    }

    #[test]
    fn may_be_long() {
        let mut path = FieldPath::default();
        (0..1_000_000).for_each(|index| path.push(Segment::Index(index)));
        let copy = path.clone();
        drop(path);
        assert_eq!(copy.segments().next_back(), Some(Segment::Index(999_999)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn goes_on_and_back_as_a_list_does(
            steps in prop::collection::vec(prop::sample::select(vec!["image", "x", "spec", "0", "1", "pop"]), 0..12),
        ) {
            let (mut path, mut list) = (FieldPath::default(), Vec::new());
            for step in steps {
                match step {
                    "pop" => {
                        path.pop();
                        list.pop();
                    }
                    step => {
                        let segment = step.parse().map_or(Segment::Key(step), Segment::Index);
                        path.push(segment);
                        list.push(segment);
                    }
                }
                prop_assert_eq!(path.segments().collect::<Vec<_>>(), list.clone());
                prop_assert_eq!(path.len(), list.len());
                prop_assert_eq!(&path, &list.iter().copied().collect::<FieldPath>());
                prop_assert_eq!(path.below(2), list.iter().copied().skip(2).collect::<FieldPath>());
            }
        }
    }
}
