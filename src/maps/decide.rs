//! What an image becomes: one pass of the rules, and the promise that a second run changes nothing.

use std::sync::Arc;

use crate::image::ImageReference;

use super::rule::{ResultError, Rule, RuleKind};
use super::rule_value::RuleValue;
use super::rules::Maps;
use super::target::is_guarded;

/// How many steps are followed where chains are allowed.
const STEPS_MAX: usize = 8;

/// What the maps say about one image. It holds the rules it names, and so outlives the maps; a clone copies nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What becomes of it.
    pub outcome: Outcome,
    /// The rule that applied, also one that changes nothing. `None` when none did, and when the guard kept it from
    /// applying.
    pub rule: Option<Arc<Rule>>,
}

/// What becomes of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It becomes this reference.
    Changed(Arc<str>),
    /// A rule applies and changes nothing: its value is empty, or the result is the image itself.
    Kept,
    /// An entry of `noswap_wildcards` keeps it from `default`.
    NoSwap,
    /// It equals or lies under the target of this rule, so that no rule applies, or the one that would have leaves it
    /// alone.
    AtTarget(Arc<Rule>),
    /// No rule applies, and it does not lie under a target.
    Unmapped,
    /// A second pass would rewrite the result again. The image is left alone, and this is to be reported.
    Chained {
        /// The result of the first pass.
        once: String,
        /// The rule that would apply to it.
        second: Arc<Rule>,
        /// What that rule would make of it.
        twice: String,
    },
    /// Chains are allowed, and this one did not end within 8 steps. The image is left alone, and this is to be
    /// reported.
    Cycle {
        /// The image and what it became step by step; the last one is the first that is there twice, if one is.
        steps: Vec<String>,
    },
    /// What the rule makes of the image is no valid image. The image is left alone, and this is to be reported.
    Invalid {
        /// What it would become.
        result: String,
        /// Why that cannot be.
        reason: ResultError,
    },
}

impl Outcome {
    /// The new reference, when the image changes.
    #[must_use]
    pub fn changed(&self) -> Option<&str> {
        match self {
            Self::Changed(text) => Some(text),
            Self::Kept
            | Self::NoSwap
            | Self::AtTarget(_)
            | Self::Unmapped
            | Self::Chained { .. }
            | Self::Cycle { .. }
            | Self::Invalid { .. } => None,
        }
    }

    /// Whether the rules themselves are at fault: a chain, a cycle, an invalid result.
    #[must_use]
    pub fn is_error(&self) -> bool {
        match self {
            Self::Chained { .. } | Self::Cycle { .. } | Self::Invalid { .. } => true,
            Self::Changed(_) | Self::Kept | Self::NoSwap | Self::AtTarget(_) | Self::Unmapped => false,
        }
    }
}

/// One step of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleStep {
    /// The rule that applies.
    pub rule: Arc<Rule>,
    /// What it makes of the image before.
    pub result: String,
}

/// One pass of the rules, called s in `docs/maps.md`.
enum Pass<'m> {
    Changed(&'m Arc<Rule>, String),
    /// The image stays; never [`Outcome::Changed`].
    Unchanged(Decision),
}

impl Maps {
    /// What the image becomes.
    ///
    /// Twice is once: a result, given in again, stays as it is. With s(x) for one pass of the rules, the result is
    /// s(x) if s(s(x)) = s(x), and otherwise x itself, reported as [`Outcome::Chained`]. Where chains
    /// are allowed s is followed until nothing changes, at most 8 steps. A pass whose result would be no valid image
    /// is an error for the image that leads there, so that an error shows in the first run and not in the second.
    #[must_use]
    pub fn decide(&self, image: &ImageReference<'_>) -> Decision {
        match self.pass(*image) {
            Pass::Unchanged(decision) => decision,
            Pass::Changed(rule, once) if self.allow_chained => self.follow(*image, rule, once),
            Pass::Changed(rule, once) => self.unless_chained(rule, once),
        }
    }

    fn unless_chained(&self, rule: &Arc<Rule>, once: String) -> Decision {
        let outcome = match self.pass(reparse(&once)) {
            Pass::Unchanged(Decision { outcome: outcome @ Outcome::Invalid { .. }, rule }) => {
                return Decision { outcome, rule };
            }
            Pass::Unchanged(_) => Outcome::Changed(once.into()),
            Pass::Changed(second, twice) => Outcome::Chained { once, second: Arc::clone(second), twice },
        };
        Decision { outcome, rule: Some(Arc::clone(rule)) }
    }

