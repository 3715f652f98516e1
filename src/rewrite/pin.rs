//! Digests that are added to images: which are wanted, those that were found, and what becomes of a plan with
//! them. Nothing is looked up here: [`Plan::needs`] says what is wanted, somebody resolves it into [`Pins`],
//! and [`Engine::pin`] settles the plan before it is reported and carried out.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::image::{Digest, ImageReference};
use crate::manifest::Blocked;
use crate::maps::{Maps, Outcome};

use super::engine::Engine;
use super::plan::{Change, EntryImage, Plan, Skip, SkipReason, Unpinned};
use super::problem::{Problem, ProblemKind};
use super::site::Site;

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
    /// Images with a digest that an earlier run added and that is to be renewed: the image as it stands in the
    /// text, and the reference whose digest is looked up for it. All other digests stay.
    pub renew: FxHashMap<String, String>,
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

/// The digests that were found, and why others were not. The default pins nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pins {
    found: FxHashMap<String, Result<Digest, Arc<str>>>,
}

impl Pins {
    /// Adds the digest of what a [`Need`] looks up, or why there is none.
    pub fn insert(&mut self, lookup: impl Into<String>, found: Result<Digest, Arc<str>>) {
        self.found.insert(lookup.into(), found);
    }

    /// What was found for `lookup`; `None` when nobody asked.
    #[must_use]
    pub fn get(&self, lookup: &str) -> Option<&Result<Digest, Arc<str>>> {
        self.found.get(lookup)
    }

    /// Whether nothing is pinned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }
}

/// One image on its way to a digest.
struct Wanted {
    lookup: String,
    /// What the image becomes, without a digest.
    target: String,
}

impl PinPolicy {
    /// Whether a prefix names the image, before or after the rewrite.
    fn leaves(&self, image: &str, to: &str) -> bool {
        let starts = |text: &str| self.skip_prefixes.iter().any(|prefix| text.starts_with(prefix.as_str()));
        starts(image) || starts(to)
    }

    /// What is wanted for the image that is written as `image` and becomes `to`; `None` when it is left alone.
    fn wants(&self, image: &str, to: &str) -> Option<Wanted> {
        if self.leaves(image, to) {
            return None;
        }
        let target = ImageReference::parse(to).ok()?;
        if let Some(digest) = target.digest() {
            let lookup = self.renew.get(image)?;
            let target = &to[..to.len() - digest.as_str().len() - 1];
            return Some(Wanted { lookup: lookup.clone(), target: target.to_owned() });
        }
        let lookup = match self.from {
            PinFrom::Target => target,
            PinFrom::Source => ImageReference::parse(image).ok()?,
        };
        Some(Wanted { lookup: lookup.canonical(), target: to.to_owned() })
    }
}

impl Plan {
    /// The distinct images whose digest is wanted, in order.
    #[must_use]
    pub fn needs(&self, policy: &PinPolicy) -> Vec<Need> {
        let changes = self.changes.iter().filter(|change| change.site.place.is_whole());
        let entries = self.entry_images.iter().filter(|entry| entry.sets_tag);
        let images = changes
            .map(|change| (&change.site.image, &*change.to))
            .chain(
                self.kept
                    .iter()
                    .filter(|kept| kept.site.place.is_whole())
                    .map(|kept| (&kept.site.image, kept.site.image.as_str())),
            )
            .chain(entries.map(|entry| (&entry.site.image, entry.to.as_str())));
        let mut needs: Vec<Need> = images
            .filter_map(|(image, to)| {
                let Wanted { lookup, target } = policy.wants(image, to)?;
                Some(Need { lookup, image: image.clone(), target })
            })
            .collect();
        needs.sort_unstable();
        needs.dedup();
        needs
    }
}

impl Engine {
    /// Adds to the images of `plan` the digests that were found: what an image becomes gains its digest and keeps its
    /// tag, an image that the maps leave as it is becomes a change. What was wanted and not found is listed in
    /// [`Plan::unpinned`].
    pub fn pin(&self, plan: &mut Plan, policy: &PinPolicy, pins: &Pins) {
        for entry in std::mem::take(&mut plan.entry_images) {
            pin_entry(plan, policy, pins, entry);
        }
        if pins.is_empty() {
            return;
        }
        for mut change in std::mem::take(&mut plan.changes) {
            let found = change.site.place.is_whole().then(|| find(policy, pins, &change.site, &change.to));
            match found.flatten() {
                None => plan.changes.push(change),
                Some(Found::Missing { lookup, reason }) => {
                    plan.unpinned.push(Unpinned { site: change.site.clone(), lookup, reason });
                    plan.changes.push(change);
                }
                Some(Found::Pinned(to)) => match moved_again(&self.maps, &to) {
                    Some(kind) => plan.problems.push(Problem { site: change.site, kind }),
                    None => {
                        (change.to, change.pinned) = (to, true);
                        plan.changes.push(change);
                    }
                },
            }
        }
        for kept in std::mem::take(&mut plan.kept) {
            if !kept.site.place.is_whole() {
                plan.kept.push(kept);
                continue;
            }
            match find(policy, pins, &kept.site, &kept.site.image) {
                None => plan.kept.push(kept),
                Some(Found::Missing { lookup, reason }) => {
                    plan.unpinned.push(Unpinned { site: kept.site.clone(), lookup, reason });
                    plan.kept.push(kept);
                }
                Some(Found::Pinned(to)) if *to == *kept.site.image => plan.kept.push(kept),
                Some(Found::Pinned(to)) => self.pin_kept(plan, kept.site, to),
            }
        }
        plan.changes.sort_by_key(|change| change.site.span);
    }

