//! Looking entries up: by the image as written, or by what it became.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::image::{Digest, ImageReference, Repository};

use super::Lock;
use super::entry::{LockEntry, meaning, without_digest};
use super::parse::means;

/// What a lock says about an image that is to be pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundEntry<'l> {
    /// Its digest.
    Current(&'l LockEntry),
    /// Digests of several platforms, such as these two, of which none was asked for.
    Platforms(&'l LockEntry, &'l LockEntry),
    /// The lock knows the image, but it became something else then, or another platform was asked for.
    Stale(&'l LockEntry),
    /// Nothing.
    Missing,
}

/// What a lock says about a tag and a digest that stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pair<'l> {
    /// They belong together.
    Agrees(&'l LockEntry),
    /// The digest is what the tag had before the lock was renewed.
    Previous(&'l LockEntry),
    /// The tag has another digest, or the digest another tag: somebody changed one of the two.
    Differs(&'l LockEntry),
    /// Nothing.
    Unknown,
}

/// A lock's entries, to be looked up.
#[derive(Debug, Default)]
pub struct Index {
    by_id: FxHashMap<String, Vec<Arc<LockEntry>>>,
    by_target: FxHashMap<(Repository, String), Vec<Arc<LockEntry>>>,
    /// By repository and digest, the previous one, too.
    by_digest: FxHashMap<(Repository, Digest), Arc<LockEntry>>,
}

impl Lock {
    /// The entries, to be looked up.
    #[must_use]
    pub fn index(&self) -> Index {
        let mut index = Index::default();
        for entry in self.entries.values() {
            index.by_id.entry(entry.id.clone()).or_default().push(Arc::clone(entry));
            let Ok(target) = ImageReference::parse(&entry.target) else { continue };
            let (repository, tag) = meaning(target);
            for digest in entry.previous.iter().chain([&entry.digest]) {
                index.by_digest.insert((repository.clone(), digest.clone()), Arc::clone(entry));
            }
            index.by_target.entry((repository, tag)).or_default().push(Arc::clone(entry));
        }
        index
    }
}

impl Index {
    /// The entries whose target means the same image as `target`.
    pub fn entries(&self, target: ImageReference<'_>) -> impl Iterator<Item = &LockEntry> {
        self.by_target.get(&meaning(target)).into_iter().flatten().map(|entry| &**entry)
    }

    /// The entry for the image that was `written` and became `target` (the same one where no rule applied). Where no
    /// `platform` is asked for, one of the index goes before that of the only platform there is.
    #[must_use]
    pub fn find(
        &self,
        written: ImageReference<'_>,
        target: ImageReference<'_>,
        platform: Option<&str>,
    ) -> FoundEntry<'_> {
        let by_id = self.by_id.get(without_digest(written)).map(Vec::as_slice).unwrap_or_default();
        let by_target = self.by_target.get(&meaning(target)).map(Vec::as_slice).unwrap_or_default();
        let fits = |entry: &&Arc<LockEntry>| platform.is_none() || entry.platform.as_deref() == platform;
        let same_target = by_id.iter().filter(|entry| means(entry, target));
        let fitting = || same_target.clone().chain(by_target).filter(fits);
        let found =
            fitting().min_by_key(|entry| (entry.platform.is_some(), entry.id != without_digest(written)));
        match found {
            Some(entry) => {
                let differs = |other: &&Arc<LockEntry>| {
                    other.platform != entry.platform && other.digest != entry.digest
                };
                match fitting().find(differs).filter(|_| entry.platform.is_some()) {
                    Some(other) => FoundEntry::Platforms(entry, other),
                    None => FoundEntry::Current(entry),
                }
            }
            None => match by_id.first().or(by_target.first()) {
                Some(entry) => FoundEntry::Stale(entry),
                None => FoundEntry::Missing,
            },
        }
    }

    /// Whether the tag and the digest of `image` belong together; `None` when it has none of the latter.
    #[must_use]
    pub fn pair(&self, image: ImageReference<'_>) -> Option<Pair<'_>> {
        let digest = image.digest()?.to_digest();
        let (repository, tag) = meaning(image);
        let entries = self.by_target.get(&(repository.clone(), tag)).map(Vec::as_slice).unwrap_or_default();
        if let Some(entry) = entries.iter().find(|entry| entry.digest == digest) {
            return Some(Pair::Agrees(entry));
        }
        if let Some(entry) = entries.iter().find(|entry| entry.previous.as_ref() == Some(&digest)) {
            return Some(Pair::Previous(entry));
        }
        let other_tag = || {
            let known = self.by_digest.get(&(repository, digest));
            // A digest alone says nothing about a tag.
            known.filter(|_| image.tag().is_some())
        };
        Some(entries.first().or_else(other_tag).map_or(Pair::Unknown, |entry| Pair::Differs(entry)))
    }
}
