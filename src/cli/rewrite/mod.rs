//! `imageswap rewrite`

mod outcome;
mod stdin;
mod tree;

use std::path::Path;

use anyhow::{Result, bail};

use crate::report::diff::DiffStyle;
use crate::report::{Ending, JsonReport, Report, TextReport};

use super::args::{ColourChoice, OnUnmapped, ReportFormat, RewriteArgs};
use super::exit_code::ExitCode;
use super::signals::Signals;
use super::{rules, settings, speech};

/// Where the new manifests go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Destination<'a> {
    /// Over the old ones.
    InPlace,
    /// Into a folder, the old ones stay.
    Folder(&'a Path),
    /// To standard output.
    Stdout,
    /// Nowhere: `--check`
    Check,
    /// Nowhere: `--diff`
    Diff,
    /// Nowhere: `--dry-run`
    DryRun,
}

impl Destination<'_> {
    /// Whether something is written.
    fn writes(self) -> bool {
        matches!(self, Self::InPlace | Self::Folder(_) | Self::Stdout)
    }

    /// How a run with this destination ends, for its summary.
    fn ending(self, written: bool) -> Ending {
        match (self.writes(), written) {
            (true, true) => Ending::Written,
            (true, false) => Ending::NotWritten,
            (false, _) => Ending::OnlyShown,
        }
    }
}

/// How the run speaks and what it minds.
#[derive(Clone, Copy)]
struct Manner<'r> {
    report: &'r dyn Report,
    /// Whether standard output holds the result, so that the report goes to standard error.
    result_on_stdout: bool,
    quiet: bool,
    verbose: bool,
    strict: bool,
    on_unmapped: OnUnmapped,
    diff_style: DiffStyle,
}

/// Rewrites what the arguments name.
pub fn run(args: &RewriteArgs) -> Result<ExitCode> {
    run_on(args, None)
}

/// Rewrites what the arguments name; of standard input, `read` is what was read already.
pub fn run_on(args: &RewriteArgs, read: Option<&[u8]>) -> Result<ExitCode> {
    let from_stdin = args.paths.iter().any(|path| path == Path::new("-"));
    if from_stdin && args.paths.len() > 1 {
        bail!("'-' (standard input) cannot be combined with other paths");
    }
    let destination = destination(args, from_stdin);
    let first = (!from_stdin).then(|| args.paths[0].as_path());
    let here = Path::new(".");
    let maps = rules::load(&args.maps, first.or(Some(here)), !from_stdin, args.verbosity.quiet)?
        .ok_or_else(rules::none_given)?;
    let engine = settings::engine(&args.find, maps);
    let report: &dyn Report = match args.format {
        ReportFormat::Text => &TextReport { verbose: args.verbosity.verbose, quiet: args.verbosity.quiet },
        ReportFormat::Json => &JsonReport,
    };
    let manner = Manner {
        report,
        // A report in JSON holds the diff itself.
        result_on_stdout: match destination {
            Destination::Stdout => true,
            Destination::Diff => args.format == ReportFormat::Text,
            Destination::InPlace | Destination::Folder(_) | Destination::Check | Destination::DryRun => false,
        },
        quiet: args.verbosity.quiet,
        verbose: args.verbosity.verbose,
        strict: args.strict,
        on_unmapped: args.on_unmapped,
        diff_style: if args.format == ReportFormat::Text && is_coloured(args.color) {
            DiffStyle::coloured()
        } else {
            DiffStyle::plain()
        },
    };
    if from_stdin {
        return stdin::run(&engine, destination, manner, args.keep_going, read);
    }
    let signals = Signals::watch()?;
    let result = tree::run(args, &engine, destination, manner, signals.flag());
    if signals.came()
        && let Err(error) = &result
    {
        speech::error(&format!("{error:#}"));
    }
    signals.obey();
    result
}

fn destination(args: &RewriteArgs, from_stdin: bool) -> Destination<'_> {
    match &args.output {
        _ if args.check => Destination::Check,
        _ if args.diff => Destination::Diff,
        _ if args.dry_run => Destination::DryRun,
        Some(output) if output == Path::new("-") => Destination::Stdout,
        Some(folder) => Destination::Folder(folder),
        None if from_stdin => Destination::Stdout,
        None => Destination::InPlace,
    }
}

/// Whether standard output is to be coloured: on a terminal, unless `NO_COLOR` is set (no-color.org).
fn is_coloured(choice: ColourChoice) -> bool {
    match choice {
        ColourChoice::Always => true,
        ColourChoice::Never => false,
        ColourChoice::Auto => {
            anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
        }
    }
}
