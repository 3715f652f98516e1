//! One blob that is written: under a name of its own until all its bytes are there and right.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use super::blob::hasher;
use super::error::{LayoutError, LayoutReason};
use crate::image::Digest;
use crate::registry::Hasher;

/// A blob that is written. Nothing is left of it when it is dropped before [`BlobSink::finish`].
pub struct BlobSink {
    temp: PathBuf,
    place: PathBuf,
    file: File,
    digest: Digest,
    hasher: Option<Hasher>,
    size: u64,
    at: u64,
}

impl BlobSink {
    pub(super) fn create(
        temp: PathBuf,
        place: PathBuf,
        digest: &Digest,
        size: u64,
    ) -> Result<Self, LayoutError> {
        let hasher = Some(hasher(&place, digest)?);
        let file = File::create_new(&temp).map_err(|error| LayoutError::io(&temp, "make it", &error))?;
        Ok(Self { temp, place, file, digest: digest.clone(), hasher, size, at: 0 })
    }

    /// Takes more bytes.
    ///
    /// # Errors
    /// [`LayoutError`] when the system refuses: the disk is full.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), LayoutError> {
        self.at += bytes.len() as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        self.file.write_all(bytes).map_err(|error| LayoutError::io(&self.temp, "write it", &error))
    }

    /// Puts the blob into place.
    ///
    /// # Errors
    /// [`LayoutReason::Damaged`] and [`LayoutReason::Size`] when the bytes are not those that were promised.
    pub fn finish(mut self) -> Result<(), LayoutError> {
        let failed = |reason| LayoutError::new(&self.place, reason);
        let digest = || self.digest.to_string();
        if self.at != self.size {
            return Err(failed(LayoutReason::Size { digest: digest(), expected: self.size, found: self.at }));
        }
        let found = self.hasher.take().map(Hasher::finish);
        if let Some(found) = found.filter(|found| *found != self.digest) {
            return Err(failed(LayoutReason::Damaged { digest: digest(), found: found.to_string() }));
        }
        let place = || {
            self.file.sync_data()?;
            fs::rename(&self.temp, &self.place)
        };
        place().map_err(|error| LayoutError::io(&self.place, "write it", &error))
    }
}

impl Drop for BlobSink {
    fn drop(&mut self) {
        // Gone already when it was put into place; else there is nobody to tell.
        let _ = fs::remove_file(&self.temp);
    }
}
