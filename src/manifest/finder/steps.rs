//! The path to the value at hand. What it shares with the path that was made before is not made again.

use crate::manifest::path::{self, FieldPath, Trunk};

use super::Finder;
use super::frame::{Frame, Mark};

/// A step to the value at hand, and all up to it.
#[derive(Debug)]
pub(super) struct Passed {
    mark: Mark,
    trunk: Trunk,
}

impl Finder<'_, '_> {
    /// The way to the value at hand.
    pub(super) fn path(&mut self) -> FieldPath {
        match self.steps_left.checked_sub(self.frames.len()) {
            Some(left) => self.steps_left = left,
            None => {
                self.found.is_too_much = true;
                return FieldPath::default();
            }
        }
        let ends = self.frames.last().map_or(0, |last| {
            let before = self.frames.len().checked_sub(2).map(|at| self.frames[at].segment());
            path::end_len(before, last.segment())
        });
        let (start, end) = self.frames.split_at(self.frames.len() - ends);
        let same = start.iter().zip(&self.passed).take_while(|(frame, step)| frame.mark() == step.mark);
        let known = same.count();
        self.passed.truncate(known);
        for frame in &start[known..] {
            let before = self.passed.last().map_or_else(Trunk::default, |step| step.trunk.clone());
            self.passed.push(Passed { mark: frame.mark(), trunk: before.then(frame.segment()) });
        }
        let trunk = self.passed.last().map_or_else(Trunk::default, |step| step.trunk.clone());
        FieldPath::new(trunk, end.iter().map(Frame::segment))
    }
}
