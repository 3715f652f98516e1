//! What collections are to the finder, by their keys and by what they stand in.

use crate::manifest::keys::Key;
use crate::manifest::role::Role;

use super::Finder;
use super::frame::SEEN_OF_CONTAINER;

impl Finder<'_, '_> {
    /// What a collection that opens here is.
    #[inline]
    pub(super) fn role_of_child(&mut self, is_map: bool) -> Role {
        let Some(parent) = self.frames.last() else { return Role::Plain };
        if parent.is_map {
            if parent.at_key {
                return Role::Plain;
            }
            if parent.key.opens_something() {
                return self.role_under_known_key(is_map);
            }
            // The elements of `items` are resources.
            let is_list = !is_map && parent.key == Key::Other && *parent.key_bytes != *b"items";
            if is_list { Role::List } else { Role::Plain }
        } else {
            match parent.role {
                Role::ContainerList if is_map => Role::Container,
                Role::List if is_map => Role::Element,
                Role::ParameterList if is_map => Role::Parameter,
                Role::VolumeList if is_map => Role::Volume,
                Role::EnvList if is_map => Role::EnvVar,
                Role::KustomizeList if is_map => Role::KustomizeImage,
                Role::PatchList if is_map => Role::Patch,
                _ => Role::Plain,
            }
        }
    }

    /// What a collection is that opens under a key that may make something of it.
    #[inline(never)]
    fn role_under_known_key(&mut self, is_map: bool) -> Role {
        let is_root = self.frames.len() == 1;
        let Some(parent) = self.frames.last_mut() else { return Role::Plain };
        if parent.key.tells_a_container() {
            parent.seen |= SEEN_OF_CONTAINER;
        }
        match (parent.role, parent.key, is_map) {
            (_, key @ (Key::Containers | Key::InitContainers | Key::EphemeralContainers), false) => {
                parent.has_containers = true;
                self.note_duplicate(key);
                Role::ContainerList
            }
            // What a merge brings belongs to this mapping: it must be replayed.
            (_, Key::Merge, _) => {
                self.found.must_be_replayed = true;
                Role::Plain
            }
            (_, Key::Spec, true) => {
                self.note_duplicate(Key::Spec);
                Role::Plain
            }
            (_, Key::Metadata, true) => Role::Metadata,
            (_, Key::Data, true) => Role::Data,
            (_, Key::From, true) => Role::From,
            (Role::Metadata, Key::Labels, true) => Role::Labels,
            (Role::Metadata, Key::Annotations, true) => Role::Annotations,
            // Charts have theirs at the top of their Chart.yaml.
            (_, Key::Annotations, true) if is_root => Role::Annotations,
            (_, Key::Volumes, false) => Role::VolumeList,
            (Role::Volume, Key::Image, true) => Role::VolumeImage,
            (Role::Container | Role::Element, Key::Env, false) => Role::EnvList,
            (Role::Container | Role::Element, Key::Args | Key::Command, false) => Role::Words,
            (_, Key::Images, false) => Role::KustomizeList,
            (_, Key::ImageTag, true) => Role::KustomizeImage,
            (_, Key::Parameters, false) => Role::ParameterList,
            (
                _,
                Key::Patches | Key::PatchesJson6902 | Key::PatchesStrategicMerge | Key::Transformers,
                false,
            ) => Role::PatchList,
            _ => Role::Plain,
        }
    }
}
