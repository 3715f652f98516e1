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
    /// Look all digests up again, and write those that have changed to the lock file
    Update(LockArgs),
    /// Show which digests have changed at the registries, and write nothing; exit with 1 if any have
    Diff(LockDiffArgs),
}

#[derive(Debug, Args)]
pub struct LockArgs {
    /// The lock file
    #[arg(long, value_name = "FILE", default_value = "imageswap.lock")]
    pub lock: PathBuf,
    /// Only the entries of this image, named as it was written or as what it became, with or without its tag; may be
    /// repeated
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
    /// Lock file with the digests to expect; without it, those of the sources are expected
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

/// Show which credential is used for a registry, where it comes from, and whether it works; the secret is not shown
#[derive(Debug, Args)]
pub struct AuthCheckArgs {
    /// Registries or repositories, such as quay.io or ghcr.io/owner/app
    #[arg(required = true, value_name = "REGISTRY")]
    pub names: Vec<String>,
    #[command(flatten)]
    pub online: OnlineArgs,
    #[command(flatten)]
    pub registry: RegistryArgs,
}
