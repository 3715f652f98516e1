//! Copies images: what is needed first, and the tag last.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::{try_join, try_join_all};

use crate::image::Digest;
use crate::registry::{ABANDON_TIMEOUT, Descriptor};

use super::attached::{self, Attached, How};
use super::blobs::{Blobs, Way};
use super::manifests::Manifests;
use super::plan::{Action, Facts, Planned, Wanted, decide};
use super::platforms::{is_wanted, reduced};
use super::tally::{Bytes, Tally};
use super::tree::ManifestTree;
use super::{Contents, CopyError, CopyOptions, Place, Source, Target};

/// How often an image is tried whose target does not know yet what was just written to it.
const TRIES: u32 = 3;

/// How long the target is given to know it.
const LATE: Duration = Duration::from_millis(500);

/// Copies images from a source to a target. What one image brings, the next one finds.
pub struct Copier<S, T> {
    source: S,
    target: T,
    options: CopyOptions,
    blobs: Blobs,
    manifests: Manifests,
    /// Bytes of blobs that were read, in all.
    read: AtomicU64,
}

/// What became of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Bytes of blobs.
    pub bytes: Bytes,
    /// How many signatures and other things that refer to it came along.
    pub attached: usize,
    /// How often it was tried.
    pub tries: u32,
    /// Whether it is there.
    pub result: Result<(), CopyError>,
}

impl<S: Source, T: Target> Copier<S, T> {
    /// A copier from `source` to `target`.
    #[must_use]
    pub fn new(source: S, target: T, options: CopyOptions) -> Self {
        let blobs = Blobs::new(options.transfers);
        let (manifests, read) = (Manifests::default(), AtomicU64::new(0));
        Self { source, target, options, blobs, manifests, read }
    }

    /// What is copied from.
    #[must_use]
    pub fn source(&self) -> &S {
        &self.source
    }

    /// What is copied to.
    #[must_use]
    pub fn target(&self) -> &T {
        &self.target
    }

    /// How many bytes of blobs were read so far, for whoever waits.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Finds out what is to be done with an image. Writes nothing; reads no manifest unless platforms are asked for, or all
    /// that it is made of is to be looked for.
    ///
    /// # Errors
    /// [`CopyError`] when that cannot be known.
    pub async fn plan(&self, wanted: Wanted) -> Result<Planned, CopyError> {
        let (from, to) = (from_of(&wanted), to_of(&wanted));
        let tag_now = async {
            match &wanted.tag {
                Some(tag) => self.target.find(to, tag).await,
                None => Ok(None),
            }
        };
        let smaller = !self.options.platforms.is_empty() && !self.options.sparse;
        let mut facts = Facts::default();
        let mut instead = None;
        let known = match &wanted.digest {
            // An index of some platforms is nowhere but at its target.
            Some(known) if smaller && !self.is_there(to, known).await? => None,
            known => known.as_ref(),
        };
        if let Some(known) = known {
            facts.tag = tag_now.await?.map(|found| found.digest);
            facts.there = facts.tag.as_ref() == Some(known) || self.is_there(to, known).await?;
            // What the target has, the source needs not have any more.
            let exists = facts.there || self.source.find(from, known.as_str()).await?.is_some();
            facts.digest = exists.then(|| known.clone());
        } else {
            let source = self.source.find(from, &wanted.reference);
            let (found, tag) = try_join(source, tag_now).await?;
            facts.tag = tag.map(|found| found.digest);
            facts.digest = found.map(|found| found.digest);
            if let Some(digest) = facts.digest.clone().filter(|_| smaller) {
                let index = self.source.manifest(from, &digest).await?;
                instead = if index.is_index() { reduced(&index, &self.options.platforms)? } else { None };
                if let Some(smaller) = &instead {
                    self.may_shrink(&wanted, &digest).await?;
                    facts.digest = Some(smaller.digest.clone());
                }
            }
            if let Some(digest) = &facts.digest {
                facts.there = facts.tag.as_ref() == Some(digest) || self.is_there(to, digest).await?;
            }
        }
        let mut action = decide(&wanted, &facts);
        let Facts { digest, tag, .. } = facts;
        let mut planned = Planned { wanted, action, digest, tag, instead };
        if matches!(action, Action::Skip | Action::Tag) && !self.is_whole(&planned).await? {
            action = Action::Copy;
        }
        planned.action = action;
        Ok(planned)
    }

    /// Whether what was found at the target is all there, as far as that is to be doubted.
    async fn is_whole(&self, planned: &Planned) -> Result<bool, CopyError> {
        if self.options.deep {
            let tally = Tally::default();
            self.examine(planned, &tally).await?;
            return Ok(tally.is_complete());
        }
        // Other platforms may be all that was copied of it before.
        if self.options.sparse && !self.target.has_whole_indexes() {
            return self.has_platforms(planned).await;
        }
        Ok(true)
    }

