//! `imageswap man`

use anyhow::Result;
use clap::CommandFactory;

use super::args::{Cli, ManArgs};
use super::exit_code::ExitCode;
use super::stderr;

/// Writes a man page for the program and each of its subcommands.
pub fn run(args: &ManArgs) -> Result<ExitCode> {
    let folder = &args.folder;
    std::fs::create_dir_all(folder)
        .map_err(|error| stderr::failure(&format!("cannot make the folder {}", folder.display()), &error))?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(|error| {
        stderr::failure(&format!("cannot write man pages to {}", folder.display()), &error)
    })?;
    Ok(ExitCode::Done)
}
