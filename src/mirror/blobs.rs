//! Blobs of a run: each is fetched once, however many images it is part of, and mounted everywhere else.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join;
use tokio::sync::Semaphore;

use crate::image::{Digest, Repository};
use crate::registry::Descriptor;

use super::counted::Counted;
use super::tally::Tally;
use super::{Place, Source, Started, StoreError, Target};

/// Where a blob is known to be, of one registry. Who writes it holds this.
type Places = Arc<tokio::sync::Mutex<HashSet<Repository>>>;

/// What is known of blobs at targets.
pub(super) struct Blobs {
    known: Mutex<HashMap<(String, Digest), Places>>,
    /// How many are under way at once.
    transfers: Semaphore,
}

/// A blob's way: from a place of a source to one of a target.
pub(super) struct Way<'a, S, T> {
    pub(super) source: &'a S,
    pub(super) from: Place<'a>,
    pub(super) target: &'a T,
    pub(super) to: Place<'a>,
    /// Whether anything is written.
    pub(super) write: bool,
    /// Whether what is known from before does not count.
    pub(super) doubt: bool,
    pub(super) tally: &'a Tally,
    /// Counts the bytes of the whole run as they go.
    pub(super) progress: &'a std::sync::atomic::AtomicU64,
}

impl Blobs {
    pub(super) fn new(transfers: usize) -> Self {
        Self { known: Mutex::default(), transfers: Semaphore::new(transfers.max(1)) }
    }

    fn places(&self, registry: &str, digest: &Digest) -> Places {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry((registry.to_owned(), digest.clone())).or_default())
    }

    /// Sees to it that a blob is at the target.
    pub(super) async fn ensure<S: Source, T: Target>(
        &self,
        way: &Way<'_, S, T>,
        blob: &Descriptor,
    ) -> Result<(), StoreError> {
        let Way { source, from, target, to, tally, .. } = *way;
        let places = self.places(to.repository.registry(), &blob.digest);
        // Who needs the same blob at the same registry waits until it can be mounted.
        let mut places = places.lock().await;
        if way.doubt {
            places.remove(to.repository);
        }
        if places.contains(to.repository) {
            tally.present(blob.size);
            return Ok(());
        }
        let sibling = places.iter().next().cloned();
        if (sibling.is_none() || !way.write) && target.has_blob(to, blob).await? {
            places.insert(to.repository.clone());
            tally.present(blob.size);
            return Ok(());
        }
        if !way.write {
            tally.missing();
            return Ok(());
        }
        let mount = sibling.as_ref().unwrap_or(from.repository);
        let mount = (mount != to.repository && mount.registry() == to.repository.registry()).then_some(mount);
        let transfer = || async { self.transfers.acquire().await.expect("the semaphore is never closed") };
        let (started, read, _permit) = if mount.is_some() {
            match target.start_blob(to, blob, mount).await? {
                Started::Done => (Started::Done, None, None),
                Started::Write(upload) => (Started::Write(upload), None, Some(transfer().await)),
            }
        } else {
            // Nothing is left but to send it: both sides are asked at once.
            let permit = transfer().await;
            let (started, read) = join(target.start_blob(to, blob, None), source.blob(from, blob)).await;
            (started?, Some(read?), Some(permit))
        };
        match started {
            Started::Done => tally.mounted(blob.size),
            Started::Write(upload) => {
                let read = match read {
                    Some(read) => read,
                    None => source.blob(from, blob).await?,
                };
                target.write_blob(to, blob, upload, &mut Counted::new(read, way.progress)).await?;
                tally.moved(blob.size);
            }
        }
        places.insert(to.repository.clone());
        Ok(())
    }
}
