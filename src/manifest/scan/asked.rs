//! What a scanner was asked for.

use super::Scanner;
use crate::manifest::places::PlaceSpec;

impl Scanner {
    /// The places that were asked for, and at which nothing was found so far.
    pub fn missed_places(&self) -> impl Iterator<Item = &PlaceSpec> {
        self.places.missed()
    }

    /// The label that, set to `disabled`, keeps a resource as it is.
    #[must_use]
    pub fn disable_label(&self) -> &str {
        &self.disable_label
    }

    /// Whether images are looked for under these keys, those of lists' elements left out, in a resource of which group, kind
    /// and name are known as far as they are given.
    #[must_use]
    pub fn finds_at(
        &self,
        group: Option<&str>,
        kind: Option<&str>,
        name: Option<&str>,
        keys: &[&str],
    ) -> bool {
        matches!(keys, [.., "containers" | "initContainers" | "ephemeralContainers", "image"])
            || matches!(keys, [.., "volumes", "image", "reference"])
            || self.places.names_keys(group, kind, name, keys)
    }
}
