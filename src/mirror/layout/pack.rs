//! From a folder to a tar file or its parts: the same bytes for the same layout, `index.json` last, and nothing under
//! its final name before all of it is on the disk.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tar::{EntryType, Header};

use super::error::{LayoutError, LayoutReason};
use super::files::Files;
use super::names::{BLOBS, INDEX_FILE, LAYOUT_FILE, LEFT_OUT_FILE, LOCK_FILE, blob_name};
use super::parts::{numbers, part_path};
use super::writer::sync_folder;
use crate::image::Digest;

/// The smallest part, in bytes.
const PART_MIN: u64 = 64 * 1024;

/// How the names of the files end that have no names yet.
const TEMP_SUFFIX: &str = ".imageswap.tmp";

/// What is in the folder of an unfinished layout while its parts get their names.
const MARK: &str = ".imageswap-naming";

/// A tar file that is to be written.
#[derive(Debug)]
pub(super) struct Archive {
    path: PathBuf,
    split: Option<u64>,
    /// Is there while the parts get their names.
    mark: PathBuf,
}

impl Archive {
    /// `path` must not be there, nor any part of it, but what a killed run left when it named the parts of what is in
    /// `folder`.
    pub(super) fn new(path: &Path, split: Option<u64>, folder: &Path) -> Result<Self, LayoutError> {
        if split.is_some_and(|size| size < PART_MIN) {
            let message = "a part must have at least 64 KiB";
            return Err(LayoutError::new(path, LayoutReason::Target { message }));
        }
        let mark = folder.join(MARK);
        let was_naming = mark.exists();
        let part = numbers(path)?.first().filter(|number| **number == 0 || !was_naming).copied();
        let part = part.map(|number| part_path(path, number));
        let whole = path.symlink_metadata().is_ok().then(|| path.to_owned());
        if let Some(there) = whole.or(part) {
            return Err(LayoutError::new(&there, LayoutReason::Exists));
        }
        Ok(Self { path: path.to_owned(), split, mark })
    }

    /// Removes what a killed run left: files without their names, and parts without the first.
    pub(super) fn clean_up(&self) -> Result<(), LayoutError> {
        let cannot = |error: &io::Error| LayoutError::io(&self.path, "remove what a killed run left", error);
        let mut left = Vec::new();
        if self.mark.exists() {
            left.extend(numbers(&self.path)?.into_iter().map(|number| part_path(&self.path, number)));
        }
        let start = format!(".{}.", self.name());
        for entry in self.beside().read_dir().map_err(|error| cannot(&error))? {
            let entry = entry.map_err(|error| cannot(&error))?;
            let name = entry.file_name();
            let middle = name.to_str().and_then(|name| name.strip_prefix(&start)?.strip_suffix(TEMP_SUFFIX));
            if middle.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit())) {
                left.push(entry.path());
            }
        }
        left.push(self.mark.clone());
        for path in left {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(cannot(&error)),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The folder that it is in.
    fn beside(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            Some(_) | None => Path::new("."),
        }
    }
}

/// Writes the tar file with these blobs; returns the files that were made.
pub(super) fn pack(files: &Files, blobs: &[Digest], archive: &Archive) -> Result<Vec<PathBuf>, LayoutError> {
    let cannot = |error: &io::Error| LayoutError::io(&archive.path, "write it", error);
    let mut output = BufWriter::with_capacity(1 << 20, Split::new(archive));
    let mut write = || -> Result<(), LayoutError> {
        add_file(files, LAYOUT_FILE, &mut output)?;
        let mut folders = vec![format!("{BLOBS}/")];
        folders.extend(blobs.iter().map(|digest| format!("{BLOBS}/{}/", digest.algorithm())));
        folders.sort();
        folders.dedup();
        for folder in folders {
            output
                .write_all(header(&folder, 0, EntryType::Directory).as_bytes())
                .map_err(|error| cannot(&error))?;
        }
        for digest in blobs {
            add_file(files, &blob_name(digest), &mut output)?;
        }
        for name in [LOCK_FILE, LEFT_OUT_FILE, INDEX_FILE] {
            add_file(files, name, &mut output)?;
        }
        // Two empty blocks end a tar file.
        output.write_all(&[0; 1024]).map_err(|error| cannot(&error))
    };
    write()?;
    let split = output.into_inner().map_err(|error| cannot(error.error()))?;
    split.place()
}

