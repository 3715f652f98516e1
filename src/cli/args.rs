//! The arguments, as clap reads them. Help texts here are the manual.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::manifest::FieldSpec;
use crate::rewrite::SkipRule;

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
    CopySelf(CopySelfArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

/// Rewrite images in files and folders in place, or from standard input to standard output
#[derive(Debug, Args)]
pub struct RewriteArgs {
    /// Files and folders to rewrite in place; `-` reads standard input and writes standard output
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Write the manifests to DIR (or `-`, standard output) instead of in place
    #[arg(long, value_name = "DIR|-")]
    pub output: Option<PathBuf>,
    /// Write nothing; exit 1 when something would change
    #[arg(long, group = "mode", conflicts_with = "output")]
    pub check: bool,
    /// Write nothing; print a unified diff of what would change
    #[arg(long, group = "mode", conflicts_with = "output")]
    pub diff: bool,
    /// Write nothing; report what would change
    #[arg(long, group = "mode", conflicts_with = "output")]
    pub dry_run: bool,
    /// Make an error of every image that is left alone though nobody asked for it: templated, encrypted,
    /// invalid, or in a Kustomization that cannot follow
    #[arg(long)]
    pub strict: bool,
    /// What to do about an image that no rule covers
    #[arg(long, value_enum, default_value_t = OnUnmapped::Ignore, value_name = "WHAT")]
    pub on_unmapped: OnUnmapped,
    /// Write the good files though others have errors; the exit code is 2 all the same
    #[arg(long)]
    pub keep_going: bool,
    /// Do not flush to the disk before renaming: faster, and not safe against a crash of the machine
    #[arg(long)]
    pub no_sync: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// When to colour diffs
    #[arg(long, value_enum, default_value_t = ColourChoice::Auto, value_name = "WHEN")]
    pub color: ColourChoice,
    #[command(flatten)]
    pub verbosity: Verbosity,
    #[command(flatten)]
    pub maps: MapsArgs,
    #[command(flatten)]
    pub find: FindArgs,
    #[command(flatten)]
    pub walk: WalkArgs,
}

/// List every image: file, document, resource, path, line; with maps, the target beside it
#[derive(Debug, Args)]
pub struct ImagesArgs {
    /// Files and folders to read; `-` is standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Also list what charts and operators put together, and text that looks like an image
    #[arg(long)]
    pub all: bool,
    /// List each image once, by its canonical reference; with maps, pairs of source and target where they differ
    #[arg(long)]
    pub unique: bool,
    /// How to list
    #[arg(long, value_enum, default_value_t = ImagesFormat::Text)]
    pub format: ImagesFormat,
    /// Say nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
    #[command(flatten)]
    pub maps: MapsArgs,
    #[command(flatten)]
    pub find: FindArgs,
    #[command(flatten)]
    pub walk: WalkArgs,
}

/// Say what images become, by which rule, and why the rules before it do not apply
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Images to explain
    #[arg(required_unless_present = "file", value_name = "IMAGE")]
    pub images: Vec<String>,
    /// Explain every image of a manifest; `-` is standard input
    #[arg(long, value_name = "PATH|-", conflicts_with = "images")]
    pub file: Option<PathBuf>,
    /// How to answer
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    #[command(flatten)]
    pub maps: MapsArgs,
    #[command(flatten)]
    pub find: FindArgs,
}

/// Work on maps files
#[derive(Debug, Args)]
pub struct MapsCommand {
    #[command(subcommand)]
    pub command: MapsSubcommand,
}

#[derive(Debug, Subcommand)]
pub enum MapsSubcommand {
    Lint(LintArgs),
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
    /// Report lines that are no rules as warnings, since they would be skipped
    #[arg(long, env = "IMAGESWAP_MAPS_LENIENT", value_parser = boolish,
        num_args = 0, default_missing_value = "true", default_value = "false", hide_env_values = true)]
    pub lenient_maps: bool,
}

/// A switch as environments write it; set and empty is off.
fn boolish(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "" | "0" | "f" | "false" | "n" | "no" | "off" => Ok(false),
        "1" | "t" | "true" | "y" | "yes" | "on" => Ok(true),
        _ => Err("expected true or false".to_owned()),
    }
}

