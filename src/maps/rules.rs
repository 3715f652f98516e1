//! The rules together, indexed so that asking costs the same for ten of them and for ten thousand.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::image::ImageReference;

use super::glob::Glob;
use super::globs::{Globs, Substrings};
use super::rule::{Rule, RuleKind};
use super::rule_value::RuleValue;
use super::table::NameTable;
use super::target::Targets;

/// Rules that were read, ready to decide about images. The default has no rules.
#[derive(Clone, Debug, Default)]
pub struct Maps {
    pub(super) rules: Vec<Arc<Rule>>,
    pub(super) exact: FxHashMap<Box<str>, usize>,
    /// `[EXACT]` keys by the canonical spelling of the image they name.
    pub(super) exact_canonical: FxHashMap<Box<str>, Vec<usize>>,
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
    pub(super) fn from_rules(rules: Vec<Rule>, allow_chained: bool) -> Self {
        let mut maps = Self { allow_chained, ..Self::default() };
        let mut globs = Vec::new();
        for (number, rule) in rules.iter().enumerate() {
            match rule.kind {
                RuleKind::Exact => {
                    maps.exact.insert(rule.key.clone(), number);
                    let key = ImageReference::parse(&rule.key).expect("an [EXACT] key is a reference");
                    maps.exact_canonical.entry(key.canonical().into()).or_default().push(number);
                }
                RuleKind::Replace => {
                    let glob = Glob::new(&rule.key).expect("a [REPLACE] key is a glob that compiles");
                    globs.push((glob, number));
                }
                RuleKind::Registry | RuleKind::Path => {
                    let name = rule.name.as_ref().expect("registry and path rules have a name");
                    maps.names.insert(name, number);
                }
                RuleKind::NoSwap => {
                    maps.noswap = Some(number);
                    maps.substrings = match &rule.parsed {
                        RuleValue::Substrings(entries) => Substrings::new(entries),
                        RuleValue::Empty
                        | RuleValue::Reference
                        | RuleValue::Name { .. }
                        | RuleValue::Dash
                        | RuleValue::Template { .. } => None,
                    };
                }
                RuleKind::Default => maps.default = Some(number),
                RuleKind::Legacy => maps.legacy = Some(number),
            }
            if rule.kind != RuleKind::Legacy {
                maps.targets.add(rule, number);
            }
        }
        // A key that names the image itself, docker.io/library/nginx, wins over docker.io/nginx.
        for (number, rule) in rules.iter().enumerate() {
            if let Some(image) = &rule.official_image {
                maps.names.insert(image, number);
            }
        }
        maps.globs = Globs::new(globs);
        // Collecting in place would keep the memory of the larger elements.
        maps.rules.reserve_exact(rules.len());
        maps.rules.extend(rules.into_iter().map(Arc::new));
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

    /// Whether an `[EXACT]` rule has this very key. `image: auto` is an image only then.
    #[must_use]
    pub fn names_exactly(&self, text: &str) -> bool {
        self.exact.contains_key(text)
    }

    /// An `[EXACT]` rule that names the same image in another spelling (`nginx`, `docker.io/library/nginx:latest`), and
    /// so does not apply to it. `None` when one applies.
    #[must_use]
    pub fn exact_in_other_spelling(&self, image: &ImageReference<'_>) -> Option<&Arc<Rule>> {
        if self.exact_canonical.is_empty() || self.exact.contains_key(image.as_str()) {
            return None;
        }
        let number = self.exact_canonical.get(image.canonical().as_str())?.first()?;
        Some(&self.rules[*number])
    }
}
