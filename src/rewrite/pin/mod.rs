//! Digests that are added to images: which are wanted, and where they come from. Nothing is looked up here:
//! [`Plan::needs`] says what is wanted, somebody finds it, and a [`Pinner`] adds it to the plan before that is reported
//! and carried out.

mod pinner;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::image::{Digest, ImageReference};

use super::plan::{DigestSlot, MissingDigest, Plan};
use super::site::Site;

pub use pinner::Pinner;

/// Where a digest is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PinFrom {
    /// Where the image is after the rewrite.
    #[default]
    Target,
    /// Where it comes from.
    Source,
}

/// Which images are pinned, and by what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PinPolicy {
    /// Where digests are looked up.
    pub from: PinFrom,
    /// Images that start like this, before or after the rewrite, are not pinned.
    pub skip_prefixes: Vec<String>,
}

/// An image whose digest is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Need {
    /// The reference whose digest is wanted, in its canonical spelling and without a digest. [`Pins`] have it as
    /// their key.
    pub lookup: String,
    /// The image as written.
    pub image: String,
    /// What it becomes by the maps, without the digest.
    pub target: String,
}

/// What is known of digests.
pub trait Digests: Sync {
    /// The digest of what `need` looks up, or why there is none; `None` where nobody asked, and the image stays without.
    fn digest(&self, need: &Need) -> Option<Result<Digest, Arc<str>>>;

    /// The reference to look up anew for `pinned`, an image with a digest that an earlier run added; `None` where the
    /// digest stays, as all do that somebody else wrote.
    fn renewal(&self, pinned: ImageReference<'_>) -> Option<String>;
}

/// The digests that were found by lookup, and why others were not. The default knows nothing, and none renews a digest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pins {
    found: FxHashMap<String, Result<Digest, Arc<str>>>,
}

impl Pins {
    /// Adds the digest of what a [`Need`] looks up, or why there is none.
    pub fn insert(&mut self, lookup: impl Into<String>, found: Result<Digest, Arc<str>>) {
        self.found.insert(lookup.into(), found);
    }

    /// Whether there is nothing to pin by.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }
}

impl Digests for Pins {
    fn digest(&self, need: &Need) -> Option<Result<Digest, Arc<str>>> {
        self.found.get(&need.lookup).cloned()
    }

    fn renewal(&self, _pinned: ImageReference<'_>) -> Option<String> {
        None
    }
}

impl PinPolicy {
    /// Whether a prefix names the image, before or after the rewrite.
    fn leaves(&self, image: &str, to: &str) -> bool {
        let starts = |text: &str| self.skip_prefixes.iter().any(|prefix| text.starts_with(prefix.as_str()));
        starts(image) || starts(to)
    }

    /// What is wanted for the image that is written as `image` and becomes `to`; `None` when it is left alone.
    fn wants(&self, image: &str, to: &str, digests: &dyn Digests) -> Option<Need> {
        if self.leaves(image, to) {
            return None;
        }
        let target = ImageReference::parse(to).ok()?;
        let (lookup, target) = match (target.digest(), self.from) {
            (Some(digest), _) => (digests.renewal(target)?, &to[..to.len() - digest.as_str().len() - 1]),
            (None, PinFrom::Target) => (target.canonical(), to),
            (None, PinFrom::Source) => (ImageReference::parse(image).ok()?.canonical(), to),
        };
        Some(Need { lookup, image: image.to_owned(), target: target.to_owned() })
    }
}

impl Plan {
    /// The distinct images whose digest is wanted, in order. `digests` says which of those that stand there are renewed.
    #[must_use]
    pub fn needs(&self, policy: &PinPolicy, digests: &dyn Digests) -> Vec<Need> {
        let changes = self.changes.iter().filter(|change| self.takes_digest(&change.site));
        let entries = self.entry_images.iter().filter(|entry| entry.sets_tag);
        let images = changes
            .map(|change| (&change.site.image, &*change.to))
            .chain(
                self.kept
                    .iter()
                    .filter(|kept| self.takes_digest(&kept.site))
                    .map(|kept| (&kept.site.image, kept.site.image.as_str())),
            )
            .chain(entries.map(|entry| (&entry.site.image, entry.to.as_str())));
        let mut needs: Vec<Need> =
            images.filter_map(|(image, to)| policy.wants(image, to, digests)).collect();
        needs.sort_unstable();
        needs.dedup();
        needs
    }

    /// Whether the image at `site` has a place for a digest, and is known but for that.
    fn takes_digest(&self, site: &Site) -> bool {
        takes_digest(&self.digest_slots, site)
    }

    /// Lists the images that have no place for a digest, or of which too little is known, among those that get none though it
    /// is wanted.
    pub fn list_unpinnable(&mut self, policy: &PinPolicy) {
        let changes = self.changes.iter().map(|change| (&change.site, &*change.to));
        let kept = self.kept.iter().map(|kept| (&kept.site, kept.site.image.as_str()));
        let has_digest = |to: &str| ImageReference::parse(to).is_ok_and(|image| image.digest().is_some());
        let unpinnable = changes.chain(kept).filter(|(site, to)| {
            site.place.is_site()
                && !(self.takes_digest(site) || policy.leaves(&site.image, to) || has_digest(to))
        });
        let missing: Vec<MissingDigest> = unpinnable
            .map(|(site, to)| {
                let reason =
                    site.unknown_rest().unwrap_or("its values have no key for one that is there and empty");
                MissingDigest { site: site.clone(), lookup: to.to_owned(), reason: reason.into() }
            })
            .collect();
        self.missing_digests.extend(missing);
    }
}

/// Whether the image at `site` has a place for a digest, in `slots` when it stands in parts, and is known but for that.
fn takes_digest(slots: &FxHashMap<usize, DigestSlot>, site: &Site) -> bool {
    site.place.is_whole() || (slots.contains_key(&site.span.start) && site.unknown_rest().is_none())
}

/// The digest of a reference that has one.
fn digest_of(reference: &str) -> &str {
    reference.rsplit_once('@').map_or(reference, |(_, digest)| digest)
}
