//! Image fields by kind: where custom resources keep images outside of containers, as `apps/Widget:spec.image`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::image::ImageReference;

use super::keys::Key;
use super::mention;
use super::name_glob::NameGlob;
use super::name_hash::{ByteSet, name_hash};
use super::occurrence::Resource;
use super::path::{FieldPath, Segment};
use super::tree::Node;

/// A field that holds an image in resources of one kind.
///
/// Written as `[GROUP/]KIND:PATH`, for example `apps.example.com/Widget:spec.engine.image` or
/// `tekton.dev/Task:spec.steps[].image`: `[]` stands for every element of a sequence, `*` for any text of a key (and
/// as KIND for any kind), a backslash before a dot keeps the dot in its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSpec {
    group: Option<String>,
    kind: Option<String>,
    /// Shared by the kinds that have the same path.
    path: Arc<[StepPattern]>,
}

/// One step of a field spec's path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum StepPattern {
    Key(String),
    /// `*`, or a part of a key with one in it.
    Keys(NameGlob),
    EveryElement,
}

/// Why a field spec cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field '{text}': {problem}; expected [GROUP/]KIND:PATH, for example apps/Widget:spec.engine.image")]
pub struct FieldSpecError {
    text: String,
    problem: &'static str,
}

impl FromStr for FieldSpec {
    type Err = FieldSpecError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |problem| FieldSpecError { text: text.to_owned(), problem };
        let (resource, path) = text.split_once(':').ok_or_else(|| error("no ':' between kind and path"))?;
        Self::of_kinds(resource, parse_path(path).map_err(error)?).map_err(error)
    }
}

fn parse_path(path: &str) -> Result<Arc<[StepPattern]>, &'static str> {
    let mut steps = Vec::with_capacity(8);
    let mut rest = Some(path);
    while let Some(path) = rest {
        let (key, behind) = first_key(path);
        rest = behind;
        let name = key.trim_end_matches("[]");
        match name {
            "" => return Err("a part of the path is empty"),
            _ if name.contains('*') => steps.push(StepPattern::Keys(NameGlob::new(name))),
            _ => steps.push(StepPattern::Key(name.to_owned())),
        }
        steps.extend(std::iter::repeat_n(StepPattern::EveryElement, (key.len() - name.len()) / 2));
    }
    Ok(steps.into())
}

/// The first key of a path, and what comes behind its dot. A backslash takes what a character means.
fn first_key(path: &str) -> (Cow<'_, str>, Option<&str>) {
    let Some(end) = path.find(['.', '\\']) else { return (path.into(), None) };
    if path[end..].starts_with('.') {
        return (path[..end].into(), Some(&path[end + 1..]));
    }
    let mut key = path[..end].to_owned();
    let mut chars = path[end..].char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => key.extend(chars.next().map(|(_, c)| c)),
            '.' => return (key.into(), Some(&path[end + at + 1..])),
            c => key.push(c),
        }
    }
    (key.into(), None)
}

impl fmt::Display for FieldSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(group) = &self.group {
            write!(f, "{group}/")?;
        }
        write!(f, "{}:", self.kind.as_deref().unwrap_or("*"))?;
        for (i, step) in self.path.iter().enumerate() {
            let dot = if i == 0 { "" } else { "." };
            match step {
                StepPattern::Key(key) => write!(f, "{dot}{}", key.replace('.', "\\."))?,
                StepPattern::Keys(keys) => write!(f, "{dot}{}", keys.to_string().replace('.', "\\."))?,
                StepPattern::EveryElement => f.write_str("[]")?,
            }
        }
        Ok(())
    }
}

