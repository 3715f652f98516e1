//! Adds digests to plans. What becomes of each distinct image is found out once: a tree names few, and each of them often.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::image::ImageReference;
use crate::manifest::Blocked;
use crate::maps::{Maps, Outcome};

use super::super::engine::Engine;
use super::super::memory::CAPACITY;
use super::super::plan::{Change, EntryImage, MissingDigest, Plan, Skip, SkipReason};
use super::super::problem::{Problem, ProblemKind};
use super::super::site::Site;
use super::{Digests, PinPolicy, digest_of, takes_digest};

/// Adds digests to the images of plans, all by the same policy and with the same digests.
pub struct Pinner<'d> {
    policy: &'d PinPolicy,
    digests: &'d dyn Digests,
    /// The maps that what is remembered holds for.
    maps: Option<Arc<Maps>>,
    /// By image as written.
    remembered: FxHashMap<Box<str>, Remembered>,
}

/// What becomes of an image that is written in one way.
struct Remembered {
    /// What the maps make of it.
    to: Arc<str>,
    fate: Fate,
}

/// What becomes of an image that may get a digest.
enum Fate {
    /// Nothing is wanted for it, or nobody asked.
    LeftAlone,
    /// It becomes this.
    Pinned(Arc<str>),
    /// There is no digest.
    Missing { lookup: Box<str>, reason: Arc<str> },
    /// With its digest, a second run would move it.
    MovedAgain(ProblemKind),
}

impl<'d> Pinner<'d> {
    /// Pins by `policy`, with what is known of `digests`, which must not change meanwhile.
    #[must_use]
    pub fn new(policy: &'d PinPolicy, digests: &'d dyn Digests) -> Self {
        Self { policy, digests, maps: None, remembered: FxHashMap::default() }
    }

    /// Adds digests to the images of `plan`, which `engine` made: what an image becomes gains its digest and keeps its tag,
    /// an image that the maps leave as it is becomes a change. What was wanted and not found is listed in
    /// [`Plan::missing_digests`].
    pub fn pin(&mut self, engine: &Engine, plan: &mut Plan) {
        self.reset_if_maps_changed(&engine.maps);
        for entry in std::mem::take(&mut plan.entry_images) {
            self.entry(&engine.maps, plan, entry);
        }
        self.changes(&engine.maps, plan);
        self.kept(&engine.maps, plan);
    }

    /// Forgets what holds for other maps than these.
    fn reset_if_maps_changed(&mut self, maps: &Arc<Maps>) {
        if !self.maps.as_ref().is_some_and(|own| Arc::ptr_eq(own, maps)) {
            self.remembered.clear();
            self.maps = Some(Arc::clone(maps));
        }
    }

    /// What the maps change.
    fn changes(&mut self, maps: &Maps, plan: &mut Plan) {
        let Plan { changes, problems, missing_digests, digest_slots, .. } = plan;
        let mut moved_again = false;
        for change in changes.iter_mut().filter(|change| takes_digest(digest_slots, &change.site)) {
            match self.fate(maps, &change.site.image, &change.to) {
                Fate::LeftAlone => {}
                Fate::Pinned(to) => {
                    let slot = digest_slots.get(&change.site.span.start);
                    change.edits.extend(slot.map(|slot| slot.edit(digest_of(to))));
                    (change.to, change.pinned) = (Arc::clone(to), true);
                }
                Fate::Missing { lookup, reason } => {
                    missing_digests.push(missing(change.site.clone(), lookup, reason));
                }
                Fate::MovedAgain(_) => moved_again = true,
            }
        }
        if moved_again {
            for change in std::mem::take(changes) {
                match self.fate(maps, &change.site.image, &change.to) {
                    Fate::MovedAgain(kind) if takes_digest(digest_slots, &change.site) => {
                        problems.push(Problem { site: change.site, kind: kind.clone() });
                    }
                    _ => changes.push(change),
                }
            }
        }
    }

