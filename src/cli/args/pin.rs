//! How images get digests, and where the lock file is: shared by several subcommands.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::registry::Platform;

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Digests")]
pub struct PinArgs {
    /// Add digests to images: nginx:1.27 becomes nginx:1.27@sha256:…; asks registries
    #[arg(long)]
    pub pin: bool,
    /// Where digests are looked up: where the image is after the rewrite, or where it comes from
    #[arg(long, value_enum, default_value_t = PinFromArg::Target, value_name = "WHERE")]
    pub pin_from: PinFromArg,
    /// Pin one platform of multi-platform images instead of all, as os/architecture[/variant]
    #[arg(long, value_name = "PLATFORM")]
    pub platform: Option<Platform>,
    /// Leave images that start like this without a digest; repeated, or separated by commas or colons
    #[arg(long, value_name = "PREFIXES", env = "IMAGESWAP_SKIP_PREFIXES", hide_env_values = true)]
    pub skip_prefixes: Vec<String>,
    /// What to do about an image whose digest cannot be found
    #[arg(long, value_enum, default_value_t = OnPinError::Fail, value_name = "WHAT")]
    pub on_pin_error: OnPinError,
    /// Remember digests in FILE, an ImagesLock that kbld and imgpkg read; those that stand there are used. Implies --pin
    #[arg(long, value_name = "FILE")]
    pub lock: Option<PathBuf>,
    /// Use the lock file alone (imageswap.lock where --lock names none) and connect to nothing. Implies --pin
    #[arg(long)]
    pub locked: bool,
    /// Look up anew the digests that the lock file gave; others are the user's and stay
    #[arg(long, requires = "lock", conflicts_with = "locked")]
    pub repin: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum PinFromArg {
    #[default]
    Target,
    Source,
}

/// What becomes of an image that cannot be pinned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum OnPinError {
    /// The run fails, and nothing is written
    #[default]
    Fail,
    /// It stays without a digest, with a warning
    Warn,
    /// It stays without a digest, and is counted
    Skip,
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Registries")]
pub struct RegistryArgs {
    /// File with mirrors, certificates, proxies and limits, as docs/registries.md has it
    #[arg(long, value_name = "FILE", env = "IMAGESWAP_REGISTRIES", hide_env_values = true)]
    pub registries: Option<PathBuf>,
    /// File with credentials, as Docker's config.json; instead of the usual ones
    #[arg(long, value_name = "FILE", env = "IMAGESWAP_REGISTRY_CONFIG", hide_env_values = true)]
    pub registry_config: Vec<PathBuf>,
    /// Certificate authority that registries are believed by, besides the system's
    #[arg(long, value_name = "FILE")]
    pub registry_ca: Vec<PathBuf>,
    /// Registry that is spoken to without TLS; loopback is tried both ways
    #[arg(long, value_name = "HOST")]
    pub plain_http: Vec<String>,
    /// How many requests may be under way at once
    #[arg(long, value_name = "N")]
    pub registry_concurrency: Option<usize>,
    /// How many seconds a registry may take to answer
    #[arg(long, value_name = "SECONDS")]
    pub registry_timeout: Option<u64>,
}
