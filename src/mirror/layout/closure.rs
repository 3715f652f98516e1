//! What an image needs: the manifests and blobs that its manifest names, and those that these name.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{LayoutError, LayoutReason};
use super::files::Files;
use super::names::blob_name;
use super::reader::read_manifest;
use crate::image::Digest;
use crate::mirror::Contents;
use crate::registry::Manifest;

/// The blobs of an image, with their sizes, and the manifests that are not there.
#[derive(Debug, Default)]
pub(super) struct Closure {
    /// Layers and configurations: what is streamed.
    pub(super) blobs: BTreeMap<Digest, u64>,
    /// The manifests that are there.
    pub(super) manifests: BTreeSet<Digest>,
    /// Manifests that are named and not there.
    pub(super) missing: BTreeSet<Digest>,
}

impl Closure {
    /// Adds the manifest with the digest `root` and all that it needs.
    pub(super) fn add(&mut self, files: &Files, root: &Digest) -> Result<(), LayoutError> {
        let mut to_do = vec![root.clone()];
        while let Some(digest) = to_do.pop() {
            if self.manifests.contains(&digest) || self.missing.contains(&digest) {
                continue;
            }
            let Some(manifest) = read_manifest(files, &digest)? else {
                self.missing.insert(digest);
                continue;
            };
            let contents = contents(files, &manifest)?;
            self.blobs.extend(contents.blobs.into_iter().map(|blob| (blob.digest, blob.size)));
            to_do.extend(contents.manifests.into_iter().map(|child| child.digest));
            self.manifests.insert(digest);
        }
        Ok(())
    }

    /// A blob that is not there with its size, and that `left_out` does not know either.
    pub(super) fn incomplete(
        &self,
        files: &Files,
        left_out: impl Fn(&Digest) -> bool,
    ) -> Result<Option<Digest>, LayoutError> {
        if let Some(digest) = self.missing.first() {
            return Ok(Some(digest.clone()));
        }
        for (digest, size) in &self.blobs {
            if files.size(&blob_name(digest))? != Some(*size) && !left_out(digest) {
                return Ok(Some(digest.clone()));
            }
        }
        Ok(None)
    }
}

/// What a manifest names.
pub(super) fn contents(files: &Files, manifest: &Manifest) -> Result<Contents, LayoutError> {
    Contents::of(manifest).map_err(|error| {
        let (file, message) = (blob_name(&manifest.digest), error.to_string());
        LayoutError::new(files.path(), LayoutReason::Malformed { file, message })
    })
}
