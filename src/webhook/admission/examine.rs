//! From a review to its answer: what the engine plans, less what must stay, as a patch or a refusal.

use std::borrow::Cow;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::manifest::{FieldPath, Resource};
use crate::rewrite::{Engine, Memory, Need, PinPolicy, Pinner, Pins, Site};

use super::mirrored::Mirrored;
use super::patch::Patch;
use super::response::{Refusal, Response};
use super::review::{BadReview, Operation, Review};
use super::settings::{Ask, OnError};
use super::warnings::{Warnings, one_line};

/// The answer to a review, and what is to be counted and logged of it.
#[derive(Debug)]
pub struct ReviewAnswer {
    /// The AdmissionReview to send, as JSON.
    pub body: Vec<u8>,
    /// What happened.
    pub facts: Facts,
}

/// How a review ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReviewOutcome {
    /// Images are swapped.
    Patched,
    /// Images would be swapped, and nothing is patched here.
    WouldPatch,
    /// Nothing changes.
    Unchanged,
    /// The object is none to look at: deleted, a mirror, a status.
    Skipped,
    /// It is refused for an image that no rule covers.
    Denied,
    /// It could not be judged.
    Failed,
}

impl ReviewOutcome {
    /// The name that metrics and logs give it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patched => "patched",
            Self::WouldPatch => "would_patch",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

/// What becomes of one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImageOutcome {
    /// It is swapped, or would be where nothing is patched.
    Changed,
    /// It is what it was before an update.
    AsBefore,
    /// The rules leave it as it is.
    Kept,
    /// No rule covers it.
    Unmapped,
    /// It is left alone for another reason.
    Skipped,
    /// The rules contradict themselves about it; it is left alone.
    Problem,
}

impl ImageOutcome {
    /// The name that metrics give it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::AsBefore => "as_before",
            Self::Kept => "kept",
            Self::Unmapped => "unmapped",
            Self::Skipped => "skipped",
            Self::Problem => "problem",
        }
    }
}

/// One image to be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Counted {
    /// The kind of the rule that decided; `none` where none did.
    pub rule: &'static str,
    /// What becomes of it.
    pub outcome: ImageOutcome,
}

/// An image that is swapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    /// Where it stands.
    pub path: String,
    /// What it was.
    pub from: String,
    /// What it becomes.
    pub to: Arc<str>,
}

/// What happened to a review.
#[derive(Debug)]
pub struct Facts {
    /// The review's identity.
    pub uid: String,
    /// Kind of the object, as the request says it.
    pub kind: String,
    /// Its namespace; empty where it has none.
    pub namespace: String,
    /// Its name; empty where it has none yet.
    pub name: String,
    /// What is done to it.
    pub operation: Operation,
    /// The API server only tries it: nothing may be recorded elsewhere.
    pub dry_run: bool,
    /// How it ended.
    pub outcome: ReviewOutcome,
    /// The images, to be counted.
    pub images: Vec<Counted>,
    /// Those that are swapped, or would be.
    pub swaps: Vec<Swap>,
    /// What the API server is to pass on.
    pub warnings: Vec<String>,
    /// Why it is refused or could not be judged.
    pub message: Option<String>,
}

/// Answers the review in `body`.
///
/// # Errors
/// The body is no AdmissionReview.
pub fn admit(body: &[u8], engine: &Engine, ask: &Ask) -> Result<ReviewAnswer, BadReview> {
    let (policy, pins, mirrored) = (PinPolicy::default(), Pins::default(), Mirrored::default());
    admit_pinned(body, engine, ask, (&policy, &pins), &mirrored, &mut Memory::default())
}

/// What must be looked up before the review in `body` can be answered with [`admit_pinned`]. `memory`: of earlier
/// reviews.
///
/// # Errors
/// The body is no AdmissionReview.
pub fn needs(
    body: &[u8],
    engine: &Engine,
    policy: &PinPolicy,
    mirrored: &Mirrored,
    memory: &mut Memory,
) -> Result<Vec<Need>, BadReview> {
    let review = Review::read(body)?;
    let Some(object) = review.object.filter(|_| is_looked_at(&review)) else { return Ok(Vec::new()) };
    if review.metadata.is_mirror || review.metadata.is_deleted {
        return Ok(Vec::new());
    }
    let mut plan = engine.plan_alone_with(object.as_str(), memory);
    mirrored.weigh(&mut plan);
    let ask = Ask::default();
    let old = Examination::new(&review, &ask).images_before(engine, memory);
    let is_old = |site: &Site| old.get(&site.path).is_some_and(|image| *image == site.image);
    plan.changes.retain(|change| !is_old(&change.site));
    plan.kept.retain(|kept| !is_old(&kept.site));
    Ok(plan.needs(policy, &Pins::default()))
}

/// Answers the review in `body` as [`admit`] does, with the digests of `pins` added to its images, and with what is known
/// of their copies. `memory`: of earlier reviews.
///
/// # Errors
/// The body is no AdmissionReview.
pub fn admit_pinned(
    body: &[u8],
    engine: &Engine,
    ask: &Ask,
    (policy, pins): (&PinPolicy, &Pins),
    mirrored: &Mirrored,
    memory: &mut Memory,
) -> Result<ReviewAnswer, BadReview> {
    let review = Review::read(body)?;
    let answer = Examination::new(&review, ask);
    let Some(object) = review.object.filter(|_| is_looked_at(&review)) else {
        return Ok(answer.end(ReviewOutcome::Skipped, None));
    };
    if review.metadata.is_mirror || review.metadata.is_deleted {
        return Ok(answer.end(ReviewOutcome::Skipped, None));
    }
    let mut plan = engine.plan_alone_with(object.as_str(), memory);
    let absent = mirrored.weigh(&mut plan);
    if !pins.is_empty() {
        Pinner::new(policy, pins).pin(engine, &mut plan);
    }
    if let Some(error) = plan.errors.first() {
        let reason = format!("request.object cannot be read: {error}");
        return Ok(answer.fail(&reason));
    }
    Ok(answer.judge(plan, absent, engine, memory))
}

