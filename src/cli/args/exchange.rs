//! What `maps import` and `maps export` take.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::MapsArgs;

/// Convert mirror configurations, kustomize lists, lock files and relocation files to rules
///
/// The format is recognised by name and kind, unless --from gives it. What rules cannot express is reported on
/// standard error and kept as comments.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Files to read, and folders of hosts.toml files (certs.d); `-` is standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The format of the files
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub from: Option<ImportFrom>,
    /// Where images are to come from, for formats that only list them (zarf, helm): a registry, or a registry
    /// and a path
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,
}

/// Convert rules to the configuration of another tool
///
/// What the format cannot express is reported on standard error, rule by rule.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The format to write
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub to: ExportTo,
    /// Write to this folder instead of standard output; hosts.toml needs it, since it is a file for each registry
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Exit with 2 if a rule cannot be expressed in full
    #[arg(long)]
    pub strict: bool,
    #[command(flatten)]
    pub maps: MapsArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImportFrom {
    /// The images list of a Kustomization
    Kustomize,
    /// OpenShift's ImageDigestMirrorSet, ImageTagMirrorSet, ImageContentSourcePolicy
    Openshift,
    /// registries.conf of Podman, CRI-O and skopeo, version 2
    #[value(name = "registries.conf")]
    RegistriesConf,
    /// A folder of containerd's hosts.toml files, or one of them
    #[value(name = "hosts.toml")]
    HostsToml,
    /// An ImagesLock of kbld or imgpkg, or the overrides of a kbld Config
    Kbld,
    /// CNAB's relocation-mapping.json
    Relocation,
    /// The images of a Zarf package; needs --target
    Zarf,
    /// The annotation artifacthub.io/images of a Chart.yaml; needs --target
    Helm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportTo {
    /// registries.conf of Podman, CRI-O and skopeo, version 2
    #[value(name = "registries.conf")]
    RegistriesConf,
    /// A folder of containerd's hosts.toml files
    #[value(name = "hosts.toml")]
    HostsToml,
    /// OpenShift's ImageDigestMirrorSet
    Idms,
    /// OpenShift's ImageTagMirrorSet
    Itms,
    /// An images list for kustomize
    Kustomize,
    /// A MutatingPolicy for Kyverno 1.17 and later
    Kyverno,
}
