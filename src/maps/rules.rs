//! The rules together, indexed so that asking costs the same for ten of them and for ten thousand.

use std::sync::Arc;

use crate::image::ImageReference;

use super::glob::Glob;
use super::globs::{Globs, Substrings};
use super::name::NamePrefix;
use super::rule::{Rule, RuleKind};
use super::rule_value::RuleValue;
use super::table::{NameTable, TextTable};
use super::target::Targets;

/// Rules that were read, ready to decide about images. The default has no rules.
#[derive(Clone, Debug, Default)]
pub struct Maps {
    pub(super) rules: Vec<Arc<Rule>>,
    /// By the keys of `[EXACT]` rules.
    pub(super) exact: TextTable,
    /// By the canonical spelling of the image that the key names.
    exact_canonical: TextTable,
    pub(super) globs: Globs,
    pub(super) names: NameTable,
    pub(super) noswap: Option<usize>,
    /// The entries of `noswap`, where there are many.
    pub(super) substrings: Option<Substrings>,
    pub(super) default: Option<usize>,
    pub(super) legacy: Option<usize>,
    pub(super) targets: Targets,
    pub(super) allow_chained: bool,
}

impl Maps {
    pub(super) fn from_rules(mut rules: Vec<Arc<Rule>>, allow_chained: bool) -> Self {
        rules.shrink_to_fit();
        let mut maps = Self { allow_chained, ..Self::default() };
        let mut globs = Vec::new();
        let names =
            |rule: &Arc<Rule>| usize::from(rule.name().is_some()) + usize::from(rule.names_official_image);
        maps.names.reserve(rules.iter().map(names).sum());
        for (number, rule) in (0..).zip(&rules) {
            match rule.kind {
                RuleKind::Exact => {
                    maps.exact.insert(number, |number| rules[number].key());
                    maps.exact_canonical.insert(number, |number| canonical_key(&rules[number]));
                }
                RuleKind::Replace => {
                    let glob = Glob::new(rule.key()).expect("a [REPLACE] key is a glob that compiles");
                    globs.push((glob, number as usize));
                }
                RuleKind::Registry | RuleKind::Path => {
                    let name = rule.name().expect("registry and path rules have a name");
                    maps.names.insert(name, number);
                }
                RuleKind::NoSwap => {
                    maps.noswap = Some(number as usize);
                    maps.substrings = match &rule.parsed {
                        RuleValue::Substrings(entries) => Substrings::new(entries),
                        RuleValue::Empty
                        | RuleValue::Reference
                        | RuleValue::Name { .. }
                        | RuleValue::Dash
                        | RuleValue::Template { .. } => None,
                    };
                }
                RuleKind::Default => maps.default = Some(number as usize),
                RuleKind::Legacy => maps.legacy = Some(number as usize),
            }
        }
        // A key that names the image itself, docker.io/library/nginx, wins over docker.io/nginx.
        for (number, rule) in (0..).zip(&rules).filter(|(_, rule)| rule.names_official_image) {
            let name = rule.name().expect("it names an image");
            maps.names.insert(NamePrefix { path: &name.official_path(), ..name }, number);
        }
        maps.names.shrink_to_fit();
        maps.globs = Globs::new(globs);
        maps.targets = Targets::of(&rules);
        maps.rules = rules;
        maps
    }

    /// Whether there are no rules at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules in the order in which they were given.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(Arc::as_ref)
    }

    /// The number of the `[EXACT]` rule with this very key.
    pub(super) fn exact_rule(&self, text: &str) -> Option<usize> {
        self.exact.get(text, |number| self.rules[number].key())
    }

    /// Whether an `[EXACT]` rule has this very key. `image: auto` is an image only then.
    #[must_use]
    pub fn names_exactly(&self, text: &str) -> bool {
        self.exact_rule(text).is_some()
    }

    /// An `[EXACT]` rule that names the same image in another spelling (`nginx`, `docker.io/library/nginx:latest`), and
    /// so does not apply to it. `None` when one applies.
    #[must_use]
    pub fn exact_in_other_spelling(&self, image: &ImageReference<'_>) -> Option<&Arc<Rule>> {
        if self.exact_canonical.is_empty() || self.names_exactly(image.as_str()) {
            return None;
        }
        let number =
            self.exact_canonical.get(&image.canonical(), |number| canonical_key(&self.rules[number]))?;
        Some(&self.rules[number])
    }
}

/// The canonical spelling of the image that an `[EXACT]` rule names.
fn canonical_key(rule: &Rule) -> String {
    ImageReference::parse(rule.key()).expect("an [EXACT] key is a reference").canonical()
}
