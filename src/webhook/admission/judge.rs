//! What becomes of each image that a plan speaks of: swapped, refused, left alone with a warning, or counted alone.

use rustc_hash::FxHashMap;

use crate::manifest::FieldPath;
use crate::rewrite::{Change, Decided, Engine, Memory, MissingDigest, Plan, Problem, Site, Skip};

use super::annotation::{self, ORIGINALS};
use super::examine::{Examination, ImageOutcome, ReviewAnswer, ReviewOutcome, Swap};
use super::mirrored::Absent;
use super::patch::{Patch, pointer};
use super::response::Refusal;
use super::settings::{OnError, OnUnmapped};
use super::strings::patch_strings;
use super::warnings::one_line;

/// Why a review ends before all of its images are decided on.
enum Stop {
    Refused(Refusal),
    Failed(String),
}

/// Which images the review does not bring: those from before an update, and those that skip rules name.
struct Settled<'e> {
    before: FxHashMap<FieldPath, String>,
    engine: &'e Engine,
}

impl Settled<'_> {
    fn is_old(&self, site: &Site) -> bool {
        self.before.get(&site.path).is_some_and(|image| *image == site.image)
    }
}

impl Examination<'_, '_> {
    /// Answers the review as its plan says.
    pub(super) fn judge(
        mut self,
        plan: Plan,
        absent: Vec<Absent>,
        engine: &Engine,
        memory: &mut Memory,
    ) -> ReviewAnswer {
        let settled = Settled { before: self.images_in_question(&plan, engine, memory), engine };
        match self.decide(plan, absent, &settled) {
            Ok(patch) => self.finish(patch),
            Err(Stop::Refused(refusal)) => self.end(ReviewOutcome::Denied, Some(refusal)),
            Err(Stop::Failed(reason)) => self.fail(&reason),
        }
    }

    fn decide(&mut self, plan: Plan, absent: Vec<Absent>, settled: &Settled<'_>) -> Result<Patch, Stop> {
        self.tell_absent(absent, settled)?;
        let patch = self.swap(plan.changes, settled)?;
        self.tell_missing_digests(plan.missing_digests, settled)?;
        let uncovered = self.count_kept(plan.kept, settled);
        self.tell_left_alone(plan.problems, plan.skips, settled);
        // Neither counts nor anything of this replica: the API server refuses another value when it calls again after
        // another webhook.
        let rules = self.ask.rules.as_ref();
        self.audit.extend(rules.map(|digest| ("maps-digest", digest.to_string())));
        self.tell_uncovered(&uncovered)?;
        Ok(patch)
    }

    /// Whether what is said of an image can be of use.
    fn is_brought(&self, site: &Site, settled: &Settled<'_>) -> bool {
        !settled.is_old(site) && !self.is_skipped(site, settled.engine)
    }

    /// Changes are refused instead of made.
    fn refuses_changes(&self) -> bool {
        let settings = &self.ask.settings;
        settings.validate && !self.ask.audit && !settings.dry_run
    }

    fn tell_absent(&mut self, absent: Vec<Absent>, settled: &Settled<'_>) -> Result<(), Stop> {
        for Absent { site, text, denies } in absent {
            if !self.is_brought(&site, settled) {
                continue;
            }
            if denies && self.ask.patches() {
                return Err(Stop::Refused(forbidden(&format!("imageswap: {text}"))));
            }
            self.warnings.add(|| format!("imageswap: {text}"));
        }
        Ok(())
    }

    fn swap(&mut self, changes: Vec<Change>, settled: &Settled<'_>) -> Result<Patch, Stop> {
        let (mut patch, mut in_part) = (Patch::default(), Vec::new());
        for change in changes {
            if settled.is_old(&change.site) {
                self.count(change.rule.as_deref(), ImageOutcome::AsBefore);
                continue;
            }
            if self.is_skipped(&change.site, settled.engine) {
                self.count(None, ImageOutcome::Skipped);
                continue;
            }
            self.count(change.rule.as_deref(), ImageOutcome::Changed);
            let path = change.site.path.to_string();
            if self.ask.patches() && change.is_whole_string() {
                patch.replace(&pointer(&change.site.path), &change.to);
            } else if self.ask.patches() {
                in_part.extend(change.edits());
            } else if !self.refuses_changes() {
                let rule = change.rule.as_ref().map(|rule| format!(" by {rule}")).unwrap_or_default();
                let (from, to) = (&change.site.image, &change.to);
                self.warnings.add(|| format!("imageswap: {path}: {from} would become {to}{rule}"));
            }
            self.swaps.push(Swap { path, from: change.site.image, to: change.to });
        }
        if let Some(object) = self.review.object.filter(|_| !in_part.is_empty()) {
            patch_strings(&mut patch, object.as_str(), in_part)
                .map_err(|error| Stop::Failed(format!("request.object cannot be patched: {error}")))?;
        }
        Ok(patch)
    }

