//! Files that may change while they are in use. ConfigMaps and Secrets change by a link above them being swapped, which
//! no watch on the file itself would see: so the files are looked at by their names, again and again. A look costs one
//! `stat` a file; they are read when that tells of a change, and every now and then all the same.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256, SHA256_OUTPUT_LEN};

/// After how many looks the files are read whatever `stat` says.
const READ_EVERY: u32 = 30;

/// What `stat` says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

/// What is kept of the files' contents to know them again: the contents themselves would take memory for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Contents([u8; SHA256_OUTPUT_LEN]);

impl Contents {
    fn of(contents: &[Vec<u8>]) -> Self {
        let mut context = Context::new(&SHA256);
        for content in contents {
            context.update(&content.len().to_le_bytes());
            context.update(content);
        }
        let mut digest = [0; SHA256_OUTPUT_LEN];
        digest.copy_from_slice(context.finish().as_ref());
        Self(digest)
    }
}

/// Some files that are used together.
#[derive(Debug)]
pub(super) struct Watched {
    paths: Vec<PathBuf>,
    stamps: Vec<Option<Stamp>>,
    looks: u32,
    /// What the last look that read them found, good or not.
    last: Option<Result<Contents, String>>,
}

impl Watched {
    pub(super) fn new(paths: Vec<PathBuf>) -> Self {
        Self { paths, stamps: Vec::new(), looks: 0, last: None }
    }

    /// Looks at the files. `Some` with their contents when these are not what they were at the last look; an error is
    /// told once.
    pub(super) fn read_if_changed(&mut self) -> Option<Result<Vec<Vec<u8>>, String>> {
        let stamps: Vec<_> = self.paths.iter().map(|path| Stamp::of(path)).collect();
        self.looks += 1;
        let same = stamps == self.stamps && self.looks < READ_EVERY && matches!(self.last, Some(Ok(_)));
        if same {
            return None;
        }
        (self.stamps, self.looks) = (stamps, 0);
        let read = |path: &PathBuf| fs::read(path).map_err(|error| describe(path, &error));
        let contents = self.paths.iter().map(read).collect::<Result<Vec<_>, _>>();
        let found = contents.as_ref().map(|contents| Contents::of(contents)).map_err(String::clone);
        if self.last.as_ref() == Some(&found) {
            return None;
        }
        self.last = Some(found);
        Some(contents)
    }
}

fn describe(path: &Path, error: &io::Error) -> String {
    format!("cannot read {}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_links_swapped_and_files_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        for (version, text) in [("..1", "one"), ("..2", "two")] {
            fs::create_dir(root.join(version)).expect("a folder");
            fs::write(root.join(version).join("maps"), text).expect("a file");
        }
        let link = |target: &str| {
            let temporary = root.join("..data_tmp");
            std::os::unix::fs::symlink(target, &temporary).expect("a link");
            fs::rename(&temporary, root.join("..data")).expect("the link is swapped");
        };
        let mut watched = Watched::new(vec![root.join("maps")]);
        assert!(matches!(watched.read_if_changed(), Some(Err(why)) if why.contains("cannot read")));
        assert!(watched.read_if_changed().is_none(), "an error is told once");
        link("..1");
        std::os::unix::fs::symlink("..data/maps", root.join("maps")).expect("a link");
        assert_eq!(watched.read_if_changed(), Some(Ok(vec![b"one".to_vec()])));
        assert_eq!(watched.read_if_changed(), None);
        link("..2");
        assert_eq!(watched.read_if_changed(), Some(Ok(vec![b"two".to_vec()])));
        fs::write(root.join("..2/maps"), "three").expect("a file");
        assert_eq!(watched.read_if_changed(), Some(Ok(vec![b"three".to_vec()])));
        fs::remove_file(root.join("..data")).expect("the link goes");
        assert!(matches!(watched.read_if_changed(), Some(Err(_))));
        link("..2");
        assert_eq!(watched.read_if_changed(), Some(Ok(vec![b"three".to_vec()])), "good again");
    }
}
