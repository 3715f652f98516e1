//! Kustomizations and their like take part: what changes images by their names follows the images of the tree, so that
//! building the rewritten tree gives what rewriting the build of the original tree gives. What cannot hold is said.

mod built;
mod entry;
mod graph;
mod input;
mod patch;
mod renames;
mod replacement;

pub use built::Arriving;
pub use graph::{Given, Graph, ImagesByName, InputFiles, Naming, Renaming};
pub use renames::Renames;

pub(super) use entry::Siblings;
pub(super) use input::{
    Context, DISABLES, disables, look, look_at_configuration, look_at_replacements, look_at_transformers,
};

/// What becomes of the `images` of Kustomizations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum KustomizeMode {
    /// They follow the images of the tree.
    #[default]
    Follow,
    /// They are left alone, and reported where they would have to follow.
    Report,
    /// They are left alone.
    Off,
}

/// Whether kustomize takes the file at `path` for a Kustomization by its name, or would under the name that it gets when
/// it is used: `kustomization.x86_64.yaml`.
#[must_use]
pub fn is_kustomization(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name == "Kustomization" {
        return true;
    }
    let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"));
    let rest = stem.and_then(|stem| stem.strip_prefix("kustomization"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_kustomizations_by_their_names() {
        for (path, want) in [
            ("a/kustomization.yaml", true),
            ("kustomization.yml", true),
            ("Kustomization", true),
            ("a/kustomization.x86_64.yaml", true),
            ("kustomization-arm.yaml", true),
            ("kustomizations.yaml", false),
            ("my-kustomization.yaml", false),
            ("kustomization.json", false),
            ("kustomization.yaml/a.yaml", false),
        ] {
            assert_eq!(is_kustomization(path), want, "{path}");
        }
    }
}
