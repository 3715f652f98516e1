//! The arguments, as clap reads them: a file for each subcommand, and one for each group of options that several share.
//! Help texts here are the manual.

mod bootstrap;
mod exchange;
mod explain;
mod find;
mod function;
mod images;
mod init;
mod lint;
mod manifests;
mod manner;
mod maps;
mod program;
mod rewrite;
mod serve;
mod walk;

use clap::{Parser, Subcommand};

pub use bootstrap::{BootstrapArgs, BootstrapHow};
pub use exchange::{ExportArgs, ExportTo, ImportArgs, ImportFrom};
pub use explain::ExplainArgs;
pub use find::{Fields, FindArgs, KustomizeImages};
pub use function::FunctionArgs;
pub use images::{ImagesArgs, ImagesFormat};
pub use init::InitArgs;
pub use lint::{LintArgs, MapsCommand, MapsSubcommand};
pub use manifests::{ManifestsArgs, PolicyName, ResourcesName, ScopeName};
pub use manner::{ColourChoice, ReportFormat, Verbosity};
pub use maps::MapsArgs;
pub use program::{CompletionsArgs, CopySelfArgs, ManArgs};
pub use rewrite::{Policy, RewriteArgs, RewriteFormat};
pub use serve::{LogFormat, LogLevel, Mode, OnError, OnUnmapped, ServeArgs};
pub use walk::WalkArgs;

/// Rewrites the container images of Kubernetes manifests by a maps file, and changes nothing else.
#[derive(Debug, Parser)]
#[command(name = "imageswap", version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done or nothing to do, 1 --check found changes, 2 error.")]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Rewrite(RewriteArgs),
    Images(ImagesArgs),
    Explain(ExplainArgs),
    Maps(MapsCommand),
    Fn(FunctionArgs),
    Serve(Box<ServeArgs>),
    Manifests(ManifestsArgs),
    Init(InitArgs),
    CopySelf(CopySelfArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}
