//! A manifest with all that it is made of, read from the source.

use std::collections::HashSet;

use futures_util::future::try_join_all;

use crate::image::Digest;
use crate::registry::{Descriptor, Manifest};

use super::{Contents, CopyError, Place, Source};

/// How deep indexes may stand within each other.
const DEPTH_MAX: usize = 4;

/// How many manifests an image may have.
const NODES_MAX: usize = 1000;

/// A manifest, and what it names.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) manifest: Manifest,
    pub(super) contents: Contents,
}

/// A manifest and those below it, the lower ones first: in the order in which they can be written.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// Levels of manifests, the lowest first. Those of one level do not need each other.
    pub(super) levels: Vec<Vec<Node>>,
}

impl Tree {
    /// Reads what stands below `root`, as far as `wanted` says.
    pub(super) async fn read<S: Source>(
        source: &S,
        place: Place<'_>,
        root: Manifest,
        wanted: impl Fn(&Descriptor) -> bool,
    ) -> Result<Self, CopyError> {
        let mut seen: HashSet<Digest> = HashSet::from([root.digest.clone()]);
        let mut levels = vec![vec![Node { contents: Contents::of(&root)?, manifest: root }]];
        loop {
            let last = levels.last().expect("the root's level is there");
            let below = last.iter().flat_map(|node| &node.contents.manifests);
            let below: Vec<&Descriptor> =
                below.filter(|child| wanted(child) && seen.insert(child.digest.clone())).collect();
            if below.is_empty() {
                break;
            }
            if levels.len() > DEPTH_MAX {
                return Err(CopyError::TooDeep { most: DEPTH_MAX });
            }
            if seen.len() > NODES_MAX {
                return Err(CopyError::TooMany { most: NODES_MAX });
            }
            let read = below.into_iter().map(|child| async move {
                let manifest = source.manifest(place, &child.digest).await?;
                let size = manifest.bytes.len() as u64;
                if size != child.size {
                    return Err(CopyError::Size { digest: child.digest.clone(), named: child.size, size });
                }
                Ok(Node { contents: Contents::of(&manifest)?, manifest })
            });
            let level = try_join_all(read).await?;
            levels.push(level);
        }
        levels.reverse();
        Ok(Self { levels })
    }

    /// All manifests, the lower ones first.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.levels.iter().flatten()
    }

    /// The one that all others stand below.
    pub(super) fn root(&self) -> &Node {
        self.levels.last().and_then(|level| level.first()).expect("the root's level is there")
    }

    /// All blobs, each once.
    pub(super) fn blobs(&self) -> Vec<&Descriptor> {
        let mut seen = HashSet::new();
        self.nodes().flat_map(|node| &node.contents.blobs).filter(|blob| seen.insert(&blob.digest)).collect()
    }

    /// How many bytes all of it has.
    pub(super) fn size(&self) -> u64 {
        let manifests: u64 = self.nodes().map(|node| node.manifest.bytes.len() as u64).sum();
        self.blobs().iter().fold(manifests, |sum, blob| sum.saturating_add(blob.size))
    }
}
