//! The keys of which charts put an image together: `image: {registry, repository, tag}` and its like.

use super::before_names::ChartDefaults;
use super::values::{GroupPart, ValuesFinder};
use crate::image::ImageReference;
use crate::manifest::event::Scalar;
use crate::manifest::mention;
use crate::manifest::scalar::is_string;
use crate::manifest::template::is_registry;
use crate::manifest::tree::Node;

/// Keys of one image, as they stand in one mapping.
#[derive(Debug)]
pub(super) struct Group<'v> {
    /// The parts of the name.
    pub(super) name: Vec<GroupPart<'v>>,
    /// The parts of the names that it has with further values.
    pub(super) variants: Vec<Vec<GroupPart<'v>>>,
    pub(super) tag: Option<&'v Scalar<'v>>,
    pub(super) digest: Option<&'v Scalar<'v>>,
    /// The value of a key for a digest that says nothing, and whether the digest stands there without its algorithm.
    pub(super) empty_digest: Option<(&'v Scalar<'v>, bool)>,
    /// The key that says most.
    pub(super) main: &'v str,
    /// Why it is not clear which image it is, and the scalar that is in doubt.
    pub(super) unclear: Option<(&'v Scalar<'v>, String)>,
}

/// Whether a value under this key may be an image.
pub(super) fn is_image_key(key: &str) -> bool {
    mention::names_image(key) && !key.ends_with("Secrets") && !key.ends_with("Policy")
}

/// The names of an image's keys in a mapping.
struct Keys {
    registry: &'static str,
    repository: &'static str,
    tag: &'static str,
}

/// `image: {registry, repository, tag}`
const NESTED: Keys = Keys { registry: "registry", repository: "repository", tag: "tag" };

/// `imageRegistry`, `imageRepository` and `imageTag` side by side
const FLAT: Keys = Keys { registry: "imageRegistry", repository: "imageRepository", tag: "imageTag" };

/// What a mapping, with the defaults behind it, says under a key.
enum State<'v> {
    Part(GroupPart<'v>),
    /// The key is there and says nothing.
    Empty,
    Missing,
}

type Pairs<'v> = &'v [(Scalar<'v>, Node<'v>)];

impl<'v> Group<'v> {
    /// The images that the mapping of `pairs` at `path` is or holds.
    pub(super) fn of_mapping(pairs: Pairs<'v>, path: &[String], finder: &ValuesFinder<'_, 'v>) -> Vec<Self> {
        let mapping = Mapping { pairs, path, finder };
        [mapping.group(&NESTED), mapping.group(&FLAT)].into_iter().flatten().collect()
    }
}

/// A mapping of the values.
struct Mapping<'p, 'f, 'a, 'v> {
    pairs: Pairs<'v>,
    path: &'p [String],
    finder: &'f ValuesFinder<'a, 'v>,
}