impl FieldSpec {
    /// The field at `path` of the kinds that `resource`, `[GROUP/]KIND`, names.
    fn of_kinds(resource: &str, path: Arc<[StepPattern]>) -> Result<Self, &'static str> {
        let (group, kind) = match resource.rsplit_once('/') {
            Some((group, kind)) => (Some(group), kind),
            None => (None, resource),
        };
        if kind.is_empty() || group.is_some_and(str::is_empty) {
            return Err("the kind or group is empty");
        }
        Ok(Self { group: group.map(str::to_owned), kind: (kind != "*").then(|| kind.to_owned()), path })
    }

    /// The field at `path` in each of `kinds`, with a space between them.
    pub(super) fn of_each(kinds: &str, path: &str) -> Result<Vec<Self>, FieldSpecError> {
        let error = |problem| FieldSpecError { text: format!("{kinds}:{path}"), problem };
        let path = parse_path(path).map_err(error)?;
        kinds.split(' ').map(|kind| Self::of_kinds(kind, Arc::clone(&path)).map_err(error)).collect()
    }

    /// Whether a resource of `group` and `kind` has this field at `path`, counted from `depth` on.
    pub(super) fn matches(&self, group: &str, kind: &str, path: &FieldPath, depth: usize) -> bool {
        self.is_in(group, kind)
            && self.path.len() + depth == path.len()
            && self.path.iter().zip(path.segments_below(depth)).all(|(step, segment)| match (step, segment) {
                (StepPattern::Key(expected), Segment::Key(key)) => expected == key,
                (StepPattern::Keys(keys), Segment::Key(key)) => keys.matches(key),
                (StepPattern::EveryElement, Segment::Index(_)) => true,
                (StepPattern::Key(_) | StepPattern::Keys(_), Segment::Index(_))
                | (StepPattern::EveryElement, Segment::Key(_)) => false,
            })
    }

    /// A text that every document has which has such a resource; empty when there is none.
    pub(super) fn resource_literal(&self) -> &str {
        self.group.as_deref().or(self.kind.as_deref()).unwrap_or_default()
    }

    /// Whether resources of `group` and `kind` may have this field.
    pub(super) fn is_in(&self, group: &str, kind: &str) -> bool {
        self.kind.as_deref().is_none_or(|k| k == kind) && self.group.as_deref().is_none_or(|g| g == group)
    }

    /// The nodes of `root`, a resource, that are this field, with the ways to them.
    pub(super) fn find<'n, 'a>(&self, root: &'n Node<'a>) -> Vec<(FieldPath, &'n Node<'a>)> {
        let mut found = vec![(FieldPath::default(), root)];
        for step in &*self.path {
            let mut next = Vec::new();
            for (path, node) in found {
                let mut add = |segment: Segment<'_>, node| {
                    let mut path: FieldPath = path.clone();
                    path.push(segment);
                    next.push((path, node));
                };
                match (step, node) {
                    (StepPattern::EveryElement, Node::Sequence(items)) => {
                        items.iter().enumerate().for_each(|(index, item)| add(Segment::Index(index), item));
                    }
                    (StepPattern::Key(expected), Node::Mapping(pairs)) => {
                        let pair = pairs.iter().find(|(key, _)| key.value == *expected);
                        pair.into_iter().for_each(|(key, node)| add(Segment::Key(&key.value), node));
                    }
                    (StepPattern::Keys(keys), Node::Mapping(pairs)) => (pairs.iter())
                        .filter(|(key, _)| keys.matches(&key.value))
                        .for_each(|(key, node)| add(Segment::Key(&key.value), node)),
                    _ => {}
                }
            }
            found = next;
        }
        found
    }

    fn ends_in_from_name(&self) -> bool {
        let key = |step: &StepPattern, name| matches!(step, StepPattern::Key(key) if key == name);
        matches!(&*self.path, [.., from, name] if key(from, "from") && key(name, "name"))
    }

    /// Whether `value`, which stands at the field, is an image: where the field was asked for broadly, a bare word (`true`,
    /// `nginx`) counts as none.
    pub(super) fn takes(&self, value: &str) -> bool {
        mention::is_reference_like(value) || (!self.is_broad() && ImageReference::parse(value).is_ok())
    }

    /// Whether it may well name what is no image: it stands for several fields, and their key does not say "image".
    fn is_broad(&self) -> bool {
        let last = self.path.iter().rev().find(|step| !matches!(step, StepPattern::EveryElement));
        let says_image = last.is_some_and(|step| match step {
            StepPattern::Key(key) => mention::names_image(key),
            StepPattern::Keys(keys) => mention::names_image(keys.literal()),
            StepPattern::EveryElement => false,
        });
        !says_image && self.path.iter().any(|step| !matches!(step, StepPattern::Key(_)))
    }

    /// The last key of the path, which a document must hold; `None` when it is any key.
    fn last_key(&self) -> Option<&str> {
        self.path.iter().rev().find_map(|step| match step {
            StepPattern::Key(key) => Some(Some(key.as_str())),
            StepPattern::Keys(_) => Some(None),
            StepPattern::EveryElement => None,
        })?
    }
}

