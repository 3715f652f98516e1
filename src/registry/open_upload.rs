//! Uploads that are under way, and those that nobody goes on with: the registry is told, so that it need not keep what it
//! has of them.

use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use crate::image::Repository;

/// Where an upload stands.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) url: Url,
    /// How many bytes the registry has.
    pub(super) offset: u64,
    /// The least that it takes in a part that is not the last.
    pub(super) part_min: u64,
}

/// An upload that a registry expects. Of one that is dropped before all was sent, the registry is told by
/// [`Client::give_up_dropped`](super::Client::give_up_dropped).
#[derive(Debug)]
pub struct Upload {
    pub(super) point: Point,
    /// Whether the registry has forgotten it: it is whole, or was given up.
    ended: bool,
    image: String,
    repository: Repository,
    dropped: Arc<DroppedUploads>,
}

/// The uploads of a client that were dropped.
#[derive(Debug, Default)]
pub(super) struct DroppedUploads(Mutex<Vec<DroppedUpload>>);

/// An upload that was dropped.
#[derive(Debug)]
pub(super) struct DroppedUpload {
    /// What messages call the image it belongs to.
    pub(super) image: String,
    pub(super) repository: Repository,
    pub(super) url: Url,
}

impl DroppedUploads {
    /// Those that were dropped since this was last asked.
    pub(super) fn take(&self) -> Vec<DroppedUpload> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Upload {
    /// An upload that a registry has just started; when it is dropped, it is noted in `dropped`.
    pub(super) fn new(
        image: &str,
        repository: &Repository,
        point: Point,
        dropped: &Arc<DroppedUploads>,
    ) -> Self {
        let (image, repository) = (image.to_owned(), repository.clone());
        Self { point, ended: false, image, repository, dropped: Arc::clone(dropped) }
    }

    /// The registry needs not be told any more: all of it is there, or it was given up.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.ended {
            let (image, repository) = (self.image.clone(), self.repository.clone());
            let dropped = DroppedUpload { image, repository, url: self.point.url.clone() };
            self.dropped.0.lock().unwrap_or_else(PoisonError::into_inner).push(dropped);
        }
    }
}
