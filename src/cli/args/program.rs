//! What the subcommands take that are about the program itself.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub struct CopySelfArgs {
    /// The folder to copy to; it is created if it does not exist
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct ManArgs {
    /// The folder to write them to; it is created if it does not exist
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}
