//! A layout as what images are copied from.

use bytes::Bytes;

use super::closure::contents;
use super::{BlobFile, LayoutError, LayoutReader};
use crate::image::Digest;
use crate::mirror::{FoundManifest, Place, Source, StoreError};
use crate::registry::{BlobRead, Descriptor, Manifest};

/// A blob of a layout.
pub struct LayoutBlob(BlobFile);

impl BlobRead for LayoutBlob {
    type Error = StoreError;

    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        Ok(self.0.chunk()?)
    }

    async fn restart(&mut self, from: u64) -> Result<(), StoreError> {
        Ok(self.0.restart(from)?)
    }
}

impl Source for LayoutReader {
    type Blob = LayoutBlob;

    async fn find(&self, place: Place<'_>, reference: &str) -> Result<Option<FoundManifest>, StoreError> {
        if let Some(stored) = self.find_in(place.repository, reference) {
            let media_type = stored.listed.media_type.clone();
            return Ok(Some(FoundManifest { digest: stored.digest.clone(), media_type }));
        }
        // A manifest of an index is not listed.
        let Ok(digest) = Digest::parse(reference) else { return Ok(None) };
        let manifest = self.find_manifest(&digest)?;
        Ok(manifest.map(|manifest| FoundManifest { digest, media_type: manifest.media_type }))
    }

    async fn manifest(&self, _place: Place<'_>, digest: &Digest) -> Result<Manifest, StoreError> {
        Ok(LayoutReader::manifest(self, digest)?)
    }

    async fn blob(&self, _place: Place<'_>, blob: &Descriptor) -> Result<LayoutBlob, StoreError> {
        Ok(LayoutBlob(LayoutReader::blob(self, &blob.digest, blob.size)?))
    }

    async fn referrers(&self, _place: Place<'_>, subject: &Digest) -> Result<Vec<Descriptor>, StoreError> {
        let manifests = LayoutReader::referrers(self, subject)?;
        Ok(manifests.iter().map(|manifest| describe(self, manifest)).collect::<Result<_, LayoutError>>()?)
    }
}

fn describe(reader: &LayoutReader, manifest: &Manifest) -> Result<Descriptor, LayoutError> {
    let contents = contents(reader.files(), manifest)?;
    Ok(Descriptor {
        media_type: manifest.media_type.clone(),
        digest: manifest.digest.clone(),
        size: manifest.bytes.len() as u64,
        urls: Vec::new(),
        platform: None,
        artifact_type: contents.artifact_type,
        annotations: contents.annotations,
    })
}