    /// Whether the target has the manifests that are wanted of an index.
    async fn has_platforms(&self, planned: &Planned) -> Result<bool, CopyError> {
        let (from, to) = (from_of(&planned.wanted), to_of(&planned.wanted));
        let Some(digest) = &planned.digest else { return Ok(true) };
        let root = self.source.manifest(from, digest).await?;
        let siblings = Contents::of(&root)?.manifests;
        let is_wanted = |child: &Descriptor| is_wanted(&self.options.platforms, child, &siblings);
        // Of what it names, indexes alone name more.
        let indexes =
            ManifestTree::read(&self.source, from, root, |child| child.is_index() && is_wanted(child))
                .await?;
        let named = indexes.nodes().flat_map(|node| &node.contents.manifests);
        let found = named.filter(|child| is_wanted(child)).map(|child| self.is_there(to, &child.digest));
        Ok(try_join_all(found).await?.into_iter().all(|is_there| is_there))
    }

    async fn is_there(&self, to: Place<'_>, digest: &Digest) -> Result<bool, CopyError> {
        Ok(self.target.find(to, digest.as_str()).await?.is_some())
    }

    /// An image whose digest somebody relies on must not get another.
    async fn may_shrink(&self, wanted: &Wanted, digest: &Digest) -> Result<(), CopyError> {
        if wanted.digest.is_some() {
            return Err(CopyError::KeepsDigest { why: "this one is pinned to its digest" });
        }
        let heeds = self.options.attachments != super::Attachments::None;
        if heeds && attached::is_signed(&self.source, from_of(wanted), digest).await? {
            return Err(CopyError::KeepsDigest { why: "this one is signed" });
        }
        Ok(())
    }

