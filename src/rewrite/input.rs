//! What a Kustomization is built from.

use super::site::Site;

/// A file or folder that a Kustomization names.
#[derive(Debug, Clone)]
pub struct Input {
    /// What it is to the Kustomization.
    pub kind: InputKind,
    /// Where it stands in the Kustomization; its `image` is the path as written.
    pub site: Site,
    /// Of a patch: what it is for.
    pub(super) target: Option<Target>,
}

/// What a file or folder is to a Kustomization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InputKind {
    /// A part of what is built.
    Resource,
    /// Applied to what its includers have so far.
    Component,
    /// A patch.
    Patch,
    /// A transformer or generator.
    Transformer,
    /// Replacements.
    Replacements,
    /// Field specs and the like.
    Configuration,
    /// A file whose content goes into a ConfigMap or Secret.
    Generated,
}

/// What a patch is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) group: Option<String>,
    pub(super) kind: String,
}
