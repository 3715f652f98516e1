//! Which blobs were left out of a layout because the other side has them, and where it has them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::image::{Digest, Repository};

/// The blobs that are not in the layout, though its images need them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    blobs: BTreeMap<Digest, LeftOutBlob>,
}

/// A blob that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOutBlob {
    /// How many bytes it has.
    pub size: u64,
    /// The repositories at the source whose copies on the other side have it.
    pub repositories: BTreeSet<Repository>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u64,
    blobs: BTreeMap<String, Blob>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Blob {
    size: u64,
    repositories: BTreeSet<String>,
}

impl LeftOut {
    /// Says that the copy of `repository` on the other side has a blob.
    pub fn add(&mut self, digest: &Digest, size: u64, repository: &Repository) {
        let empty = || LeftOutBlob { size, repositories: BTreeSet::new() };
        self.blobs.entry(digest.clone()).or_insert_with(empty).repositories.insert(repository.clone());
    }

    /// What is known of a blob that was left out; `None` for one that was not.
    #[must_use]
    pub fn get(&self, digest: &Digest) -> Option<&LeftOutBlob> {
        self.blobs.get(digest)
    }

    /// Whether nothing was left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blobs.is_empty()
    }

    /// Forgets the blobs that `keep` does not want.
    pub(super) fn retain(&mut self, keep: impl Fn(&Digest) -> bool) {
        self.blobs.retain(|digest, _| keep(digest));
    }

    /// Takes in what another one says.
    pub(super) fn extend(&mut self, other: &Self) {
        for (digest, blob) in &other.blobs {
            for repository in &blob.repositories {
                self.add(digest, blob.size, repository);
            }
        }
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let file: File = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if file.version != 1 {
            return Err(format!("it has version {}; only version 1 is known", file.version));
        }
        let mut left_out = Self::default();
        for (digest, blob) in &file.blobs {
            let digest =
                Digest::parse(digest).map_err(|error| format!("{digest:?} is no digest: {error}"))?;
            for repository in &blob.repositories {
                let repository =
                    Repository::parse(repository).map_err(|error| format!("{repository:?}: {error}"))?;
                left_out.add(&digest, blob.size, &repository);
            }
        }
        Ok(left_out)
    }

    pub(super) fn render(&self) -> Vec<u8> {
        let blob = |blob: &LeftOutBlob| Blob {
            size: blob.size,
            repositories: blob
                .repositories
                .iter()
                .map(|repository| repository.canonical().to_owned())
                .collect(),
        };
        let blobs = self.blobs.iter().map(|(digest, left_out)| (digest.to_string(), blob(left_out)));
        let file = File { version: 1, blobs: blobs.collect() };
        let mut text = serde_json::to_vec_pretty(&file).expect("strings and numbers are JSON");
        text.push(b'\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let digest = Digest::parse(&format!("sha256:{}", "a".repeat(64))).unwrap();
        let mut left_out = LeftOut::default();
        for repository in ["nginx", "quay.io/a/b", "docker.io/library/nginx"] {
            left_out.add(&digest, 7, &repository.parse().unwrap());
        }
        assert_eq!(left_out.get(&digest).unwrap().repositories.len(), 2);
        assert_eq!(LeftOut::parse(&left_out.render()), Ok(left_out));
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for text in [
            "",
            "[]",
            r#"{"version":2,"blobs":{}}"#,
            r#"{"version":1,"blobs":{"sha256:../../x":{"size":1,"repositories":["a"]}}}"#,
            r#"{"version":1,"blobs":{},"more":1}"#,
        ] {
            assert!(LeftOut::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