/// The field specs in use.
#[derive(Debug, Clone)]
pub(super) struct FieldTable {
    specs: Vec<FieldSpec>,
    /// Last keys of the specs' paths, without repetition.
    last_keys: Vec<String>,
    /// The hashes of the last keys.
    last_key_hashes: ByteSet,
    /// These and those of the keys that the finder knows: most keys of a manifest are told by that.
    known_hashes: ByteSet,
    any_last_key: bool,
}

impl Default for FieldTable {
    fn default() -> Self {
        let (specs, last_keys, last_key_hashes) = Default::default();
        Self { specs, last_keys, last_key_hashes, known_hashes: Key::hashes(), any_last_key: false }
    }
}

impl FieldTable {
    /// No fields by kind.
    #[cfg(test)]
    pub(super) fn core() -> Self {
        Self::default()
    }

    /// Adds a field.
    pub(super) fn add(&mut self, spec: FieldSpec) {
        match spec.last_key() {
            // The finder takes every `from.name`; `name` alone is too common a key to look at.
            Some("name") if spec.ends_in_from_name() => {}
            Some(key) if !self.last_keys.iter().any(|k| k == key) => {
                self.last_keys.push(key.to_owned());
                self.last_key_hashes.add(name_hash(key.as_bytes()));
                self.known_hashes.add(name_hash(key.as_bytes()));
            }
            Some(_) => {}
            None => {
                self.any_last_key = true;
                (0..=u8::MAX).for_each(|any| self.known_hashes.add(any));
            }
        }
        self.specs.push(spec);
    }

    /// Whether a key of this hash may be one that the finder knows, or one that [`FieldTable::may_end_in`].
    #[inline(always)]
    pub(super) fn may_mean_something(&self, hash: u8) -> bool {
        self.known_hashes.has(hash)
    }

    /// Whether a scalar under `key`, which has this hash (or in a sequence under it), may be a field of the table.
    #[must_use]
    #[inline(always)]
    pub(super) fn may_end_in(&self, hash: u8, key: &[u8]) -> bool {
        self.any_last_key || (self.last_key_hashes.has(hash) && self.is_last_key(key))
    }

    fn is_last_key(&self, key: &[u8]) -> bool {
        self.last_keys.iter().any(|k| k.as_bytes() == key)
    }

    /// Whether `resource` has an image of the table at `path` (from the document's root). Where the field was asked for
    /// broadly, a `value` that is a bare word (`true`, `nginx`) counts as none.
    #[must_use]
    pub(super) fn contains(&self, resource: &Resource, path: &FieldPath, value: &str) -> bool {
        let group = resource.group();
        let names = |spec: &&FieldSpec| spec.matches(group, &resource.kind, path, resource.depth);
        let mut named = self.specs.iter().filter(names).peekable();
        named.peek().is_some() && (mention::is_reference_like(value) || named.any(|spec| !spec.is_broad()))
    }

