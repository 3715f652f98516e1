//! `imageswap man`

use anyhow::{Context, Result};
use clap::CommandFactory;

use super::args::{Cli, ManArgs};
use super::exit_code::ExitCode;

/// Writes a man page for the program and each of its subcommands.
pub fn run(args: &ManArgs) -> Result<ExitCode> {
    let folder = &args.folder;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    clap_mangen::generate_to(Cli::command(), folder)
        .with_context(|| format!("cannot write man pages to {}", folder.display()))?;
    Ok(ExitCode::Done)
}