/// Adds a file of the layout; one that is not there is passed over.
fn add_file(files: &Files, name: &str, output: &mut impl Write) -> Result<(), LayoutError> {
    let Some(content) = files.get(name)? else { return Ok(()) };
    let size = content.size();
    let cannot = |error: io::Error| LayoutError::io(files.path(), "pack it", &error);
    output.write_all(header(name, size, EntryType::Regular).as_bytes()).map_err(cannot)?;
    let mut buffer = vec![0; 256 * 1024];
    let mut at = 0;
    while at < size {
        let read = content.read_at(&mut buffer, at)?;
        output.write_all(&buffer[..read]).map_err(cannot)?;
        at += read as u64;
    }
    let padding = usize::try_from(size.next_multiple_of(512) - size).expect("it is less than a block");
    output.write_all(&[0; 512][..padding]).map_err(cannot)
}

fn header(name: &str, size: u64, kind: EntryType) -> Header {
    let mut header = Header::new_gnu();
    header.set_path(name).expect("the names of a layout are short and relative");
    header.set_size(size);
    header.set_entry_type(kind);
    header.set_mode(if kind == EntryType::Directory { 0o755 } else { 0o644 });
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    header
}

/// A file, or parts of it of one size, under temporary names.
struct Split<'a> {
    archive: &'a Archive,
    temps: Vec<PathBuf>,
    file: Option<File>,
    /// How many more bytes the part takes.
    room: u64,
}

impl<'a> Split<'a> {
    fn new(archive: &'a Archive) -> Self {
        Self { archive, temps: Vec::new(), file: None, room: 0 }
    }

    /// Closes the part that is written, and opens the next one.
    fn next(&mut self) -> io::Result<()> {
        self.close()?;
        let number = self.temps.len();
        let temp =
            self.archive.path.with_file_name(format!(".{}.{number:02}{TEMP_SUFFIX}", self.archive.name()));
        self.file = Some(File::create(&temp)?);
        self.temps.push(temp);
        self.room = self.archive.split.unwrap_or(u64::MAX);
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        self.file.take().map_or(Ok(()), |file| file.sync_all())
    }

    /// Gives the parts their names. The first one comes last, for without it there is nothing to read.
    fn place(mut self) -> Result<Vec<PathBuf>, LayoutError> {
        let path = &self.archive.path;
        self.close().map_err(|error| LayoutError::io(path, "write it", &error))?;
        let name_of = |number| match self.archive.split {
            Some(_) => part_path(path, number),
            None => path.clone(),
        };
        if self.temps.len() > 1 {
            let mark = &self.archive.mark;
            let write = || File::create(mark)?.sync_all();
            write().map_err(|error| LayoutError::io(mark, "write it", &error))?;
        }
        for (number, temp) in self.temps.iter().enumerate().rev() {
            let place = name_of(number);
            fs::rename(temp, &place).map_err(|error| LayoutError::io(&place, "write it", &error))?;
        }
        sync_folder(self.archive.beside())?;
        let made = (0..self.temps.len()).map(name_of).collect();
        self.temps.clear();
        Ok(made)
    }
}

impl Drop for Split<'_> {
    fn drop(&mut self) {
        for temp in &self.temps {
            // There is nobody to tell.
            let _ = fs::remove_file(temp);
        }
    }
}

impl Write for Split<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.room == 0 {
            self.next()?;
        }
        let most = usize::try_from(self.room).unwrap_or(usize::MAX).min(bytes.len());
        let file = self.file.as_mut().ok_or_else(|| io::Error::other("there is no part to write to"))?;
        let written = file.write(&bytes[..most])?;
        self.room -= written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
