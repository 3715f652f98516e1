//! What `maps` and its subcommands take.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ReportFormat;
use super::exchange::{ExportArgs, ImportArgs};
use super::maps::Boolish;

/// Work on maps files
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

/// Check maps files: errors, deprecated forms, rules that are shadowed, duplicate or chained
#[derive(Debug, Args)]
pub struct LintArgs {
    /// Maps files, read together in this order; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Exit with 2 when there are warnings
    #[arg(long)]
    pub deny_warnings: bool,
    /// Write the deprecated single `:` as `::` in the files, and change nothing else
    #[arg(long)]
    pub fix: bool,
    /// Report lines that are no rules as warnings, since they would be skipped
    #[arg(long, env = "IMAGESWAP_MAPS_LENIENT", value_parser = Boolish,
        num_args = 0, default_missing_value = "true", default_value = "false", hide_env_values = true)]
    pub lenient_maps: bool,
}
