//! The engine: one text in, its plan out.

use std::sync::Arc;

use crate::manifest::{
    Blocked, KustomizeImage, Occurrence, Place, Resource, Scan, Scanner, drained, place_behind,
};
use crate::maps::{Maps, Outcome, Rule};

use super::kustomize::{self, Arriving, KustomizeMode, Renames};
use super::memory::{Memory, Ruling};
use super::plan::{Change, Decided, Plan, Skip, SkipReason};
use super::problem::{Problem, ProblemKind};
use super::site::Site;
use super::skip::SkipRule;

/// Everything that decides what a text becomes.
#[derive(Debug, Default)]
pub struct Engine {
    /// Which image becomes which.
    pub maps: Arc<Maps>,
    /// Where images are.
    pub scanner: Scanner,
    /// What the user wants left alone.
    pub skips: Vec<SkipRule>,
    /// What becomes of the `images` of Kustomizations.
    pub kustomize: KustomizeMode,
    /// Whether images get digests once they are planned, which what Kustomizations do with tags may not fit.
    pub pins: bool,
    /// Whether everything that looks like an image is listed among what is not checked, and not only what is seen in passing.
    pub lists_mentions: bool,
}

impl Engine {
    /// Plans the rewrite of `text`. Entries of Kustomizations are listed, and planned by [`Engine::follow`]
    /// when the images of the whole tree are known. `is_kustomization`: the file's name says so. `memory`: of
    /// earlier texts.
    #[must_use]
    pub fn plan(&self, text: &str, is_kustomization: bool, memory: &mut Memory) -> Plan {
        memory.reset_if_maps_changed(&self.maps);
        let scan = self.scanner.scan_with(text, &mut memory.reader);
        let Scan { documents, read_slowly, occurrences, kustomize_images, resources, .. } = scan;
        let Scan { may_have_chart, notes, errors, .. } = scan;
        let resources: Vec<Arc<Resource>> = drained(resources).map(Arc::new).collect();
        let mut plan = Plan { documents, read_slowly, notes, errors, ..Plan::default() };
        for occurrence in drained(occurrences) {
            self.occurrence(occurrence, &resources, memory, &mut plan);
        }
        if may_have_chart && plan.errors.is_empty() {
            self.chart_parts(text, memory, &mut plan);
        }
        plan.kustomize_images = kustomize_images;
        let is_claimed = |entry: &KustomizeImage| entry.resource.is_some() || is_kustomization;
        plan.kustomize_images.retain(is_claimed);
        for entry in &mut plan.kustomize_images {
            entry.digest_slot = match (&entry.digest, &entry.new_tag) {
                (Some(digest), _) => digest.slot(),
                (None, Some(tag)) => place_behind(text, tag, "newTag", "digest"),
                (None, None) => None,
            };
        }
        plan.resources = resources;
        let says_kind = || plan.resources.iter().any(|resource| resource.is_kustomization());
        if self.kustomize != KustomizeMode::Off && (is_kustomization || says_kind()) {
            let looked = kustomize::look(self.context(), text, is_kustomization);
            plan.kustomize_inputs = looked.inputs;
            plan.kustomize_limits = looked.limits;
            let mut sites = looked.literals;
            if !looked.patched.is_empty() {
                let is_patched = |site: &mut Site| looked.patched.contains(&site.path);
                let patched = plan.unchecked.extract_if(.., is_patched);
                sites.extend(patched.map(|site| Site { place: Place::Patch, ..site }));
            }
            for site in sites {
                let ruling = memory.decide(&self.maps, &site.image);
                self.settle(site, None, ruling, &mut plan);
            }
        }
        plan
    }

    /// Plans the rewrite of a text that stands for itself: its Kustomizations follow its own images.
    #[must_use]
    pub fn plan_alone(&self, text: &str) -> Plan {
        self.plan_alone_with(text, &mut Memory::default())
    }

    /// As [`Engine::plan_alone`], with the memory of earlier texts.
    #[must_use]
    pub fn plan_alone_with(&self, text: &str, memory: &mut Memory) -> Plan {
        let mut plan = self.plan(text, false, memory);
        let mut renames = Renames::default();
        renames.learn(&plan);
        let entries: Vec<_> = plan.kustomize_images.iter().map(|entry| (entry, &*self.maps)).collect();
        renames.add_entries(&entries);
        self.follow(&mut plan, &renames);
        self.list_built(&mut plan, &Arriving::default(), &renames);
        plan
    }

    /// Finds the images of `text` and plans nothing. `memory`: of earlier texts.
    #[must_use]
    pub fn scan(&self, text: &str, memory: &mut Memory) -> Scan {
        self.scanner.scan_with(text, &mut memory.reader)
    }

    /// Adds to `plan` what its Kustomizations' entries become when the tree's images become what `renames`
    /// says.
    pub fn follow(&self, plan: &mut Plan, renames: &Renames) {
        self.follow_within(plan, renames, renames);
    }

