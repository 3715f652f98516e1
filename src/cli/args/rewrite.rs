//! What `rewrite` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::krm::OnUnmapped;
use crate::report::Level;

use super::{ColourChoice, FindArgs, FormatArgs, MapsArgs, PinArgs, RegistryArgs, Verbosity, WalkArgs};

#[derive(Debug, Args)]
#[command(after_help = super::AFTER_HELP)]
pub struct RewriteArgs {
    /// Files and folders to rewrite in place; `-` reads standard input and writes standard output
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Write the manifests to DIR (or `-`, standard output) instead of in place. Every file that is read is
    /// written there, changed or not. With a single file, `NAME.yaml` names the file to write
    #[arg(long, value_name = "DIR|-")]
    pub output: Option<PathBuf>,
    /// Write nothing; exit with 1 if something would change (add --diff to see it)
    #[arg(long, conflicts_with = "output")]
    pub check: bool,
    /// Write nothing; print a unified diff of what would change
    #[arg(long, conflicts_with = "output")]
    pub diff: bool,
    /// Write nothing; report what would change
    #[arg(long, conflicts_with = "output")]
    pub dry_run: bool,
    /// Fail when an image is left alone without being asked to (templated, encrypted, invalid, unclear, or in a
    /// Kustomization that cannot follow), when text looks like an image in a place that is not rewritten, when a file
    /// has no rules, or when an image outside of a Kubernetes resource would change
    #[arg(long)]
    pub strict: bool,
    /// What to do about images that no rule covers [default: ignore, or what the configuration says]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub on_unmapped: Option<Policy>,
    /// What to do about text that looks like an image in a place that is not rewritten [default: ignore; error
    /// with --strict]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub on_mention: Option<Policy>,
    /// Write the files that have no errors even if others do; still exits with 2
    #[arg(long)]
    pub keep_going: bool,
    /// Do not flush to disk before renaming: faster, but files may be lost if the machine crashes
    #[arg(long)]
    pub no_sync: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = RewriteFormat::Text)]
    pub format: RewriteFormat,
    /// When to colour diffs and messages
    #[arg(long, value_enum, default_value_t = ColourChoice::Auto, value_name = "WHEN")]
    pub color: ColourChoice,
    #[command(flatten)]
    pub verbosity: Verbosity,
    #[command(flatten)]
    pub maps: MapsArgs,
    #[command(flatten)]
    pub find: FindArgs,
    #[command(flatten)]
    pub formats: FormatArgs,
    #[command(flatten)]
    pub walk: WalkArgs,
    #[command(flatten)]
    pub pin: PinArgs,
    /// Use the pull secrets of the cluster, too: those of the pod specs and of their service accounts, read through
    /// the kubeconfig
    #[arg(long, conflicts_with = "locked", help_heading = "Registries")]
    pub online: bool,
    #[command(flatten)]
    pub registry: RegistryArgs,
}

/// How much something matters to the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Policy {
    Ignore,
    Warn,
    Error,
}

impl From<OnUnmapped> for Policy {
    fn from(what: OnUnmapped) -> Self {
        match what {
            OnUnmapped::Ignore => Self::Ignore,
            OnUnmapped::Warn => Self::Warn,
            OnUnmapped::Error => Self::Error,
        }
    }
}

impl Policy {
    /// The level of what is said; `None` when nothing is.
    pub fn level(self) -> Option<Level> {
        match self {
            Self::Ignore => None,
            Self::Warn => Some(Level::Warning),
            Self::Error => Some(Level::Error),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RewriteFormat {
    /// Human-readable lines
    Text,
    /// JSON, an object per line, ending with a summary (docs/reports.md has the schema)
    Json,
    /// One SARIF 2.1.0 log, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
}

impl RewriteFormat {
    /// Whether it annotates places instead of reporting a run.
    pub fn is_annotations(self) -> bool {
        matches!(self, Self::Sarif | Self::Github)
    }
}
