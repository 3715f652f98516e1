//! Reading a layout: which images are in it, their manifests and blobs.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::Deserialize;

use super::blob::{BlobFile, hasher};
use super::closure::contents;
use super::error::{LayoutError, LayoutReason};
use super::files::Files;
use super::index::{IndexFile, Listed};
use super::left_out::LeftOut;
use super::names::{INDEX_FILE, LAYOUT_FILE, LEFT_OUT_FILE, LOCK_FILE, blob_name, image_name};
use crate::image::{Digest, DigestRef, ImageReference, Repository};
use crate::lock::Lock;
use crate::registry::{MANIFEST_MAX, Manifest, manifest_media_type};

/// The largest `index.json` and lock file that are read, in bytes: those of some hundred thousand images.
const LIST_MAX: u64 = 64 * 1024 * 1024;

/// A layout that is read, in a folder or a tar file. Clones share it.
#[derive(Clone, Debug)]
pub struct LayoutReader {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    files: Files,
    stored: Vec<Stored>,
    lock: Option<Lock>,
    left_out: LeftOut,
    /// Where in `stored` an image is, by `repository:tag` and by `repository@digest`.
    by_reference: HashMap<String, usize>,
    /// Which listed manifests refer to which one; read when it is first asked for.
    referrers: OnceLock<BTreeMap<Digest, Vec<Digest>>>,
}

/// An image of a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// How the layout lists it.
    pub listed: Listed,
    /// The digest of its manifest.
    pub digest: Digest,
    /// Where it comes from, in its one spelling: `docker.io/library/nginx:1.27`.
    pub reference: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    image_layout_version: String,
}

impl LayoutReader {
    /// Opens a folder, a tar file, or the parts of one, and reads what is in it.
    ///
    /// # Errors
    /// [`LayoutError`] when it is no layout, or none that can be trusted.
    pub fn open(path: &Path) -> Result<Self, LayoutError> {
        let files = Files::open(path)?;
        let failed = |reason| LayoutError::new(path, reason);
        let malformed =
            |file: &str, message: String| failed(LayoutReason::Malformed { file: file.to_owned(), message });
        let Some(text) = files.read(LAYOUT_FILE, 4096)? else {
            return Err(failed(LayoutReason::NoFile { file: LAYOUT_FILE }));
        };
        let version: Version =
            serde_json::from_slice(&text).map_err(|error| malformed(LAYOUT_FILE, error.to_string()))?;
        if version.image_layout_version != "1.0.0" {
            return Err(failed(LayoutReason::Version { found: version.image_layout_version }));
        }
        let index = read_index(&files)?.ok_or_else(|| failed(LayoutReason::NoFile { file: INDEX_FILE }))?;
        let stored = index.into_manifests().into_iter().map(|listed| {
            let digest = listed.digest().map_err(|message| malformed(INDEX_FILE, message))?;
            let reference = listed.reference();
            Ok(Stored { listed, digest, reference })
        });
        let stored: Vec<Stored> = stored.collect::<Result<_, _>>()?;
        let by_reference = by_reference(&stored);
        let lock = read_lock(&files)?;
        let left_out = read_left_out(&files)?;
        Ok(Self {
            inner: Arc::new(Inner {
                files,
                stored,
                by_reference,
                lock,
                left_out,
                referrers: OnceLock::new(),
            }),
        })
    }

