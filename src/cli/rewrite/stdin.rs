//! `imageswap rewrite -`: standard input to standard output.

use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, Result};

use crate::manifest::{edit, encoding};
use crate::rewrite::Engine;

use super::super::args::ReportFormat;
use super::super::exit_code::ExitCode;
use super::super::speech;
use super::outcome::Outcome;
use super::summary::Summary;
use super::{Destination, Manner};

/// What reports call standard input.
const NAME: &str = "-";

/// Rewrites standard input, or what was `read` of it already.
pub(super) fn run(
    engine: &Engine,
    destination: Destination<'_>,
    manner: Manner,
    keep_going: bool,
    read: Option<&[u8]>,
) -> Result<ExitCode> {
    let mut bytes = Vec::new();
    let bytes = match read {
        Some(bytes) => bytes,
        None => {
            io::stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
            &bytes
        }
    };
    let text = encoding::decode(bytes).context("standard input")?;
    let plan = engine.plan_alone(text);
    let mut outcome = Outcome { summary: Summary::of_file(), ..Outcome::default() };
    for error in &plan.errors {
        let place = Some((error.document, error.position.line, error.position.column));
        outcome.error(manner, NAME, place, &error.message);
    }
    outcome.plan(NAME, &plan, manner);
    outcome.diff(Path::new("stdin"), text, &plan, destination, manner)?;
    let good = plan.errors.is_empty() && (keep_going || !outcome.summary.has_errors());
    let written = good && destination.writes();
    speech::say(&outcome.speech);
    let mut stdout = io::stdout().lock();
    if manner.format == ReportFormat::Json {
        outcome.summary.json(&mut outcome.report, written);
    }
    if destination.takes_stdout() {
        speech::say(&outcome.report);
    } else {
        stdout.write_all(outcome.report.as_bytes())?;
    }
    match destination {
        Destination::Diff => stdout.write_all(outcome.result.as_bytes())?,
        Destination::Stdout if written => edit::write(text, &plan.edits(), &mut stdout)?,
        Destination::Folder(folder) if written => {
            super::tree::write_one(folder, Path::new("stdin.yaml"), text, &plan.edits())?;
        }
        Destination::Stdout
        | Destination::Folder(_)
        | Destination::InPlace
        | Destination::Check
        | Destination::DryRun => {}
    }
    stdout.flush()?;
    if !manner.quiet && manner.format == ReportFormat::Text {
        speech::say(&outcome.summary.text(destination, written));
    }
    Ok(super::tree::exit_code(&outcome.summary, destination))
}
