//! The bytes of one blob, wherever they come from, as an upload takes them.

use std::future::Future;

use bytes::Bytes;

use super::{BlobReader, RegistryError};

/// The bytes of one blob. The last ones come only when all of them have the blob's digest and size.
pub trait BlobRead: Send {
    /// What goes wrong.
    type Error: From<RegistryError> + Send;

    /// The next bytes, never none; `None` at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, Self::Error>> + Send;

    /// Goes back, so that the next bytes are those from `from` on, which is not more than what has come.
    fn restart(&mut self, from: u64) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

impl BlobRead for BlobReader {
    type Error = RegistryError;

    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, RegistryError>> + Send {
        BlobReader::next(self)
    }

    fn restart(&mut self, from: u64) -> impl Future<Output = Result<(), RegistryError>> + Send {
        BlobReader::restart(self, from)
    }
}