    /// The folder or the tar file, as given.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.inner.files.path()
    }

    /// The images, in the layout's order; those without a name, too, which are there because they refer to others.
    #[must_use]
    pub fn stored(&self) -> &[Stored] {
        &self.inner.stored
    }

    /// The lock file of the images.
    #[must_use]
    pub fn lock(&self) -> Option<&Lock> {
        self.inner.lock.as_ref()
    }

    /// The blobs that are not here because the other side has them.
    #[must_use]
    pub fn left_out(&self) -> &LeftOut {
        &self.inner.left_out
    }

    /// The image that came from `source`: by repository and digest where it has one, else by its tag.
    #[must_use]
    pub fn find(&self, source: ImageReference<'_>) -> Option<&Stored> {
        let digest = source.digest();
        let reference = digest.map_or(source.tag().unwrap_or("latest"), DigestRef::as_str);
        self.find_in(&source.repository(), reference)
    }

    /// The image with this tag or digest that came from `repository`.
    pub(super) fn find_in(&self, repository: &Repository, reference: &str) -> Option<&Stored> {
        let at = self.inner.by_reference.get(&image_name(repository, reference))?;
        self.inner.stored.get(*at)
    }

    /// The files of the layout.
    pub(super) fn files(&self) -> &Files {
        &self.inner.files
    }

    /// A manifest by its digest; `None` when it is not there.
    pub(super) fn find_manifest(&self, digest: &Digest) -> Result<Option<Manifest>, LayoutError> {
        read_manifest(&self.inner.files, digest)
    }

    /// A manifest, whose bytes are those of `digest`.
    ///
    /// # Errors
    /// [`LayoutError`] when it is not there, too large, or damaged.
    pub fn manifest(&self, digest: &Digest) -> Result<Manifest, LayoutError> {
        match read_manifest(&self.inner.files, digest)? {
            Some(manifest) => Ok(manifest),
            None => Err(self.no_blob(digest)),
        }
    }

    /// Whether a blob is here, with the size that its descriptor says.
    ///
    /// # Errors
    /// [`LayoutReason::Size`] when it has another one.
    pub fn has_blob(&self, digest: &Digest, size: u64) -> Result<bool, LayoutError> {
        match self.inner.files.size(&blob_name(digest))? {
            None => Ok(false),
            Some(found) if found == size => Ok(true),
            Some(found) => {
                let reason = LayoutReason::Size { digest: digest.to_string(), expected: size, found };
                Err(LayoutError::new(self.path(), reason))
            }
        }
    }

    /// A blob's bytes. `size` is what its descriptor says.
    ///
    /// # Errors
    /// [`LayoutError`] when it is not there or has another size; damage is found by [`BlobFile::chunk`].
    pub fn blob(&self, digest: &Digest, size: u64) -> Result<BlobFile, LayoutError> {
        if !self.has_blob(digest, size)? {
            return Err(self.no_blob(digest));
        }
        match self.inner.files.get(&blob_name(digest))? {
            Some(content) => BlobFile::new(self.path(), content, digest),
            None => Err(self.no_blob(digest)),
        }
    }

    /// The manifests that refer to `digest`, as signatures do.
    ///
    /// # Errors
    /// [`LayoutError`] when a manifest that the layout lists is not there or cannot be read.
    pub fn referrers(&self, digest: &Digest) -> Result<Vec<Manifest>, LayoutError> {
        let referrers = match self.inner.referrers.get() {
            Some(referrers) => referrers,
            None => {
                let mut found: BTreeMap<Digest, Vec<Digest>> = BTreeMap::new();
                for stored in self.stored() {
                    let manifest = self.manifest(&stored.digest)?;
                    if let Some(subject) = contents(&self.inner.files, &manifest)?.subject {
                        let those = found.entry(subject.digest).or_default();
                        if !those.contains(&stored.digest) {
                            those.push(stored.digest.clone());
                        }
                    }
                }
                self.inner.referrers.get_or_init(|| found)
            }
        };
        referrers.get(digest).into_iter().flatten().map(|digest| self.manifest(digest)).collect()
    }

    fn no_blob(&self, digest: &Digest) -> LayoutError {
        let left_out = self.left_out().get(digest).is_some();
        LayoutError::new(self.path(), LayoutReason::NoBlob { digest: digest.to_string(), left_out })
    }
}

/// Where images are in `stored`. Of two with the same name, the first one counts.
fn by_reference(stored: &[Stored]) -> HashMap<String, usize> {
    let mut by_reference = HashMap::new();
    for (at, image) in stored.iter().enumerate() {
        let Some(reference) = image.reference.as_deref().and_then(|text| ImageReference::parse(text).ok())
        else {
            continue;
        };
        let repository = reference.repository();
        by_reference.entry(image_name(&repository, image.digest.as_str())).or_insert(at);
        if let Some(tag) = reference.tag() {
            by_reference.entry(image_name(&repository, tag)).or_insert(at);
        }
    }
    by_reference
}

/// `index.json`, when it is there.
pub(super) fn read_index(files: &Files) -> Result<Option<IndexFile>, LayoutError> {
    let Some(bytes) = files.read(INDEX_FILE, LIST_MAX)? else { return Ok(None) };
    IndexFile::parse(&bytes).map(Some).map_err(|error| malformed(files, INDEX_FILE, error.to_string()))
}

/// The lock file, when it is there.
pub(super) fn read_lock(files: &Files) -> Result<Option<Lock>, LayoutError> {
    let Some(bytes) = files.read(LOCK_FILE, LIST_MAX)? else { return Ok(None) };
    let text = String::from_utf8(bytes).map_err(|error| malformed(files, LOCK_FILE, error.to_string()))?;
    let lock = Lock::parse(LOCK_FILE, &text);
    lock.map(Some).map_err(|errors| malformed(files, LOCK_FILE, errors.to_string()))
}

/// The list of the blobs that were left out; empty when it is not there.
pub(super) fn read_left_out(files: &Files) -> Result<LeftOut, LayoutError> {
    let Some(bytes) = files.read(LEFT_OUT_FILE, LIST_MAX)? else { return Ok(LeftOut::default()) };
    LeftOut::parse(&bytes).map_err(|message| malformed(files, LEFT_OUT_FILE, message))
}

/// A manifest, when it is there.
pub(super) fn read_manifest(files: &Files, digest: &Digest) -> Result<Option<Manifest>, LayoutError> {
    let name = blob_name(digest);
    let Some(bytes) = files.read(&name, MANIFEST_MAX as u64)? else { return Ok(None) };
    let mut hasher = hasher(files.path(), digest)?;
    hasher.update(&bytes);
    let found = hasher.finish();
    if found != *digest {
        let (digest, found) = (digest.to_string(), found.to_string());
        return Err(LayoutError::new(files.path(), LayoutReason::Damaged { digest, found }));
    }
    let media_type =
        manifest_media_type(&bytes).map_err(|reason| malformed(files, &name, reason.to_string()))?;
    Ok(Some(Manifest { digest: digest.clone(), media_type, bytes: Bytes::from(bytes) }))
}

fn malformed(files: &Files, file: &str, message: String) -> LayoutError {
    LayoutError::new(files.path(), LayoutReason::Malformed { file: file.to_owned(), message })
}
