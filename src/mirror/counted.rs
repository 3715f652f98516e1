//! Bytes that are counted as they are read.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::registry::BlobRead;

/// A blob whose bytes are added to a counter.
pub(super) struct Counted<'c, B> {
    inner: B,
    counter: &'c AtomicU64,
    read: u64,
}

impl<'c, B> Counted<'c, B> {
    pub(super) fn new(inner: B, counter: &'c AtomicU64) -> Self {
        Self { inner, counter, read: 0 }
    }
}

impl<B: BlobRead> BlobRead for Counted<'_, B> {
    type Error = B::Error;

    async fn next(&mut self) -> Result<Option<Bytes>, B::Error> {
        let bytes = self.inner.next().await?;
        let length = bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
        self.read += length;
        self.counter.fetch_add(length, Ordering::Relaxed);
        Ok(bytes)
    }

    async fn restart(&mut self, from: u64) -> Result<(), B::Error> {
        self.inner.restart(from).await?;
        self.counter.fetch_sub(self.read.saturating_sub(from), Ordering::Relaxed);
        self.read = from;
        Ok(())
    }
}
