//! The bytes of a blob as a stream that is counted and hashed; the last ones come only when all of them are right.

use bytes::Bytes;

use super::error::{LayoutError, LayoutReason};
use super::files::Content;
use crate::image::Digest;
use crate::registry::Hasher;

/// How many bytes are read at once.
const CHUNK: usize = 128 * 1024;

/// The bytes of a blob of a layout.
pub struct BlobFile {
    path: std::path::PathBuf,
    content: Content,
    digest: Digest,
    hasher: Hasher,
    /// How many bytes were read.
    at: u64,
    /// How many bytes from the start were given before, and are not given again.
    skip: u64,
    held: Option<Bytes>,
    ended: bool,
}

impl BlobFile {
    pub(super) fn new(
        path: &std::path::Path,
        content: Content,
        digest: &Digest,
    ) -> Result<Self, LayoutError> {
        let hasher = hasher(path, digest)?;
        let path = path.to_owned();
        let digest = digest.clone();
        Ok(Self { path, content, digest, hasher, at: 0, skip: 0, held: None, ended: false })
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// [`LayoutError`]; [`LayoutReason::Damaged`] when the bytes are not those of the digest.
    pub fn chunk(&mut self) -> Result<Option<Bytes>, LayoutError> {
        loop {
            if self.ended {
                return Ok(self.held.take());
            }
            let mut buffer = vec![0; CHUNK];
            let read = self.content.read_at(&mut buffer, self.at)?;
            if read == 0 {
                self.verify()?;
                self.ended = true;
                continue;
            }
            buffer.truncate(read);
            self.hasher.update(&buffer);
            self.at += read as u64;
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(read);
            self.skip -= skipped as u64;
            let chunk = Bytes::from(buffer).slice(skipped..);
            if chunk.is_empty() {
                continue;
            }
            if let Some(before) = self.held.replace(chunk) {
                return Ok(Some(before));
            }
        }
    }

    /// Goes back: the next bytes are those from `from` on.
    ///
    /// # Errors
    /// None but that of a digest whose algorithm is not known.
    pub fn restart(&mut self, from: u64) -> Result<(), LayoutError> {
        self.hasher = hasher(&self.path, &self.digest)?;
        (self.at, self.skip, self.held, self.ended) = (0, from, None, false);
        Ok(())
    }

    fn verify(&mut self) -> Result<(), LayoutError> {
        let hasher = std::mem::replace(&mut self.hasher, hasher(&self.path, &self.digest)?);
        let found = hasher.finish();
        if found == self.digest {
            return Ok(());
        }
        self.held = None;
        let (digest, found) = (self.digest.to_string(), found.to_string());
        Err(LayoutError::new(&self.path, LayoutReason::Damaged { digest, found }))
    }
}

/// A hasher for `digest`.
pub(super) fn hasher(path: &std::path::Path, digest: &Digest) -> Result<Hasher, LayoutError> {
    Hasher::of(digest)
        .ok_or_else(|| LayoutError::new(path, LayoutReason::Algorithm { digest: digest.to_string() }))
}
