//! Which blobs the other side has: those of the images of its lock file.

use std::collections::HashSet;

use futures_util::{StreamExt, stream};

use super::LeftOut;
use crate::image::{Digest, ImageReference, Repository};
use crate::lock::{Lock, LockEntry};
use crate::mirror::{Contents, Place, Source, StoreError};

/// How many images are asked for at once.
const AT_ONCE: usize = 8;

/// The blobs of all images of `lock`, whose manifests are read at the source. An image that is not to be had there any
/// more says nothing: its blobs are written once more; those images are the second half of the answer.
pub async fn since<S: Source>(source: &S, lock: &Lock) -> (LeftOut, Vec<(String, StoreError)>) {
    let images = lock.entries().map(|entry| async move {
        let image = image_of(entry)?;
        let repository = ImageReference::parse(&entry.id).ok()?.repository();
        let found = blobs(source, &image, &repository, &entry.digest).await;
        Some((image, repository, found))
    });
    let mut answers = stream::iter(images).buffered(AT_ONCE);
    let (mut left_out, mut failed) = (LeftOut::default(), Vec::new());
    while let Some(answer) = answers.next().await {
        let Some((image, repository, found)) = answer else { continue };
        match found {
            Ok(blobs) => {
                for (digest, size) in &blobs {
                    left_out.add(digest, *size, &repository);
                }
            }
            Err(error) => failed.push((image, error)),
        }
    }
    (left_out, failed)
}

/// The image as it is at the source: `nginx:1.27@sha256:…`.
fn image_of(entry: &LockEntry) -> Option<String> {
    ImageReference::parse(&entry.id).ok().map(|reference| format!("{}@{}", reference.name(), entry.digest))
}

async fn blobs<S: Source>(
    source: &S,
    image: &str,
    repository: &Repository,
    digest: &Digest,
) -> Result<Vec<(Digest, u64)>, StoreError> {
    let place = Place { image, repository };
    let (mut to_do, mut seen, mut blobs) = (vec![digest.clone()], HashSet::new(), Vec::new());
    while let Some(digest) = to_do.pop() {
        if !seen.insert(digest.clone()) {
            continue;
        }
        let manifest = source.manifest(place, &digest).await?;
        // What is no manifest names no blobs.
        let contents = Contents::of(&manifest).unwrap_or_default();
        to_do.extend(contents.manifests.into_iter().map(|child| child.digest));
        blobs.extend(contents.blobs.into_iter().map(|blob| (blob.digest, blob.size)));
    }
    Ok(blobs)
}
