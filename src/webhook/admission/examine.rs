//! From a review to its answer: what the engine plans, less what must stay, as a patch or a refusal.

use std::borrow::Cow;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::manifest::{FieldPath, Resource};
use crate::rewrite::{Engine, Memory, Need, PinPolicy, Pins, Plan, Site};

use super::annotation::{self, ORIGINALS};
use super::mirrored::{Absent, Mirrored};
use super::patch::{Patch, pointer};
use super::response::{Refusal, Response};
use super::review::{BadReview, Operation, Review};
use super::settings::{Ask, OnError, OnUnmapped};
use super::telling::{Warnings, one_line};

/// The answer to a review, and what is to be counted and logged of it.
#[derive(Debug)]
pub struct Answer {
    /// The AdmissionReview to send, as JSON.
    pub body: Vec<u8>,
    /// What happened.
    pub facts: Facts,
}

/// How a review ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
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

impl Outcome {
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
    pub outcome: Outcome,
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
pub fn admit(body: &[u8], engine: &Engine, ask: &Ask) -> Result<Answer, BadReview> {
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
    Ok(plan.needs(policy))
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
) -> Result<Answer, BadReview> {
    let review = Review::read(body)?;
    let answer = Examination::new(&review, ask);
    let Some(object) = review.object.filter(|_| is_looked_at(&review)) else {
        return Ok(answer.end(Outcome::Skipped, None));
    };
    if review.metadata.is_mirror || review.metadata.is_deleted {
        return Ok(answer.end(Outcome::Skipped, None));
    }
    let mut plan = engine.plan_alone_with(object.as_str(), memory);
    let absent = mirrored.weigh(&mut plan);
    engine.pin(&mut plan, policy, pins);
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
pub fn failed(body: &[u8], ask: &Ask, reason: &str) -> Result<Answer, BadReview> {
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
    review: &'r Review<'a>,
    ask: &'r Ask,
    warnings: Warnings,
    images: Vec<Counted>,
    swaps: Vec<Swap>,
    audit: Vec<(&'static str, String)>,
}

impl<'r, 'a> Examination<'r, 'a> {
    pub(super) fn new(review: &'r Review<'a>, ask: &'r Ask) -> Self {
        let (images, swaps, audit) = (Vec::new(), Vec::new(), Vec::new());
        Self { review, ask, warnings: Warnings::default(), images, swaps, audit }
    }

    fn count(&mut self, rule: Option<&crate::maps::Rule>, outcome: ImageOutcome) {
        let rule = rule.map_or("none", |rule| rule.kind().as_str());
        self.images.push(Counted { rule, outcome });
    }

    fn judge(mut self, plan: Plan, absent: Vec<Absent>, engine: &Engine, memory: &mut Memory) -> Answer {
        let settings = &self.ask.settings;
        let refuses_changes = settings.validate && !self.ask.audit && !settings.dry_run;
        let old = self.old_images(&plan, engine, memory);
        let is_old = |site: &Site| old.get(&site.path).is_some_and(|image| *image == site.image);
        for Absent { site, text, denies } in absent {
            if is_old(&site) || self.is_skipped(&site, engine) {
                continue;
            }
            if denies && self.ask.patches() {
                return self.end(Outcome::Denied, Some(forbidden(&format!("imageswap: {text}"))));
            }
            self.warnings.add(|| format!("imageswap: {text}"));
        }
        let mut patch = Patch::default();
        for change in plan.changes {
            if is_old(&change.site) {
                self.count(change.rule.as_deref(), ImageOutcome::AsBefore);
            } else if self.is_skipped(&change.site, engine) {
                self.count(None, ImageOutcome::Skipped);
            } else {
                self.count(change.rule.as_deref(), ImageOutcome::Changed);
                let path = change.site.path.to_string();
                if self.ask.patches() {
                    patch.replace(&pointer(&change.site.path), &change.to);
                } else if !refuses_changes {
                    let rule = change.rule.as_ref().map(|rule| format!(" by {rule}")).unwrap_or_default();
                    let (from, to) = (&change.site.image, &change.to);
                    self.warnings.add(|| format!("imageswap: {path}: {from} would become {to}{rule}"));
                }
                self.swaps.push(Swap { path, from: change.site.image, to: change.to });
            }
        }
        let mut unpinned = None;
        for missing in plan.unpinned {
            if is_old(&missing.site) || self.is_skipped(&missing.site, engine) {
                continue;
            }
            let text = format!("{}: no digest of {}: {}", missing.site.path, missing.lookup, missing.reason);
            self.warnings.add(|| format!("imageswap: {text}"));
            unpinned.get_or_insert(text);
        }
        let closed = settings.on_error == OnError::Deny && self.ask.patches();
        if let Some(reason) = unpinned.filter(|_| closed) {
            return self.fail(&reason);
        }
        let mut uncovered = Vec::new();
        for kept in plan.kept {
            let outcome = if kept.unmapped { ImageOutcome::Unmapped } else { ImageOutcome::Kept };
            self.count(kept.rule.as_deref(), outcome);
            let matters = kept.unmapped && settings.on_unmapped != OnUnmapped::Ignore;
            if matters && !is_old(&kept.site) && !self.is_skipped(&kept.site, engine) {
                uncovered.push(kept.site);
            }
        }
        for problem in plan.problems {
            self.count(None, ImageOutcome::Problem);
            if !is_old(&problem.site) && !self.is_skipped(&problem.site, engine) {
                let (path, image, kind) = (&problem.site.path, &problem.site.image, &problem.kind);
                self.warnings.add(|| format!("imageswap: {path}: {image} is left alone: {kind}"));
            }
        }
        for skip in plan.skips {
            self.count(None, ImageOutcome::Skipped);
            if skip.reason.fails_strict() && !is_old(&skip.site) {
                let (path, image, reason) = (&skip.site.path, &skip.site.image, skip.reason.message());
                self.warnings.add(|| format!("imageswap: {path}: {image:?} is left alone: {reason}"));
            }
        }
        // Neither counts nor anything of this replica: the API server refuses another value when it calls again after
        // another webhook.
        let rules = self.ask.rules.as_ref();
        self.audit.extend(rules.map(|digest| ("maps-digest", digest.to_string())));
        if !uncovered.is_empty() {
            let denies = settings.on_unmapped == OnUnmapped::Deny && !self.ask.audit && !settings.dry_run;
            if denies {
                return self.end(Outcome::Denied, Some(uncovered_refusal(&uncovered)));
            }
            for site in &uncovered {
                self.warnings.add(|| format!("imageswap: {}: no rule covers {}", site.path, site.image));
            }
        }
        if self.swaps.is_empty() {
            return self.end(Outcome::Unchanged, None);
        }
        if refuses_changes {
            let refusal = change_refusal(&self.swaps);
            return self.end(Outcome::Denied, Some(refusal));
        }
        if !self.ask.patches() {
            return self.end(Outcome::WouldPatch, None);
        }
        if settings.annotate_original && self.review.sub_resource.is_empty() {
            let originals = self.swaps.iter().map(|swap| (swap.path.clone(), swap.from.as_str()));
            if !annotation::annotate(&mut patch, &self.review.metadata, originals) {
                self.warnings.add(|| format!("imageswap: {ORIGINALS} would be too long, and is not set"));
            }
        }
        self.end_with(Outcome::Patched, None, patch)
    }

    /// The images of the object before the update, by their places. Empty where nobody would ask for them.
    fn old_images(&self, plan: &Plan, engine: &Engine, memory: &mut Memory) -> FxHashMap<FieldPath, String> {
        let warns = self.ask.settings.on_unmapped != OnUnmapped::Ignore;
        let asked = !plan.changes.is_empty()
            || !plan.unpinned.is_empty()
            || !plan.problems.is_empty()
            || !plan.skips.is_empty()
            || (warns && plan.kept.iter().any(|kept| kept.unmapped));
        if asked { self.images_before(engine, memory) } else { FxHashMap::default() }
    }

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

    fn fail(mut self, reason: &str) -> Answer {
        let reason = one_line(reason, 1024);
        let lets_through =
            self.ask.audit || self.ask.settings.dry_run || self.ask.settings.on_error == OnError::Allow;
        if lets_through {
            self.warnings.add(|| format!("imageswap: images are not swapped: {reason}"));
            let mut answer = self.end(Outcome::Failed, None);
            answer.facts.message = Some(reason);
            return answer;
        }
        let message = format!("imageswap cannot judge this object: {reason}");
        self.end(Outcome::Failed, Some(Refusal { code: 500, reason: "InternalError", message }))
    }

    fn end(self, outcome: Outcome, refusal: Option<Refusal>) -> Answer {
        self.end_with(outcome, refusal, Patch::default())
    }

    fn end_with(self, outcome: Outcome, refusal: Option<Refusal>, patch: Patch) -> Answer {
        let message = refusal.as_ref().map(|refusal| refusal.message.clone());
        let warnings = self.warnings.finish();
        let response = Response { refusal, patch: patch.finish(), warnings, audit: self.audit };
        let review = self.review;
        Answer {
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

/// Names the images that no rule covers, as many as a reader takes in.
fn uncovered_refusal(uncovered: &[Site]) -> Refusal {
    let named = uncovered.iter().map(|site| format!("{} ({})", site.image, site.path));
    forbidden(&format!("no rule of imageswap covers {}", some_of(named)))
}

/// Names the images that would become others where the configuration lets nothing be changed.
fn change_refusal(swaps: &[Swap]) -> Refusal {
    let named = swaps.iter().map(|swap| format!("{}: {} must be {}", swap.path, swap.from, swap.to));
    forbidden(&format!("imageswap changes nothing here (validate), and {}", some_of(named)))
}

fn forbidden(message: &str) -> Refusal {
    Refusal { code: 403, reason: "Forbidden", message: one_line(message, 2048) }
}

/// The first few, and how many more there are.
fn some_of(mut all: impl ExactSizeIterator<Item = String>) -> String {
    const NAMED: usize = 5;
    let named: Vec<String> = all.by_ref().take(NAMED).collect();
    let more = all.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", named.join(", "))
}
