//! Manifests of a run. One that several images are made of is written to a repository once, and nobody writes it while somebody
//! else does: some registries (docker-registry 2.8) refuse an index while a manifest that it names is being written again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::image::{Digest, Repository};
use crate::registry::Manifest;

use super::{Place, StoreError, Target};

/// Whether a manifest was written to a repository. Who writes it holds this.
type Written = Arc<tokio::sync::Mutex<bool>>;

/// The manifests that are written to targets in a run.
#[derive(Default)]
pub(super) struct Manifests(Mutex<HashMap<(Repository, Digest), Written>>);

impl Manifests {
    fn written(&self, to: Place<'_>, manifest: &Manifest) -> Written {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry((to.repository.clone(), manifest.digest.clone())).or_default())
    }

    /// Writes a manifest by its digest. One that was written before in this run is written once more only when `again` is set.
    pub(super) async fn write<T: Target>(
        &self,
        target: &T,
        to: Place<'_>,
        manifest: &Manifest,
        again: bool,
    ) -> Result<(), StoreError> {
        let written = self.written(to, manifest);
        let mut written = written.lock().await;
        if again || !*written {
            target.write_manifest(to, manifest).await?;
            *written = true;
        }
        Ok(())
    }

    /// Lists a manifest under a tag, or without one.
    pub(super) async fn name<T: Target>(
        &self,
        target: &T,
        to: Place<'_>,
        tag: Option<&str>,
        manifest: &Manifest,
    ) -> Result<(), StoreError> {
        let written = self.written(to, manifest);
        let mut written = written.lock().await;
        target.name(to, tag, manifest).await?;
        *written |= tag.is_some();
        Ok(())
    }
}
