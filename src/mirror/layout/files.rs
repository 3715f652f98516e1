//! The files of a layout, wherever they are: in a folder, or in a tar file that is read where it is.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{LayoutError, LayoutReason};
use super::parts::Parts;
use super::tar_index::{Member, members};

/// Where the files are.
#[derive(Debug)]
pub(super) enum Files {
    Folder(PathBuf),
    Tar { path: PathBuf, parts: Arc<Parts>, members: BTreeMap<String, Member> },
}

/// The bytes of one file.
#[derive(Debug)]
pub(super) struct Content {
    parts: Arc<Parts>,
    start: u64,
    size: u64,
}

impl Files {
    /// Opens a folder, a tar file or its parts.
    pub(super) fn open(path: &Path) -> Result<Self, LayoutError> {
        if path.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        let parts = Arc::new(Parts::open(path)?);
        let members = members(path, &parts)?;
        Ok(Self::Tar { path: path.to_owned(), parts, members })
    }

    /// The folder or the tar file.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Folder(path) | Self::Tar { path, .. } => path,
        }
    }

    /// The file `name`; `None` when it is not there.
    pub(super) fn get(&self, name: &str) -> Result<Option<Content>, LayoutError> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(name);
                match path.metadata() {
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    Err(error) => return Err(LayoutError::io(&path, "read it", &error)),
                }
                let parts = Arc::new(Parts::of(vec![path])?);
                let size = parts.size();
                Ok(Some(Content { parts, start: 0, size }))
            }
            Self::Tar { parts, members, .. } => Ok(members.get(name).map(|member| Content {
                parts: Arc::clone(parts),
                start: member.start,
                size: member.size,
            })),
        }
    }

    /// The size of the file `name`; `None` when it is not there.
    pub(super) fn size(&self, name: &str) -> Result<Option<u64>, LayoutError> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(name);
                match path.metadata() {
                    Ok(metadata) => Ok(metadata.is_file().then_some(metadata.len())),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(LayoutError::io(&path, "read it", &error)),
                }
            }
            Self::Tar { members, .. } => Ok(members.get(name).map(|member| member.size)),
        }
    }

    /// The bytes of a small file; `None` when it is not there.
    pub(super) fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, LayoutError> {
        let Some(content) = self.get(name)? else { return Ok(None) };
        let size = content.size();
        if size > limit {
            let reason = LayoutReason::TooLarge { file: name.to_owned(), size, limit };
            return Err(LayoutError::new(self.path(), reason));
        }
        let mut bytes = vec![0; usize::try_from(size).expect("it is below the limit")];
        let mut at = 0;
        while at < bytes.len() {
            let read = content.read_at(&mut bytes[at..], at as u64)?;
            if read == 0 {
                let error = io::Error::from(io::ErrorKind::UnexpectedEof);
                return Err(LayoutError::io(self.path(), "read it", &error));
            }
            at += read;
        }
        Ok(Some(bytes))
    }
}

impl Content {
    /// How many bytes there are.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Reads some bytes from `offset` on: 0 at the end alone.
    pub(super) fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize, LayoutError> {
        let rest = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let most = rest.min(buffer.len());
        self.parts.read_at(&mut buffer[..most], self.start + offset)
    }
}
