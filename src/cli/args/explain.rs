//! What `explain` takes.

use std::path::PathBuf;

use clap::Args;

use super::{FindArgs, FormatArgs, MapsArgs, OnlineArgs, PinArgs, RegistryArgs, ReportFormat};

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Images to explain
    #[arg(required_unless_present = "file", value_name = "IMAGE")]
    pub images: Vec<String>,
    /// Explain every image of a manifest; `-` is standard input
    #[arg(long, value_name = "PATH|-", conflicts_with = "images")]
    pub file: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    #[command(flatten)]
    pub maps: MapsArgs,
    #[command(flatten)]
    pub find: FindArgs,
    #[command(flatten)]
    pub formats: FormatArgs,
    #[command(flatten)]
    pub pin: PinArgs,
    #[command(flatten)]
    pub online: OnlineArgs,
    #[command(flatten)]
    pub registry: RegistryArgs,
}
