//! Images that the rules move, and whether they are where they are moved to. What is known about that comes from
//! outside; here it is only weighed.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::rewrite::{Decided, Engine, Memory, Plan, Site};

use super::examine::{Examination, is_looked_at};
use super::review::{BadReview, Review};
use super::settings::Ask;

/// What to do about an image that is not at its target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum WhenMissing {
    /// Leave the image as it is, with a warning.
    #[default]
    Original,
    /// Swap it all the same, with a warning.
    Target,
    /// Refuse the object.
    Deny,
}

/// An image, and what the rules make of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Move {
    /// The image as written.
    pub from: String,
    /// Its target.
    pub to: Arc<str>,
}

/// Whether an image is at its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    There,
    /// It is not; and why not, for people.
    Missing(Arc<str>),
    /// That could not be found out; and why not.
    Unknown(Arc<str>),
}

/// What is known about the images of a review.
#[derive(Debug, Clone, Default)]
pub struct Mirrored {
    /// What to do about one that is missing.
    pub when_missing: WhenMissing,
    known: FxHashMap<Move, Presence>,
}

/// An image that is not at its target, or perhaps not.
#[derive(Debug)]
pub(super) struct Absent {
    pub(super) site: Site,
    /// What a warning or a refusal says.
    pub(super) text: String,
    /// Whether the object is refused for it.
    pub(super) denies: bool,
}

impl Mirrored {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(when_missing: WhenMissing) -> Self {
        Self { when_missing, known: FxHashMap::default() }
    }

    /// Says where an image is.
    pub fn insert(&mut self, image: Move, presence: Presence) {
        self.known.insert(image, presence);
    }

    /// Takes back the changes to targets that are known to be missing, where the original is to be used; and says of
    /// which images something is to be said.
    pub(super) fn weigh(&self, plan: &mut Plan) -> Vec<Absent> {
        if self.known.is_empty() {
            return Vec::new();
        }
        let mut absent = Vec::new();
        for change in std::mem::take(&mut plan.changes) {
            let image = Move { from: change.site.image.clone(), to: Arc::clone(&change.to) };
            let (site, to) = (change.site.clone(), &image.to);
            let denies = self.when_missing == WhenMissing::Deny;
            let text = match self.known.get(&image) {
                None | Some(Presence::There) => {
                    plan.changes.push(change);
                    continue;
                }
                Some(Presence::Missing(reason)) => match self.when_missing {
                    WhenMissing::Original => {
                        plan.kept.push(Decided { site: change.site, rule: change.rule, unmapped: false });
                        let text =
                            format!("{}: {to} is not there: {reason}; {} is kept", site.path, image.from);
                        absent.push(Absent { site, text, denies });
                        continue;
                    }
                    WhenMissing::Target | WhenMissing::Deny => format!("{to} is not there: {reason}"),
                },
                Some(Presence::Unknown(reason)) => format!("whether {to} is there is not known: {reason}"),
            };
            let text = format!("{}: {text}", site.path);
            absent.push(Absent { site, text, denies });
            plan.changes.push(change);
        }
        absent
    }
}

/// The images of the review in `body` that the rules would move, each once, and whether the API server only tries the
/// request. `memory`: of earlier reviews.
///
/// # Errors
/// The body is no AdmissionReview.
pub fn moves(body: &[u8], engine: &Engine, memory: &mut Memory) -> Result<(Vec<Move>, bool), BadReview> {
    let review = Review::read(body)?;
    let dry_run = review.dry_run;
    let Some(object) = review.object.filter(|_| is_looked_at(&review)) else {
        return Ok((Vec::new(), dry_run));
    };
    if review.metadata.is_mirror || review.metadata.is_deleted {
        return Ok((Vec::new(), dry_run));
    }
    let plan = engine.plan_alone_with(object.as_str(), memory);
    if plan.changes.is_empty() {
        return Ok((Vec::new(), dry_run));
    }
    let ask = Ask::default();
    let examination = Examination::new(&review, &ask);
    let old = examination.images_before(engine, memory);
    let is_old = |site: &Site| old.get(&site.path).is_some_and(|image| *image == site.image);
    let new = plan
        .changes
        .into_iter()
        .filter(|change| !is_old(&change.site) && !examination.is_skipped(&change.site, engine));
    let mut moves: Vec<Move> = new.map(|change| Move { from: change.site.image, to: change.to }).collect();
    moves.sort_unstable();
    moves.dedup();
    Ok((moves, dry_run))
}
