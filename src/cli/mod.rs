//! The command line: arguments, configuration from the environment, exit codes, one file per subcommand.
//! The only module that knows arguments; it may use every other one.

mod args;
mod bare;
mod bootstrap;
mod completions;
mod copy_self;
mod exit_code;
mod explain;
mod function;
mod images;
mod init;
mod lint;
mod man;
mod manifests;
mod maps_export;
mod maps_import;
mod plugin;
mod rewrite;
mod rules;
mod serve;
mod settings;
mod signals;
mod speech;
mod tree;

use std::ffi::OsString;
use std::process::ExitCode as Status;

use clap::Parser;

use args::{Cli, Command, MapsSubcommand};
use exit_code::ExitCode;

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
        Command::Fn(args) => function::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Manifests(args) => manifests::run(args),
        Command::Init(args) => init::run(args),
        Command::CopySelf(args) => copy_self::run(args),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
    };
    ended(result)
}

/// Says why a run failed, and gives its exit code.
fn ended(result: anyhow::Result<ExitCode>) -> Status {
    match result {
        Ok(code) => code.into(),
        Err(error) if speech::is_closed_pipe(&error) => ExitCode::Done.into(),
        Err(error) => {
            speech::error(&format!("{error:#}"));
            ExitCode::Error.into()
        }
    }
}
