//! Registries as what is copied from and to.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use crate::image::{Digest, Repository};
use crate::registry::{
    BlobRead, BlobReader, Client, Descriptor, Head, Manifest, NewBlob, Reason, RegistryError, Start, Step,
    Upload,
};

use super::{FoundManifest, Place, Source, Started, StoreError, Target};

/// Registries, through a client. As a source it reads from mirrors, too; what is written goes where it is told.
pub struct RegistryStore {
    client: Client,
    /// The same, for what is written to.
    writer: Client,
    /// Which of the places of a repository has an image, by the name of the image.
    places: Mutex<HashMap<String, Repository>>,
    /// Who writes a list of referrers, does it alone.
    lists: tokio::sync::Mutex<()>,
}

/// A blob of a registry.
pub struct RegistryBlob(BlobReader);

impl BlobRead for RegistryBlob {
    type Error = StoreError;

    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        Ok(self.0.next().await?)
    }

    async fn restart(&mut self, from: u64) -> Result<(), StoreError> {
        Ok(self.0.restart(from).await?)
    }
}

impl RegistryStore {
    /// The registries that `client` reaches.
    #[must_use]
    pub fn new(client: Client) -> Self {
        let writer = client.for_writing();
        Self { client, writer, places: Mutex::default(), lists: tokio::sync::Mutex::default() }
    }

    /// Where an image was found, or where it belongs.
    fn endpoint(&self, place: Place<'_>) -> Repository {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.get(place.image).unwrap_or(place.repository).clone()
    }

    async fn head(
        client: &Client,
        place: Place<'_>,
        reference: &str,
    ) -> Result<Option<FoundManifest>, RegistryError> {
        match client.head_manifest(place.image, place.repository, reference).await {
            Ok(Head::Digest { digest, media_type }) => {
                // A digest stands for itself alone.
                if Digest::parse(reference).is_ok_and(|asked| asked != digest) {
                    let reason =
                        Reason::Mismatch { expected: reference.to_owned(), found: digest.to_string() };
                    let registry = place.repository.registry();
                    return Err(RegistryError::new(place.image, registry, Step::Lookup, reason));
                }
                Ok(Some(FoundManifest { digest, media_type }))
            }
            Ok(Head::Silent) => match client.manifest(place.image, place.repository, reference).await {
                Ok(manifest) => {
                    Ok(Some(FoundManifest { digest: manifest.digest, media_type: manifest.media_type }))
                }
                Err(error) if error.is_not_found() => Ok(None),
                Err(error) => Err(error),
            },
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Source for RegistryStore {
    type Blob = RegistryBlob;

    async fn find(&self, place: Place<'_>, reference: &str) -> Result<Option<FoundManifest>, StoreError> {
        let known = self.places.lock().unwrap_or_else(PoisonError::into_inner).get(place.image).cloned();
        if let Some(known) = known {
            return Ok(Self::head(&self.client, Place { repository: &known, ..place }, reference).await?);
        }
        let endpoints = self.client.endpoints(place.image, place.repository)?;
        let mut failure = None;
        for endpoint in &endpoints {
            match Self::head(&self.client, Place { repository: endpoint, ..place }, reference).await {
                Ok(Some(found)) => {
                    if endpoint != place.repository {
                        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
                        places.insert(place.image.to_owned(), endpoint.clone());
                    }
                    return Ok(Some(found));
                }
                Ok(None) => {}
                Err(error) if error.other_endpoint_may_help() => failure = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        // One that cannot be asked may have it.
        failure.map_or(Ok(None), |error| Err(error.into()))
    }

    async fn manifest(&self, place: Place<'_>, digest: &Digest) -> Result<Manifest, StoreError> {
        let endpoint = self.endpoint(place);
        Ok(self.client.manifest(place.image, &endpoint, digest.as_str()).await?)
    }

    async fn blob(&self, place: Place<'_>, blob: &Descriptor) -> Result<RegistryBlob, StoreError> {
        let endpoint = self.endpoint(place);
        let reader = self.client.blob(place.image, &endpoint, &blob.digest, Some(blob.size)).await?;
        Ok(RegistryBlob(reader))
    }

    async fn referrers(&self, place: Place<'_>, subject: &Digest) -> Result<Vec<Descriptor>, StoreError> {
        let endpoint = self.endpoint(place);
        let by_api = self.client.referrers(place.image, &endpoint, subject).await?;
        let mut all = by_api.unwrap_or_default();
        // A registry that learned the API later may still have the tag.
        for tagged in self.client.tagged_referrers(place.image, &endpoint, subject).await? {
            if !all.iter().any(|known| known.digest == tagged.digest) {
                all.push(tagged);
            }
        }
        Ok(all)
    }
}

impl Target for RegistryStore {
    type Upload = Upload;

    async fn find(&self, place: Place<'_>, reference: &str) -> Result<Option<FoundManifest>, StoreError> {
        Ok(absent(Self::head(&self.writer, place, reference).await)?.flatten())
    }

    async fn has_blob(&self, place: Place<'_>, blob: &Descriptor) -> Result<bool, StoreError> {
        let found = absent(self.writer.head_blob(place.image, place.repository, &blob.digest).await)?;
        Ok(found.is_some_and(|found| found.fits(blob.size)))
    }

    async fn start_blob(
        &self,
        place: Place<'_>,
        blob: &Descriptor,
        from: Option<&Repository>,
    ) -> Result<Started<Upload>, StoreError> {
        let from = from.filter(|from| from.registry() == place.repository.registry());
        Ok(match self.writer.start_upload(new_blob(place, blob), from).await? {
            Start::Done => Started::Done,
            Start::Upload(upload) => Started::Write(upload),
        })
    }

    async fn write_blob<B: BlobRead<Error = StoreError>>(
        &self,
        place: Place<'_>,
        blob: &Descriptor,
        upload: Upload,
        bytes: &mut B,
    ) -> Result<(), StoreError> {
        self.writer.upload(new_blob(place, blob), upload, bytes).await
    }

    async fn write_manifest(&self, place: Place<'_>, manifest: &Manifest) -> Result<(), StoreError> {
        let reference = manifest.digest.as_str();
        self.writer.put_manifest(place.image, place.repository, reference, manifest).await?;
        Ok(())
    }

    async fn write_referrer(
        &self,
        place: Place<'_>,
        subject: &Digest,
        manifest: &Manifest,
        descriptor: &Descriptor,
    ) -> Result<(), StoreError> {
        let reference = manifest.digest.as_str();
        let pushed = self.writer.put_manifest(place.image, place.repository, reference, manifest).await?;
        if !pushed.knows_subject {
            let _alone = self.lists.lock().await;
            self.writer.tag_referrer(place.image, place.repository, subject, descriptor).await?;
        }
        Ok(())
    }

    async fn name(&self, place: Place<'_>, tag: Option<&str>, manifest: &Manifest) -> Result<(), StoreError> {
        if let Some(tag) = tag {
            self.writer.put_manifest(place.image, place.repository, tag, manifest).await?;
        }
        Ok(())
    }

    async fn give_up_dropped(&self, limit: Duration) {
        self.writer.give_up_dropped(limit).await;
    }
}

/// Registries refuse to say of a repository that is not there yet whether anything is in it. If it is there, writing will
/// be refused, too.
fn absent<T>(result: Result<T, RegistryError>) -> Result<Option<T>, RegistryError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(*error.reason, Reason::Forbidden { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn new_blob<'a>(place: Place<'a>, blob: &'a Descriptor) -> NewBlob<'a> {
    NewBlob { image: place.image, repository: place.repository, digest: &blob.digest, size: blob.size }
}
