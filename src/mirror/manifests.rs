//! Manifests of a run: each is written to a repository once below the images that it is part of, and of those that write the
//! same one, one writes at a time. Some registries (docker-registry 2.8) refuse what refers to a manifest while that is
//! written again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::image::{Digest, Repository};
use crate::registry::Manifest;

use super::{Place, StoreError, Target};

/// Whether a manifest was written to a repository. Who writes it holds this.
type Written = Arc<tokio::sync::Mutex<bool>>;

/// The manifests that were written to targets, or are being written.
#[derive(Default)]
pub(super) struct Manifests(Mutex<HashMap<(Repository, Digest), Written>>);

impl Manifests {
    fn written(&self, to: Place<'_>, manifest: &Manifest) -> Written {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry((to.repository.clone(), manifest.digest.clone())).or_default())
    }

    /// Writes a manifest by its digest; one that was written before only `again`.
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