    /// Does what was planned.
    pub async fn copy(&self, planned: &Planned) -> Copied {
        let tally = Tally::default();
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_copy(planned, &tally, tries > 1).await {
                Err(error) if tries < TRIES && error.may_be_late() => tokio::time::sleep(LATE * tries).await,
                result => {
                    if result.is_err() {
                        self.target.give_up_dropped(ABANDON_TIMEOUT).await;
                    }
                    let attached = *result.as_ref().unwrap_or(&0);
                    return Copied { bytes: tally.bytes(), attached, tries, result: result.map(drop) };
                }
            }
        }
    }

    async fn try_copy(&self, planned: &Planned, tally: &Tally, again: bool) -> Result<usize, CopyError> {
        let wanted = &planned.wanted;
        let (from, to) = (from_of(wanted), to_of(wanted));
        let Some(digest) = planned.digest.as_ref().filter(|_| planned.action.is_work()) else { return Ok(0) };
        let tree = self.tree(planned, digest).await?;
        self.fits(&tree)?;
        let way = self.way(from, to, tally, again || self.options.deep);
        let whole = planned.action == Action::Copy;
        let attached = attached::find(&self.source, from, &tree, self.options.attachments);
        let blobs = async { if whole { self.bring_blobs(&way, &tree).await } else { Ok(()) } };
        let (attached, ()) = try_join(attached, blobs).await?;
        // What nothing refers to gets its tag at once.
        let by_digest =
            |at: usize| at + 1 < tree.levels.len() || !attached.is_empty() || wanted.tag.is_none();
        if whole {
            for (at, level) in tree.levels.iter().enumerate().filter(|(at, _)| by_digest(*at)) {
                // That the image itself is missing was just found out; what it is made of may have come with another.
                let again = way.doubt || at + 1 == tree.levels.len();
                let writes =
                    level.iter().map(|node| self.manifests.write(&self.target, to, &node.manifest, again));
                try_join_all(writes).await.map_err(|error| self.incomplete(&tree, error))?;
            }
        }
        for one in &attached {
            self.attach(&way, one, wanted.overwrite).await?;
        }
        self.name(planned, &tree).await?;
        Ok(attached.len())
    }

    /// The image with what it is made of.
    async fn tree(&self, planned: &Planned, digest: &Digest) -> Result<ManifestTree, CopyError> {
        let from = from_of(&planned.wanted);
        let root = match &planned.instead {
            Some(index) => index.clone(),
            None => self.source.manifest(from, digest).await?,
        };
        let siblings = Contents::of(&root)?.manifests;
        let platforms = &self.options.platforms;
        ManifestTree::read(&self.source, from, root, |child: &Descriptor| {
            is_wanted(platforms, child, &siblings)
        })
        .await
    }

    /// What it means that the target does not take a manifest whose parts were left out.
    fn incomplete(&self, tree: &ManifestTree, error: super::StoreError) -> CopyError {
        let sparse = self.options.sparse && tree.root().manifest.is_index();
        if sparse && matches!(error.status(), Some(400 | 404)) {
            CopyError::NotSparse(error)
        } else {
            error.into()
        }
    }

    fn fits(&self, tree: &ManifestTree) -> Result<(), CopyError> {
        let size = tree.size();
        match self.options.max_size {
            Some(most) if size > most => Err(CopyError::TooLarge { size, most }),
            Some(_) | None => Ok(()),
        }
    }

    fn way<'a>(&'a self, from: Place<'a>, to: Place<'a>, tally: &'a Tally, doubt: bool) -> Way<'a, S, T> {
        let (source, target, progress) = (&self.source, &self.target, &self.read);
        Way { source, from, target, to, write: true, doubt, tally, progress }
    }

    async fn bring_blobs(&self, way: &Way<'_, S, T>, tree: &ManifestTree) -> Result<(), CopyError> {
        try_join_all(tree.blobs().into_iter().map(|blob| self.blobs.ensure(way, blob))).await?;
        Ok(())
    }

    /// Brings something that belongs to the image.
    async fn attach(
        &self,
        way: &Way<'_, S, T>,
        attached: &Attached,
        overwrite: bool,
    ) -> Result<(), CopyError> {
        let Attached { how, tree } = attached;
        self.fits(tree)?;
        let root = &tree.root().manifest;
        if let How::Tagged { tag } = how {
            match self.target.find(way.to, tag).await? {
                Some(found) if found.digest == root.digest => return Ok(()),
                Some(found) if !overwrite => {
                    let (tag, wanted) = (tag.clone(), root.digest.clone());
                    return Err(CopyError::Conflict { tag, found: found.digest, wanted });
                }
                Some(_) | None => {}
            }
        }
        self.bring_blobs(way, tree).await?;
        let below = tree.nodes().filter(|node| node.manifest.digest != root.digest);
        for node in below {
            self.manifests.write(&self.target, way.to, &node.manifest, way.doubt).await?;
        }
        match how {
            How::Refers { subject, descriptor } => {
                self.target.write_referrer(way.to, subject, root, descriptor).await?;
            }
            How::Tagged { tag } => self.manifests.name(&self.target, way.to, Some(tag), root).await?,
        }
        Ok(())
    }

    /// Writes the tag, unless it was moved meanwhile.
    async fn name(&self, planned: &Planned, tree: &ManifestTree) -> Result<(), CopyError> {
        let (wanted, root) = (&planned.wanted, &tree.root().manifest);
        let to = to_of(wanted);
        if let Some(tag) = &wanted.tag {
            match self.target.find(to, tag).await? {
                Some(found) if found.digest == root.digest => return Ok(()),
                // The tag came meanwhile, and so the manifest was not written by its digest.
                Some(_) if wanted.keep_tag => {
                    let written = self.manifests.write(&self.target, to, root, true).await;
                    written.map_err(|error| self.incomplete(tree, error))?;
                    return Ok(self.manifests.name(&self.target, to, None, root).await?);
                }
                Some(found) if !wanted.overwrite => {
                    let (tag, wanted) = (tag.clone(), root.digest.clone());
                    return Err(CopyError::Conflict { tag, found: found.digest, wanted });
                }
                Some(_) | None => {}
            }
        }
        let named = self.manifests.name(&self.target, to, wanted.tag.as_deref(), root).await;
        named.map_err(|error| self.incomplete(tree, error))
    }

    /// Looks for everything that an image is made of at the target, and counts what is missing.
    async fn examine(&self, planned: &Planned, tally: &Tally) -> Result<(), CopyError> {
        let (from, to) = (from_of(&planned.wanted), to_of(&planned.wanted));
        let Some(digest) = &planned.digest else { return Ok(()) };
        let tree = self.tree(planned, digest).await?;
        let attached = attached::find(&self.source, from, &tree, self.options.attachments).await?;
        let way = Way { write: false, ..self.way(from, to, tally, true) };
        for tree in attached.iter().map(|one| &one.tree).chain([&tree]) {
            self.bring_blobs(&way, tree).await?;
            for node in tree.nodes() {
                if !self.is_there(to, &node.manifest.digest).await? {
                    tally.missing();
                }
            }
        }
        for one in &attached {
            if let How::Tagged { tag } = &one.how
                && self.target.find(to, tag).await?.is_none()
            {
                tally.missing();
            }
        }
        Ok(())
    }
}

fn from_of(wanted: &Wanted) -> Place<'_> {
    Place { image: &wanted.source, repository: &wanted.from }
}

fn to_of(wanted: &Wanted) -> Place<'_> {
    Place { image: &wanted.target, repository: &wanted.to }
}

#[cfg(test)]
mod tests {
    use super::super::RegistryStore;
    use super::*;

    /// A server copies on any of its threads.
    #[expect(dead_code, reason = "it is there to be compiled")]
    fn copies_on_any_thread(
        copier: &Copier<RegistryStore, RegistryStore>,
        wanted: Wanted,
        planned: &Planned,
    ) {
        fn is_send<T: Send>(_: T) {}
        is_send(copier.plan(wanted));
        is_send(copier.copy(planned));
    }
}