    /// Whether the table has a field under these keys, those of lists' elements left out, in a resource of which group and
    /// kind are known as far as they are given.
    #[must_use]
    pub(super) fn names_keys(&self, group: Option<&str>, kind: Option<&str>, keys: &[&str]) -> bool {
        self.specs.iter().any(|spec| {
            let steps = || spec.path.iter().filter(|step| !matches!(step, StepPattern::EveryElement));
            spec.kind.as_deref().is_none_or(|known| kind == Some(known))
                && spec.group.as_deref().is_none_or(|known| group.is_none_or(|group| group == known))
                && steps().count() == keys.len()
                && steps().zip(keys).all(|(step, key)| match step {
                    StepPattern::Key(known) => known == key,
                    StepPattern::Keys(glob) => glob.matches(key),
                    StepPattern::EveryElement => false,
                })
        })
    }

    /// Keys of which a document that lacks the text `image` must hold one to have an image of this table
    /// in it; `None` when any key will do.
    #[must_use]
    pub(super) fn keys_without_image(&self) -> Option<Vec<String>> {
        let names_image = |step: &StepPattern| matches!(step, StepPattern::Key(key) if key.contains("image"));
        let mut keys = Vec::new();
        let says_image = |spec: &&FieldSpec| {
            spec.path.iter().any(names_image)
                || spec.group.as_ref().is_some_and(|group| group.contains("image"))
        };
        for spec in self.specs.iter().filter(|spec| !says_image(spec)) {
            let key = spec.last_key()?.to_owned();
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        Some(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(api_version: &str, kind: &str) -> Resource {
        Resource { api_version: api_version.to_owned(), kind: kind.to_owned(), ..Resource::default() }
    }

    #[test]
    fn reads_and_shows_specs() {
        for text in ["apps.example.com/Widget:spec.engine.image", "*:spec.a[][].*.b\\.c", "Pod:spec.images[]"]
        {
            assert_eq!(text.parse::<FieldSpec>().unwrap().to_string(), text);
        }
        for (text, problem) in [
            ("Widget", "no ':' between kind and path"),
            ("Widget:", "a part of the path is empty"),
            ("Widget:spec..image", "a part of the path is empty"),
            ("/Widget:spec", "the kind or group is empty"),
            (":spec.image", "the kind or group is empty"),
        ] {
            let error = text.parse::<FieldSpec>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("field '{text}': {problem}; expected")), "{error}");
        }
    }

    #[test]
    fn matches_by_group_kind_and_path() {
        let mut table = FieldTable::core();
        table.add("x.io/W:spec.e[].*".parse().unwrap());
        let segments = [Segment::Key("spec"), Segment::Key("e"), Segment::Index(3), Segment::Key("any")];
        let path: FieldPath = segments.into_iter().collect();
        assert!(table.contains(&resource("x.io/v1", "W"), &path, "a/b"));
        assert!(!table.contains(&resource("y.io/v1", "W"), &path, "a/b"));
        assert!(!table.contains(&resource("x.io/v1", "V"), &path, "a/b"));
        assert!(!table.contains(&resource("x.io/v1", "W"), &path.below(1), "a/b"));
        let below = Resource { depth: 1, ..resource("x.io/v1", "W") };
        let deeper: FieldPath = [Segment::Index(0)].into_iter().chain(segments).collect();
        assert!(table.contains(&below, &deeper, "a/b"));
    }

    #[test]
    fn broad_fields_take_no_bare_words() {
        let at = |path: &[&str]| path.iter().map(|key| Segment::Key(key)).collect::<FieldPath>();
        let contains = |spec: &str, path: &[&str], value: &str| {
            let mut table = FieldTable::core();
            table.add(spec.parse().unwrap());
            table.contains(&resource("x.io/v1", "W"), &at(path), value)
        };
        assert!(contains("W:spec.engine", &["spec", "engine"], "nginx"));
        assert!(contains("W:spec.*Image", &["spec", "sidecarImage"], "nginx"));
        assert!(!contains("W:spec.*Image", &["spec", "imageName"], "nginx"));
        assert!(!contains("W:spec.*", &["spec", "engine"], "120000"));
        assert!(contains("W:spec.*", &["spec", "engine"], "nginx:1"));
    }
}
