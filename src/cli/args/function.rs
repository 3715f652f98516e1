//! What `fn` takes.

use clap::Args;

use super::{FindArgs, MapsArgs, PinArgs, RegistryArgs};

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
