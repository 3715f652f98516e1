//! For which skip rules and rules of the maps a run had a use: one that had none may be mistyped.

use rustc_hash::FxHashSet;

use crate::maps::{Maps, Rule};

use super::plan::Plan;
use super::skip::SkipRule;

/// What plans had a use for.
#[derive(Debug, Default)]
pub struct Uses {
    /// By the number of the skip rule.
    skips: FxHashSet<usize>,
    /// By where in memory the maps have the rule: decisions share the rules of their maps.
    rules: FxHashSet<usize>,
}

impl Uses {
    /// Learns which of the rules `skips` name an image that `plan` leaves alone.
    pub fn learn_skips(&mut self, plan: &Plan, skips: &[SkipRule]) {
        for (number, rule) in skips.iter().enumerate() {
            if !self.skips.contains(&number) && plan.skips.iter().any(|skip| rule.matches(&skip.site)) {
                self.skips.insert(number);
            }
        }
    }

    /// Learns which rules of the maps decide about an image of `plan`.
    pub fn learn_rules(&mut self, plan: &Plan) {
        let changes = plan.changes.iter().filter_map(|change| change.rule.as_deref());
        let kept = plan.kept.iter().filter_map(|kept| kept.rule.as_deref());
        self.rules.extend(changes.chain(kept).map(key));
    }

    /// Adds what another thread had a use for.
    pub fn merge(&mut self, other: Self) {
        self.skips.extend(other.skips);
        self.rules.extend(other.rules);
    }

    /// Those of the rules `skips` that named no image.
    pub fn unused_skips<'s>(&self, skips: &'s [SkipRule]) -> impl Iterator<Item = &'s SkipRule> {
        skips.iter().enumerate().filter(|(number, _)| !self.skips.contains(number)).map(|(_, rule)| rule)
    }

    /// The rules of `maps` that decided about no image.
    pub fn unused_rules<'m>(&self, maps: &'m Maps) -> impl Iterator<Item = &'m Rule> {
        maps.rules().filter(|rule| !self.has(rule))
    }

    /// Whether `rule`, as the maps of an engine have it, decided about an image.
    #[must_use]
    pub fn has(&self, rule: &Rule) -> bool {
        self.rules.contains(&key(rule))
    }
}

/// What tells a rule from all others of its maps.
fn key(rule: &Rule) -> usize {
    std::ptr::from_ref(rule).addr()
}
