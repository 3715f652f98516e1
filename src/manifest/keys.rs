//! The keys that mean something to the finder.

use super::name_hash::{ByteSet, name_hash};
use super::role::Role;

/// Declares the keys with their names in manifests, so that each is told by one look into a table.
macro_rules! keys {
    ($($key:ident $name:literal)*) => {
        /// A mapping's key, as far as the finder cares.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(super) enum Key {
            /// Any other key.
            Other,
            $($key,)*
        }

        const KEYS: &[(Key, &str)] = &[(Key::Other, ""), $((Key::$key, $name),)*];
    };
}

keys! {
    Annotations "annotations"
    ApiVersion "apiVersion"
    Args "args"
    Command "command"
    Containers "containers"
    Data "data"
    Digest "digest"
    Env "env"
    EphemeralContainers "ephemeralContainers"
    From "from"
    Image "image"
    ImageTag "imageTag"
    Images "images"
    InitContainers "initContainers"
    JsonOp "jsonOp"
    Kind "kind"
    Labels "labels"
    Merge "<<"
    Metadata "metadata"
    Name "name"
    Namespace "namespace"
    NewName "newName"
    NewTag "newTag"
    Parameters "parameters"
    Patch "patch"
    Patches "patches"
    PatchesJson6902 "patchesJson6902"
    PatchesStrategicMerge "patchesStrategicMerge"
    Path "path"
    Ports "ports"
    Reference "reference"
    Registry "registry"
    Repository "repository"
    Resources "resources"
    SecurityContext "securityContext"
    Spec "spec"
    Tag "tag"
    Transformers "transformers"
    Value "value"
    VolumeMounts "volumeMounts"
    Volumes "volumes"
}

/// For each hash the index in [`KEYS`] of the key that has it; 0 for most.
const BY_HASH: [u8; 256] = {
    let mut table = [0; 256];
    let mut index = 1;
    while index < KEYS.len() {
        let hash = name_hash(KEYS[index].1.as_bytes()) as usize;
        assert!(table[hash] == 0, "no two keys may have one hash: choose another function");
        table[hash] = index as u8;
        index += 1;
    }
    table
};

impl Key {
    /// Which key `text` is. Most keys of a manifest are none of these, and told by their hash.
    #[inline(always)]
    pub(super) fn of(text: &[u8]) -> Self {
        let key = Self::of_hash(name_hash(text));
        if key.is(text) { key } else { Self::Other }
    }

    /// The only key that a name with this hash may be.
    #[inline(always)]
    pub(super) fn of_hash(hash: u8) -> Self {
        KEYS[usize::from(BY_HASH[usize::from(hash)])].0
    }

    /// Whether it is called `name`.
    #[inline(always)]
    pub(super) fn is(self, name: &[u8]) -> bool {
        self != Self::Other && KEYS[self as usize].1.as_bytes() == name
    }

    /// The hashes of all keys that the finder knows.
    pub(super) fn hashes() -> ByteSet {
        let mut hashes = ByteSet::default();
        KEYS[1..].iter().for_each(|(_, name)| hashes.add(name_hash(name.as_bytes())));
        hashes
    }

    /// Its name; none of [`Key::Other`].
    pub(super) fn name(self) -> Option<&'static str> {
        (self != Self::Other).then(|| KEYS[self as usize].1)
    }

    /// Whether a collection under this key may be more than that.
    #[inline]
    pub(super) fn opens_something(self) -> bool {
        matches!(
            self,
            Self::Annotations
                | Self::Args
                | Self::Command
                | Self::Containers
                | Self::Data
                | Self::Env
                | Self::From
                | Self::EphemeralContainers
                | Self::Image
                | Self::ImageTag
                | Self::Images
                | Self::InitContainers
                | Self::Labels
                | Self::Merge
                | Self::Metadata
                | Self::Parameters
                | Self::Patches
                | Self::PatchesJson6902
                | Self::PatchesStrategicMerge
                | Self::Ports
                | Self::Resources
                | Self::SecurityContext
                | Self::Spec
                | Self::Transformers
                | Self::VolumeMounts
                | Self::Volumes
        )
    }

    /// Whether a mapping with a collection under this key, a name and an image is a container.
    #[inline]
    pub(super) fn tells_a_container(self) -> bool {
        matches!(
            self,
            Self::Args
                | Self::Command
                | Self::Env
                | Self::Ports
                | Self::Resources
                | Self::SecurityContext
                | Self::VolumeMounts
        )
    }

    /// Whether a scalar under this key says something beside being the value of a field.
    #[inline]
    pub(super) fn means_more_than_a_field(self) -> bool {
        matches!(
            self,
            Self::Digest | Self::Path | Self::Registry | Self::Repository | Self::Tag | Self::Value
        )
    }

    /// Whether a scalar under this key means something in a mapping of `role`.
    #[inline(always)]
    pub(super) fn matters_to(self, role: Role) -> bool {
        ROLES[self as usize] & role.bit() != 0
    }

    /// The roles of the mappings in which a scalar under this key means something, a bit each.
    const fn roles(self) -> u32 {
        match self {
            Self::Name => {
                Role::Metadata.bit()
                    | Role::Container.bit()
                    | Role::Element.bit()
                    | Role::EnvVar.bit()
                    | Role::KustomizeImage.bit()
                    | Role::From.bit()
                    | Role::Parameter.bit()
            }
            Self::Namespace => Role::Metadata.bit(),
            Self::NewName | Self::NewTag => Role::KustomizeImage.bit(),
            Self::Reference => Role::VolumeImage.bit(),
            Self::ApiVersion
            | Self::Digest
            | Self::Image
            | Self::JsonOp
            | Self::Kind
            | Self::Patch
            | Self::Path
            | Self::Registry
            | Self::Repository
            | Self::Tag
            | Self::Value => u32::MAX,
            Self::Other
            | Self::Annotations
            | Self::Args
            | Self::Command
            | Self::Containers
            | Self::Data
            | Self::Env
            | Self::From
            | Self::EphemeralContainers
            | Self::ImageTag
            | Self::Images
            | Self::InitContainers
            | Self::Labels
            | Self::Merge
            | Self::Metadata
            | Self::Parameters
            | Self::Patches
            | Self::PatchesJson6902
            | Self::PatchesStrategicMerge
            | Self::Ports
            | Self::Resources
            | Self::SecurityContext
            | Self::Spec
            | Self::Transformers
            | Self::VolumeMounts
            | Self::Volumes => 0,
        }
    }
}

/// What [`Key::roles`] says of each of [`KEYS`].
const ROLES: [u32; KEYS.len()] = {
    let mut roles = [0; KEYS.len()];
    let mut index = 0;
    while index < KEYS.len() {
        roles[index] = KEYS[index].0.roles();
        index += 1;
    }
    roles
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_keys() {
        for (key, name) in &KEYS[1..] {
            assert_eq!(Key::of(name.as_bytes()), *key);
            assert_eq!(key.name(), Some(*name));
            assert_eq!(Key::of(format!("{name}s").as_bytes()) == Key::Images, *name == "image");
        }
        for other in ["", "x", "imagePullPolicy", "<", "specs", "names", "Image", "imag", "imagf"] {
            assert_eq!(Key::of(other.as_bytes()), Key::Other, "{other}");
        }
    }
}
