//! What a run of the function did, in one line: hosts show only the first few.

use std::collections::BTreeMap;

use crate::rewrite::Skip;

/// Counts of images.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// Images that become others.
    pub(super) changes: usize,
    /// Images that the rules decide about, changed or not, or that are left alone.
    pub(super) images: usize,
    /// Images that nothing is decided about, by reason.
    pub(super) left_alone: BTreeMap<&'static str, usize>,
    /// What only may be images: not looked at.
    pub(super) unchecked: usize,
}

impl Summary {
    pub(super) fn skip(&mut self, skip: &Skip) {
        *self.left_alone.entry(skip.reason.category()).or_default() += 1;
    }

    /// `2 of 5 images changed, 1 left alone (1 templated)`
    pub(super) fn text(&self, done: &str) -> String {
        let noun = if self.images == 1 { "image" } else { "images" };
        let mut text = format!("{} of {} {noun} {done}", self.changes, self.images);
        let left_alone: usize = self.left_alone.values().sum();
        if left_alone > 0 {
            let reasons: Vec<_> = self.left_alone.iter().map(|(why, n)| format!("{n} {why}")).collect();
            text.push_str(&format!(", {left_alone} left alone ({})", reasons.join(", ")));
        }
        if self.unchecked > 0 {
            text.push_str(&format!(", {} that only look like images not checked", self.unchecked));
        }
        text
    }
}
