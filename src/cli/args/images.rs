//! What `images` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{FindArgs, FormatArgs, MapsArgs, WalkArgs};

#[derive(Debug, Args)]
pub struct ImagesArgs {
    /// Files and folders to read; `-` is standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Also list what charts and operators put together, and text that looks like an image
    #[arg(long)]
    pub all: bool,
    /// List each image once, by its canonical reference; with maps, pairs of source and target where they
    /// differ
    #[arg(long)]
    pub unique: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = ImagesFormat::Text)]
    pub format: ImagesFormat,
    /// Print only errors
    #[arg(short, long)]
    pub quiet: bool,
    #[command(flatten)]
    pub maps: MapsArgs,
    #[command(flatten)]
    pub find: FindArgs,
    #[command(flatten)]
    pub formats: FormatArgs,
    #[command(flatten)]
    pub walk: WalkArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImagesFormat {
    /// A line per image
    Text,
    /// A JSON object per image
    Json,
    /// Comma-separated values, with a header unless --unique is given
    Csv,
    /// Tab-separated values, with a header unless --unique is given
    Tsv,
    /// An `images:` list for kustomize, Flux and Argo CD; needs maps
    Kustomize,
}
