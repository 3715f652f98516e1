//! How images get digests, and where the lock file is: shared by several subcommands.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cluster::pod_specs::ServiceAccount;
use crate::registry::Platform;

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Digests")]
pub struct PinArgs {
    /// Add digests to images: nginx:1.27 becomes nginx:1.27@sha256:…; contacts registries
    #[arg(long)]
    pub pin: bool,
    /// Where to look digests up: where the image is after the rewrite, or where it comes from
    #[arg(long, value_enum, default_value_t = PinFromArg::Target, value_name = "WHERE")]
    pub pin_from: PinFromArg,
    /// Pin one platform of multi-platform images instead of all, as os/architecture[/variant]
    #[arg(long, value_name = "PLATFORM")]
    pub platform: Option<Platform>,
    /// Do not pin images that start with one of these prefixes; can be repeated, or separated by commas or
    /// colons
    #[arg(long, value_name = "PREFIXES", env = "IMAGESWAP_SKIP_PREFIXES", hide_env_values = true)]
    pub skip_prefixes: Vec<String>,
    /// What to do about an image whose digest cannot be found
    #[arg(long, value_enum, default_value_t = OnPinError::Fail, value_name = "WHAT")]
    pub on_pin_error: OnPinError,
    /// Keep digests in FILE, an ImagesLock that kbld and imgpkg read, and use those that it has. Implies --pin
    #[arg(long, value_name = "FILE")]
    pub lock: Option<PathBuf>,
    /// Use only the lock file (imageswap.lock unless --lock names another), and contact no registry. Implies --pin
    #[arg(long)]
    pub locked: bool,
    /// Look up the digests of the lock file again; digests that came from elsewhere stay
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
    /// Fail, and write nothing
    #[default]
    Fail,
    /// Leave it without a digest, with a warning
    Warn,
    /// Leave it without a digest, and count it
    Skip,
}

// The pull secrets of a cluster, for commands that read no manifests and so know of no pods.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Registries")]
pub struct OnlineArgs {
    /// Use the pull secrets of the cluster, too: those of the service account "default", read through the kubeconfig
    #[arg(long)]
    pub online: bool,
    /// With --online: use those of this service account instead; may be repeated
    #[arg(long, value_name = "NAMESPACE[/ACCOUNT]", requires = "online")]
    pub pull_as: Vec<ServiceAccount>,
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Registries")]
pub struct RegistryArgs {
    /// File with mirrors, certificates, proxies and limits; see docs/registries.md
    #[arg(long, value_name = "FILE", env = "IMAGESWAP_REGISTRIES", hide_env_values = true)]
    pub registries: Option<PathBuf>,
    /// File with credentials, in the format of Docker's config.json, instead of the usual ones; may be repeated
    #[arg(long, value_name = "FILE", env = "IMAGESWAP_REGISTRY_CONFIG", hide_env_values = true)]
    pub registry_config: Vec<PathBuf>,
    /// Certificate authority (PEM) to trust for registries, in addition to the system's; may be repeated
    #[arg(long, value_name = "FILE")]
    pub registry_ca: Vec<PathBuf>,
    /// Registry to contact without TLS; may be repeated. Loopback addresses are tried with TLS and without
    #[arg(long, value_name = "HOST")]
    pub plain_http: Vec<String>,
    /// Maximum number of concurrent requests; 32 by default
    #[arg(long, value_name = "N")]
    pub registry_concurrency: Option<usize>,
    /// Seconds to wait for a connection, and for a registry that sends nothing; 5 and 10 by default
    #[arg(long, value_name = "SECONDS")]
    pub registry_timeout: Option<u64>,
}