    fn follow(&self, image: ImageReference<'_>, rule: &Arc<Rule>, once: String) -> Decision {
        let mut steps = vec![image.as_str().to_owned()];
        let mut current = once;
        let outcome = loop {
            let again = steps.contains(&current);
            steps.push(current);
            // The image itself and as many results as there may be steps.
            if again || steps.len() > STEPS_MAX + 1 {
                break Outcome::Cycle { steps };
            }
            current = match self.pass(reparse(&steps[steps.len() - 1])) {
                Pass::Changed(_, next) => next,
                Pass::Unchanged(Decision { outcome: outcome @ Outcome::Invalid { .. }, rule }) => {
                    return Decision { outcome, rule };
                }
                Pass::Unchanged(_) => {
                    break Outcome::Changed(steps.pop().expect("a step was just pushed").into());
                }
            };
        };
        Decision { outcome, rule: Some(Arc::clone(rule)) }
    }

    /// The steps from `image` to what `decision`, which is about it, says that it becomes.
    pub(super) fn steps(&self, image: ImageReference<'_>, decision: &Decision) -> Vec<RuleStep> {
        let mut steps: Vec<RuleStep> = Vec::new();
        let Some(end) = decision.outcome.changed() else { return steps };
        while steps.last().is_none_or(|step| step.result != end) && steps.len() < STEPS_MAX {
            let pass = match steps.last() {
                None => self.pass(image),
                Some(step) => self.pass(reparse(&step.result)),
            };
            let Pass::Changed(rule, result) = pass else { break };
            steps.push(RuleStep { rule: Arc::clone(rule), result });
        }
        steps
    }

    /// Asks the rules in their order: exact, replace, registry and path, noswap, default.
    fn pass(&self, image: ImageReference<'_>) -> Pass<'_> {
        if let Some(number) = self.legacy {
            return self.legacy_pass(&self.rules[number], image);
        }
        let named =
            || self.names.most_specific(image.canonical_registry(), image.port(), &image.canonical_path());
        let found =
            self.exact_rule(image.as_str()).or_else(|| self.globs.first(image.as_str())).or_else(named);
        if let Some(number) = found {
            return self.apply(&self.rules[number], image);
        }
        if let Some(rule) = self.noswap_rule(image) {
            return Pass::Unchanged(Decision { outcome: Outcome::NoSwap, rule: Some(Arc::clone(rule)) });
        }
        match self.default {
            Some(number) => self.apply(&self.rules[number], image),
            None => {
                let target = self
                    .targets
                    .guards(&self.rules, image, None)
                    .map(|number| Arc::clone(&self.rules[number]));
                let outcome = target.map_or(Outcome::Unmapped, Outcome::AtTarget);
                Pass::Unchanged(Decision { outcome, rule: None })
            }
        }
    }

    /// The `noswap_wildcards` rule, when one of its entries is in the image.
    pub(super) fn noswap_rule(&self, image: ImageReference<'_>) -> Option<&Arc<Rule>> {
        let rule = &self.rules[self.noswap?];
        if let Some(substrings) = &self.substrings {
            return substrings.is_in(image.as_str()).then_some(rule);
        }
        match &rule.parsed {
            RuleValue::Substrings(entries) => {
                entries.iter().any(|entry| image.as_str().contains(entry.as_str())).then_some(rule)
            }
            RuleValue::Empty
            | RuleValue::Reference
            | RuleValue::Name { .. }
            | RuleValue::Dash
            | RuleValue::Template { .. } => None,
        }
    }

    fn apply<'m>(&'m self, rule: &'m Arc<Rule>, image: ImageReference<'_>) -> Pass<'m> {
        let kept = || Pass::Unchanged(Decision { outcome: Outcome::Kept, rule: Some(Arc::clone(rule)) });
        if rule.is_empty_value() {
            return kept();
        }
        if is_guarded(rule.kind)
            && let Some(number) = self.targets.guards(&self.rules, image, rule.key_for(image))
        {
            let outcome = Outcome::AtTarget(Arc::clone(&self.rules[number]));
            return Pass::Unchanged(Decision { outcome, rule: None });
        }
        match rule.result(image) {
            Ok(text) if text == image.as_str() => kept(),
            Ok(text) => Pass::Changed(rule, text),
            Err((result, reason)) => {
                let outcome = Outcome::Invalid { result, reason };
                Pass::Unchanged(Decision { outcome, rule: Some(Arc::clone(rule)) })
            }
        }
    }

    /// LEGACY mode: what contains the prefix lies at its target.
    fn legacy_pass<'m>(&'m self, rule: &'m Arc<Rule>, image: ImageReference<'_>) -> Pass<'m> {
        debug_assert_eq!(rule.kind, RuleKind::Legacy);
        if image.as_str().contains(rule.value()) {
            return Pass::Unchanged(Decision { outcome: Outcome::AtTarget(Arc::clone(rule)), rule: None });
        }
        self.apply(rule, image)
    }
}

fn reparse(result: &str) -> ImageReference<'_> {
    ImageReference::parse(result).expect("a result was checked to be a reference")
}
