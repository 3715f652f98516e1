//! What was asked for and had no use in the run.

use crate::report::{Level, Message};
use crate::rewrite::{Engine, Plan, SkipRule, Uses};

use super::Manner;
use super::outcome::Outcome;

/// Learns from `plan` what is of use, as far as somebody wants to know.
pub(super) fn learn(uses: &mut Uses, plan: &Plan, skips: &[SkipRule], manner: Manner<'_>) {
    uses.learn_skips(plan, skips);
    if manner.verbose {
        uses.learn_rules(plan);
    }
}

/// Adds a warning for each flag that names what is nowhere, and with `--verbose` a note for each rule that decided about no
/// image.
pub(super) fn unused(
    all: &mut Outcome,
    engine: &Engine,
    skips: &[SkipRule],
    uses: &Uses,
    manner: Manner<'_>,
) {
    let mut say = |level, text: &str| {
        let message = Message { level, file: None, location: None, text };
        manner.report.message(&mut all.pages, &message);
    };
    for rule in uses.unused_skips(skips) {
        say(Level::Warning, &format!("--skip='{rule}' matched no image"));
    }
    for place in engine.scanner.missed_places() {
        let place = place.to_string();
        let (flag, name) = match place.split_once(':') {
            Some(parts @ ("env" | "arg" | "annotation" | "data", _)) => parts,
            _ => ("field", &*place),
        };
        say(Level::Warning, &format!("--{flag}='{name}' matched no image"));
    }
    // Where images could not be decided about, a rule may be meant for these.
    if manner.verbose && !all.summary.has_errors() {
        for rule in uses.unused_rules(&engine.maps) {
            say(Level::Note, &format!("{rule} matched no image"));
        }
    }
}
