//! Takes a blob's bytes and puts them into the bodies of requests, so many in each.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::Sender;

use super::BlobRead;

/// A blob that is sent, and how far it is.
pub(super) struct Feeder<'b, B> {
    bytes: &'b mut B,
    /// What came and did not fit into the request before.
    rest: Bytes,
    /// How many bytes of the blob stand before what comes next.
    at: u64,
    /// The most that ever did.
    furthest: u64,
}

/// Why not everything was fed.
pub(super) enum FeedError<E> {
    /// The bytes cannot be had.
    Source(E),
    /// Nobody took them for this long.
    Stalled(Duration),
    /// The request has ended.
    Gone,
}

impl<'b, B: BlobRead> Feeder<'b, B> {
    pub(super) fn new(bytes: &'b mut B) -> Self {
        Self { bytes, rest: Bytes::new(), at: 0, furthest: 0 }
    }

    /// Feeds the next `length` bytes. When the blob fails or ends before, the body does, too, and what takes it knows that
    /// it was not all.
    pub(super) async fn feed(
        &mut self,
        length: u64,
        body: Sender<Result<Bytes, io::Error>>,
        patience: Duration,
    ) -> Result<(), FeedError<B::Error>> {
        let mut missing = length;
        while missing > 0 {
            if self.rest.is_empty() {
                match self.bytes.next().await {
                    Ok(Some(bytes)) => self.rest = bytes,
                    // The request knows how long it should be.
                    Ok(None) => return Ok(()),
                    Err(error) => {
                        let _ = body.send(Err(io::Error::other("the blob cannot be read"))).await;
                        return Err(FeedError::Source(error));
                    }
                }
            }
            let taken = usize::try_from(missing).unwrap_or(usize::MAX).min(self.rest.len());
            let part = self.rest.split_to(taken);
            match tokio::time::timeout(patience, body.send(Ok(part))).await {
                Ok(Ok(())) => {
                    missing -= taken as u64;
                    self.at += taken as u64;
                    self.furthest = self.furthest.max(self.at);
                }
                Ok(Err(_)) => return Err(FeedError::Gone),
                Err(_) => return Err(FeedError::Stalled(patience)),
            }
        }
        Ok(())
    }

    /// Goes back or on to `from`.
    pub(super) async fn restart(&mut self, from: u64) -> Result<(), B::Error> {
        self.rest = Bytes::new();
        self.at = from;
        self.bytes.restart(from).await
    }

    /// How many bytes from the start of the blob were ever sent.
    pub(super) fn furthest(&self) -> u64 {
        self.furthest
    }
}
