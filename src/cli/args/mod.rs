//! The arguments, as clap reads them: a file for each subcommand, and one for each group of options that several share.
//! Help texts here are the manual.

mod bootstrap;
mod exchange;
mod explain;
mod find;
mod formats;
mod function;
mod images;
mod init;
mod layout;
mod lint;
mod lock;
mod manifests;
mod maps;
mod mirror;
mod mirroring;
mod output;
mod pin;
mod program;
mod rewrite;
mod serve;
mod walk;

use clap::{Parser, Subcommand};

pub use bootstrap::{BootstrapArgs, BootstrapHow};
pub use exchange::{ExportArgs, ExportTo, ImportArgs, ImportFrom};
pub use explain::ExplainArgs;
pub use find::{Fields, FindArgs, KustomizeImages};
pub use formats::FormatArgs;
pub use function::FunctionArgs;
pub use images::{ImagesArgs, ImagesFormat};
pub use init::InitArgs;
pub use lint::{LintArgs, MapsCommand, MapsSubcommand};
pub use lock::{
    AuthCheckArgs, AuthCommand, AuthSubcommand, LockArgs, LockCommand, LockDiffArgs, LockSubcommand,
    VerifyArgs,
};
pub use manifests::{ManifestsArgs, PolicyName, ResourcesName, ScopeName};
pub use maps::MapsArgs;
pub use mirror::MirrorArgs;
pub use mirroring::{MirrorMissing, MirrorWhen};
pub use output::{ColourChoice, ReportFormat, Verbosity};
pub use pin::{OnPinError, OnlineArgs, PinArgs, PinFromArg, RegistryArgs};
pub use program::{CompletionsArgs, CopySelfArgs, ManArgs};
pub use rewrite::{Policy, RewriteArgs, RewriteFormat};
pub use serve::{LogFormat, LogLevel, Mode, OnError, OnUnmapped, ServeArgs};
pub use walk::WalkArgs;

/// What stands at the end of the help: examples, and what is not an option.
const AFTER_HELP: &str = "\
Examples:
  imageswap rewrite --diff --maps imageswap.maps k8s/   Show what would change
  imageswap rewrite k8s/                                Rewrite in place
  imageswap rewrite --check --strict k8s/               Fail when something would change
  imageswap rewrite --map docker.io::m.example.com -    Rewrite standard input to standard output
  imageswap explain --file k8s/web.yaml                 Say which rule decides, and why

Where rules come from:
  For each manifest: --maps (or else the file that IMAGESWAP_MAPS_FILE names), then imageswap.maps
  and imageswap.yaml in its folder or the nearest one above that has either, then --map. For the
  same key the last rule wins. -v shows what was read.

Environment:
  IMAGESWAP_MAPS_FILE      The maps file, where neither --maps nor --map is given
  IMAGESWAP_MAPS_LENIENT   true: skip lines that are no rules, with a warning
  IMAGESWAP_DISABLE_LABEL  The label that keeps a resource as it is
  IMAGESWAP_MODE           LEGACY: put IMAGE_PREFIX before every image (deprecated)
  IMAGESWAP_READER         yaml: look for images with the full YAML reader alone, which is slower
  NO_COLOR                 Do not use colours

Exit codes:
  0  Done, or nothing to do
  1  --check found something that would change
  2  Error";

/// Rewrites the container images of Kubernetes manifests according to a maps file, and changes nothing else.
#[derive(Debug, Parser)]
#[command(name = "imageswap", version, max_term_width = 100)]
#[command(after_help = AFTER_HELP)]
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
    Lock(LockCommand),
    Verify(VerifyArgs),
    Mirror(Box<MirrorArgs>),
    Auth(AuthCommand),
    Fn(FunctionArgs),
    Serve(Box<ServeArgs>),
    Manifests(ManifestsArgs),
    Init(InitArgs),
    CopySelf(CopySelfArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}
