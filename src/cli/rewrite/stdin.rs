//! `imageswap rewrite -`: standard input to standard output.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};

use crate::manifest::encoding;
use crate::report::{Level, Pages, Summary};
use crate::rewrite::Uses;

use super::super::args::RewriteArgs;
use super::super::engines::Engines;
use super::super::exit_code::ExitCode;
use super::super::pin::{self, Pinning};
use super::super::{stderr, stdio};
use super::outcome::FileOutcome;
use super::unused::{learn, unused};
use super::{Destination, RunOptions, exit_code, say_read_slowly};

/// What reports call standard input.
const NAME: &str = "-";

/// Rewrites standard input, or what was `read` of it already.
pub(super) fn run(
    args: &RewriteArgs,
    engines: &Engines,
    destination: Destination<'_>,
    options: RunOptions<'_>,
    read: Option<&[u8]>,
    mut pinning: Option<&mut Pinning>,
) -> Result<ExitCode> {
    let (engine, options) = (&engines.all()[0], options.with(engines.settings_of(Path::new(NAME))));
    let bytes = read.map_or_else(|| stdio::read().map(Cow::Owned), |read| Ok(Cow::Borrowed(read)))?;
    let bytes = &*bytes;
    let text = encoding::decode(bytes).context("standard input")?;
    let mut plan = engine.plan_alone(text);
    engine.list_mentions(text, &mut plan);
    let mut remarks = Vec::new();
    if let Some(pinning) = pinning.as_deref_mut().filter(|_| plan.errors.is_empty()) {
        pinning.note(&plan);
        let pullers = args.online.then_some(|| pin::online::pullers_of(text));
        pinning.ask_registries(pullers, stderr::is_watched() && !options.quiet)?;
        remarks = pinning.settler().settle(engine, &mut plan, options.check);
    }
    let mut outcome = FileOutcome { summary: Summary::of_file(), ..FileOutcome::default() };
    outcome.rules(options, engines);
    if text.trim_ascii().is_empty() {
        // What a pipe brings whose first command failed.
        let text = "standard input is empty";
        if options.strict {
            outcome.error(options, NAME, text);
        } else {
            outcome.message(options, Level::Warning, NAME, text);
        }
    }
    for error in &plan.errors {
        outcome.document_error(options, NAME, error);
    }
    outcome.plan(NAME, &plan, &remarks, options);
    let (mut uses, skips) = (Uses::default(), &args.find.skip);
    learn(&mut uses, &plan, skips, options);
    unused(&mut outcome, engines, skips, &uses, options);
    outcome.diff(Path::new("stdin"), text, &plan, options)?;
    let good = plan.errors.is_empty() && (args.keep_going || !outcome.summary.has_errors());
    let written = good && destination.writes();
    if written && let Some(pinning) = pinning {
        pinning.save()?;
    }
    let mut end = Pages::default();
    options.report.summary(&mut end, &outcome.summary, destination.ending(written));
    stderr::print(&outcome.pages.messages);
    let parts = [&*outcome.pages.report, &*end.report];
    let success = !outcome.summary.has_errors();
    let report = options.report.document(&parts, success).unwrap_or_else(|| parts.concat());
    let mut stdout = io::stdout().lock();
    if options.result_on_stdout {
        stderr::print(&report);
    } else {
        stdout.write_all(report.as_bytes())?;
    }
    match destination {
        Destination::Nowhere => stdout.write_all(outcome.result.as_bytes())?,
        Destination::Stdout if written => stdio::print_edited(text, &plan.edits())?,
        Destination::Folder(folder) if written => {
            super::tree::write_one(folder, "stdin.yaml", text, &plan.edits())?;
        }
        Destination::Stdout | Destination::Folder(_) | Destination::InPlace => {}
    }
    stdout.flush()?;
    stderr::print(&end.messages);
    say_read_slowly(&outcome.summary, options);
    Ok(exit_code(&outcome.summary, options))
}
