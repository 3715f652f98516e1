//! Writing a layout into a folder, so that it is whole or says of itself that it is not: blobs under names of their
//! own until they are verified, `index.json` last.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::closure::Closure;
use super::error::{LayoutError, LayoutReason};
use super::files::Files;
use super::index::{IndexFile, Listed};
use super::left_out::LeftOut;
use super::names::{BLOBS, INDEX_FILE, LAYOUT_FILE, LAYOUT_TEXT, LEFT_OUT_FILE, LOCK_FILE, blob_name};
use super::pack::{Archive, pack};
use super::reader::{read_index, read_left_out, read_lock, read_manifest};
use super::sink::BlobSink;
use crate::image::{Digest, Repository};
use crate::lock::Lock;
use crate::registry::Manifest;

/// How the names of unfinished files start.
const TEMP_PREFIX: &str = ".imageswap-";

/// A layout that is written.
#[derive(Debug)]
pub struct LayoutWriter {
    files: Files,
    folder: PathBuf,
    /// The tar file that the folder becomes.
    archive: Option<Archive>,
    index: Mutex<IndexFile>,
    /// What need not be written, because the other side has it.
    left_out: LeftOut,
    next: AtomicU64,
    /// Held while this is written, so that no two runs write to the same place.
    _in_use: File,
}

