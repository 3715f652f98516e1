//! The lock file: which digest an image had when it was pinned, so that the next run needs no registry.
//!
//! It is an `ImagesLock` (`imgpkg.carvel.dev/v1alpha1`) that kbld and imgpkg read. What they do not know stands in
//! annotations of ours:
//!
//! ```yaml
//! ---
//! apiVersion: imgpkg.carvel.dev/v1alpha1
//! kind: ImagesLock
//! images:
//! - image: mirror.example.com/hub/nginx@sha256:…
//!   annotations:
//!     imageswap.dev/target: mirror.example.com/hub/nginx:1.27
//!     kbld.carvel.dev/id: nginx:1.27
//!     kbld.carvel.dev/origins: |
//!       - resolved:
//!           tag: "1.27"
//!           url: mirror.example.com/hub/nginx:1.27
//! ```
//!
//! Text in, text out: knows no files and no registries.

mod entry;
mod error;
mod find;
mod parse;
mod render;

#[cfg(test)]
mod tests;

pub use entry::{LockEntry, Looked};
pub use error::{LockError, LockErrorKind, LockErrors};
pub use find::{FoundEntry, Index, Pair};

use std::collections::BTreeMap;
use std::sync::Arc;

use entry::Key;

/// The API version of an `ImagesLock`.
pub const API_VERSION: &str = "imgpkg.carvel.dev/v1alpha1";

/// The kind of a lock file.
pub const KIND: &str = "ImagesLock";

/// The entries of a lock file, in its order: by id, then by target and platform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    entries: BTreeMap<Key, Arc<LockEntry>>,
}

impl Lock {
    /// The entries, sorted.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &LockEntry> {
        self.entries.values().map(|entry| &**entry)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Puts `entry` in the place of the one with the same id, target and platform. The digest that one had becomes
    /// the new one's previous digest when it is another, so that it is known as ours where it still stands.
    pub fn put(&mut self, mut entry: LockEntry) {
        let key = entry.key();
        if let Some(old) = self.entries.get(&key) {
            if old.digest == entry.digest {
                entry.previous = old.previous.clone();
            } else {
                entry.previous = Some(old.digest.clone());
            }
            for (name, value) in &old.annotations {
                entry.annotations.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        self.entries.insert(key, Arc::new(entry));
    }
}