    /// Adds to `plan` an image that only gains its digest.
    fn pin_kept(&self, plan: &mut Plan, site: Site, to: Arc<str>) {
        if site.slot.is_none() {
            plan.skips.push(Skip { site, reason: SkipReason::Blocked(Blocked::NotEditable) });
        } else if let Some(kind) = moved_again(&self.maps, &to) {
            plan.problems.push(Problem { site, kind });
        } else {
            plan.changes.push(Change {
                site,
                to,
                rule: None,
                other_spelling: None,
                pinned: true,
                edits: Vec::new(),
            });
        }
    }
}

/// Adds to `plan` the digest of the tag that an entry of a Kustomization sets.
fn pin_entry(plan: &mut Plan, policy: &PinPolicy, pins: &Pins, entry: EntryImage) {
    let EntryImage { site, to, name, sets_tag } = entry;
    if !sets_tag {
        if policy.leaves(&site.image, &to) {
            return;
        }
        let reason = format!(
            "the entry renames {name} and keeps its digest, which is not known to be this image's: set newTag, too"
        );
        plan.unpinned.push(Unpinned { site, lookup: to, reason: reason.into() });
        return;
    }
    match find(policy, pins, &site, &to) {
        None => {}
        Some(Found::Missing { lookup, reason }) => plan.unpinned.push(Unpinned { site, lookup, reason }),
        Some(Found::Pinned(to)) => {
            let digest: Arc<str> = to.rsplit_once('@').map_or(&*to, |(_, digest)| digest).into();
            if site.image.ends_with(&*digest) {
                return;
            }
            if site.slot.is_none() {
                let reason = SkipReason::Blocked(Blocked::NotEditable);
                return plan.skips.push(Skip { site, reason });
            }
            plan.changes.push(Change {
                site,
                to: digest,
                rule: None,
                other_spelling: None,
                pinned: true,
                edits: Vec::new(),
            });
        }
    }
    plan.skips.sort_by_key(|skip| skip.site.span);
}

/// What was found for an image.
enum Found {
    Pinned(Arc<str>),
    Missing { lookup: String, reason: Arc<str> },
}