impl LayoutWriter {
    /// Writes to `path`: a tar file when its name ends in `.tar`, in parts of at most `split` bytes when that is
    /// given, else a folder. What an interrupted run left is taken up again. Blobs of `left_out` are not written.
    ///
    /// # Errors
    /// [`LayoutError`] when something else is there.
    pub fn create(path: &Path, split: Option<u64>, left_out: LeftOut) -> Result<Self, LayoutError> {
        let is_tar = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("tar"));
        let refused = |message| LayoutError::new(path, LayoutReason::Target { message });
        let (folder, archive) = if is_tar {
            let mut name = path.as_os_str().to_owned();
            name.push(".unfinished");
            let folder = PathBuf::from(name);
            let archive = Archive::new(path, split, &folder)?;
            (folder, Some(archive))
        } else if split.is_some() {
            return Err(refused("only a tar file can be split: name one that ends in .tar"));
        } else {
            (path.to_owned(), None)
        };
        fs::create_dir_all(folder.join(BLOBS).join("sha256"))
            .map_err(|error| LayoutError::io(&folder, "make the folder", &error))?;
        let in_use =
            File::open(&folder).map_err(|error| LayoutError::io(&folder, "open the folder", &error))?;
        match in_use.try_lock() {
            Err(fs::TryLockError::WouldBlock) => return Err(LayoutError::new(path, LayoutReason::InUse)),
            // Some file systems have no locks.
            Ok(()) | Err(fs::TryLockError::Error(_)) => {}
        }
        let files = Files::Folder(folder.clone());
        let index = if files.size(LAYOUT_FILE)?.is_some() {
            read_index(&files)?.unwrap_or_default()
        } else if is_ours(&folder)? {
            IndexFile::default()
        } else {
            return Err(refused(
                "it is a folder with other things in it; name a new one, or an OCI image layout",
            ));
        };
        let mut left_out = left_out;
        left_out.extend(&read_left_out(&files)?);
        let index = Mutex::new(index);
        let next = AtomicU64::new(0);
        let writer = Self { files, folder, archive, index, left_out, next, _in_use: in_use };
        writer.remove_temps()?;
        writer.archive.as_ref().map_or(Ok(()), Archive::clean_up)?;
        if writer.files.size(LAYOUT_FILE)?.is_none() {
            writer.replace(LAYOUT_FILE, LAYOUT_TEXT.as_bytes())?;
        }
        Ok(writer)
    }

    /// The folder that is written to: that of the tar file while it is not finished.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The manifest that the layout lists under `name`, when all that it needs is there.
    ///
    /// # Errors
    /// [`LayoutError`] when what is there cannot be read.
    pub fn find_name(&self, name: &str) -> Result<Option<Manifest>, LayoutError> {
        let digest = {
            let index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
            index.named(name).and_then(|listed| listed.digest().ok())
        };
        digest.map_or(Ok(None), |digest| self.find(&digest))
    }

    /// The manifest with this digest, when all that it needs is there.
    ///
    /// # Errors
    /// [`LayoutError`] when what is there cannot be read.
    pub fn find(&self, digest: &Digest) -> Result<Option<Manifest>, LayoutError> {
        let mut closure = Closure::default();
        closure.add(&self.files, digest)?;
        if closure.incomplete(&self.files, |digest| self.left_out.get(digest).is_some())?.is_some() {
            return Ok(None);
        }
        read_manifest(&self.files, digest)
    }

    /// Whether the layout lists a manifest of `repository`, under whatever name.
    #[must_use]
    pub fn lists(&self, repository: &Repository, digest: &Digest) -> bool {
        self.index.lock().unwrap_or_else(PoisonError::into_inner).lists(repository, digest)
    }

    /// Whether a blob need not be written: it is there, or left out.
    ///
    /// # Errors
    /// [`LayoutError`] when the system refuses.
    pub fn has_blob(&self, digest: &Digest, size: u64) -> Result<bool, LayoutError> {
        Ok(self.left_out.get(digest).is_some() || self.files.size(&blob_name(digest))? == Some(size))
    }

    /// Starts to write a blob.
    ///
    /// # Errors
    /// [`LayoutError`] when the system refuses, or the digest's algorithm is not known.
    pub fn blob(&self, digest: &Digest, size: u64) -> Result<BlobSink, LayoutError> {
        let place = self.folder.join(blob_name(digest));
        let parent = place.parent().expect("a blob is in a folder");
        fs::create_dir_all(parent).map_err(|error| LayoutError::io(parent, "make the folder", &error))?;
        BlobSink::create(self.temp(), place, digest, size)
    }

    /// Writes a manifest, behind all that it needs.
    ///
    /// # Errors
    /// [`LayoutError`] when the system refuses.
    pub fn manifest(&self, manifest: &Manifest) -> Result<(), LayoutError> {
        let size = manifest.bytes.len() as u64;
        if self.files.size(&blob_name(&manifest.digest))? == Some(size) {
            return Ok(());
        }
        let mut sink = self.blob(&manifest.digest, size)?;
        sink.write(&manifest.bytes)?;
        sink.finish()
    }

    /// Lists a manifest: under a name, or under none when it is there because it refers to another one.
    pub fn list(&self, name: Option<&str>, manifest: &Manifest) {
        let size = manifest.bytes.len() as u64;
        let listed = Listed::new(name, &manifest.media_type, &manifest.digest, size);
        self.index.lock().unwrap_or_else(PoisonError::into_inner).put(listed);
    }

    /// Finishes the layout: the lock, which blobs were left out, and the list of images; then packs it when it is to
    /// be a tar file. Returns the files that were made: the folder, the tar file or its parts.
    ///
    /// # Errors
    /// [`LayoutError`]; the layout can then be finished by another run.
    pub fn finish(&self, lock: &Lock) -> Result<Vec<PathBuf>, LayoutError> {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let mut closure = Closure::default();
        for listed in index.manifests() {
            let digest = listed.digest().map_err(|message| {
                LayoutError::new(
                    &self.folder,
                    LayoutReason::Malformed { file: INDEX_FILE.to_owned(), message },
                )
            })?;
            closure.add(&self.files, &digest)?;
        }
        let mut left_out = self.left_out.clone();
        let is_absent: BTreeSet<&Digest> = closure
            .blobs
            .keys()
            .filter(|digest| !matches!(self.files.size(&blob_name(digest)), Ok(Some(_))))
            .collect();
        left_out.retain(|digest| is_absent.contains(digest));
        if let Some(digest) = closure.incomplete(&self.files, |digest| left_out.get(digest).is_some())? {
            let reason = LayoutReason::NoBlob { digest: digest.to_string(), left_out: false };
            return Err(LayoutError::new(&self.folder, reason));
        }
        let mut whole = read_lock(&self.files)?.unwrap_or_default();
        for entry in lock.entries() {
            whole.put(entry.clone());
        }
        self.sync(&self.folder.join(BLOBS).join("sha256"))?;
        if !whole.is_empty() {
            self.replace(LOCK_FILE, whole.render().as_bytes())?;
        }
        if left_out.is_empty() {
            self.remove(LEFT_OUT_FILE)?;
        } else {
            self.replace(LEFT_OUT_FILE, &left_out.render())?;
        }
        self.replace(INDEX_FILE, &index.render())?;
        drop(index);
        let Some(archive) = &self.archive else { return Ok(vec![self.folder.clone()]) };
        let mut blobs: Vec<Digest> = closure.blobs.into_keys().chain(closure.manifests).collect();
        blobs.sort();
        blobs.dedup();
        let made = pack(&self.files, &blobs, archive)?;
        fs::remove_dir_all(&self.folder)
            .map_err(|error| LayoutError::io(&self.folder, "remove the folder", &error))?;
        Ok(made)
    }

    /// Puts a small file into place, whole or not at all.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), LayoutError> {
        let (temp, place) = (self.temp(), self.folder.join(name));
        let write = || -> io::Result<()> {
            let mut file = File::create_new(&temp)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&temp, &place)
        };
        write().map_err(|error| LayoutError::io(&place, "write it", &error))?;
        self.sync(&self.folder)
    }

    fn remove(&self, name: &str) -> Result<(), LayoutError> {
        let path = self.folder.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(LayoutError::io(&path, "remove it", &error))
            }
            _ => Ok(()),
        }
    }

    /// Waits until the names in a folder are on the disk.
    fn sync(&self, folder: &Path) -> Result<(), LayoutError> {
        sync_folder(folder)
    }

    fn temp(&self) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.folder.join(format!("{TEMP_PREFIX}{}-{number}.tmp", std::process::id()))
    }

    /// Removes what a killed run left.
    fn remove_temps(&self) -> Result<(), LayoutError> {
        let cannot = |error: &io::Error| LayoutError::io(&self.folder, "read the folder", error);
        for entry in self.folder.read_dir().map_err(|error| cannot(&error))? {
            let entry = entry.map_err(|error| cannot(&error))?;
            let name = entry.file_name();
            let is_temp =
                name.to_str().is_some_and(|name| name.starts_with(TEMP_PREFIX) && name.ends_with(".tmp"));
            if is_temp {
                self.remove(&name.to_string_lossy())?;
            }
        }
        Ok(())
    }
}

/// Waits until the names in a folder are on the disk.
pub(super) fn sync_folder(folder: &Path) -> Result<(), LayoutError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let sync = || File::open(folder)?.sync_all();
    sync().map_err(|error| LayoutError::io(folder, "write the folder", &error))
}

/// Whether a folder holds nothing but what a run that was just killed leaves.
fn is_ours(folder: &Path) -> Result<bool, LayoutError> {
    let cannot = |error: &io::Error| LayoutError::io(folder, "read the folder", error);
    for entry in folder.read_dir().map_err(|error| cannot(&error))? {
        let name = entry.map_err(|error| cannot(&error))?.file_name();
        if name != BLOBS && !name.to_string_lossy().starts_with(TEMP_PREFIX) {
            return Ok(false);
        }
    }
    Ok(true)
}
