//! The engine: one text in, its plan out.

use std::sync::Arc;

use crate::manifest::edit::Edit;
use crate::manifest::{Blocked, KustomizeImage, Occurrence, Resource, Scan, Scanner, Text, scalar};
use crate::maps::{Decision, Maps, Outcome, Rule};

use super::kustomize::Renames;
use super::memory::{Asked, Memory};
use super::plan::{Change, Decided, Plan, Problem, ProblemKind, Site, Skip, SkipReason};
use super::skip::SkipRule;

/// What becomes of the `images` of Kustomizations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum KustomizeMode {
    /// They follow the images of the tree.
    #[default]
    Follow,
    /// They are left alone, and reported where they would have to follow.
    Report,
    /// They are left alone.
    Off,
}

/// Everything that decides what a text becomes.
#[derive(Debug, Default)]
pub struct Engine {
    /// Which image becomes which.
    pub maps: Maps,
    /// Where images are.
    pub scanner: Scanner,
    /// What the user wants left alone.
    pub skips: Vec<SkipRule>,
    /// What becomes of the `images` of Kustomizations.
    pub kustomize: KustomizeMode,
}

impl Engine {
    /// Plans the rewrite of `text`. Entries of Kustomizations are listed, and planned by [`Engine::follow`]
    /// when the images of the whole tree are known. `is_kustomization`: the file's name says so. `memory`: of
    /// earlier texts.
    #[must_use]
    pub fn plan<'m>(&'m self, text: &str, is_kustomization: bool, memory: &mut Memory<'m>) -> Plan<'m> {
        let Scan { documents, occurrences, kustomize_images, resources, notes, errors } =
            self.scanner.scan_with(text, &mut memory.reader);
        let resources: Vec<Arc<Resource>> = resources.into_iter().map(Arc::new).collect();
        let mut plan = Plan { documents, notes, errors, ..Plan::default() };
        for occurrence in occurrences {
            self.occurrence(occurrence, &resources, memory, &mut plan);
        }
        plan.kustomize_images = kustomize_images;
        let is_claimed = |entry: &KustomizeImage| entry.resource.is_some() || is_kustomization;
        plan.kustomize_images.retain(is_claimed);
        plan.resources = resources;
        plan
    }

    /// Plans the rewrite of a text that stands for itself: its Kustomizations follow its own images.
    #[must_use]
    pub fn plan_alone(&self, text: &str) -> Plan<'_> {
        let mut plan = self.plan(text, false, &mut Memory::default());
        let mut renames = Renames::default();
        renames.learn(&plan);
        renames.close(&plan.kustomize_images, &self.maps);
        self.follow(&mut plan, &renames);
        plan
    }

    /// Adds to `plan` what its Kustomizations' entries become when the tree's images become what `renames`
    /// says.
    pub fn follow<'m>(&'m self, plan: &mut Plan<'m>, renames: &Renames<'m>) {
        if self.kustomize == KustomizeMode::Off {
            return;
        }
        let entries = std::mem::take(&mut plan.kustomize_images);
        for entry in &entries {
            renames.plan_entry(entry, self, plan);
        }
        plan.kustomize_images = entries;
        plan.changes.sort_by_key(|change| change.edit.span);
        plan.skips.sort_by_key(|skip| skip.site.span);
    }

    fn occurrence<'m>(
        &'m self,
        occurrence: Occurrence,
        resources: &[Arc<Resource>],
        memory: &mut Memory<'m>,
        plan: &mut Plan<'m>,
    ) {
        let Occurrence { document, place, path, mut text, resource, container, other_containers, blocked } =
            occurrence;
        let resource = resource.map(|index| Arc::clone(&resources[index]));
        let site = |image| {
            let (position, span) = (text.position, text.span);
            Site { document, position, span, path, place, image, resource, container, other_containers }
        };
        if !place.is_site() {
            plan.unchecked.push(site(std::mem::take(&mut text.value)));
            return;
        }
        // What is no reference may be long, and is moved.
        let reason = match memory.ask(&self.maps, &text.value) {
            Ok(asked) => {
                let site = site(text.value.clone());
                match self.reason_to_skip(&site, blocked) {
                    Some(reason) => plan.skips.push(Skip { site, reason }),
                    None => carry_out(asked, &text, site, plan),
                }
                return;
            }
            Err(reason) => reason,
        };
        let site = site(std::mem::take(&mut text.value));
        let reason = self.reason_to_skip(&site, blocked).unwrap_or(reason);
        plan.skips.push(Skip { site, reason });
    }

    fn reason_to_skip(&self, site: &Site, blocked: Option<Blocked>) -> Option<SkipReason> {
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
fn carry_out<'m>(asked: Asked<'m>, text: &Text, site: Site, plan: &mut Plan<'m>) {
    let Asked { decision: Decision { outcome, rule }, other_spelling } = asked;
    match outcome {
        Outcome::Changed(to) => match edit(text, &to) {
            Some(edit) => plan.changes.push(Change { site, to, rule, other_spelling, edit }),
            None => plan.skips.push(Skip { site, reason: SkipReason::Blocked(Blocked::NotEditable) }),
        },
        Outcome::Kept | Outcome::NoSwap => plan.kept.push(Decided { site, rule, unmapped: false }),
        Outcome::AtTarget(target) => {
            plan.kept.push(Decided { site, rule: rule.or(Some(target)), unmapped: false });
        }
        Outcome::Unmapped => plan.kept.push(Decided { site, rule: None, unmapped: true }),
        outcome @ (Outcome::Chained { .. } | Outcome::Cycle { .. } | Outcome::Invalid { .. }) => {
            plan.problems.extend(problem(rule, outcome).map(|kind| Problem { site, kind }));
        }
    }
}

/// What is wrong with a decision that decides nothing; `None` for one that does.
fn problem(rule: Option<&Rule>, outcome: Outcome<'_>) -> Option<ProblemKind> {
    let rule = rule.map(ToString::to_string).unwrap_or_default();
    match outcome {
        Outcome::Chained { once, second, twice } => {
            Some(ProblemKind::Chained { first: rule, once, second: second.to_string(), twice })
        }
        Outcome::Cycle { steps } => Some(ProblemKind::Endless { rule, steps }),
        Outcome::Invalid { result, reason } => {
            Some(ProblemKind::BadResult { rule, result, reason: reason.to_string() })
        }
        Outcome::Changed(_) | Outcome::Kept | Outcome::NoSwap | Outcome::AtTarget(_) | Outcome::Unmapped => {
            None
        }
    }
}

/// The edit that writes `value` in place of `text`; `None` when it cannot be edited.
pub(super) fn edit(text: &Text, value: &str) -> Option<Edit> {
    let encoded = scalar::encode(value, text.style, text.flow);
    text.edit.map(|span| Edit { span, text: encoded.into_owned() })
}
