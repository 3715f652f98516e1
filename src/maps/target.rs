//! Where rules lead to, and the guard that keeps what lies there from being rewritten again.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::image::ImageReference;

use super::name::NamePrefix;
use super::rule::{KeyFront, Rule, RuleKind};
use super::rule_value::RuleValue;
use super::table::{NameTable, TextTable, dash_prefixes};

/// The targets of all rules, each with the number of the first rule that leads there.
///
/// Targets are the values of registry, path, default and `[REPLACE]` rules, and `[EXACT]` values, which
/// are that reference only, as written (`docs/maps.md`, "Never twice"). Names are compared in their canonical
/// spelling: `nginx` lies under `docker.io/library`.
///
/// A name lies under a target only with the same port. The port of a rule that keeps the image's (host for host,
/// `quay.io::m.io`) is the image's: `quay.io:443/a` becomes `m.io:443/a`, which is where the rule leads to. With
/// the bare `m.io` as its target a default would rewrite that again, and imageswap-webhook's own test of the
/// kept port, whose file has a default, would be a chain.
#[derive(Clone, Debug, Default)]
pub(super) struct Targets {
    /// By the values of `[EXACT]` rules.
    references: TextTable,
    names: NameTable,
    /// Hosts to which a rule leads that keeps the port: names there with any port.
    kept_ports: FxHashMap<Box<str>, u32>,
    /// `m.io/cache-`: paths that start so.
    dash_paths: NameTable,
    /// `m.io-`: hosts that start so, with any port.
    dash_hosts: FxHashMap<Box<str>, u32>,
}

impl Targets {
    /// Where these rules lead to.
    pub(super) fn of(rules: &[Arc<Rule>]) -> Self {
        let mut targets = Self::default();
        targets.names.reserve(rules.iter().filter(|rule| rule.target().is_some()).count());
        for (number, rule) in (0..).zip(rules).filter(|(_, rule)| rule.kind != RuleKind::Legacy) {
            match &rule.parsed {
                RuleValue::Empty | RuleValue::Substrings(_) | RuleValue::Template { target: None, .. } => {}
                RuleValue::Reference => targets.references.insert(number, |number| rules[number].value()),
                RuleValue::Name { .. } | RuleValue::Template { target: Some(_), .. } => {
                    let target = rule.target().expect("these have one");
                    targets.names.insert(target, number);
                    if rule.keeps_port() {
                        targets.kept_ports.entry(target.host.into()).or_insert(number);
                    }
                }
                RuleValue::Dash => targets.add_dash(rule.value(), number),
            }
        }
        targets.names.shrink_to_fit();
        targets
    }

    fn add_dash(&mut self, value: &str, number: u32) {
        if !value.contains('/') {
            self.dash_hosts.entry(value.into()).or_insert(number);
        }
        // The path that starts so: `x` completes the part that the dash leaves open. A value without a `/` may be
        // the start of a path as well: `cache-` and `localhost` make `cache-localhost/x`, a name on Docker Hub.
        let completed = format!("{value}x");
        if let Ok(prefix) = NamePrefix::parse(&completed)
            && let Some(path) = prefix.path.strip_suffix('x')
        {
            self.dash_paths.insert(NamePrefix { path, ..prefix }, number);
        }
    }

    /// The rule to whose target the image belongs, if that keeps a rule from it: `key` is the key of a registry or
    /// path rule, `None` for the default.
    ///
    /// A rule whose key lies strictly under a target is not kept from names there: who writes `m.io/special` as
    /// a key means it. A key lies strictly under a target when it is longer, and has the same port.
    pub(super) fn guards(
        &self,
        rules: &[Arc<Rule>],
        image: ImageReference<'_>,
        key: Option<KeyFront<'_>>,
    ) -> Option<usize> {
        if let Some(number) = self.references.get(image.as_str(), |number| rules[number].value()) {
            return Some(number);
        }
        let (host, port) = (image.canonical_registry(), image.port());
        let path = image.canonical_path();
        let longest = self.names.longest(host, port, &path);
        let longest_dash = self.dash_paths.longest_dash(host, port, &path);
        for (length, number) in [longest, longest_dash].into_iter().flatten() {
            // Key and target are both prefixes of this name, so the longer one lies under the other.
            let strictly_under = key.is_some_and(|key| key.port == port && key.path_length > length);
            if !strictly_under {
                return Some(number);
            }
        }
        if port.is_some()
            && let Some(number) = self.kept_ports.get(host)
            && key.is_none_or(|key| key.path_length == 0)
        {
            return Some(*number as usize);
        }
        // A key that matches this name has the whole host, which is longer than what a host target has of it.
        if key.is_none() {
            return dash_prefixes(host)
                .find_map(|prefix| self.dash_hosts.get(prefix))
                .map(|number| *number as usize);
        }
        None
    }

    /// The rule to whose target some of the images that start with `prefix` belong (`None`: whose name is known), or
    /// those that are written as `is_one` says.
    pub(super) fn behind(
        &self,
        rules: &[Arc<Rule>],
        prefix: Option<NamePrefix<'_>>,
        is_one: impl Fn(&str) -> bool,
    ) -> Option<usize> {
        let references = self.references.numbers().filter(|number| is_one(rules[*number].value()));
        references.min().or_else(|| {
            let prefix = prefix?;
            self.names.under(prefix).or_else(|| self.dash_paths.starting_as(prefix))
        })
    }
}

/// Whether the guard holds rules of this kind back.
pub(super) fn is_guarded(kind: RuleKind) -> bool {
    match kind {
        RuleKind::Registry | RuleKind::Path | RuleKind::Default => true,
        RuleKind::Exact | RuleKind::Replace | RuleKind::NoSwap | RuleKind::Legacy => false,
    }
}
