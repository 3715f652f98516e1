//! The keys that mean something to the finder.

use super::finder::Role;

/// A mapping's key, as far as the finder cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// Any other key.
    Other,
    Annotations,
    ApiVersion,
    Args,
    Command,
    Containers,
    Digest,
    Env,
    EphemeralContainers,
    Image,
    Images,
    InitContainers,
    Kind,
    Labels,
    Metadata,
    Name,
    Namespace,
    NewName,
    NewTag,
    Path,
    Reference,
    Registry,
    Repository,
    Tag,
    Value,
    Volumes,
}

impl Key {
    /// Which key `text` is. By length first: most keys of a manifest are none of these.
    #[inline]
    pub(super) fn of(text: &str) -> Self {
        match (text.len(), text) {
            (3, "env") => Self::Env,
            (3, "tag") => Self::Tag,
            (4, "args") => Self::Args,
            (4, "kind") => Self::Kind,
            (4, "name") => Self::Name,
            (4, "path") => Self::Path,
            (5, "image") => Self::Image,
            (5, "value") => Self::Value,
            (6, "digest") => Self::Digest,
            (6, "images") => Self::Images,
            (6, "labels") => Self::Labels,
            (6, "newTag") => Self::NewTag,
            (7, "command") => Self::Command,
            (7, "newName") => Self::NewName,
            (7, "volumes") => Self::Volumes,
            (8, "metadata") => Self::Metadata,
            (8, "registry") => Self::Registry,
            (9, "namespace") => Self::Namespace,
            (9, "reference") => Self::Reference,
            (10, "apiVersion") => Self::ApiVersion,
            (10, "containers") => Self::Containers,
            (10, "repository") => Self::Repository,
            (11, "annotations") => Self::Annotations,
            (14, "initContainers") => Self::InitContainers,
            (19, "ephemeralContainers") => Self::EphemeralContainers,
            _ => Self::Other,
        }
    }

    /// Whether a scalar under this key means something in a mapping of `role`.
    #[inline]
    pub(super) fn matters_to(self, role: Role) -> bool {
        match self {
            Self::Name => {
                matches!(role, Role::Metadata | Role::Container | Role::EnvVar | Role::KustomizeImage)
            }
            Self::Namespace => role == Role::Metadata,
            Self::NewName | Self::NewTag => role == Role::KustomizeImage,
            Self::Reference => role == Role::VolumeImage,
            Self::ApiVersion
            | Self::Digest
            | Self::Image
            | Self::Kind
            | Self::Path
            | Self::Registry
            | Self::Repository
            | Self::Tag
            | Self::Value => true,
            Self::Other
            | Self::Annotations
            | Self::Args
            | Self::Command
            | Self::Containers
            | Self::Env
            | Self::EphemeralContainers
            | Self::Images
            | Self::InitContainers
            | Self::Labels
            | Self::Metadata
            | Self::Volumes => false,
        }
    }
}
