//! What is to be said about one file, from its plan.

use std::fmt::Write;

use crate::manifest::{Note, NoteKind, Position};
use crate::report::{diff, json, text};
use crate::rewrite::{Change, Decided, Plan, Skip};

use super::super::args::{OnUnmapped, ReportFormat};
use super::summary::Summary;
use super::{Destination, Manner};

/// Something that is said about an image or a place.
enum Item<'p, 'm> {
    Change(&'p Change<'m>),
    Kept(&'p Decided<'m>),
    Skip(&'p Skip),
    Note(&'p Note),
}

impl Item<'_, '_> {
    fn position(&self) -> Position {
        match self {
            Self::Change(change) => change.site.position,
            Self::Kept(kept) => kept.site.position,
            Self::Skip(skip) => skip.site.position,
            Self::Note(note) => note.position,
        }
    }
}

/// Whether an image's being left alone fails the run.
fn fails(skip: &Skip, manner: Manner) -> bool {
    manner.strict && skip.reason.fails_strict()
}

/// What became of a file.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Lines of the report.
    pub(super) report: String,
    /// Errors and warnings, which go to standard error.
    pub(super) speech: String,
    /// The diff, or the manifests for standard output.
    pub(super) result: String,
    /// The counts.
    pub(super) summary: Summary,
}

impl Outcome {
    /// Adds an error about the file or a place in it: document, line and column.
    pub(super) fn error(
        &mut self,
        manner: Manner,
        file: &str,
        place: Option<(usize, usize, usize)>,
        message: &str,
    ) {
        self.summary.errors(1);
        match (manner.format, place) {
            (ReportFormat::Json, _) => json::error(&mut self.report, Some(file), place, message),
            (ReportFormat::Text, Some((document, line, column))) => {
                let _ =
                    writeln!(self.speech, "error: {file}:{line}:{column}: {message} (document {document})");
            }
            (ReportFormat::Text, None) => {
                let _ = writeln!(self.speech, "error: {message}");
            }
        }
    }

    /// Adds what the plan says, and counts it.
    pub(super) fn plan(&mut self, file: &str, plan: &Plan<'_>, manner: Manner) {
        self.summary.plan(plan);
        self.problems(file, plan, manner);
        self.unmapped(file, plan, manner);
        self.strict(file, plan, manner);
        if !manner.quiet {
            self.items(file, plan, manner);
        }
    }

    /// Adds what changes and what does not, in the order of the text.
    fn items(&mut self, file: &str, plan: &Plan<'_>, manner: Manner) {
        let worth_saying = |note: &&Note| manner.verbose || note.kind != NoteKind::Alias;
        let mut items: Vec<Item<'_, '_>> = plan.changes.iter().map(Item::Change).collect();
        items.extend(plan.skips.iter().filter(|skip| !fails(skip, manner)).map(Item::Skip));
        items.extend(plan.notes.iter().filter(worth_saying).map(Item::Note));
        if manner.verbose {
            items.extend(plan.kept.iter().map(Item::Kept));
        }
        items.sort_by_key(Item::position);
        let out = &mut self.report;
        for item in items {
            match (manner.format, item) {
                (ReportFormat::Text, Item::Change(change)) => text::change(out, file, change, manner.verbose),
                (ReportFormat::Text, Item::Kept(kept)) => text::kept(out, file, kept),
                (ReportFormat::Text, Item::Skip(skip)) => text::skip(out, file, skip),
                (ReportFormat::Text, Item::Note(note)) => text::note(out, file, note),
                (ReportFormat::Json, Item::Change(change)) => json::change(out, file, change),
                (ReportFormat::Json, Item::Kept(kept)) => json::kept(out, file, kept),
                (ReportFormat::Json, Item::Skip(skip)) => json::skip(out, file, skip),
                (ReportFormat::Json, Item::Note(note)) => json::note(out, file, note),
            }
        }
    }

    fn problems(&mut self, file: &str, plan: &Plan<'_>, manner: Manner) {
        self.summary.errors(plan.problems.len());
        for problem in &plan.problems {
            match manner.format {
                ReportFormat::Text => text::problem(&mut self.speech, file, problem),
                ReportFormat::Json => json::problem(&mut self.report, file, problem),
            }
        }
    }

    fn unmapped(&mut self, file: &str, plan: &Plan<'_>, manner: Manner) {
        let level = match manner.on_unmapped {
            OnUnmapped::Ignore => return,
            OnUnmapped::Warn => "warning",
            OnUnmapped::Error => "error",
        };
        for kept in plan.kept.iter().filter(|kept| kept.unmapped) {
            self.summary.errors(usize::from(manner.on_unmapped == OnUnmapped::Error));
            match manner.format {
                ReportFormat::Text => text::unmapped(&mut self.speech, file, &kept.site, level),
                ReportFormat::Json => json::unmapped(&mut self.report, file, &kept.site, level),
            }
        }
    }

    /// Adds the images whose being left alone fails the run.
    fn strict(&mut self, file: &str, plan: &Plan<'_>, manner: Manner) {
        for skip in plan.skips.iter().filter(|skip| fails(skip, manner)) {
            self.summary.errors(1);
            match manner.format {
                ReportFormat::Text => text::strict(&mut self.speech, file, skip),
                ReportFormat::Json => json::strict(&mut self.report, file, skip),
            }
        }
    }

    /// Adds the diff of the file, where one is wanted.
    pub(super) fn diff(
        &mut self,
        path: &std::path::Path,
        source: &str,
        plan: &Plan<'_>,
        destination: Destination<'_>,
        manner: Manner,
    ) -> std::io::Result<()> {
        if destination != Destination::Diff || plan.changes.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::new();
        diff::unified(path, source, &plan.edits(), &manner.diff_style, &mut bytes)?;
        self.result.push_str(&String::from_utf8_lossy(&bytes));
        Ok(())
    }
}
