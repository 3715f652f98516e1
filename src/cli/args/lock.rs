//! What `lock`, `verify` and `auth` take.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{FindArgs, FormatArgs, MapsArgs, OnlineArgs, RegistryArgs, ReportFormat, WalkArgs};

#[derive(Debug, Args)]
pub struct LockCommand {
    #[command(subcommand)]
    pub command: LockSubcommand,
}

#[derive(Debug, Subcommand)]
pub enum LockSubcommand {
    /// Look the digests up again and write them to the lock file
    Update(LockArgs),
    /// Show which digests have changed at the registries; exit with 1 if there are any
    Diff(LockDiffArgs),
}

#[derive(Debug, Args)]
pub struct LockArgs {
    /// The lock file
    #[arg(long, value_name = "FILE", default_value = "imageswap.lock")]
    pub lock: PathBuf,
    /// Only entries of this image: as it was written, or what it became, with or without its tag
    #[arg(long, value_name = "IMAGE")]
    pub only: Vec<String>,
    #[command(flatten)]
    pub online: OnlineArgs,
    #[command(flatten)]
    pub registry: RegistryArgs,
}

#[derive(Debug, Args)]
pub struct LockDiffArgs {
    /// How to report; json has a line for each entry, changed or not (docs/reports.md has the schema)
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    #[command(flatten)]
    pub lock: LockArgs,
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Files and folders to check
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// The lock file whose digests are expected
    #[arg(long, value_name = "FILE")]
    pub lock: Option<PathBuf>,
    /// How to report; json has a line for each image, good or not (docs/reports.md has the schema)
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    #[command(flatten)]
    pub maps: MapsArgs,
    #[command(flatten)]
    pub find: FindArgs,
    #[command(flatten)]
    pub formats: FormatArgs,
    #[command(flatten)]
    pub walk: WalkArgs,
    /// Use the pull secrets of the cluster, too: those of the pod specs and of their service accounts, read through
    /// the kubeconfig
    #[arg(long, help_heading = "Registries")]
    pub online: bool,
    #[command(flatten)]
    pub registry: RegistryArgs,
}

#[derive(Debug, Args)]
pub struct AuthCommand {
    #[command(subcommand)]
    pub command: AuthSubcommand,
}

#[derive(Debug, Subcommand)]
pub enum AuthSubcommand {
    Check(AuthCheckArgs),
}

/// Say which credential a registry gets, where it comes from, and whether it works, without showing it
#[derive(Debug, Args)]
pub struct AuthCheckArgs {
    /// Registries, or repositories of them: quay.io, ghcr.io/owner/app
    #[arg(required = true, value_name = "REGISTRY")]
    pub names: Vec<String>,
    #[command(flatten)]
    pub online: OnlineArgs,
    #[command(flatten)]
    pub registry: RegistryArgs,
}
