//! The command line: arguments, configuration from the environment, exit codes, one file per subcommand.
//! The only module that knows arguments; it may use every other one.

mod args;
mod auth;
mod bare;
mod bootstrap;
mod completions;
mod copy_self;
mod discover;
mod engines;
mod exit_code;
mod explain;
mod file_kind;
mod function;
mod images;
mod init;
mod kustomized;
mod lint;
mod lock;
mod lock_file;
mod man;
mod manifests;
mod maps_export;
mod maps_import;
mod mirror;
mod pin;
mod plugin;
mod progress;
mod registries;
mod rewrite;
mod rules;
mod runtime;
mod serve;
mod settings;
mod signals;
mod stderr;
mod stdio;
mod tree;
mod verify;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode as Status;

use clap::Parser;

use crate::manifest::Position;
use crate::report::{JsonReport, Level, Location, Message, Pages, Report};

use args::{AuthSubcommand, Cli, Command, ImagesFormat, LockSubcommand, MapsSubcommand, ReportFormat};
use exit_code::ExitCode;
use rules::UnreadableMaps;

/// Runs the command line `args` (the first is the program's name) and says how it ended.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Status {
    let args: Vec<OsString> = args.into_iter().collect();
    if let Some(call) = bare::detect(&args) {
        return ended(bare::run(&call));
    }
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { ExitCode::Error } else { ExitCode::Done };
            // Nothing helps when even this cannot be said.
            let _ = error.print();
            return code.into();
        }
    };
    let result = match &cli.command {
        Command::Rewrite(args) => rewrite::run(args),
        Command::Images(args) => images::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Maps(maps) => match &maps.command {
            MapsSubcommand::Lint(args) => lint::run(args),
            MapsSubcommand::Import(args) => maps_import::run(args),
            MapsSubcommand::Export(args) => maps_export::run(args),
        },
        Command::Lock(lock) => match &lock.command {
            LockSubcommand::Update(args) => lock::update(args),
            LockSubcommand::Diff(args) => lock::diff(args),
        },
        Command::Verify(args) => verify::run(args),
        Command::Mirror(args) => mirror::run(args),
        Command::Auth(auth) => match &auth.command {
            AuthSubcommand::Check(args) => auth::check(args),
        },
        Command::Fn(args) => function::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Manifests(args) => manifests::run(args),
        Command::Init(args) => init::run(args),
        Command::CopySelf(args) => copy_self::run(args),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
    };
    let report: Option<Box<dyn Report>> = match &cli.command {
        Command::Rewrite(args) => Some(rewrite::report(args)),
        Command::Images(args) if args.format == ImagesFormat::Json => Some(Box::new(JsonReport)),
        Command::Explain(args) if args.format == ReportFormat::Json => Some(Box::new(JsonReport)),
        Command::Mirror(args) if args.format == ReportFormat::Json => Some(Box::new(JsonReport)),
        _ => None,
    };
    match (result, report) {
        (Err(error), Some(report)) if !stderr::is_closed_pipe(&error) => {
            failed(&error, &*report);
            ExitCode::Error.into()
        }
        (result, _) => ended(result),
    }
}

/// Says why a run failed in the format of its report.
fn failed(error: &anyhow::Error, report: &dyn Report) {
    let mut pages = Pages::default();
    let mut add = |file, location, text: &str| {
        report.message(&mut pages, &Message { level: Level::Error, file, location, text });
    };
    match error.downcast_ref::<UnreadableMaps>() {
        Some(UnreadableMaps(errors)) if !report.is_text() => {
            for error in errors.iter() {
                let position = Position { line: error.line(), column: error.column() };
                let text = format!("{} in `{}`, expected {}", error.kind(), error.text(), error.expected());
                add(Some(error.source_name()), Some(Location { document: None, position }), &text);
            }
        }
        _ => add(None, None, &format!("{error:#}")),
    }
    stderr::print(&pages.messages);
    let parts = [&*pages.report];
    let report = report.document(&parts, false).unwrap_or(pages.report);
    // Nothing helps when even this cannot be said.
    let _ = io::stdout().lock().write_all(report.as_bytes());
}

/// Says why a run failed, and gives its exit code.
fn ended(result: anyhow::Result<ExitCode>) -> Status {
    match result {
        Ok(code) => code.into(),
        Err(error) if stderr::is_closed_pipe(&error) => ExitCode::Done.into(),
        Err(error) => {
            stderr::error(&format!("{error:#}"));
            ExitCode::Error.into()
        }
    }
}
