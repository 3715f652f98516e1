//! Entries that change images by their names, put together of what the finder finds of them.

use crate::manifest::finder::{EntryKey, Finding, Override};
use crate::manifest::occurrence::{KustomizeImage, Text};
use crate::manifest::path::FieldPath;

use super::Run;

impl<'a> Run<'a, '_> {
    /// Puts the value of a key of an `images` entry to its entry.
    pub(super) fn kustomize(
        &mut self,
        key: EntryKey,
        mut path: FieldPath,
        text: Text,
        document: usize,
        resource: Option<usize>,
    ) {
        path.pop();
        let images = &mut self.scan.kustomize_images;
        if !images.last().is_some_and(|last| last.document == document && last.path == path) {
            images.push(KustomizeImage { document, path, resource, ..KustomizeImage::default() });
        }
        if let Some(entry) = images.last_mut() {
            let field = match key {
                EntryKey::Name => &mut entry.name,
                EntryKey::NewName => &mut entry.new_name,
                EntryKey::NewTag => &mut entry.new_tag,
                EntryKey::Digest => &mut entry.digest,
                EntryKey::Whole => return,
            };
            *field = Some(text);
        }
    }

    /// Adds an entry that stands as one text: `nginx=quay.io/a/nginx:1`.
    pub(super) fn override_within(&mut self, finding: Finding<'a>, document: usize, resource: Option<usize>) {
        let parts = Override::of(&finding.scalar.value);
        let mut part = |range| self.part_of(&finding, range);
        let entry = KustomizeImage {
            document,
            name: Some(part(parts.name)),
            new_name: parts.new_name.map(&mut part),
            new_tag: parts.new_tag.map(&mut part),
            digest: parts.digest.map(&mut part),
            digest_slot: None,
            resource,
            path: finding.path,
        };
        self.scan.kustomize_images.push(entry);
    }
}
