//! What was asked for and had no use in the run.

use rustc_hash::FxHashSet;

use crate::manifest::PlaceSpec;
use crate::report::{Level, Message};
use crate::rewrite::{Plan, SkipRule, Uses};

use super::super::engines::Engines;
use super::RunOptions;
use super::outcome::FileOutcome;

/// Learns from `plan` what is of use, as far as somebody wants to know.
pub(super) fn learn(uses: &mut Uses, plan: &Plan, skips: &[SkipRule], options: RunOptions<'_>) {
    uses.learn_skips(plan, skips);
    if options.verbose {
        uses.learn_rules(plan);
    }
}

/// Adds a warning for each flag that names what is nowhere, and with `--verbose` a note for each rule that decided about no
/// image.
pub(super) fn unused(
    all: &mut FileOutcome,
    engines: &Engines,
    skips: &[SkipRule],
    uses: &Uses,
    options: RunOptions<'_>,
) {
    let mut say = |level, text: &str| {
        let message = Message { level, file: None, location: None, text };
        options.report.message(&mut all.pages, &message);
    };
    for rule in uses.unused_skips(skips) {
        say(Level::Warning, &format!("--skip='{rule}' matched no image"));
    }
    let all_engines = engines.all();
    let missed = |place: &PlaceSpec| {
        all_engines.iter().all(|engine| engine.scanner.missed_places().any(|missed| missed == place))
    };
    for spec in all_engines[0].scanner.missed_places().filter(|place| missed(place)) {
        let place = spec.to_string();
        if spec.is_format() {
            say(Level::Warning, &format!("--{} matched no file", place.replacen(':', "=", 1)));
            continue;
        }
        let (flag, name) = match place.split_once(':') {
            Some(parts @ ("env" | "arg" | "annotation" | "data" | "images-list", _)) => parts,
            _ => ("field", &*place),
        };
        say(Level::Warning, &format!("--{flag}='{name}' matched no image"));
    }
    // Where images could not be decided about, a rule may be meant for these.
    if options.verbose && !all.summary.has_errors() {
        // A rule of --maps is in several maps.
        let rules = || all_engines.iter().flat_map(|engine| engine.maps.rules());
        let of_use: FxHashSet<String> =
            rules().filter(|rule| uses.has(rule)).map(ToString::to_string).collect();
        let mut said = FxHashSet::default();
        for rule in rules().map(ToString::to_string).filter(|rule| !of_use.contains(rule)) {
            if said.insert(rule.clone()) {
                say(Level::Note, &format!("{rule} matched no image"));
            }
        }
    }
}