    /// As [`Engine::follow`], where `scope` is what an entry applies to, and `tree` is asked about images that are not in
    /// it.
    pub fn follow_within(&self, plan: &mut Plan, scope: &Renames, tree: &Renames) {
        if self.kustomize == KustomizeMode::Off {
            return;
        }
        let entries = std::mem::take(&mut plan.kustomize_images);
        let siblings = kustomize::Siblings::new(&entries);
        for entry in &entries {
            let is_within = entry.name.as_ref().is_some_and(|name| scope.knows(&name.value));
            let renames = if is_within { scope } else { tree };
            let problems = plan.problems.len();
            renames.plan_entry(entry, &siblings, &self.maps, self.kustomize, plan);
            if !(is_within || std::ptr::eq(scope, tree)) {
                // What the entry applies to is not among the files: it may well be none of the images that are meant.
                plan.skips.extend(plan.problems.drain(problems..).map(|Problem { site, kind }| Skip {
                    site,
                    reason: SkipReason::Kustomize(kind.to_string()),
                }));
            }
        }
        plan.kustomize_images = entries;
        plan.skips.append(&mut plan.kustomize_limits);
        plan.changes.sort_by_key(|change| change.site.span);
        plan.skips.sort_by_key(|skip| skip.site.span);
    }

    /// Lists in [`Plan::built`] the images that are built with the entries of `plan`, which has followed the images of the
    /// `tree`. `arriving`: the images that its Kustomization applies them to.
    pub fn list_built(&self, plan: &mut Plan, arriving: &Arriving, tree: &Renames) {
        if self.kustomize != KustomizeMode::Off && !plan.kustomize_images.is_empty() {
            tree.list_built(plan, arriving, &self.maps);
        }
    }

    /// What Kustomizations are read with.
    pub(super) fn context(&self) -> kustomize::Context<'_> {
        kustomize::Context { scanner: &self.scanner, maps: &self.maps, pins: self.pins }
    }

    pub(super) fn occurrence(
        &self,
        occurrence: Occurrence,
        resources: &[Arc<Resource>],
        memory: &mut Memory,
        plan: &mut Plan,
    ) {
        let Occurrence { document, place, path, text, resource, container, other_containers, blocked } =
            occurrence;
        let ruling = place.is_site().then(|| memory.decide(&self.maps, &text.value));
        let site = Site {
            document,
            position: text.position,
            span: text.span,
            path,
            place,
            slot: text.slot(),
            image: text.value,
            resource: resource.map(|index| Arc::clone(&resources[index])),
            container,
            other_containers,
        };
        let Some(ruling) = ruling else {
            plan.unchecked.push(site);
            return;
        };
        self.settle(site, blocked, ruling, plan);
    }

    /// Adds to `plan` what becomes of the image at `site`.
    fn settle(
        &self,
        site: Site,
        blocked: Option<Blocked>,
        ruling: Result<&Ruling, SkipReason>,
        plan: &mut Plan,
    ) {
        match (self.reason_to_skip(&site, blocked), ruling) {
            (Some(reason), _) | (None, Err(reason)) => plan.skips.push(Skip { site, reason }),
            (None, Ok(ruling)) => add_to_plan(ruling, site, plan),
        }
    }

    pub(super) fn reason_to_skip(&self, site: &Site, blocked: Option<Blocked>) -> Option<SkipReason> {
        if let Some(blocked) = blocked {
            return Some(SkipReason::Blocked(blocked));
        }
        if self.skips.iter().any(|rule| rule.matches(site)) {
            return Some(SkipReason::SkipRule);
        }
        (site.image == "auto" && !self.maps.names_exactly("auto")).then_some(SkipReason::Auto)
    }
}

/// Adds to `plan` what the maps say of the image at `site`.
fn add_to_plan(ruling: &Ruling, site: Site, plan: &mut Plan) {
    let rule = ruling.decision.rule.clone();
    match &ruling.decision.outcome {
        Outcome::Changed(to) if !site.slot.is_some_and(|slot| slot.takes(to)) => {
            plan.skips.push(Skip { site, reason: SkipReason::Blocked(Blocked::NotEditable) });
        }
        Outcome::Changed(to) => {
            let (to, other_spelling) = (Arc::clone(to), ruling.other_spelling.clone());
            plan.changes.push(Change { other_spelling, ..Change::new(site, to, rule) });
        }
        Outcome::Kept | Outcome::NoSwap => plan.kept.push(Decided { site, rule, unmapped: false }),
        Outcome::AtTarget(target) => {
            let rule = rule.or_else(|| Some(Arc::clone(target)));
            plan.kept.push(Decided { site, rule, unmapped: false });
        }
        Outcome::Unmapped => plan.kept.push(Decided { site, rule: None, unmapped: true }),
        outcome @ (Outcome::Chained { .. } | Outcome::Cycle { .. } | Outcome::Invalid { .. }) => {
            plan.problems.extend(problem(rule.as_deref(), outcome).map(|kind| Problem { site, kind }));
        }
    }
}

/// What is wrong with a decision that decides nothing; `None` for one that does.
pub(super) fn problem(rule: Option<&Rule>, outcome: &Outcome) -> Option<ProblemKind> {
    let rule = rule.map(ToString::to_string).unwrap_or_default();
    match outcome {
        Outcome::Chained { once, second, twice } => Some(ProblemKind::Chained {
            first: rule,
            once: once.clone(),
            second: second.to_string(),
            twice: twice.clone(),
        }),
        Outcome::Cycle { steps } => Some(ProblemKind::Endless { rule, steps: steps.clone() }),
        Outcome::Invalid { result, reason } => {
            Some(ProblemKind::BadResult { rule, result: result.clone(), reason: reason.to_string() })
        }
        Outcome::Changed(_) | Outcome::Kept | Outcome::NoSwap | Outcome::AtTarget(_) | Outcome::Unmapped => {
            None
        }
    }
}
