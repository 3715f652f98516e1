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
  IMAGESWAP_MAPS_FILE      The maps file, if --maps is not given
  IMAGESWAP_MAPS_LENIENT   true: skip lines that are no rules, with a warning
  IMAGESWAP_DISABLE_LABEL  The label that keeps a resource as it is
  IMAGESWAP_MODE           LEGACY: put IMAGE_PREFIX before every image (deprecated)
  IMAGESWAP_READER         yaml: look for images with the full YAML reader alone, which is slower
  NO_COLOR                 Do not use colours

Exit codes:
  0  Done, or nothing to do
  1  --check or validate found something to do, verify found a missing or drifted image, or
     lock diff a changed digest
  2  Error";

/// Rewrites the container images of Kubernetes manifests according to a maps file, and changes nothing else.
#[derive(Debug, Parser)]
#[command(name = "imageswap", version, max_term_width = 100)]
#[command(after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

// Deferred: the options of a subcommand, of which there are hundreds in all, are put together only when it is called.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Command {
    /// Rewrite images in files and folders in place, or from standard input to standard output
    Rewrite(RewriteArgs),
    /// List every image with its file, line, resource and path; with maps, also what it becomes
    Images(ImagesArgs),
    /// Show what images become, by which rule, and why the rules before it do not apply
    Explain(ExplainArgs),
    /// Check maps files, and convert them from and to the formats of other tools
    Maps(MapsCommand),
    /// Renew the digests of a lock file, or compare them with those of the registries
    Lock(LockCommand),
    /// Check that every image is at its target, with the digest of the lock file or its source
    ///
    /// Exits with 1 if one is missing or has another digest, and with 2 if that could not be found out.
    Verify(VerifyArgs),
    /// Copy images to where the maps point, with their signatures, keeping their digests
    Mirror(Box<MirrorArgs>),
    /// Show how imageswap logs in to registries
    Auth(AuthCommand),
    /// Run as a KRM function (kpt, kustomize): a ResourceList from standard input to standard output
    ///
    /// The rules come from the ResourceList's functionConfig: an ImageSwap (imageswap.dev/v1alpha1) with spec.maps, or a
    /// ConfigMap whose data holds maps, or rules such as docker.io: mirror.example.com/hub. They win over rules given
    /// here.
    Fn(FunctionArgs),
    /// Run as an admission webhook that swaps the images of what is created in a cluster
    ///
    /// It answers AdmissionReviews at /, /mutate, /v1/mutate and /clone-image, and at /audit, where nothing is ever
    /// changed or refused. /healthz, /readyz and /livez are for probes, and /metrics (on its own port) is for Prometheus.
    /// Without --maps, --map and IMAGESWAP_MAPS_FILE the rules are in /app/maps/imageswap-maps.conf. Maps files and
    /// certificate files are reloaded when they change. `imageswap manifests` prints an installation.
    Serve(Box<ServeArgs>),
    /// Print the installation of the admission webhook, for kubectl apply
    Manifests(ManifestsArgs),
    /// Make the webhook's certificate once and publish its CA, as `serve --bootstrap` does; for an init container
    Init(InitArgs),
    /// Copy this program to DIR/imageswap, to take it out of a container image
    CopySelf(CopySelfArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Write man pages
    Man(ManArgs),
}
