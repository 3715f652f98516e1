//! What `maps` and its subcommands take.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ReportFormat;
use super::exchange::{ExportArgs, ImportArgs};
use super::maps::Boolish;

#[derive(Debug, Args)]
pub struct MapsCommand {
    #[command(subcommand)]
    pub command: MapsSubcommand,
}

#[derive(Debug, Subcommand)]
pub enum MapsSubcommand {
    Lint(LintArgs),
    Import(ImportArgs),
    Export(ExportArgs),
}

/// Check maps files for errors, deprecated forms, and rules that are shadowed, duplicate or chained
#[derive(Debug, Args)]
pub struct LintArgs {
    /// Maps files, read together in this order; `-` reads standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Exit with 2 if there are warnings
    #[arg(long)]
    pub deny_warnings: bool,
    /// Replace the deprecated single `:` with `::` in the files, and change nothing else
    #[arg(long)]
    pub fix: bool,
    /// Report lines that are not valid rules as warnings, since they would be skipped
    #[arg(long, env = "IMAGESWAP_MAPS_LENIENT", value_parser = Boolish,
        num_args = 0, default_missing_value = "true", default_value = "false", hide_env_values = true)]
    pub lenient_maps: bool,
}