/// The object of a review.
#[derive(Debug)]
pub struct Reviewed<'a> {
    /// Its namespace, as the request says it; empty where it has none.
    pub namespace: Cow<'a, str>,
    /// The object as it stands, in JSON.
    pub text: &'a str,
}

/// The object of the review in `body`; `None` when there is none.
#[must_use]
pub fn object(body: &[u8]) -> Option<Reviewed<'_>> {
    let review = Review::read(body).ok()?;
    Some(Reviewed { namespace: review.namespace, text: review.object?.as_str() })
}

/// The answer to a review that could not be judged for `reason`.
///
/// # Errors
/// The body is no AdmissionReview.
pub fn failed(body: &[u8], ask: &Ask, reason: &str) -> Result<ReviewAnswer, BadReview> {
    let review = Review::read(body)?;
    Ok(Examination::new(&review, ask).fail(reason))
}

/// Whether the request may bring new images.
pub(super) fn is_looked_at(review: &Review<'_>) -> bool {
    match review.operation {
        Operation::Create | Operation::Update => review.sub_resource != "status",
        Operation::Delete | Operation::Connect | Operation::Other => false,
    }
}

/// A review being answered.
pub(super) struct Examination<'r, 'a> {
    pub(super) review: &'r Review<'a>,
    pub(super) ask: &'r Ask,
    pub(super) warnings: Warnings,
    images: Vec<Counted>,
    pub(super) swaps: Vec<Swap>,
    pub(super) audit: Vec<(&'static str, String)>,
}

impl<'r, 'a> Examination<'r, 'a> {
    pub(super) fn new(review: &'r Review<'a>, ask: &'r Ask) -> Self {
        let (images, swaps, audit) = (Vec::new(), Vec::new(), Vec::new());
        Self { review, ask, warnings: Warnings::default(), images, swaps, audit }
    }

    pub(super) fn count(&mut self, rule: Option<&crate::maps::Rule>, outcome: ImageOutcome) {
        let rule = rule.map_or("none", |rule| rule.kind().as_str());
        self.images.push(Counted { rule, outcome });
    }

    /// The images of the object before the update, by their places.
    pub(super) fn images_before(&self, engine: &Engine, memory: &mut Memory) -> FxHashMap<FieldPath, String> {
        let is_update = self.review.operation == Operation::Update;
        let Some(old) = self.review.old_object.filter(|_| is_update) else { return FxHashMap::default() };
        let scan = engine.scan(old.as_str(), memory);
        scan.occurrences.into_iter().map(|found| (found.path, found.text.value)).collect()
    }

    /// Whether a skip rule names the image once the object has the name and namespace of the request: of its own it
    /// may have neither yet.
    pub(super) fn is_skipped(&self, site: &Site, engine: &Engine) -> bool {
        if engine.skips.is_empty() {
            return false;
        }
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let mut resource = match site.resource.as_deref() {
            Some(resource) if resource.depth > 0 => return false,
            Some(resource) => resource.clone(),
            None => Resource { kind: self.review.kind.clone().into_owned(), ..Resource::default() },
        };
        resource.name = resource.name.or_else(|| given(&self.review.name));
        resource.namespace = resource.namespace.or_else(|| given(&self.review.namespace));
        let site = Site { resource: Some(Arc::new(resource)), ..site.clone() };
        engine.skips.iter().any(|rule| rule.matches(&site))
    }

    pub(super) fn fail(mut self, reason: &str) -> ReviewAnswer {
        let reason = one_line(reason, 1024);
        let lets_through =
            self.ask.audit || self.ask.settings.dry_run || self.ask.settings.on_error == OnError::Allow;
        if lets_through {
            self.warnings.add(|| format!("imageswap: images are not swapped: {reason}"));
            let mut answer = self.end(ReviewOutcome::Failed, None);
            answer.facts.message = Some(reason);
            return answer;
        }
        let message = format!("imageswap cannot judge this object: {reason}");
        self.end(ReviewOutcome::Failed, Some(Refusal { code: 500, reason: "InternalError", message }))
    }

    pub(super) fn end(self, outcome: ReviewOutcome, refusal: Option<Refusal>) -> ReviewAnswer {
        self.end_with(outcome, refusal, Patch::default())
    }

    pub(super) fn end_with(
        self,
        outcome: ReviewOutcome,
        refusal: Option<Refusal>,
        patch: Patch,
    ) -> ReviewAnswer {
        let message = refusal.as_ref().map(|refusal| refusal.message.clone());
        let warnings = self.warnings.finish();
        let response = Response { refusal, patch: patch.finish(), warnings, audit: self.audit };
        let review = self.review;
        ReviewAnswer {
            body: response.write(review),
            facts: Facts {
                uid: review.uid.clone().into_owned(),
                kind: review.kind.clone().into_owned(),
                namespace: review.namespace.clone().into_owned(),
                name: review.name.clone().into_owned(),
                operation: review.operation,
                dry_run: review.dry_run,
                outcome,
                images: self.images,
                swaps: self.swaps,
                warnings: response.warnings,
                message,
            },
        }
    }
}