    /// What the maps leave as it is.
    fn kept(&mut self, maps: &Maps, plan: &mut Plan) {
        let before = plan.changes.len();
        for kept in std::mem::take(&mut plan.kept) {
            let site = &kept.site;
            if !takes_digest(&plan.digest_slots, site) {
                plan.kept.push(kept);
                continue;
            }
            match self.fate(maps, &site.image, &site.image) {
                Fate::LeftAlone => plan.kept.push(kept),
                Fate::Pinned(to) if **to == *site.image => plan.kept.push(kept),
                Fate::Missing { lookup, reason } => {
                    plan.missing_digests.push(missing(site.clone(), lookup, reason));
                    plan.kept.push(kept);
                }
                Fate::Pinned(_) | Fate::MovedAgain(_) if site.slot.is_none() => {
                    plan.skips.push(not_editable(kept.site));
                }
                Fate::Pinned(to) => {
                    let slot = plan.digest_slots.get(&site.span.start);
                    let edits = slot.map(|slot| slot.edit(digest_of(to))).into_iter().collect();
                    let to = Arc::clone(to);
                    plan.changes.push(Change { edits, ..Change::to_digest(kept.site, to) });
                }
                Fate::MovedAgain(kind) => {
                    plan.problems.push(Problem { site: kept.site, kind: kind.clone() });
                }
            }
        }
        if plan.changes.len() > before {
            plan.changes.sort_by_key(|change| change.site.span);
        }
    }

    /// The digest of the tag that an entry of a Kustomization sets.
    fn entry(&mut self, maps: &Maps, plan: &mut Plan, entry: EntryImage) {
        let EntryImage { site, to, name, sets_tag } = entry;
        if !sets_tag {
            if !self.policy.leaves(&site.image, &to) {
                let reason = format!(
                    "the entry renames {name} and keeps its digest, which is not known to be this image's: set \
                     newTag, too"
                );
                plan.missing_digests.push(MissingDigest { site, lookup: to, reason: reason.into() });
            }
            return;
        }
        match self.fate(maps, &site.image, &to) {
            Fate::LeftAlone => {}
            Fate::Missing { lookup, reason } => plan.missing_digests.push(missing(site, lookup, reason)),
            Fate::MovedAgain(kind) => plan.problems.push(Problem { site, kind: kind.clone() }),
            Fate::Pinned(to) => {
                let digest: Arc<str> = digest_of(to).into();
                if site.image.ends_with(&*digest) {
                    return;
                }
                if site.slot.is_some() {
                    plan.changes.push(Change::to_digest(site, digest));
                } else {
                    plan.skips.push(not_editable(site));
                    plan.skips.sort_by_key(|skip| skip.site.span);
                }
            }
        }
    }

    /// What becomes of the image that is written as `image` and that the maps make `to`.
    fn fate(&mut self, maps: &Maps, image: &str, to: &str) -> &Fate {
        let is_known = self.remembered.get(image).is_some_and(|known| *known.to == *to);
        if !is_known {
            if self.remembered.len() == CAPACITY {
                self.remembered.clear();
            }
            let fate = self.find(maps, image, to);
            self.remembered.insert(image.into(), Remembered { to: to.into(), fate });
        }
        &self.remembered[image].fate
    }

    fn find(&self, maps: &Maps, image: &str, to: &str) -> Fate {
        let Some(need) = self.policy.wants(image, to, self.digests) else { return Fate::LeftAlone };
        match self.digests.digest(&need) {
            None => Fate::LeftAlone,
            Some(Err(reason)) => Fate::Missing { lookup: need.lookup.into(), reason },
            Some(Ok(digest)) => {
                let pinned = format!("{}@{digest}", need.target);
                match moved_again(maps, &pinned) {
                    Some(kind) => Fate::MovedAgain(kind),
                    None => Fate::Pinned(pinned.into()),
                }
            }
        }
    }
}

fn missing(site: Site, lookup: &str, reason: &Arc<str>) -> MissingDigest {
    MissingDigest { site, lookup: lookup.to_owned(), reason: Arc::clone(reason) }
}

fn not_editable(site: Site) -> Skip {
    Skip { site, reason: SkipReason::Blocked(Blocked::NotEditable) }
}

/// What is wrong when a second run would move the pinned image: rules may look at a reference as written, with its
/// digest.
fn moved_again(maps: &Maps, pinned: &str) -> Option<ProblemKind> {
    let reference = ImageReference::parse(pinned).expect("a reference without a digest takes one");
    let decision = maps.decide(&reference);
    let twice = match decision.outcome {
        Outcome::Changed(twice) => twice.to_string(),
        Outcome::Chained { once, .. } => once,
        Outcome::Cycle { steps } => steps.last().cloned().unwrap_or_default(),
        Outcome::Invalid { result, .. } => result,
        Outcome::Kept | Outcome::NoSwap | Outcome::AtTarget(_) | Outcome::Unmapped => return None,
    };
    Some(ProblemKind::Chained {
        first: "its digest".to_owned(),
        once: pinned.to_owned(),
        second: decision.rule.as_ref().map(ToString::to_string).unwrap_or_default(),
        twice,
    })
}
