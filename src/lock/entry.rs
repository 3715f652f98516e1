//! One image of a lock file.

use std::collections::BTreeMap;

use crate::image::{Digest, ImageReference, Repository};

/// Which reference a digest was looked up for, where that is not the target itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Looked {
    /// The target's.
    Target,
    /// Another image's, whose digest the target carries: the image before it was mapped.
    Source(String),
}

/// An image and the digest that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockEntry {
    /// The reference as somebody wrote it, before it was mapped: `nginx:1.27`.
    pub id: String,
    /// What it became, with its tag and without a digest: `mirror.example.com/hub/nginx:1.27`.
    pub target: String,
    /// What it is pinned to.
    pub digest: Digest,
    /// Whose digest that is.
    pub looked: Looked,
    /// The platform whose digest it is, as `os/architecture[/variant]`; `None` for the index or whatever the tag
    /// names.
    pub platform: Option<String>,
    /// The digest it had before this one.
    pub previous: Option<Digest>,
    /// Annotations of others, kept as they are.
    pub(super) annotations: BTreeMap<String, String>,
}

/// What entries are sorted by and told apart by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    id: String,
    target: String,
    platform: Option<String>,
}

impl LockEntry {
    /// An entry for `id`, which became `target` (digests that they have are dropped).
    ///
    /// # Panics
    /// Never: a reference without its digest is one, too.
    #[must_use]
    pub fn new(id: ImageReference<'_>, target: ImageReference<'_>, digest: Digest) -> Self {
        Self {
            id: without_digest(id).to_owned(),
            target: without_digest(target).to_owned(),
            digest,
            looked: Looked::Target,
            platform: None,
            previous: None,
            annotations: BTreeMap::new(),
        }
    }

    /// The entry, whose digest is that of `source`.
    #[must_use]
    pub fn looked_up_at(mut self, source: ImageReference<'_>) -> Self {
        self.looked = match without_digest(source) {
            source if source == self.target => Looked::Target,
            source => Looked::Source(source.to_owned()),
        };
        self
    }

    /// The entry, whose digest is that of one platform.
    #[must_use]
    pub fn for_platform(mut self, platform: Option<String>) -> Self {
        self.platform = platform;
        self
    }

    /// The entry with another digest.
    #[must_use]
    pub fn renewed(&self, digest: Digest) -> Self {
        Self { digest, ..self.clone() }
    }

    /// The reference whose digest was looked up, with its tag.
    #[must_use]
    pub fn looked_up(&self) -> &str {
        match &self.looked {
            Looked::Target => &self.target,
            Looked::Source(source) => source,
        }
    }

    /// The digest reference, as kbld and imgpkg use it: `mirror.example.com/hub/nginx@sha256:…`
    #[must_use]
    pub fn image(&self) -> String {
        format!("{}@{}", name(&self.target), self.digest)
    }

    pub(super) fn key(&self) -> Key {
        Key { id: self.id.clone(), target: self.target.clone(), platform: self.platform.clone() }
    }
}

/// The reference without its digest, as written.
pub(super) fn without_digest(reference: ImageReference<'_>) -> &str {
    let text = reference.as_str();
    &text[..text.len() - reference.digest().map_or(0, |digest| digest.as_str().len() + 1)]
}

/// Registry and path of a reference that was checked.
pub(super) fn name(reference: &str) -> &str {
    ImageReference::parse(reference).map_or(reference, ImageReference::name)
}

/// Which image a target means: its repository in the one spelling, and its tag.
pub(super) fn meaning(reference: ImageReference<'_>) -> (Repository, String) {
    (reference.repository(), reference.tag().unwrap_or("latest").to_owned())
}
