//! Which images are rewritten.

use clap::{Args, ValueEnum};

use crate::manifest::{PlaceSpec, PlaceSpecError};
use crate::rewrite::SkipRule;

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Which images")]
pub struct FindArgs {
    /// Where to look for images besides containers
    #[arg(long, value_enum, default_value_t = Fields::Known)]
    pub fields: Fields,
    /// An additional image field, as [GROUP/]KIND:PATH, for example apps.example.com/Widget:spec.engine.image
    #[arg(long, value_name = "SPEC")]
    pub field: Vec<PlaceSpec>,
    /// An environment variable of a container whose value is an image, or a list such as a=IMAGE,b=IMAGE; `*`
    /// matches any text
    #[arg(long, value_name = "NAME", value_parser = |text: &str| named("env", text))]
    pub env: Vec<PlaceSpec>,
    /// A flag in args or command that is followed by an image, such as --reloader-image
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true, value_parser = |text: &str| named("arg", text))]
    pub arg: Vec<PlaceSpec>,
    /// An annotation whose value is an image
    #[arg(long, value_name = "NAME", value_parser = |text: &str| named("annotation", text))]
    pub annotation: Vec<PlaceSpec>,
    /// A value of a ConfigMap that is an image, or a manifest that holds images, as 'ConfigMap NAME:KEY'
    #[arg(long, value_name = "KIND NAME:KEY", value_parser = |text: &str| named("data", text))]
    pub data: Vec<PlaceSpec>,
    /// A list of images in any document, such as components[].images
    #[arg(long, value_name = "PATH", value_parser = |text: &str| named("images-list", text))]
    pub images_list: Vec<PlaceSpec>,
    /// Leave matching images alone, given as kind=…,name=…,namespace=…,container=…
    #[arg(long, value_name = "RULE")]
    pub skip: Vec<SkipRule>,
    /// Label that, when set to `disabled`, keeps a resource or pod template as it is
    #[arg(long, value_name = "LABEL", env = "IMAGESWAP_DISABLE_LABEL", hide_env_values = true,
        default_value = crate::manifest::DISABLE_LABEL)]
    pub disable_label: String,
    /// What to do with the `images` lists of Kustomizations
    #[arg(long, value_enum, default_value_t = KustomizeImages::Follow, value_name = "WHAT")]
    pub kustomize_images: KustomizeImages,
}

impl FindArgs {
    /// All places that are named.
    pub fn places(&self) -> impl Iterator<Item = &PlaceSpec> {
        let named = [&self.field, &self.env, &self.arg, &self.annotation, &self.data, &self.images_list];
        named.into_iter().flatten()
    }
}

/// Reads what a flag names as `spec.fields` has it, where the kind of place stands before a colon.
fn named(kind: &str, text: &str) -> Result<PlaceSpec, PlaceSpecError> {
    format!("{kind}:{text}").parse()
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Fields {
    /// In the image fields of known kinds
    #[default]
    Known,
    /// Nowhere else
    Core,
    /// In the image fields of known kinds, and under every key `image` of a resource
    All,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum KustomizeImages {
    /// Update the entries along with the images that they name
    #[default]
    Follow,
    /// Leave the entries alone, and report those that would have to follow
    Report,
    /// Leave the entries alone
    Off,
}
