//! What `serve` takes about copies.

use clap::{Args, ValueEnum};

use crate::webhook::NamespaceTargets;

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Mirroring")]
pub struct MirroringArgs {
    /// Copy images to where the maps move them [default: off; with image-cloner's REGISTRY: wait]
    #[arg(long, value_enum, env = "IMAGESWAP_MIRROR", hide_env_values = true, value_name = "WHEN")]
    pub mirror: Option<MirrorWhen>,
    /// What to do about an image that is not there yet [default: original; with image-cloner's REGISTRY: deny]
    #[arg(long, value_enum, env = "IMAGESWAP_MIRROR_MISSING", hide_env_values = true, value_name = "WHAT")]
    pub mirror_missing: Option<MirrorMissing>,
    /// Read images with the pull secrets of their pods where the maps move them below this place of the pod's
    /// namespace, such as mirror.example.com/tenants/{namespace}
    #[arg(long, env = "IMAGESWAP_MIRROR_POD_CREDENTIALS", hide_env_values = true, value_name = "PLACE")]
    pub mirror_pod_credentials: Option<NamespaceTargets>,
}

/// When images are copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MirrorWhen {
    /// Never
    Off,
    /// After the answer
    Enqueue,
    /// Before the answer, for as long as it may wait
    Wait,
}

/// What to do about an image that is not at its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MirrorMissing {
    /// Keep the original image, with a warning
    Original,
    /// Swap it all the same, with a warning
    Target,
    /// Refuse the object
    Deny,
}
