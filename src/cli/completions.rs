//! `imageswap completions`

use std::io::{self, Write};

use anyhow::Result;
use clap::CommandFactory;

use super::args::{Cli, CompletionsArgs};
use super::exit_code::ExitCode;

/// Prints the completion script of a shell.
pub fn run(args: &CompletionsArgs) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "imageswap", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(ExitCode::Done)
}
