//! Scalars that may be images, or say something about images.

use std::borrow::Cow;

use crate::image::ImageReference;
use crate::manifest::event::{Scalar, ScalarStyle};
use crate::manifest::keys::Key;
use crate::manifest::mention::{self, Part};
use crate::manifest::name_hash::name_hash;
use crate::manifest::occurrence::Place;
use crate::manifest::role::Role;
use crate::manifest::scalar::{image_text, is_string};

use super::frame::{Patched, SEEN_IMAGE};
use super::{Claim, EntryKey, Finder, Finding, ImageParts};

impl<'a> Finder<'a, '_> {
    /// Takes any scalar.
    pub(super) fn scalar(&mut self, scalar: Scalar<'a>) {
        self.found.has_anchors |= scalar.anchor.is_some();
        let Some(frame) = self.frames.last_mut() else { return };
        if !frame.is_map {
            if frame.role == Role::PatchList {
                self.text(scalar);
            } else if matches!(frame.role, Role::Words | Role::KustomizeList) || frame.may_hold_field {
                self.element(scalar);
            }
            self.node_done();
            return;
        }
        frame.at_key = !frame.at_key;
        if !frame.at_key {
            let name = scalar.value.as_bytes();
            frame.key = Key::of(name);
            frame.may_hold_field = self.places.fields.may_end_in(name_hash(name), name);
            frame.key_bytes = match scalar.value {
                Cow::Borrowed(name) => Cow::Borrowed(name.as_bytes()),
                Cow::Owned(name) => Cow::Owned(name.into_bytes()),
            };
            frame.key_start = scalar.start;
        } else if frame.role.has_names_for_keys() {
            self.metadata_value(scalar);
        } else if frame.role == Role::Data && self.places.may_be_data(frame.key_text()) {
            if is_string(&scalar) {
                self.push_here(Claim::Data, Place::Data, scalar);
            }
        } else if frame.may_hold_field || frame.key.matters_to(frame.role) {
            self.value(scalar);
        } else if matches!(scalar.style, ScalarStyle::Literal | ScalarStyle::Folded)
            && frame.may_hold_manifest()
        {
            self.embedded(&scalar);
        }
    }

    /// A block of text that may be a manifest or a patch itself.
    fn embedded(&mut self, block: &Scalar<'a>) {
        for image in mention::images_in(&block.value) {
            let value = Cow::Owned(image.to_owned());
            let &Scalar { value: _, span, start, style, tag, anchor } = block;
            let scalar = Scalar { value, span, start, style, tag, anchor };
            self.push_here(Claim::Settled, Place::Mention, scalar);
        }
    }

    /// A scalar that holds a manifest or a patch, or names the file of one.
    fn text(&mut self, scalar: Scalar<'a>) {
        if mention::names_image(&scalar.value) && scalar.value.contains(['\n', '{', '[']) {
            self.push_here(Claim::Text, Place::Patch, scalar);
        }
    }

    /// A scalar in a sequence that may hold images.
    pub(super) fn element(&mut self, scalar: Scalar<'a>) {
        let words = self.frames.last().is_some_and(|f| f.role == Role::Words);
        if !is_string(&scalar) {
            return;
        }
        if !words {
            self.push_here(Claim::Field, Place::Mention, scalar);
            return;
        }
        let before = self.found.findings.len();
        if self.argument(&scalar) {
            // Taken.
        } else if mention::is_image_like(mention::behind_last_equals(&scalar.value)) {
            self.push_here(Claim::Settled, Place::Mention, scalar);
        }
        if matches!(&self.frames[..], [.., owner, _] if owner.role == Role::Element) {
            self.found.findings[before..].iter_mut().for_each(Finding::wait_for_element);
        }
    }

    /// Takes an argument that the places name: behind the `=` of its flag, or as the word after it.
    fn argument(&mut self, scalar: &Scalar<'a>) -> bool {
        let word = image_text(scalar);
        let Some(frame) = self.frames.last_mut() else { return false };
        let flag_before = frame.flag_before.take();
        let named = self.places.argument(word);
        if named.is_some() {
            self.places.found_argument(word);
        }
        let (start, matching) = match (named, flag_before) {
            (Some((start, matching)), _) if start < word.len() => (start, matching),
            (Some((_, matching)), _) => {
                frame.flag_before = (!word.contains('=')).then_some(matching);
                return true;
            }
            (None, Some(matching)) => (0, matching),
            (None, None) => return false,
        };
        if !matching.takes(&word[start..]) {
            return false;
        }
        let part = named.map(|_| Part { start, end: word.len() });
        self.push_here(Claim::Settled, Place::Argument, scalar.clone());
        if let Some(finding) = self.found.findings.last_mut() {
            finding.parts = part.map_or(ImageParts::Whole, ImageParts::One);
        }
        true
    }

    /// A label or annotation.
    fn metadata_value(&mut self, scalar: Scalar<'a>) {
        let Some(frame) = self.frames.last() else { return };
        let (role, key) = (frame.role, frame.key_text().to_owned());
        let asked_for = self.places.annotation(&key).filter(|_| role == Role::Annotations);
        if let Some(matching) = asked_for {
            let is_image = matching.takes(image_text(&scalar));
            if is_image || mention::names_image(&scalar.value) {
                self.places.found_annotation(&key);
                let claim = if is_image { Claim::Settled } else { Claim::Text };
                self.push_here(claim, Place::Annotation, scalar);
            }
            return;
        }
        let Some(owner) = self.frames.len().checked_sub(3) else { return };
        if role == Role::Labels {
            if key == self.disable_label && scalar.value == "disabled" {
                self.frames[owner].disabled = true;
            }
            return;
        }
        let origin = match &*key {
            "internal.config.kubernetes.io/path" | "config.kubernetes.io/path" => true,
            "internal.config.kubernetes.io/index" | "config.kubernetes.io/index" => false,
            _ => return,
        };
        let internal = key.starts_with("internal.");
        let stored = self.facts_of(owner).origin.get_or_insert_default();
        if origin && (internal || stored.path.is_none()) {
            stored.path = Some(scalar.value.into_owned());
        } else if !origin && (internal || stored.index.is_none()) {
            stored.index = scalar.value.parse().ok();
        }
    }

    /// The value of a key that the finder knows.
    fn value(&mut self, scalar: Scalar<'a>) {
        let at = self.frames.len() - 1;
        let (role, key) = (self.frames[at].role, self.frames[at].key);
        if !is_string(&scalar) {
            return self.no_string(role, key, scalar);
        }
        if self.frames[at].may_hold_field && key.means_more_than_a_field() {
            self.push_here(Claim::Field, Place::Mention, scalar.clone());
        }
        match (role, key) {
            (Role::Element, Key::Image) => {
                self.frames[at].seen |= SEEN_IMAGE;
                self.push_here(Claim::Field, Place::Mention, scalar);
            }
            (Role::Container, Key::Image) => {
                self.note_duplicate(Key::Image);
                self.push_here(Claim::Settled, Place::Container, scalar);
            }
            (Role::VolumeImage, Key::Reference) => {
                self.push_here(Claim::PodVolume, Place::Volume, scalar);
            }
            (Role::KustomizeImage, Key::Name) => self.kustomize(EntryKey::Name, scalar),
            (Role::KustomizeImage, Key::NewName) => self.kustomize(EntryKey::NewName, scalar),
            (Role::KustomizeImage, Key::NewTag) => self.kustomize(EntryKey::NewTag, scalar),
            (Role::KustomizeImage, Key::Digest) => self.kustomize(EntryKey::Digest, scalar),
            (_, Key::ApiVersion) => self.facts_of(at).api_version = Some(scalar.value),
            (_, Key::Kind) => {
                self.note_duplicate(Key::Kind);
                self.facts_of(at).kind = Some(scalar.value);
            }
            (Role::Metadata, Key::Name) if at > 0 => self.facts_of(at - 1).name = Some(scalar.value),
            (Role::Metadata, Key::Namespace) if at > 0 => {
                self.facts_of(at - 1).namespace = Some(scalar.value);
            }
            // Of a variable only a name that says "image" counts.
            (Role::EnvVar, Key::Name)
                if !mention::names_image(&scalar.value) && !self.places.names_variable(&scalar.value) => {}
            (Role::Container | Role::Element | Role::EnvVar | Role::Parameter, Key::Name) => {
                self.facts_of(at).name = Some(scalar.value);
            }
            (Role::EnvVar, Key::Value) if self.places.may_be_variable(image_text(&scalar)) => {
                self.push_here(Claim::Variable, Place::Mention, scalar);
            }
            (Role::EnvVar, Key::Value) => {}
            (Role::Parameter, Key::Value) if ImageReference::parse(image_text(&scalar)).is_ok() => {
                self.push_here(Claim::Parameter, Place::Mention, scalar);
            }
            (_, Key::Value) if self.may_be_image(&scalar.value) => {
                self.push_here(Claim::ImageName, Place::Mention, scalar);
            }
            (_, Key::Patch | Key::JsonOp) => self.patch(role, key, scalar),
            (_, Key::Path) => {
                if let Some(patched) = Patched::of(&scalar.value) {
                    self.facts_of(at).patched = Some(patched);
                }
            }
            (_, Key::Registry) => self.facts_of(at).registry = Some(scalar.value),
            (_, Key::Repository) => self.facts_of(at).repository = Some(scalar),
            (_, Key::Tag) => self.facts_of(at).tag = Some(scalar.value),
            (_, Key::Digest) => self.facts_of(at).digest = Some(scalar.value),
            (Role::From, Key::Name) | (_, Key::Image) => {
                self.push_here(Claim::Field, Place::Mention, scalar);
            }
            _ if self.frames[at].may_hold_field => {
                self.push_here(Claim::Field, Place::Mention, scalar);
            }
            _ => {}
        }
    }

    /// The value of a key that the finder knows, where that is a number or the like.
    #[inline(always)]
    fn no_string(&mut self, role: Role, key: Key, scalar: Scalar<'a>) {
        match key {
            // A chart's `tag: 1.20` is a number to YAML and a tag to the chart.
            Key::Tag if scalar.style == ScalarStyle::Plain => {
                self.facts_of(self.frames.len() - 1).tag = Some(scalar.value);
            }
            Key::NewTag if role == Role::KustomizeImage => {
                self.push_here(Claim::Kustomize(EntryKey::NewTag), Place::RenderInput, scalar);
            }
            Key::Image if role == Role::Container => self.note_duplicate(Key::Image),
            _ => {}
        }
    }

    /// The value of a key for a patch.
    fn patch(&mut self, role: Role, key: Key, scalar: Scalar<'a>) {
        // The builtin transformers of kustomize have their patch at their top.
        if (role, key) == (Role::Patch, Key::Patch) || self.frames.len() == 1 {
            self.text(scalar);
        } else if matches!(scalar.style, ScalarStyle::Literal | ScalarStyle::Folded) {
            self.embedded(&scalar);
        }
    }

    /// Whether the mapping at hand may be an operation of a JSON patch: it stands in a list that is the whole document.
    pub(super) fn in_patch(&self) -> bool {
        matches!(&self.frames[..], [list, _] if !list.is_map)
    }

    /// Whether a value may be an image: of a JSON patch, which says by its path what it is, also a bare word.
    fn may_be_image(&self, value: &str) -> bool {
        mention::is_reference_like(value) || (self.in_patch() && ImageReference::parse(value).is_ok())
    }

    fn kustomize(&mut self, key: EntryKey, scalar: Scalar<'a>) {
        self.push_here(Claim::Kustomize(key), Place::RenderInput, scalar);
    }
}
