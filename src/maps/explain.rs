//! Why an image becomes what it becomes: the decision, and why each rule before it did not apply.

use std::sync::Arc;

use crate::image::ImageReference;

use super::decide::{Decision, Outcome, RuleStep};
use super::rule::{Rule, RuleKind};
use super::rules::Maps;

/// A rule that was asked before the one that decided, or that came near, and why it did not apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Why it did not apply.
    pub why: String,
}

/// A decision with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The image as written.
    pub image: String,
    /// What was decided.
    pub decision: Decision,
    /// The rules that were asked and did not apply, in the order in which they are asked.
    pub candidates: Vec<Candidate>,
    /// An `[EXACT]` rule that names the same image in another spelling.
    pub other_spelling: Option<Arc<Rule>>,
    /// What becomes of the image step by step, and by which rules, where chains are allowed and it takes several.
    pub steps: Vec<RuleStep>,
}

impl Explanation {
    /// What the image is in the end: the new reference, or as it was.
    #[must_use]
    pub fn result(&self) -> &str {
        self.decision.outcome.changed().unwrap_or(&self.image)
    }

    /// Whether a rule applied, even one that changes nothing or has an empty value.
    #[must_use]
    pub fn matched(&self) -> bool {
        self.decision.rule.is_some()
    }

    /// Whether the image changes.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.decision.outcome.changed().is_some()
    }

    /// The reason in one sentence, without a full stop.
    #[must_use]
    pub fn reason(&self) -> String {
        let rule = self.decision.rule.as_ref().map_or_else(String::new, ToString::to_string);
        match &self.decision.outcome {
            Outcome::Changed(_) if self.steps.len() > 1 => {
                let steps =
                    self.steps.iter().map(|step| format!("the {} makes it {}", step.rule, step.result));
                steps.collect::<Vec<_>>().join(", then ")
            }
            Outcome::Changed(_) => format!("the {rule} applies"),
            Outcome::Kept if self.decision.rule.as_deref().is_some_and(Rule::is_empty_value) => {
                format!("the {rule} has an empty value: such images are left alone")
            }
            Outcome::Kept => format!("the {rule} changes nothing"),
            Outcome::NoSwap => format!("the {rule} keeps it from default"),
            Outcome::AtTarget(target) if target.kind() == RuleKind::Legacy => {
                format!("it contains the prefix of the {target}")
            }
            Outcome::AtTarget(target) => format!("it already lies at the target of the {target}"),
            Outcome::Unmapped => "no rule applies".to_owned(),
            Outcome::Chained { once, second, twice } => format!(
                "chained, left alone: the {rule} makes it {once}, and a second run would make that {twice} by the {second}"
            ),
            Outcome::Cycle { steps } => format!(
                "left alone: the rules never come to an end within {} steps: {}",
                steps.len() - 1,
                steps.join(" → ")
            ),
            Outcome::Invalid { result, reason } => {
                format!(
                    "left alone: the {rule} leads to {result}, which is not a valid image reference: {reason}"
                )
            }
        }
    }
}

impl Maps {
    /// The decision about an image, with the reasons why each rule that was asked before did not apply.
    #[must_use]
    pub fn explain(&self, image: &ImageReference<'_>) -> Explanation {
        let decision = self.decide(image);
        Explanation {
            image: image.as_str().to_owned(),
            candidates: self.candidates(*image, &decision),
            other_spelling: self.exact_in_other_spelling(image).cloned(),
            steps: self.steps(*image, &decision),
            decision,
        }
    }

    fn candidates(&self, image: ImageReference<'_>, decision: &Decision) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        let mut add =
            |rule: &Arc<Rule>, why: String| candidates.push(Candidate { rule: Arc::clone(rule), why });
        if self.legacy.is_some() || self.names_exactly(image.as_str()) {
            return candidates;
        }
        if let Some(rule) = self.exact_in_other_spelling(&image) {
            add(rule, "names the same image in another spelling; [EXACT] takes it as written".to_owned());
        }
        for (glob, number) in self.globs.iter() {
            if glob.matches(image.as_str()) {
                return candidates;
            }
            add(&self.rules[*number], "the glob does not match the reference as written".to_owned());
        }
        let found =
            self.names.most_specific(image.canonical_registry(), image.port(), &image.canonical_path());
        for (number, rule) in self.rules.iter().enumerate() {
            if Some(number) != found
                && let Some(why) = self.why_not_named(image, rule, found)
            {
                add(rule, why);
            }
        }
        if let (Some(number), Outcome::AtTarget(_)) = (found, &decision.outcome) {
            add(&self.rules[number], "held back, since the image lies at a target".to_owned());
        }
        if found.is_some() {
            return candidates;
        }
        if let (Some(number), None) = (self.noswap, self.noswap_rule(image)) {
            add(&self.rules[number], "the image contains none of its entries".to_owned());
        }
        if let (Some(number), Outcome::AtTarget(_)) = (self.default, &decision.outcome) {
            add(&self.rules[number], "held back, since the image lies at a target".to_owned());
        }
        candidates
    }

    /// Why a registry or path rule for the image's registry did not apply; `None` for rules that have nothing to do
    /// with it.
    fn why_not_named(&self, image: ImageReference<'_>, rule: &Rule, found: Option<usize>) -> Option<String> {
        let name = rule.name()?;
        if name.host != image.canonical_registry() {
            return None;
        }
        if let Some(port) = name.port
            && Some(port) != image.port()
        {
            return Some(match image.port() {
                None => format!("its key has port {port}, the image has none"),
                Some(own) => format!("its key has port {port}, the image has {own}"),
            });
        }
        let path = image.canonical_path();
        let behind = path.strip_prefix(name.path);
        let under = name.path.is_empty() || behind.is_some_and(|b| b.is_empty() || b.starts_with('/'));
        if !under {
            return Some(format!("{path} does not lie under {}", name.path));
        }
        let found = found.map(|number| &self.rules[number])?;
        Some(format!("the {found} is more specific"))
    }
}
