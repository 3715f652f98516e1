//! What is logged of a review: a line for each that changed something or went wrong, and with `debug` for each.

use std::fmt;

use super::admission::{Facts, ReviewOutcome, Swap};

/// How many images a line names.
const NAMED: usize = 20;

/// Logs a review that was answered in `micros`.
pub(super) fn review(facts: &Facts, micros: u64) {
    let Facts { uid, kind, namespace, name, .. } = facts;
    let (operation, outcome) = (facts.operation.as_str(), facts.outcome.as_str());
    let message = facts.message.as_deref();
    let warnings = facts.warnings.len();
    match facts.outcome {
        ReviewOutcome::Patched | ReviewOutcome::WouldPatch => {
            let (changed, images, dry_run) = (facts.swaps.len(), Images(&facts.swaps), facts.dry_run);
            tracing::info!(
                uid, operation, kind, namespace, name, outcome, changed, %images, warnings, dry_run, micros,
                "review"
            );
        }
        ReviewOutcome::Denied => {
            tracing::warn!(uid, operation, kind, namespace, name, outcome, message, micros, "review");
        }
        ReviewOutcome::Failed => {
            tracing::error!(uid, operation, kind, namespace, name, outcome, message, micros, "review");
        }
        ReviewOutcome::Unchanged | ReviewOutcome::Skipped => {
            tracing::debug!(uid, operation, kind, namespace, name, outcome, warnings, micros, "review");
        }
    }
}

/// The first images that are swapped, on one line.
struct Images<'a>(&'a [Swap]);

impl fmt::Display for Images<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, Swap { path, from, to }) in self.0.iter().take(NAMED).enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            write!(f, "{comma}{path}: {from} -> {to}")?;
        }
        Ok(())
    }
}
