//! `imageswap rewrite`

mod file_report;
mod outcome;
mod output;
mod stdin;
mod tree;
mod unused;

use std::path::Path;

use anyhow::{Result, bail};

use crate::report::diff::DiffStyle;
use crate::report::{Ending, GithubReport, JsonReport, Level, Report, SarifReport, Summary, TextReport};

use super::args::{Policy, RewriteArgs, RewriteFormat, Verbosity};
use super::engines::Engines;
use super::exit_code::ExitCode;
use super::pin::{Pinning, online};
use super::rules::RuleSettings;
use super::{settings, stderr};

/// Where the new manifests go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Destination<'a> {
    /// Over the old ones.
    InPlace,
    /// Into a folder, the old ones stay.
    Folder(&'a Path),
    /// To standard output.
    Stdout,
    /// Nowhere: it is only shown.
    Nowhere,
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

/// What a run is asked for besides rewriting: what it reports, and what makes it fail.
#[derive(Clone, Copy)]
struct RunOptions<'r> {
    report: &'r dyn Report,
    /// Whether standard output holds the result, so that the report goes to standard error.
    result_on_stdout: bool,
    /// What would change fails the run.
    check: bool,
    /// What would change is shown as a diff.
    diff: bool,
    quiet: bool,
    verbose: bool,
    strict: bool,
    /// What to do about an image that no rule covers; `None` leaves it to what is set beside the rules.
    on_unmapped: Option<Policy>,
    on_mention: Policy,
    diff_style: DiffStyle,
}

impl RunOptions<'_> {
    /// The options for a file with these settings.
    fn with(self, settings: &RuleSettings) -> Self {
        Self { on_unmapped: self.on_unmapped.or(Some(settings.on_unmapped.into())), ..self }
    }
}

/// Rewrites what the arguments name.
pub fn run(args: &RewriteArgs) -> Result<ExitCode> {
    run_on(args, None)
}

/// Rewrites what the arguments name; of standard input, `read` is what was read already.
pub fn run_on(args: &RewriteArgs, read: Option<&[u8]>) -> Result<ExitCode> {
    anstream::ColorChoice::from(args.color).write_global();
    let from_stdin = args.paths.iter().any(|path| path == Path::new("-"));
    if from_stdin && args.paths.len() > 1 {
        bail!("'-' (standard input) cannot be combined with other paths");
    }
    let mut destination = destination(args, from_stdin);
    let walked = (!from_stdin).then(|| tree::find(args, destination)).transpose()?;
    let engines = match &walked {
        Some(walked) => Engines::new(&args.maps, &args.find, &args.formats, &args.paths, &walked.files)?,
        None => Engines::of_stdin(&args.maps, &args.find, &args.formats)?,
    };
    let mut engines = engines.or_none_given()?;
    let validates = engines.settings().find_map(|settings| settings.validate.as_deref());
    if validates.is_some() {
        destination = Destination::Nowhere;
    }
    if args.verbosity.verbose {
        engines.origins().iter().for_each(|origin| stderr::print(&format!("{origin}\n")));
    }
    if let Some(name) = validates.filter(|_| !(args.verbosity.quiet || args.check)) {
        stderr::print(&format!(
            "note: {name} says validate: true, so this is a check and nothing is written\n"
        ));
    }
    let report = report(args);
    if args.format.is_annotations() && (args.diff || destination == Destination::Stdout) {
        bail!(
            "--format sarif and github say what would change, and cannot be combined with --diff or --output -"
        );
    }
    let options = RunOptions {
        report: &*report,
        check: args.check || validates.is_some(),
        diff: args.diff,
        // A report in JSON holds the diff itself.
        result_on_stdout: match destination {
            Destination::Stdout => true,
            Destination::Nowhere => args.diff && args.format == RewriteFormat::Text,
            Destination::InPlace | Destination::Folder(_) => false,
        },
        quiet: args.verbosity.quiet,
        verbose: args.verbosity.verbose,
        strict: args.strict,
        on_unmapped: args.on_unmapped,
        on_mention: args.on_mention.unwrap_or(if args.strict { Policy::Error } else { Policy::Ignore }),
        diff_style: if args.format == RewriteFormat::Text && is_coloured() {
            DiffStyle::coloured()
        } else {
            DiffStyle::plain()
        },
    };
    if options.on_mention != Policy::Ignore {
        engines.list_mentions();
    }
    let files = walked.as_ref().map(|walked| &walked.files[..]);
    let threads = settings::threads(&args.walk, files);
    engines.share_threads(threads, files.map_or(1, <[_]>::len));
    let mut pinning = Pinning::of_engines(&args.pin, engines.settings(), &args.registry)?;
    if let Some(pinning) = &pinning {
        engines.note_pins(|number| pinning.is_for(number));
    }
    if args.online {
        online::refuse_without(pinning.as_ref())?;
    }
    match walked {
        None => stdin::run(args, &engines, destination, options, read, pinning.as_mut()),
        Some(walked) => tree::run(args, &walked, &engines, threads, destination, options, pinning.as_mut()),
    }
}

/// How a run with this summary ends.
fn exit_code(summary: &Summary, options: RunOptions<'_>) -> ExitCode {
    if summary.has_errors() {
        ExitCode::Error
    } else if options.check && summary.has_changes() {
        ExitCode::Changes
    } else {
        ExitCode::Done
    }
}

/// Says how many documents took the slow way, to those who want to know more.
fn say_read_slowly(summary: &Summary, options: RunOptions<'_>) {
    if options.verbose && summary.read_slowly() > 0 {
        let documents = stderr::count(summary.read_slowly(), "document");
        stderr::print(&format!("read by the full YAML reader, which is slower: {documents}\n"));
    }
}

/// The report that `args` ask for.
pub fn report(args: &RewriteArgs) -> Box<dyn Report> {
    let Verbosity { quiet, verbose } = args.verbosity;
    let text = TextReport { verbose, quiet };
    // With `--check` a pending change is an error; otherwise it is a note.
    let change = if args.check { Level::Error } else { Level::Note };
    match args.format {
        RewriteFormat::Text => Box::new(text),
        RewriteFormat::Json => Box::new(JsonReport),
        RewriteFormat::Sarif => Box::new(SarifReport { change }),
        RewriteFormat::Github => Box::new(GithubReport { change, text }),
    }
}

fn destination(args: &RewriteArgs, from_stdin: bool) -> Destination<'_> {
    match &args.output {
        _ if args.check || args.diff || args.dry_run => Destination::Nowhere,
        Some(output) if output == Path::new("-") => Destination::Stdout,
        Some(folder) => Destination::Folder(folder),
        None if from_stdin => Destination::Stdout,
        None => Destination::InPlace,
    }
}

/// Whether standard output is to be coloured: as asked for, else on a terminal, unless `NO_COLOR` is set (no-color.org).
fn is_coloured() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}
