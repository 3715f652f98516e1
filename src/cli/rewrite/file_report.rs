//! What a run over files says, and printing it.

use std::io::{self, Write};

use anyhow::Result;

use crate::files::{FileError, FoundFile, PassedOverReason, WalkOptions, Walked, Warning, WarningKind, walk};
use crate::manifest::base_images;
use crate::report::{Level, Message, Pages, Summary};

use super::super::args::RewriteArgs;
use super::super::{stderr, tree};
use super::outcome::FileOutcome;
use super::{Destination, RunOptions, say_read_slowly};

/// What there is to say about a file: an [`FileOutcome`] without its counts and spare room, since a large tree has many.
pub(super) struct FileReport {
    report: Box<str>,
    messages: Box<str>,
    result: Box<str>,
    /// How many images of the file change.
    pub(super) changes: usize,
}

impl From<&mut FileOutcome> for FileReport {
    fn from(outcome: &mut FileOutcome) -> Self {
        let take = |text: &mut String| std::mem::take(text).into_boxed_str();
        Self {
            report: take(&mut outcome.pages.report),
            messages: take(&mut outcome.pages.messages),
            result: take(&mut outcome.result),
            changes: outcome.summary.changes(),
        }
    }
}

/// Adds what the walk could not read, passed over, or did not find.
pub(super) fn remarks(all: &mut FileOutcome, walked: &Walked, options: RunOptions<'_>) {
    for skipped in &walked.skipped {
        all.summary.passed_over(tree::passed_over(skipped.reason));
        if options.verbose {
            let path = skipped.path.display().to_string();
            let text = format!("{path}: passed over: {}", tree::why(skipped.reason));
            all.message(options, Level::Note, &path, &text);
            if skipped.reason == PassedOverReason::Dockerfile {
                let dockerfile = std::fs::read_to_string(&skipped.path).unwrap_or_default();
                for (line, image) in base_images(&dockerfile) {
                    let text = format!("{path}:{line}: FROM {image}: not rewritten");
                    all.message(options, Level::Note, &path, &text);
                }
            }
        }
    }
    for error in &walked.errors {
        all.error(options, &error.path().display().to_string(), &stderr::with_hint(error, tree::hint(error)));
    }
    let (empty, globs) = tree::remarks(walked);
    for (folder, text) in &empty {
        if options.strict {
            all.error(options, folder, text);
        } else {
            all.message(options, Level::Warning, folder, text);
        }
    }
    for text in &globs {
        let message = Message { level: Level::Warning, file: None, location: None, text };
        options.report.message(&mut all.pages, &message);
    }
}

/// Adds a note on each file that is not read because an ignore file names it.
pub(super) fn ignored(
    all: &mut FileOutcome,
    walked: &Walked,
    args: &RewriteArgs,
    walk_options: WalkOptions,
    options: RunOptions<'_>,
) -> Result<()> {
    if walk_options.no_ignore {
        return Ok(());
    }
    let everything = walk(&args.paths, &WalkOptions { no_ignore: true, ..walk_options })?;
    let is_read = |found: &FoundFile| {
        walked.files.binary_search_by(|file| file.path.as_os_str().cmp(found.path.as_os_str())).is_ok()
    };
    for found in everything.files.iter().filter(|found| !is_read(found)) {
        let path = found.path.display().to_string();
        all.message(options, Level::Note, &path, &format!("{path}: passed over: an ignore file names it"));
    }
    Ok(())
}

/// Prints what there is to print.
pub(super) fn show(
    parts: &[FileReport],
    destination: Destination<'_>,
    options: RunOptions<'_>,
    written: bool,
    summary: &Summary,
) -> Result<()> {
    for part in parts.iter().filter(|part| !part.messages.is_empty()) {
        stderr::print(&part.messages);
    }
    let reports: Vec<&str> =
        parts.iter().map(|part| &*part.report).filter(|report| !report.is_empty()).collect();
    let document = options.report.document(&reports, !summary.has_errors());
    let reports = document.as_deref().map_or(reports, |document| vec![document]);
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    if options.result_on_stdout {
        let mut stderr = io::BufWriter::new(io::stderr().lock());
        // A closed standard error is nobody's error.
        let _ = reports.iter().try_for_each(|report| stderr.write_all(report.as_bytes()));
        if destination == Destination::Nowhere || written {
            write_results(parts, destination, &mut stdout)?;
        }
    } else {
        reports.iter().try_for_each(|report| stdout.write_all(report.as_bytes()))?;
    }
    Ok(stdout.flush()?)
}

/// Reports what was not reported before, and the summary.
pub(super) fn report_last(
    mut reports: Vec<FileReport>,
    mut end: FileOutcome,
    summary: &Summary,
    destination: Destination<'_>,
    options: RunOptions<'_>,
    written: bool,
) -> Result<()> {
    let mut last = Pages::default();
    options.report.summary(&mut last, summary, destination.ending(written));
    end.pages.report.push_str(&last.report);
    reports.push(FileReport::from(&mut end));
    let shown = show(&reports, destination, options, written, summary);
    stderr::print(&last.messages);
    say_read_slowly(summary, options);
    shown.map_err(|error| match error {
        error if written && destination != Destination::Stdout && !stderr::is_closed_pipe(&error) => {
            error.context("the files are written, but the report is not")
        }
        error => error,
    })
}

/// Writes the files' results; manifests are kept apart by `---`.
fn write_results(parts: &[FileReport], destination: Destination<'_>, out: &mut impl Write) -> io::Result<()> {
    let results = parts.iter().map(|part| &*part.result).filter(|result| !result.is_empty());
    for (number, result) in results.enumerate() {
        if destination == Destination::Stdout && number > 0 {
            if result.starts_with('%') {
                out.write_all(b"...\n")?;
            } else if !result.starts_with("---") {
                out.write_all(b"---\n")?;
            }
        }
        out.write_all(result.as_bytes())?;
    }
    Ok(())
}

/// Adds what went wrong when the files were put into place, and what users should know of those that were.
pub(super) fn failures(
    all: &mut FileOutcome,
    failed: &[FileError],
    warnings: &[Warning],
    options: RunOptions<'_>,
) {
    for error in failed {
        let message = stderr::with_hint(error, error.hint());
        all.error(options, &error.path().display().to_string(), &message);
    }
    for warning in warnings {
        let path = warning.path.display().to_string();
        let text = match &warning.kind {
            WarningKind::HardLink { others } => {
                let names = stderr::count(usize::try_from(*others).unwrap_or(usize::MAX), "other name");
                format!("{path}: had {names} (hard links), which keep the old content")
            }
            WarningKind::Owner(change) => {
                format!("{path}: belongs to user {} now, not to {}", change.to, change.from)
            }
            WarningKind::Group(change) => {
                let (to, from) = (change.to, change.from);
                format!(
                    "{path}: belongs to group {to} now, not to {from}, and gives it no more than everybody"
                )
            }
        };
        all.message(options, Level::Warning, &path, &text);
    }
}
