//! Which images are rewritten.

use clap::{Args, ValueEnum};

use crate::manifest::FieldSpec;
use crate::rewrite::SkipRule;

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
