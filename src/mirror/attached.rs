//! What travels with an image: what refers to its manifests, and the tags in which cosign keeps signatures.

use std::collections::HashSet;

use futures_util::future::try_join_all;

use crate::image::Digest;
use crate::registry::{Descriptor, OCI_INDEX};

use super::tree::{ManifestTree, Node};
use super::{Attachments, CopyError, Place, Source};

/// The tags of cosign: `sha256-….sig`. The first holds signatures.
const COSIGN: [&str; 3] = ["sig", "att", "sbom"];

/// How far it is followed what refers to what refers.
const DEPTH_MAX: usize = 4;

/// How many of them an image may have.
const ATTACHED_MAX: usize = 1000;

/// Something that travels with an image.
#[derive(Clone, Debug)]
pub(super) struct Attached {
    pub(super) how: How,
    pub(super) tree: ManifestTree,
}

/// How it belongs to the image.
#[derive(Clone, Debug)]
pub(super) enum How {
    /// It says that it refers to the subject.
    Refers { subject: Digest, descriptor: Box<Descriptor> },
    /// The tag says so.
    Tagged { tag: String },
}

/// Finds what belongs to the manifests of `tree`.
pub(super) async fn find<S: Source>(
    source: &S,
    place: Place<'_>,
    tree: &ManifestTree,
    which: Attachments,
) -> Result<Vec<Attached>, CopyError> {
    if which == Attachments::None {
        return Ok(Vec::new());
    }
    let mut subjects: Vec<Digest> = tree.nodes().map(|node| node.manifest.digest.clone()).collect();
    let mut seen: HashSet<Digest> = subjects.iter().cloned().collect();
    let mut all: Vec<Attached> = Vec::new();
    for _ in 0..DEPTH_MAX {
        let found = try_join_all(subjects.iter().map(|subject| of(source, place, subject, which))).await?;
        let mut next = Vec::new();
        for attached in found.into_iter().flatten() {
            // Tags may stand for the same thing; what is written twice does no harm.
            for node in attached.tree.nodes() {
                if seen.insert(node.manifest.digest.clone()) {
                    next.push(node.manifest.digest.clone());
                }
            }
            all.push(attached);
        }
        if all.len() > ATTACHED_MAX {
            return Err(CopyError::TooMany { most: ATTACHED_MAX });
        }
        if next.is_empty() {
            return Ok(all);
        }
        subjects = next;
    }
    Ok(all)
}

/// Whether anything signs the manifest: what must keep its digest.
pub(super) async fn is_signed<S: Source>(
    source: &S,
    place: Place<'_>,
    subject: &Digest,
) -> Result<bool, CopyError> {
    Ok(!of(source, place, subject, Attachments::All).await?.is_empty())
}

/// What belongs to one manifest.
async fn of<S: Source>(
    source: &S,
    place: Place<'_>,
    subject: &Digest,
    which: Attachments,
) -> Result<Vec<Attached>, CopyError> {
    let tags = if which == Attachments::Signatures { &COSIGN[..1] } else { &COSIGN[..] };
    let tagged = try_join_all(tags.iter().map(|kind| tagged(source, place, subject, kind)));
    let referring = referring(source, place, subject, which);
    let (tagged, referring) = futures_util::future::try_join(tagged, referring).await?;
    Ok(referring.into_iter().chain(tagged.into_iter().flatten()).collect())
}

/// A manifest with everything below it.
async fn whole_tree<S: Source>(
    source: &S,
    place: Place<'_>,
    digest: &Digest,
) -> Result<ManifestTree, CopyError> {
    let manifest = source.manifest(place, digest).await?;
    ManifestTree::read(source, place, manifest, |_| true).await
}

async fn tagged<S: Source>(
    source: &S,
    place: Place<'_>,
    subject: &Digest,
    kind: &str,
) -> Result<Option<Attached>, CopyError> {
    let tag = format!("{}-{}.{kind}", subject.algorithm(), subject.hex());
    let Some(found) = source.find(place, &tag).await? else { return Ok(None) };
    let tree = whole_tree(source, place, &found.digest).await?;
    Ok(Some(Attached { how: How::Tagged { tag }, tree }))
}

async fn referring<S: Source>(
    source: &S,
    place: Place<'_>,
    subject: &Digest,
    which: Attachments,
) -> Result<Vec<Attached>, CopyError> {
    let listed = source.referrers(place, subject).await?;
    let reads = listed.into_iter().map(|descriptor| async move {
        let tree = whole_tree(source, place, &descriptor.digest).await?;
        let node = tree.root();
        // Whoever can write a tag can list anything there.
        let fits = node.contents.subject.as_ref().is_some_and(|named| named.digest == *subject);
        let wanted = which == Attachments::All || is_signature(node);
        let descriptor = described(node, descriptor);
        let how = How::Refers { subject: subject.clone(), descriptor: Box::new(descriptor) };
        Ok::<_, CopyError>((fits && wanted).then_some(Attached { how, tree }))
    });
    Ok(try_join_all(reads).await?.into_iter().flatten().collect())
}

/// The descriptor as lists of referrers have it: with the kind and the annotations of the manifest itself.
fn described(node: &Node, listed: Descriptor) -> Descriptor {
    Descriptor {
        media_type: node.manifest.media_type.clone(),
        size: node.manifest.bytes.len() as u64,
        artifact_type: node
            .contents
            .artifact_type
            .clone()
            .filter(|_| node.manifest.media_type != OCI_INDEX)
            .or(listed.artifact_type),
        annotations: node.contents.annotations.clone().or(listed.annotations),
        platform: None,
        urls: Vec::new(),
        digest: listed.digest,
    }
}

/// Whether an artifact is a signature: cosign's, Notary's, or a bundle of Sigstore's.
fn is_signature(node: &Node) -> bool {
    let kind = node.contents.artifact_type.as_deref().unwrap_or_default();
    ["cosign", "notary", "sigstore", "signature"].iter().any(|word| kind.contains(word))
        || node.contents.blobs.iter().any(|blob| blob.media_type.contains("simplesigning"))
}