    fn tell_missing_digests(
        &mut self,
        missing_digests: Vec<MissingDigest>,
        settled: &Settled<'_>,
    ) -> Result<(), Stop> {
        let mut first = None;
        for missing in missing_digests {
            if self.is_brought(&missing.site, settled) {
                let text =
                    format!("{}: no digest of {}: {}", missing.site.path, missing.lookup, missing.reason);
                self.warnings.add(|| format!("imageswap: {text}"));
                first.get_or_insert(text);
            }
        }
        let closed = self.ask.settings.on_error == OnError::Deny && self.ask.patches();
        first.filter(|_| closed).map_or(Ok(()), |reason| Err(Stop::Failed(reason)))
    }

    /// Counts the images that stay, and gives those of which it matters that no rule covers them.
    fn count_kept(&mut self, kept: Vec<Decided>, settled: &Settled<'_>) -> Vec<Site> {
        let mut uncovered = Vec::new();
        for kept in kept {
            let outcome = if kept.unmapped { ImageOutcome::Unmapped } else { ImageOutcome::Kept };
            self.count(kept.rule.as_deref(), outcome);
            let matters = kept.unmapped && self.ask.settings.on_unmapped != OnUnmapped::Ignore;
            if matters && self.is_brought(&kept.site, settled) {
                uncovered.push(kept.site);
            }
        }
        uncovered
    }

    fn tell_left_alone(&mut self, problems: Vec<Problem>, skips: Vec<Skip>, settled: &Settled<'_>) {
        for problem in problems {
            self.count(None, ImageOutcome::Problem);
            if self.is_brought(&problem.site, settled) {
                let (path, image, kind) = (&problem.site.path, &problem.site.image, &problem.kind);
                self.warnings.add(|| format!("imageswap: {path}: {image} is left alone: {kind}"));
            }
        }
        for skip in skips {
            self.count(None, ImageOutcome::Skipped);
            if skip.reason.fails_strict() && !settled.is_old(&skip.site) {
                let (path, image, reason) = (&skip.site.path, &skip.site.image, skip.reason.message());
                self.warnings.add(|| format!("imageswap: {path}: {image:?} is left alone: {reason}"));
            }
        }
    }

    fn tell_uncovered(&mut self, uncovered: &[Site]) -> Result<(), Stop> {
        let settings = &self.ask.settings;
        let denies = settings.on_unmapped == OnUnmapped::Deny && !self.ask.audit && !settings.dry_run;
        if denies && !uncovered.is_empty() {
            return Err(Stop::Refused(uncovered_refusal(uncovered)));
        }
        for site in uncovered {
            self.warnings.add(|| format!("imageswap: {}: no rule covers {}", site.path, site.image));
        }
        Ok(())
    }

    /// Answers a review whose images are all decided on.
    fn finish(mut self, mut patch: Patch) -> ReviewAnswer {
        if self.swaps.is_empty() {
            return self.end(ReviewOutcome::Unchanged, None);
        }
        if self.refuses_changes() {
            let refusal = change_refusal(&self.swaps);
            return self.end(ReviewOutcome::Denied, Some(refusal));
        }
        if !self.ask.patches() {
            return self.end(ReviewOutcome::WouldPatch, None);
        }
        if self.ask.settings.annotate_original && self.review.sub_resource.is_empty() {
            let originals = self.swaps.iter().map(|swap| (swap.path.clone(), swap.from.as_str()));
            if !annotation::annotate(&mut patch, &self.review.metadata, originals) {
                self.warnings.add(|| format!("imageswap: {ORIGINALS} would be too long, and is not set"));
            }
        }
        self.end_with(ReviewOutcome::Patched, None, patch)
    }

    /// The images of the object before the update, by their places. Empty where nobody would ask for them.
    fn images_in_question(
        &self,
        plan: &Plan,
        engine: &Engine,
        memory: &mut Memory,
    ) -> FxHashMap<FieldPath, String> {
        let warns = self.ask.settings.on_unmapped != OnUnmapped::Ignore;
        let asked = !plan.changes.is_empty()
            || !plan.missing_digests.is_empty()
            || !plan.problems.is_empty()
            || !plan.skips.is_empty()
            || (warns && plan.kept.iter().any(|kept| kept.unmapped));
        if asked { self.images_before(engine, memory) } else { FxHashMap::default() }
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
