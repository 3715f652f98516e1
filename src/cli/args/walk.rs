//! Which files are read.

use clap::Args;

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Which files")]
pub struct WalkArgs {
    /// Also read files that .gitignore and other ignore files exclude
    #[arg(long)]
    pub no_ignore: bool,
    /// Read only files that match GLOB (relative to the folder)
    #[arg(long, value_name = "GLOB")]
    pub include: Vec<String>,
    /// Leave out files and folders that match GLOB
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// Follow links to folders, and links that lead out of the given folder
    #[arg(long)]
    pub follow: bool,
    /// Number of threads, at most 256; 0 means one per processor
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = threads)]
    pub threads: usize,
}

/// More threads than this only cost memory and time.
const THREADS_MAX: usize = 256;

fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(threads) if threads <= THREADS_MAX => Ok(threads),
        _ => Err(format!("expected a number from 0 to {THREADS_MAX}")),
    }
}
