//! What `fn` takes.

use clap::Args;

use super::{FindArgs, MapsArgs, PinArgs, RegistryArgs};

/// Run as a KRM function (kpt, kustomize): a ResourceList from standard input to standard output
///
/// The rules come from the ResourceList's functionConfig: an ImageSwap (imageswap.dev/v1alpha1) with spec.maps, or a
/// ConfigMap whose data holds maps, or rules such as docker.io: mirror.example.com/hub. They win over rules given
/// here.
#[derive(Debug, Args)]
pub struct FunctionArgs {
    #[command(flatten)]
    pub maps: MapsArgs,
    #[command(flatten)]
    pub find: FindArgs,
    #[command(flatten)]
    pub pin: PinArgs,
    /// Use the pull secrets of the cluster, too: those of the pod specs and of their service accounts, read through
    /// the kubeconfig
    #[arg(long, conflicts_with = "locked", help_heading = "Registries")]
    pub online: bool,
    #[command(flatten)]
    pub registry: RegistryArgs,
}
