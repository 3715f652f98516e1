//! A manifest with all that it is made of, read from the source.

use std::collections::{HashMap, HashSet};

use futures_util::future::try_join_all;

use crate::image::Digest;
use crate::registry::{Descriptor, Manifest};

use super::{Contents, CopyError, Place, Source};

/// How deep indexes may stand within each other.
const DEPTH_MAX: usize = 4;

/// How many manifests an image may have.
const NODES_MAX: usize = 1000;

/// Puts each manifest into the level above the highest of those that it names: indexes of different depth may name the
/// same one.
fn by_height(nodes: Vec<Node>) -> Vec<Vec<Node>> {
    let places: HashMap<&Digest, usize> =
        nodes.iter().enumerate().map(|(at, node)| (&node.manifest.digest, at)).collect();
    let mut parents: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    let mut missing = vec![0; nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        let children = node.contents.manifests.iter();
        for child in children.filter_map(|child| places.get(&child.digest)) {
            parents[*child].push(at);
            missing[at] += 1;
        }
    }
    let mut order: Vec<Vec<usize>> = Vec::new();
    let mut ready: Vec<usize> = (0..nodes.len()).filter(|at| missing[*at] == 0).collect();
    while !ready.is_empty() {
        let mut next = Vec::new();
        for parent in ready.iter().flat_map(|at| &parents[*at]) {
            missing[*parent] -= 1;
            if missing[*parent] == 0 {
                next.push(*parent);
            }
        }
        order.push(std::mem::replace(&mut ready, next));
    }
    let mut nodes: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
    let mut level = |places: Vec<usize>| places.into_iter().filter_map(|at| nodes[at].take()).collect();
    order.into_iter().map(&mut level).collect()
}

/// A manifest, and what it names.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) manifest: Manifest,
    pub(super) contents: Contents,
}

/// A manifest and those below it, the lower ones first: in the order in which they can be written.
#[derive(Clone, Debug)]
pub(super) struct ManifestTree {
    /// Levels of manifests, the lowest first. Those of one level do not need each other.
    pub(super) levels: Vec<Vec<Node>>,
}

impl ManifestTree {
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
        Ok(Self { levels: by_height(levels.into_iter().flatten().collect()) })
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