impl<'v> Mapping<'_, '_, '_, 'v> {
    fn pair(&self, key: &str) -> Option<&'v (Scalar<'v>, Node<'v>)> {
        self.pairs.iter().find(|(name, _)| name.value == key)
    }

    /// The text under a key, if there is any.
    fn own(&self, key: &str) -> Option<&'v Scalar<'v>> {
        match &self.pair(key)?.1 {
            node @ Node::Scalar(scalar) if !node.is_null() && !scalar.value.is_empty() => Some(scalar),
            _ => None,
        }
    }

    fn state(&self, key: &str) -> State<'v> {
        if let Some(scalar) = self.own(key) {
            return State::Part(GroupPart::Own(scalar));
        }
        if self.pair(key).is_some() {
            return State::Empty;
        }
        let path: Vec<String> = self.path.iter().cloned().chain([key.to_owned()]).collect();
        self.elsewhere(&path)
    }

    /// What other values say at `path`.
    fn elsewhere(&self, path: &[String]) -> State<'v> {
        match self.finder.defaults.get(path) {
            None => State::Missing,
            Some((value, _)) if value.is_empty() => State::Empty,
            Some((value, becomes)) => {
                State::Part(GroupPart::Elsewhere { value: value.clone(), becomes: becomes.clone() })
            }
        }
    }

    /// The names that the image has where further values set another registry before all images: `name`, with or without a
    /// registry of its own, behind each.
    fn variants(&self, keys: &Keys, has_host: bool, name: &[GroupPart<'v>]) -> Vec<Vec<GroupPart<'v>>> {
        if has_host && !matches!(self.state(keys.registry), State::Part(_)) {
            return Vec::new();
        }
        let registries = self.finder.defaults.other_registries.iter().filter(|(value, _)| is_registry(value));
        registries
            .map(|(value, becomes)| {
                let registry = GroupPart::Elsewhere { value: value.clone(), becomes: becomes.clone() };
                std::iter::once(registry).chain(name.iter().cloned()).collect()
            })
            .collect()
    }

    /// What images of the same chart have that do not say it themselves.
    fn chart_defaults(&self) -> Option<&ChartDefaults<'v>> {
        self.finder.before_names.of_chart(self.finder.defaults.chart_of(self.path))
    }

    /// A registry for images that have none of their own.
    fn default_registry(&self) -> Option<GroupPart<'v>> {
        self.chart_defaults()?.registry.clone()
    }

    fn group(&self, keys: &Keys) -> Option<Group<'v>> {
        let is_flat = keys.registry == FLAT.registry;
        let is_image = is_flat || self.path.last().is_some_and(|key| is_image_key(key));
        // An image beside a repository or a registry is the last part of the name.
        let own_image = self.own("image").filter(|image| {
            !is_flat
                && is_string(image)
                && (self.pair(keys.registry).is_some() || self.pair(keys.repository).is_some())
        });
        let own_name = self.own("name").filter(|_| {
            !is_flat
                && is_image
                && (self.pair(keys.registry).is_some() || self.pair(keys.repository).is_some())
        });
        let last = own_image.or(own_name);
        let own = [self.own(keys.registry), self.own(keys.repository), self.own(keys.tag), last];
        let says_image = is_image
            || own_image.is_some()
            || ["tag", "digest", "sha", "registry", "pullPolicy"].iter().any(|key| self.pair(key).is_some());
        if !says_image {
            return None;
        }
        let mut repository = match self.state(keys.repository) {
            State::Part(part) => Some(part),
            State::Empty | State::Missing => None,
        };
        if repository.is_none() && own_name.is_some() {
            repository = self.chart_defaults().and_then(|defaults| defaults.repository.clone());
        }
        let mut name: Vec<GroupPart<'v>> = repository.into_iter().chain(last.map(GroupPart::Own)).collect();
        if name.is_empty() && !is_flat && is_image {
            return self.without_name(keys);
        }
        if own.iter().all(Option::is_none) {
            return None;
        }
        let (main_key, main) = match (last, self.own(keys.repository), self.own(keys.registry)) {
            (Some(scalar), ..) => (if own_image.is_some() { "image" } else { "name" }, scalar),
            (None, Some(scalar), _) => (keys.repository, scalar),
            (None, None, Some(scalar)) => (keys.registry, scalar),
            (None, None, None) => (keys.tag, self.own(keys.tag)?),
        };
        if name.first().is_none_or(|part| part.value().contains("://")) {
            return None;
        }
        let has_host = ImageReference::parse(&joined(&name)).is_ok_and(|image| image.host().is_some());
        let mut unclear = None;
        let variants = self.variants(keys, has_host, &name);
        match self.registry(keys, has_host) {
            Ok(registry) => name.splice(..0, registry).for_each(drop),
            Err(why) => unclear = Some((main, why)),
        }
        let tag = self.own(keys.tag);
        let digest = self.own("digest").or_else(|| self.own("sha")).filter(|_| !is_flat);
        let empty = |key| match &self.pair(key)?.1 {
            node @ Node::Scalar(scalar) if !node.is_null() && scalar.value.is_empty() => Some(scalar),
            _ => None,
        };
        let empty_digest = empty("digest").map(|scalar| (scalar, false));
        let empty_digest = empty_digest.or_else(|| empty("sha").map(|scalar| (scalar, true)));
        let empty_digest = empty_digest.filter(|_| !is_flat && digest.is_none());
        Some(Group { name, variants, tag, digest, empty_digest, main: main_key, unclear })
    }

    /// An image whose repository is there and says nothing.
    fn without_name(&self, keys: &Keys) -> Option<Group<'v>> {
        let (_, Node::Scalar(empty)) = self.pair(keys.repository)? else { return None };
        let why = "its repository is empty, and the chart's templates may have one of their own".to_owned();
        let unclear = Some((empty, why));
        let (name, variants) = (Vec::new(), Vec::new());
        let (tag, digest, empty_digest) = (None, None, None);
        Some(Group { name, variants, tag, digest, empty_digest, main: keys.repository, unclear })
    }

    /// What stands before the repository; with the reason when that cannot be told.
    fn registry(&self, keys: &Keys, has_host: bool) -> Result<Option<GroupPart<'v>>, String> {
        let own = self.state(keys.registry);
        if has_host && !matches!(own, State::Part(_)) {
            return Ok(None);
        }
        if let Some(global) = &self.finder.before_names.global_registry {
            return Ok(Some(global.clone()));
        }
        match own {
            State::Part(part) => Ok(Some(part)),
            State::Empty => self.default_registry().map(Some).ok_or_else(|| {
                format!("its {} is empty, and the chart's templates may have one of their own", keys.registry)
            }),
            State::Missing => {
                match (self.default_registry(), self.finder.defaults.unknown_chart(self.path)) {
                    (Some(registry), _) => Ok(Some(registry)),
                    (None, Some(chart)) => Err(format!(
                        "its registry may stand in the values of the chart {chart}, which is not unpacked in charts/"
                    )),
                    (None, None) => Ok(None),
                }
            }
        }
    }
}

fn joined(parts: &[GroupPart<'_>]) -> String {
    parts.iter().map(GroupPart::value).collect::<Vec<_>>().join("/")
}
