//! Before anything is pushed from a layout: whether the registry has what was left out of it.

use std::collections::BTreeMap;

use super::closure::Closure;
use super::left_out::LeftOut;
use super::{LayoutError, LayoutReader, LayoutReason};
use crate::image::{Digest, Repository};
use crate::mirror::{Place, Source, Started, StoreError, Target};
use crate::registry::Descriptor;

/// An image that is to be copied out of a layout.
#[derive(Clone, Debug)]
pub struct Import {
    /// What messages call it.
    pub image: String,
    /// The digest of its manifest.
    pub digest: Digest,
    /// Where it goes.
    pub target: Repository,
}

/// A blob that is neither in the layout nor at the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The image that needs it.
    pub image: String,
    /// The blob.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
    /// Where it was looked for.
    pub looked: Vec<Repository>,
}

/// Looks at the target for the blobs that were left out of `reader` and that `imports` need. `target_of` says where the
/// images of a repository go. Returns those that are missing; when there are none, each blob is in the repository that
/// needs it: it was there, or was mounted from another one, which is not done unless `writes`.
///
/// # Errors
/// [`StoreError`] when the layout cannot be read, lacks a blob that was not left out, or the registry does not answer.
pub async fn missing<T>(
    reader: &LayoutReader,
    target: &T,
    imports: &[Import],
    writes: bool,
    target_of: impl Fn(&Repository) -> Option<Repository>,
) -> Result<Vec<Missing>, StoreError>
where
    T: Source + Target,
{
    let mut missing = Vec::new();
    let mut elsewhere: BTreeMap<(Repository, Digest), (String, u64, Repository)> = BTreeMap::new();
    for import in imports {
        for (digest, size) in left_out(reader, &import.digest)? {
            let key = (import.target.clone(), digest.clone());
            if elsewhere.contains_key(&key) {
                continue;
            }
            let mut looked = places(reader.left_out(), &digest, &import.target, &target_of);
            match first_with(target, &import.image, &looked, &descriptor(&digest, size)).await? {
                Some(0) => {}
                Some(at) => _ = elsewhere.insert(key, (import.image.clone(), size, looked.swap_remove(at))),
                None => missing.push(Missing { image: import.image.clone(), digest, size, looked }),
            }
        }
    }
    if missing.is_empty() && writes {
        for ((repository, digest), (image, size, from)) in &elsewhere {
            bring(target, image, repository, from, &descriptor(digest, *size)).await?;
        }
    }
    Ok(missing)
}

/// The blobs of an image that are not in the layout because they were left out.
fn left_out(reader: &LayoutReader, image: &Digest) -> Result<Vec<(Digest, u64)>, LayoutError> {
    let mut closure = Closure::default();
    closure.add(reader.files(), image)?;
    let not_there = |digest: &Digest| {
        let reason = LayoutReason::NoBlob { digest: digest.to_string(), left_out: false };
        LayoutError::new(reader.path(), reason)
    };
    if let Some(digest) = closure.missing.first() {
        return Err(not_there(digest));
    }
    let mut found = Vec::new();
    for (digest, size) in closure.blobs {
        if reader.has_blob(&digest, size)? {
            continue;
        }
        if reader.left_out().get(&digest).is_none() {
            return Err(not_there(&digest));
        }
        found.push((digest, size));
    }
    Ok(found)
}

/// Where a blob may be: where it is needed, then where other images have it.
fn places(
    left_out: &LeftOut,
    digest: &Digest,
    needed: &Repository,
    target_of: impl Fn(&Repository) -> Option<Repository>,
) -> Vec<Repository> {
    let mut places = vec![needed.clone()];
    let known = left_out.get(digest).into_iter().flat_map(|blob| &blob.repositories);
    for place in known.filter_map(target_of) {
        // From another registry it cannot be mounted.
        if place.registry() == needed.registry() && !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

async fn first_with<T: Target>(
    target: &T,
    image: &str,
    places: &[Repository],
    blob: &Descriptor,
) -> Result<Option<usize>, StoreError> {
    for (at, repository) in places.iter().enumerate() {
        if target.has_blob(Place { image, repository }, blob).await? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// Brings a blob from one repository of a registry to another: mounted, or read and written where the registry does
/// not mount.
async fn bring<T: Source + Target>(
    registry: &T,
    image: &str,
    to: &Repository,
    from: &Repository,
    blob: &Descriptor,
) -> Result<(), StoreError> {
    let place = Place { image, repository: to };
    match registry.start_blob(place, blob, Some(from)).await? {
        Started::Done => Ok(()),
        Started::Write(upload) => {
            let mut bytes = registry.blob(Place { image, repository: from }, blob).await?;
            registry.write_blob(place, blob, upload, &mut bytes).await
        }
    }
}

fn descriptor(digest: &Digest, size: u64) -> Descriptor {
    Descriptor {
        media_type: String::new(),
        digest: digest.clone(),
        size,
        urls: Vec::new(),
        platform: None,
        artifact_type: None,
        annotations: None,
    }
}
