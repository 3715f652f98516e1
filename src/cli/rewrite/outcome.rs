//! What became of one file, and what a report says of it.

use std::path::Path;

use crate::manifest::{DocumentError, Lines, NoteKind};
use crate::report::{Level, Location, Message, Pages, ReportEntry, Summary, diff};
use crate::rewrite::{Plan, Skip, Unread};

use super::super::args::Policy;
use super::super::engines::Engines;
use super::super::pin::Remark;
use super::super::stderr;
use super::RunOptions;

/// What became of a file.
#[derive(Debug, Default)]
pub(super) struct FileOutcome {
    /// The report, and errors and warnings for people.
    pub(super) pages: Pages,
    /// The diff, or the manifests for standard output.
    pub(super) result: String,
    /// The counts.
    pub(super) summary: Summary,
}

impl FileOutcome {
    /// Adds an error about the file, or about the whole run.
    pub(super) fn error(&mut self, options: RunOptions<'_>, file: &str, text: &str) {
        self.summary.errors(1);
        self.message(options, Level::Error, file, text);
    }

    /// Adds what is to be said about the rules.
    pub(super) fn rules(&mut self, options: RunOptions<'_>, engines: &Engines) {
        for warning in engines.warnings() {
            let fails = options.strict && warning.is_grave;
            if fails {
                self.summary.errors(1);
            }
            if fails || !options.quiet {
                let level = if fails { Level::Error } else { Level::Warning };
                warning.report(level, options.report, &mut self.pages);
            }
        }
    }

    /// Adds something about the file.
    pub(super) fn message(&mut self, options: RunOptions<'_>, level: Level, file: &str, text: &str) {
        let message = Message { level, file: Some(file), location: None, text };
        options.report.message(&mut self.pages, &message);
    }

    /// Adds a document that does not parse.
    pub(super) fn document_error(&mut self, options: RunOptions<'_>, file: &str, error: &DocumentError) {
        self.summary.errors(1);
        let location = Some(Location::from(error));
        let message = Message { level: Level::Error, file: Some(file), location, text: &error.message };
        options.report.message(&mut self.pages, &message);
    }

    /// Says that a file that does not parse may be a template, with the first braces of its `text` at byte `at`.
    pub(super) fn may_be_template(&mut self, options: RunOptions<'_>, file: &str, text: &str, at: usize) {
        let location = Some(Location { document: None, position: Lines::new(text).position(at) });
        let text = "contains {{: use --templates for Helm charts, or --exclude";
        let message = Message { level: Level::Note, file: Some(file), location, text };
        options.report.message(&mut self.pages, &message);
    }

    /// Counts a file that does not parse and that nobody meant as a manifest; `verbose` names it.
    pub(super) fn unread(
        &mut self,
        options: RunOptions<'_>,
        file: &str,
        why: Unread,
        errors: &[DocumentError],
    ) {
        self.summary.unread(why);
        if options.verbose
            && let Some(error) = errors.first()
        {
            let text = format!("passed over, {}: {}", why.as_str(), error.message);
            let message = Message {
                level: Level::Note,
                file: Some(file),
                location: Some(Location::from(error)),
                text: &text,
            };
            options.report.message(&mut self.pages, &message);
        }
    }

    /// Adds what the plan says, and counts it.
    pub(super) fn plan(&mut self, file: &str, plan: &Plan, remarks: &[Remark], options: RunOptions<'_>) {
        self.summary.plan(plan);
        let fails = |skip: &Skip| options.strict && skip.reason.fails_strict();
        let heard = |level: &Level| !options.quiet || *level == Level::Error;
        let mut entries: Vec<ReportEntry<'_>> = plan.problems.iter().map(ReportEntry::Problem).collect();
        if let Some(level) = options.on_unmapped.and_then(Policy::level).filter(heard) {
            let kept = plan.kept.iter().filter(|kept| kept.unmapped);
            entries.extend(kept.map(|kept| ReportEntry::Unmapped { site: &kept.site, level }));
        }
        if let Some(level) = options.on_mention.level().filter(heard) {
            entries.extend(plan.unchecked.iter().map(|site| ReportEntry::Unchecked { site, level }));
        }
        let remarks = remarks.iter().filter(|remark| heard(&remark.level));
        entries.extend(remarks.map(|Remark { site, level, status, text }| ReportEntry::Digest {
            site,
            level: *level,
            status,
            text,
        }));
        if options.strict {
            let alone = plan.changes.iter().filter(|change| change.site.place.is_of_manifest());
            let alone = alone.filter(|change| !change.site.is_in_resource());
            entries.extend(alone.map(|change| ReportEntry::NoResource { site: &change.site }));
        }
        let failing = plan.skips.iter().filter(|skip| fails(skip));
        entries.extend(failing.map(|skip| ReportEntry::LeftAlone { skip, fails: true }));
        let is_error = |entry: &&ReportEntry<'_>| {
            !matches!(
                entry,
                ReportEntry::Unmapped { level: Level::Note | Level::Warning, .. }
                    | ReportEntry::Unchecked { level: Level::Note | Level::Warning, .. }
                    | ReportEntry::Digest { level: Level::Note | Level::Warning, .. }
            )
        };
        self.summary.errors(entries.iter().filter(is_error).count());
        self.add(file, &entries, options);
        if options.quiet {
            return;
        }
        let worth_saying = |kind: NoteKind| options.verbose || kind != NoteKind::Alias;
        let mut entries: Vec<ReportEntry<'_>> = plan.changes.iter().map(ReportEntry::Change).collect();
        let left = plan.skips.iter().filter(|skip| !fails(skip));
        entries.extend(left.map(|skip| ReportEntry::LeftAlone { skip, fails: false }));
        entries.extend(plan.notes.iter().filter(|note| worth_saying(note.kind)).map(ReportEntry::Note));
        if options.verbose {
            entries.extend(plan.kept.iter().map(ReportEntry::Kept));
        }
        entries.sort_by_key(ReportEntry::position);
        self.add(file, &entries, options);
        for (kind, more) in plan.notes.not_kept().filter(|(kind, _)| worth_saying(*kind)) {
            let text = format!("{file}: {} more: {}", stderr::count(more, "note"), kind.as_str());
            self.message(options, Level::Note, file, &text);
        }
    }

    fn add(&mut self, file: &str, entries: &[ReportEntry<'_>], options: RunOptions<'_>) {
        entries.iter().for_each(|entry| options.report.entry(&mut self.pages, file, entry));
    }

    /// Adds the diff of the file, where one is wanted.
    pub(super) fn diff(
        &mut self,
        path: &Path,
        source: &str,
        plan: &Plan,
        options: RunOptions<'_>,
    ) -> std::io::Result<()> {
        if !options.diff || plan.changes.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::new();
        diff::unified(path, source, &plan.edits(), &options.diff_style, &mut bytes)?;
        let diff = String::from_utf8_lossy(&bytes);
        if !options.report.diff(&mut self.pages, &path.to_string_lossy(), &diff) {
            self.result.push_str(&diff);
        }
        Ok(())
    }
}
