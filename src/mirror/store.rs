//! What images are copied from and to.

use std::future::Future;
use std::time::Duration;

use crate::image::{Digest, Repository};
use crate::registry::{BlobRead, Descriptor, Manifest};

use super::StoreError;

/// A repository, and what messages call the image that is looked for there.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The image as messages name it.
    pub image: &'a str,
    /// The repository. In a layout, images stand under the one they came from.
    pub repository: &'a Repository,
}

/// What a tag or digest stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundManifest {
    /// Its digest.
    pub digest: Digest,
    /// What it is; empty when that is not said.
    pub media_type: String,
}

/// Whether a blob is to be written.
#[derive(Debug)]
pub enum Started<U> {
    /// It is there already.
    Done,
    /// It is to be written by this.
    Write(U),
}

/// What images are copied from.
pub trait Source: Send + Sync {
    /// The bytes of a blob.
    type Blob: BlobRead<Error = StoreError>;

    /// What a tag or digest stands for; `None` when it is not there. No manifest is read where that can be helped.
    fn find(
        &self,
        place: Place<'_>,
        reference: &str,
    ) -> impl Future<Output = Result<Option<FoundManifest>, StoreError>> + Send;

    /// A manifest by its digest, whose bytes have that digest.
    fn manifest(
        &self,
        place: Place<'_>,
        digest: &Digest,
    ) -> impl Future<Output = Result<Manifest, StoreError>> + Send;

    /// A blob.
    fn blob(
        &self,
        place: Place<'_>,
        blob: &Descriptor,
    ) -> impl Future<Output = Result<Self::Blob, StoreError>> + Send;

    /// What says that it refers to `subject` (its own `subject` is still to be compared). Not to know is an error, and
    /// not an empty list. Tags that hold signatures are looked for with [`Source::find`].
    fn referrers(
        &self,
        place: Place<'_>,
        subject: &Digest,
    ) -> impl Future<Output = Result<Vec<Descriptor>, StoreError>> + Send;
}

/// What images are copied to.
pub trait Target: Send + Sync {
    /// A blob that is being written.
    type Upload: Send;

    /// What a tag or digest stands for; `None` when it is not there.
    fn find(
        &self,
        place: Place<'_>,
        reference: &str,
    ) -> impl Future<Output = Result<Option<FoundManifest>, StoreError>> + Send;

    /// Whether a blob is there.
    fn has_blob(
        &self,
        place: Place<'_>,
        blob: &Descriptor,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Starts to write a blob. It may be had from the repository `from` of the same registry.
    fn start_blob(
        &self,
        place: Place<'_>,
        blob: &Descriptor,
        from: Option<&Repository>,
    ) -> impl Future<Output = Result<Started<Self::Upload>, StoreError>> + Send;

    /// Writes a blob.
    fn write_blob<B: BlobRead<Error = StoreError>>(
        &self,
        place: Place<'_>,
        blob: &Descriptor,
        upload: Self::Upload,
        bytes: &mut B,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Writes a manifest under its digest. What it is made of is there.
    fn write_manifest(
        &self,
        place: Place<'_>,
        manifest: &Manifest,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Writes a manifest that refers to `subject`, so that whoever asks for what refers to that finds it.
    fn write_referrer(
        &self,
        place: Place<'_>,
        subject: &Digest,
        manifest: &Manifest,
        descriptor: &Descriptor,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Writes a manifest under a tag: the last step of an image, and that of each tag that holds a signature. What it is
    /// made of is there, and so may it be itself. Without a tag it is there, and known by its digest alone, which a
    /// registry needs not be told, and a layout must write down.
    fn name(
        &self,
        place: Place<'_>,
        tag: Option<&str>,
        manifest: &Manifest,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Whether an index that is found has all that it names, so that none of it needs to be looked for.
    fn has_whole_indexes(&self) -> bool {
        false
    }

    /// Ends what was begun and will not be finished: blobs whose writing was called off. Takes no longer than `limit`.
    fn give_up_dropped(&self, limit: Duration) -> impl Future<Output = ()> + Send;
}

/// Gives up what was begun at `target` by copies that were all called off just now, and what it was starting for them at
/// that moment. Takes no longer than `limit`.
pub async fn give_up_all(target: &impl Target, limit: Duration) {
    let all = async {
        target.give_up_dropped(limit).await;
        tokio::time::sleep(limit / 3).await;
        target.give_up_dropped(limit).await;
    };
    let _ = tokio::time::timeout(limit, all).await;
}