/// What was found for the image at `site`, which becomes `to`; `None` when nothing is wanted for it.
fn find(policy: &PinPolicy, pins: &Pins, site: &Site, to: &str) -> Option<Found> {
    let Wanted { lookup, target } = policy.wants(&site.image, to)?;
    Some(match pins.get(&lookup)? {
        Ok(digest) => Found::Pinned(format!("{target}@{digest}").into()),
        Err(reason) => Found::Missing { lookup, reason: Arc::clone(reason) },
    })
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

#[cfg(test)]
mod tests {
    use crate::manifest::edit;
    use crate::maps::{MapsText, ParseOptions};

    use super::*;

    fn digest(digit: char) -> Digest {
        Digest::parse(&format!("sha256:{}", digit.to_string().repeat(64))).unwrap()
    }

    fn engine(maps: &str) -> Engine {
        let maps = Maps::parse(&[MapsText::new("maps", maps)], ParseOptions::default()).unwrap().maps;
        Engine { maps: maps.into(), ..Engine::default() }
    }

    fn pod(images: &[&str]) -> String {
        let head = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n";
        images.iter().fold(head.to_owned(), |text, image| format!("{text}  - image: {image}\n"))
    }

    /// Every image that is wanted gets the same digest.
    fn pins(plan: &Plan, policy: &PinPolicy) -> Pins {
        let mut pins = Pins::default();
        plan.needs(policy).into_iter().for_each(|need| pins.insert(need.lookup, Ok(digest('a'))));
        pins
    }

    fn pinned(engine: &Engine, text: &str, policy: &PinPolicy) -> String {
        let mut plan = engine.plan_alone(text);
        let pins = pins(&plan, policy);
        engine.pin(&mut plan, policy, &pins);
        assert!(plan.problems.is_empty(), "{:?}", plan.problems);
        edit::apply(text, &plan.edits()).unwrap()
    }

    #[test]
    fn pins_what_moves_and_what_stays_once() {
        let engine = engine("docker.io::m.io/hub");
        let (given, by_user) = (digest('a'), digest('b'));
        let text =
            pod(&["nginx:1", "'m.io/hub/redis'", "quay.io/a:2 # ours", &format!("a@{by_user}"), "${X}"]);
        let expected = pod(&[
            &format!("m.io/hub/nginx:1@{given}"),
            &format!("'m.io/hub/redis@{given}'"),
            &format!("quay.io/a:2@{given} # ours"),
            &format!("m.io/hub/a@{by_user}"),
            "${X}",
        ]);
        let policy = PinPolicy::default();
        assert_eq!(pinned(&engine, &text, &policy), expected);
        assert_eq!(engine.plan_alone(&expected).needs(&policy), []);
        assert_eq!(pinned(&engine, &expected, &policy), expected);
    }

    #[test]
    fn wants_each_reference_once() {
        let engine = engine("docker.io::m.io/hub");
        let plan = engine.plan_alone(&pod(&["nginx", "nginx", "quay.io/a:2", "quay.io/skipped/a:2"]));
        let policy = |from| PinPolicy {
            from,
            skip_prefixes: vec!["quay.io/skipped/".to_owned()],
            ..PinPolicy::default()
        };
        let need = |lookup: &str, image: &str, target: &str| Need {
            lookup: lookup.to_owned(),
            image: image.to_owned(),
            target: target.to_owned(),
        };
        let other = need("quay.io/a:2", "quay.io/a:2", "quay.io/a:2");
        let target = need("m.io/hub/nginx:latest", "nginx", "m.io/hub/nginx");
        let source = need("docker.io/library/nginx:latest", "nginx", "m.io/hub/nginx");
        assert_eq!(plan.needs(&policy(PinFrom::Target)), [target, other.clone()]);
        assert_eq!(plan.needs(&policy(PinFrom::Source)), [source, other]);
    }

    #[test]
    fn renews_only_what_an_earlier_run_pinned() {
        let engine = engine("docker.io::m.io/hub");
        let ours = format!("m.io/hub/nginx:1@{}", digest('b'));
        let theirs = format!("m.io/hub/redis:1@{}", digest('b'));
        let renew = [(ours.clone(), "docker.io/library/nginx:1".to_owned())].into_iter().collect();
        let policy = PinPolicy { renew, ..PinPolicy::default() };
        let renewed = format!("m.io/hub/nginx:1@{}", digest('a'));
        assert_eq!(pinned(&engine, &pod(&[&ours, &theirs]), &policy), pod(&[&renewed, &theirs]));
        assert_eq!(engine.plan_alone(&pod(&[&ours])).needs(&policy)[0].target, "m.io/hub/nginx:1");
    }

    #[test]
    fn says_what_has_no_digest() {
        let engine = engine("docker.io::m.io/hub");
        let policy = PinPolicy::default();
        let mut plan = engine.plan_alone(&pod(&["nginx:1", "quay.io/a:1"]));
        let mut pins = Pins::default();
        pins.insert("m.io/hub/nginx:1", Err("not found".into()));
        engine.pin(&mut plan, &policy, &pins);
        let unpinned: Vec<_> =
            plan.unpinned.iter().map(|u| (u.site.image.as_str(), &*u.lookup, &*u.reason)).collect();
        assert_eq!(unpinned, [("nginx:1", "m.io/hub/nginx:1", "not found")]);
        assert_eq!((&*plan.changes[0].to, plan.changes[0].pinned), ("m.io/hub/nginx:1", false));
        assert_eq!(plan.kept.len(), 1, "nobody asked for the other one");
    }

    #[test]
    fn refuses_what_a_second_run_would_move() {
        for (maps, image) in [
            ("[REPLACE]*@sha256:*::m.io/x", "nginx:1"),
            ("docker.io::m.io\n[REPLACE]m.io/*@*::x.io/y", "nginx"),
        ] {
            let engine = engine(maps);
            let policy = PinPolicy::default();
            let mut plan = engine.plan_alone(&pod(&[image]));
            let pins = pins(&plan, &policy);
            engine.pin(&mut plan, &policy, &pins);
            assert!(
                matches!(plan.problems[..], [Problem { kind: ProblemKind::Chained { .. }, .. }]),
                "{maps}"
            );
            assert_eq!(plan.edits(), [], "{maps}");
        }
    }
}