/// Be a KRM function (kpt, kustomize): a ResourceList from standard input to standard output
///
/// The rules come from the ResourceList's functionConfig: an ImageSwap (imageswap.dev/v1alpha1) with spec.maps, or a
/// ConfigMap whose data holds maps, or rules such as docker.io: mirror.example.com/hub. They win over rules given here.
#[derive(Debug, Args)]
pub struct FunctionArgs {
    #[command(flatten)]
    pub maps: MapsArgs,
    #[command(flatten)]
    pub find: FindArgs,
}

/// Copy this program to DIR/imageswap, to take it out of a container image
#[derive(Debug, Args)]
pub struct CopySelfArgs {
    /// The folder to copy to; it is made when it is not there
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// Print a completion script for a shell
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Write man pages
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The folder to write them to; it is made when it is not there
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Rules")]
pub struct MapsArgs {
    /// Maps file; of the same key the later file's rule wins; `-` is standard input where it is free
    #[arg(long, value_name = "FILE")]
    pub maps: Vec<PathBuf>,
    /// One rule; wins over files
    #[arg(long, value_name = "KEY::VALUE")]
    pub map: Vec<String>,
    /// Skip lines that are no rules, with a warning, as imageswap-webhook does
    #[arg(long, env = "IMAGESWAP_MAPS_LENIENT", value_parser = boolish,
        num_args = 0, default_missing_value = "true", default_value = "false", hide_env_values = true)]
    pub lenient_maps: bool,
    /// Follow rules whose result another rule rewrites, instead of reporting them
    #[arg(long)]
    pub allow_chained: bool,
    /// Put PREFIX before every image instead of reading maps (deprecated, as in imageswap-webhook's LEGACY mode)
    #[arg(long, value_name = "PREFIX", conflicts_with_all = ["maps", "map"])]
    pub legacy_prefix: Option<String>,
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Which images")]
pub struct FindArgs {
    /// Image fields by kind to look at besides those of containers: all that are known, or none
    #[arg(long, value_enum, default_value_t = Fields::Known)]
    pub fields: Fields,
    /// A further image field, as [GROUP/]KIND:PATH, for example apps.example.com/Widget:spec.engine.image
    #[arg(long, value_name = "SPEC")]
    pub field: Vec<FieldSpec>,
    /// What to leave alone, as kind=…,name=…,namespace=…,container=…
    #[arg(long, value_name = "RULE")]
    pub skip: Vec<SkipRule>,
    /// Label that, set to `disabled`, keeps a resource or pod template as it is
    #[arg(long, value_name = "LABEL", env = "IMAGESWAP_DISABLE_LABEL", hide_env_values = true,
        default_value = crate::manifest::DISABLE_LABEL)]
    pub disable_label: String,
    /// What becomes of the images lists of Kustomizations
    #[arg(long, value_enum, default_value_t = KustomizeImages::Follow, value_name = "WHAT")]
    pub kustomize_images: KustomizeImages,
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Which files")]
pub struct WalkArgs {
    /// Read files that .gitignore and other ignore files name
    #[arg(long)]
    pub no_ignore: bool,
    /// Read only files that match GLOB (relative to the folder)
    #[arg(long, value_name = "GLOB")]
    pub include: Vec<String>,
    /// Leave out files and folders that match GLOB
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// Follow links to folders, and links that lead out of the given folder
    #[arg(long)]
    pub follow: bool,
    /// How many threads to use; 0 is one for each processor
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
}

#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Verbosity {
    /// Say nothing but errors
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say also what is kept and why, and notes on the files
    #[arg(short, long)]
    pub verbose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnUnmapped {
    Ignore,
    Warn,
    Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImagesFormat {
    /// A line for each image
    Text,
    /// A JSON object for each image
    Json,
    /// Values separated by commas, with a header unless --unique
    Csv,
    /// The same, separated by tabs
    Tsv,
    /// An `images:` list for kustomize, Flux and Argo CD; needs maps
    Kustomize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColourChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Fields {
    #[default]
    Known,
    Core,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum KustomizeImages {
    /// They follow the images of the tree
    #[default]
    Follow,
    /// They are left alone, and reported where they would have to follow
    Report,
    /// They are left alone
    Off,
}
