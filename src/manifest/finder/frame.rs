//! What the finder keeps for each open collection.

use std::borrow::Cow;

use crate::manifest::event::Scalar;
use crate::manifest::keys::Key;
use crate::manifest::occurrence::{Origin, Resource};
use crate::manifest::path::Segment;

/// What an open collection is to the finder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::manifest) enum Role {
    Plain,
    ContainerList,
    Container,
    /// A list under a key that says nothing
    List,
    /// A mapping in such a list: a container, if it looks like one
    Element,
    VolumeList,
    Volume,
    VolumeImage,
    EnvList,
    EnvVar,
    /// `args` or `command`
    Words,
    KustomizeList,
    KustomizeImage,
    /// Kustomize's lists of patches (`patches`, `patchesJson6902`, `patchesStrategicMerge`) and of `transformers`
    PatchList,
    /// An entry of such a list
    Patch,
    /// `parameters` of a Template, or of anything else
    ParameterList,
    Parameter,
    /// `data` of a ConfigMap, or of anything else
    Data,
    /// `from` of an ImageStream's tag, or of anything else
    From,
    Metadata,
    Labels,
    Annotations,
}

impl Role {
    /// Whether the keys of such a mapping are names that people choose.
    #[inline]
    pub(super) fn has_names_for_keys(self) -> bool {
        matches!(self, Self::Labels | Self::Annotations)
    }
}

/// An open collection. Manifests open one in every other line, so it is kept small.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) key_text: Cow<'a, str>,
    /// Where the key stands.
    pub(super) key_start: usize,
    pub(super) index: usize,
    /// How many findings were pending when it opened.
    pub(super) first: usize,
    /// Index into `Finder::facts`.
    pub(super) facts: Option<usize>,
    pub(super) role: Role,
    pub(super) key: Key,
    pub(super) is_map: bool,
    pub(super) flow: bool,
    /// In a mapping: the next node is a key.
    pub(super) at_key: bool,
    /// A scalar under the key, or in the sequence, may be a field of the table.
    pub(super) may_hold_field: bool,
    pub(super) has_containers: bool,
    /// In a sequence of words: the word before is a flag, and this one its image. Says whether a pattern names the flag.
    pub(super) flag_before: Option<bool>,
    pub(super) disabled: bool,
    /// Container keys and `image` that were seen, a bit each, to tell duplicates; and whether a key of containers was.
    pub(super) seen: u8,
}

/// The bit of [`Frame::seen`] for a key that only containers have.
pub(super) const SEEN_OF_CONTAINER: u8 = 64;

/// What tells a step from all others of its collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Where the key stands, and how long it is.
    Key {
        start: usize,
        length: usize,
    },
    Index(usize),
}

impl Frame<'_> {
    /// The step to the value at hand.
    pub(super) fn segment(&self) -> Segment<'_> {
        if self.is_map { Segment::Key(&self.key_text) } else { Segment::Index(self.index) }
    }

    /// What tells that step from all others of the collection.
    pub(super) fn mark(&self) -> Mark {
        if self.is_map {
            Mark::Key { start: self.key_start, length: self.key_text.len() }
        } else {
            Mark::Index(self.index)
        }
    }

    /// Whether it is a mapping in some list that has what containers have beside their names and images.
    pub(super) fn looks_like_a_container(&self) -> bool {
        self.role == Role::Element && self.seen & SEEN_OF_CONTAINER != 0
    }

    /// Whether a block of text under the key may be a manifest or patch. Descriptions are prose, and schemas have many.
    pub(super) fn may_hold_manifest(&self) -> bool {
        self.key_text != "description"
    }
}

/// What the `path` of a JSON patch's operation (RFC 6902) leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patched {
    /// `…/containers/0/image`
    ContainerImage,
    /// `…/containers/0` or `…/containers/-`
    Container,
    /// `…/containers`
    ContainerList,
    /// Another `…/image`
    OtherImage,
}

impl Patched {
    /// What `path` leads to; `None` when that is nothing with an image.
    pub(super) fn of(path: &str) -> Option<Self> {
        let is_list = |step: &str| matches!(step, "containers" | "initContainers" | "ephemeralContainers");
        let mut steps = path.rsplit('/');
        let (last, before, first) = (steps.next()?, steps.next().unwrap_or(""), steps.next().unwrap_or(""));
        match last {
            "image" if is_list(first) => Some(Self::ContainerImage),
            "image" => Some(Self::OtherImage),
            _ if is_list(last) => Some(Self::ContainerList),
            _ if is_list(before) => Some(Self::Container),
            _ => None,
        }
    }
}

/// What a mapping says of itself; kept aside since most mappings say nothing.
#[derive(Debug, Default)]
pub(super) struct Facts<'a> {
    pub(super) api_version: Option<Cow<'a, str>>,
    pub(super) kind: Option<Cow<'a, str>>,
    pub(super) name: Option<Cow<'a, str>>,
    pub(super) namespace: Option<Cow<'a, str>>,
    pub(super) origin: Option<Origin>,
    /// What the `path` of a JSON patch's operation leads to.
    pub(super) patched: Option<Patched>,
    pub(super) registry: Option<Cow<'a, str>>,
    pub(super) repository: Option<Scalar<'a>>,
    pub(super) tag: Option<Cow<'a, str>>,
    pub(super) digest: Option<Cow<'a, str>>,
}

impl Facts<'_> {
    /// The resource that a mapping with these facts is: one with `apiVersion` and `kind`, and where resources are
    /// expected (`at_root`: a document, or an element of `items`) one that says anything of itself.
    pub(super) fn resource(&self, depth: usize, at_root: bool) -> Option<Resource> {
        let is_whole = self.api_version.is_some() && self.kind.is_some();
        let says_something = self.kind.is_some() || self.name.is_some() || self.namespace.is_some();
        if !is_whole && !(at_root && (says_something || self.origin.is_some())) {
            return None;
        }
        Some(Resource {
            api_version: self.api_version.as_deref().unwrap_or_default().to_owned(),
            kind: self.kind.as_deref().unwrap_or_default().to_owned(),
            name: self.name.as_deref().map(str::to_owned),
            namespace: self.namespace.as_deref().map(str::to_owned),
            origin: self.origin.clone(),
            depth,
        })
    }

    /// The image that a chart makes of its registry, repository, tag and digest.
    pub(super) fn put_together(&self, repository: &str) -> String {
        let mut value = String::new();
        if let Some(registry) = self.registry.as_deref().filter(|r| !r.is_empty()) {
            value.push_str(registry);
            value.push('/');
        }
        value.push_str(repository);
        if let Some(tag) = self.tag.as_deref().filter(|t| !t.is_empty()) {
            value.push(':');
            value.push_str(tag);
        }
        if let Some(digest) = self.digest.as_deref().filter(|d| !d.is_empty()) {
            value.push('@');
            value.push_str(digest);
        }
        value
    }
}
