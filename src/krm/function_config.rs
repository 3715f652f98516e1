//! The configuration of the function in its three forms, and as a file of its own for the legacy plugin.
//!
//! ```yaml
//! apiVersion: imageswap.dev/v1alpha1      # or: apiVersion: v1, kind: ConfigMap (or ImageSwap), with data:
//! kind: ImageSwap
//! metadata: {name: mirror}
//! spec:
//!   maps: |
//!     docker.io::mirror.example.com/hub
//!   onUnmapped: warn
//! ```

use schemars::JsonSchema;

use crate::manifest::Places;
use crate::maps::MapsText;
use crate::rewrite::SkipRule;

use super::fields::Fields;
use super::skip::Skip;

/// The keys of `spec`, which are reserved in a ConfigMap's `data` as well.
pub(super) const KEYS: [&str; 8] =
    ["maps", "mapsFile", "pin", "lock", "fields", "skip", "onUnmapped", "validate"];

/// The API version of [`ImageSwap`].
pub const API_VERSION: &str = "imageswap.dev/v1alpha1";

/// Rewrites the container images of resources by a text of rules, and changes nothing else.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "the published schema is made from it")]
pub struct ImageSwap {
    /// `imageswap.dev/v1alpha1`
    api_version: String,
    /// `ImageSwap`
    kind: String,
    /// As of every resource.
    metadata: Option<serde_json::Map<String, serde_json::Value>>,
    /// What to do.
    spec: Option<ImageSwapSpec>,
    /// Words that kustomize hands to the legacy plugin: rules as `KEY=VALUE`.
    args_one_liner: Option<String>,
    /// A file whose lines kustomize hands to the legacy plugin: a maps file.
    args_from_file: Option<String>,
}

/// What to do.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "the published schema is made from it")]
pub struct ImageSwapSpec {
    /// The rules: one per line, `KEY::VALUE`.
    maps: Option<String>,
    /// A file with rules, for use without a container: relative to the working directory, in a kustomize plugin
    /// to the kustomization. Rules of `maps` win over it.
    maps_file: Option<String>,
    /// Add digests to images, asking registries for those that `lock` does not have. In a container there is a network
    /// only where the host is told so.
    pin: Option<bool>,
    /// A lock file of digests, for use without a container: relative to the working directory, in a kustomize plugin to
    /// the kustomization. It is read and never written; without `pin` it is used alone, and no registry is asked.
    lock: Option<String>,
    /// Where images are looked for besides in containers: `known` (the default), `core` (nowhere), `all` (also
    /// under every key `image` of a resource), or a list of fields as `[GROUP/]KIND:PATH`.
    fields: Option<Fields>,
    /// What is left alone.
    skip: Option<Vec<Skip>>,
    /// What to do about an image that no rule covers.
    on_unmapped: Option<OnUnmapped>,
    /// Change nothing, and fail when an image would change.
    validate: Option<bool>,
}

/// What to do about an image that no rule covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub enum OnUnmapped {
    /// Nothing.
    #[default]
    Ignore,
    /// Say it.
    Warn,
    /// Fail.
    Error,
}

/// A configuration that was read and is in order.
#[derive(Debug, Default)]
pub struct FunctionConfig {
    /// The rules, later texts win. Lines are counted within each text, whose name says where it stands.
    pub rules: Vec<MapsText<'static>>,
    /// A file with rules; `rules` win over it.
    pub maps_file: Option<String>,
    /// Where images are looked for; `None` when nothing is said.
    pub fields: Option<Places>,
    /// What is left alone.
    pub skip: Vec<SkipRule>,
    /// What to do about an image that no rule covers.
    pub on_unmapped: OnUnmapped,
    /// Change nothing, and fail when an image would change.
    pub validate: bool,
    /// Add digests to images.
    pub pin: bool,
    /// A lock file of digests.
    pub lock: Option<String>,
}

impl FunctionConfig {
    /// Whether it says anything about rules.
    #[must_use]
    pub fn has_rules(&self) -> bool {
        !self.rules.is_empty() || self.maps_file.is_some()
    }
}
