//! A layout as what images are copied to.

use std::time::Duration;

use super::names::image_name;
use super::{BlobSink, LayoutError, LayoutReason, LayoutWriter};
use crate::image::{Digest, Repository};
use crate::mirror::{FoundManifest, Place, Started, StoreError, Target};
use crate::registry::{BlobRead, Descriptor, Manifest};

impl Target for LayoutWriter {
    type Upload = BlobSink;

    async fn find(&self, place: Place<'_>, reference: &str) -> Result<Option<FoundManifest>, StoreError> {
        let found = match Digest::parse(reference) {
            // It is there under this repository's name, or must be named.
            Ok(digest) if self.lists(place.repository, &digest) => LayoutWriter::find(self, &digest)?,
            Ok(_) => None,
            Err(_) => self.find_name(&image_name(place.repository, reference))?,
        };
        Ok(found.map(|manifest| FoundManifest { digest: manifest.digest, media_type: manifest.media_type }))
    }

    async fn has_blob(&self, _place: Place<'_>, blob: &Descriptor) -> Result<bool, StoreError> {
        Ok(LayoutWriter::has_blob(self, &blob.digest, blob.size)?)
    }

    async fn start_blob(
        &self,
        _place: Place<'_>,
        blob: &Descriptor,
        _from: Option<&Repository>,
    ) -> Result<Started<BlobSink>, StoreError> {
        if LayoutWriter::has_blob(self, &blob.digest, blob.size)? {
            return Ok(Started::Done);
        }
        Ok(Started::Write(self.blob(&blob.digest, blob.size)?))
    }

    async fn write_blob<B: BlobRead<Error = StoreError>>(
        &self,
        _place: Place<'_>,
        _blob: &Descriptor,
        mut upload: BlobSink,
        bytes: &mut B,
    ) -> Result<(), StoreError> {
        while let Some(chunk) = bytes.next().await? {
            upload.write(&chunk)?;
        }
        // Waiting for the disk must not keep the other blobs waiting.
        let finished = tokio::task::spawn_blocking(move || upload.finish()).await;
        finished.unwrap_or_else(|error| {
            let message = error.to_string();
            Err(LayoutError::new(self.folder(), LayoutReason::Io { doing: "write a blob", message }))
        })?;
        Ok(())
    }

    async fn write_manifest(&self, _place: Place<'_>, manifest: &Manifest) -> Result<(), StoreError> {
        Ok(self.manifest(manifest)?)
    }

    async fn write_referrer(
        &self,
        _place: Place<'_>,
        _subject: &Digest,
        manifest: &Manifest,
        _descriptor: &Descriptor,
    ) -> Result<(), StoreError> {
        self.manifest(manifest)?;
        self.list(None, manifest);
        Ok(())
    }

    async fn name(&self, place: Place<'_>, tag: Option<&str>, manifest: &Manifest) -> Result<(), StoreError> {
        self.manifest(manifest)?;
        let reference = tag.unwrap_or(manifest.digest.as_str());
        self.list(Some(&image_name(place.repository, reference)), manifest);
        Ok(())
    }

    fn has_whole_indexes(&self) -> bool {
        true
    }

    async fn give_up_dropped(&self, _limit: Duration) {
        // A file that is dropped is gone.
    }
}
