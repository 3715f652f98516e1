//! What the finder keeps for each open collection.

use std::borrow::Cow;

use memchr::memrchr;

use crate::manifest::event::Scalar;
use crate::manifest::keys::Key;
use crate::manifest::name_glob::Matching;
use crate::manifest::occurrence::{Origin, Resource};
use crate::manifest::path::Segment;
use crate::manifest::places::Places;
use crate::manifest::role::Role;

/// An open collection. Manifests open one in every other line, so it is kept small.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    /// The key, which is text; [`Frame::key_text`] has it as such.
    pub(super) key_bytes: Cow<'a, [u8]>,
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
    /// In a sequence of words: the word before is a flag, and this one its image. Says how the flag was asked for.
    pub(super) flag_before: Option<Matching>,
    pub(super) disabled: bool,
    /// Container keys and `image` that were seen, a bit each, to tell duplicates; and whether a key of containers was.
    pub(super) seen: u8,
}

/// The bit of [`Frame::seen`] for `image`.
pub(super) const SEEN_IMAGE: u8 = 1;

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
    /// The key at hand. Few are looked at, so that they are checked to be text only then.
    pub(super) fn key_text(&self) -> &str {
        std::str::from_utf8(&self.key_bytes).unwrap_or_default()
    }

    /// The step to the value at hand.
    pub(super) fn segment(&self) -> Segment<'_> {
        match self.key.name().filter(|_| self.is_map) {
            Some(known) => Segment::Key(known),
            None if self.is_map => Segment::Key(self.key_text()),
            None => Segment::Index(self.index),
        }
    }

    /// What tells that step from all others of the collection.
    pub(super) fn mark(&self) -> Mark {
        if self.is_map {
            Mark::Key { start: self.key_start, length: self.key_bytes.len() }
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
        *self.key_bytes != *b"description"
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
        let (rest, last) = split_last(path);
        match last {
            "image" if is_list(split_last(split_last(rest).0).1) => Some(Self::ContainerImage),
            "image" => Some(Self::OtherImage),
            _ if is_list(last) => Some(Self::ContainerList),
            _ if rest.ends_with("ontainers") && is_list(split_last(rest).1) => Some(Self::Container),
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

    /// Whether it is a resource that may have parts of a chart.
    pub(super) fn may_have_chart(&self, places: &Places) -> bool {
        self.kind.as_deref().is_some_and(|kind| {
            let name = self.name.as_deref().unwrap_or_default();
            places.may_have_chart(self.api_version.as_deref().unwrap_or_default(), kind, name)
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

/// A path's last step, and what is before it.
fn split_last(path: &str) -> (&str, &str) {
    match memrchr(b'/', path.as_bytes()) {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => ("", path),
    }
}
