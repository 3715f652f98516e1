//! A file, or its parts one after another (`X.tar.00`, `X.tar.01`, …), read as one.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::error::{LayoutError, LayoutReason};

/// Open files that are read as one.
#[derive(Debug)]
pub(super) struct Parts {
    parts: Vec<Part>,
    size: u64,
}

#[derive(Debug)]
struct Part {
    path: PathBuf,
    file: File,
    /// Where its first byte is in the whole.
    start: u64,
    size: u64,
}

/// The path of a part.
pub(super) fn part_path(whole: &Path, number: usize) -> PathBuf {
    let mut name = whole.as_os_str().to_owned();
    name.push(format!(".{number:02}"));
    name.into()
}

impl Parts {
    /// Opens the file `path`, or its parts; `path` may also name the first part.
    pub(super) fn open(path: &Path) -> Result<Self, LayoutError> {
        let first = path.extension().is_some_and(|extension| extension == "00");
        let whole = if first { path.with_extension("") } else { path.to_owned() };
        let there = |path: &Path| match path.symlink_metadata() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(LayoutError::io(path, "read it", &error)),
        };
        let part = part_path(&whole, 0);
        match (there(&whole)?, there(&part)?) {
            (true, false) => Self::of(vec![whole]),
            (true, true) => {
                let part = name_of(&part);
                Err(LayoutError::new(&whole, LayoutReason::PartsAndWhole { part }))
            }
            (false, true) => Self::of(found(&whole)?),
            (false, false) => Err(LayoutError::new(path, LayoutReason::NotFound)),
        }
    }

    /// Opens these files, which must be regular ones.
    pub(super) fn of(paths: Vec<PathBuf>) -> Result<Self, LayoutError> {
        let mut parts = Vec::with_capacity(paths.len());
        let mut size = 0u64;
        for path in paths {
            let cannot = |error: &io::Error| LayoutError::io(&path, "read it", error);
            let metadata = path.metadata().map_err(|error| cannot(&error))?;
            // A pipe would be waited for when it is opened.
            if !metadata.is_file() {
                return Err(LayoutError::new(
                    &path,
                    LayoutReason::Target { message: "it is not a regular file" },
                ));
            }
            let file = File::open(&path).map_err(|error| cannot(&error))?;
            let here = file.metadata().map_err(|error| cannot(&error))?.len();
            parts.push(Part { path, file, start: size, size: here });
            size = size.saturating_add(here);
        }
        Ok(Self { parts, size })
    }

    /// How many bytes there are in all.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Reads some bytes from `offset` on: 0 at the end alone.
    pub(super) fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize, LayoutError> {
        let Some(part) = self.part_at(offset) else { return Ok(0) };
        let within = offset - part.start;
        let most = usize::try_from(part.size - within).unwrap_or(usize::MAX).min(buffer.len());
        loop {
            return match part.file.read_at(&mut buffer[..most], within) {
                Ok(0) if most > 0 => {
                    let error = io::Error::other("it became shorter while it was read");
                    Err(LayoutError::io(&part.path, "read it", &error))
                }
                Ok(read) => Ok(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(LayoutError::io(&part.path, "read it", &error)),
            };
        }
    }

    /// Fills `buffer` from `offset` on; says whether there was as much.
    pub(super) fn fill_at(&self, mut buffer: &mut [u8], mut offset: u64) -> Result<bool, LayoutError> {
        while !buffer.is_empty() {
            let read = self.read_at(buffer, offset)?;
            if read == 0 {
                return Ok(false);
            }
            buffer = &mut buffer[read..];
            offset += read as u64;
        }
        Ok(true)
    }

    /// The part in which the byte at `offset` is.
    fn part_at(&self, offset: u64) -> Option<&Part> {
        let behind = self.parts.partition_point(|part| part.start + part.size <= offset);
        self.parts.get(behind)
    }
}

/// The parts that stand beside each other: all numbers from 0 on.
fn found(whole: &Path) -> Result<Vec<PathBuf>, LayoutError> {
    let numbers = numbers(whole)?;
    for (expected, number) in numbers.iter().enumerate() {
        if expected != *number {
            let part = name_of(&part_path(whole, expected));
            return Err(LayoutError::new(whole, LayoutReason::PartMissing { part }));
        }
    }
    Ok(numbers.into_iter().map(|number| part_path(whole, number)).collect())
}

/// The numbers of the parts of `whole` that there are, sorted.
pub(super) fn numbers(whole: &Path) -> Result<Vec<usize>, LayoutError> {
    let cannot = |error: &io::Error| LayoutError::io(whole, "look for its parts", error);
    let folder = match whole.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let prefix = format!("{}.", name_of(whole));
    let mut numbers = Vec::new();
    for entry in folder.read_dir().map_err(|error| cannot(&error))? {
        let name = entry.map_err(|error| cannot(&error))?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_prefix(&prefix));
        let number = digits.and_then(|digits| digits.parse::<usize>().ok());
        // Only names that are ours: `7` and `+07` are not.
        numbers.extend(number.filter(|number| digits == Some(&format!("{number:02}"))));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The last component, for messages.
fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
