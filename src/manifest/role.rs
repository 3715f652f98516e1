//! What collections may be to the finder.

/// What an open collection is to the finder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Plain,
    ContainerList,
    Container,
    /// A list under a key that says nothing
    List,
    /// A mapping in such a list: a container, if it looks like one
    Element,
    VolumeList,
    Volume,
    VolumeImage,
    EnvList,
    EnvVar,
    /// `args` or `command`
    Words,
    KustomizeList,
    KustomizeImage,
    /// Kustomize's lists of patches (`patches`, `patchesJson6902`, `patchesStrategicMerge`) and of `transformers`
    PatchList,
    /// An entry of such a list
    Patch,
    /// `parameters` of a Template, or of anything else
    ParameterList,
    Parameter,
    /// `data` of a ConfigMap, or of anything else
    Data,
    /// `from` of an ImageStream's tag, or of anything else
    From,
    Metadata,
    Labels,
    Annotations,
}

impl Role {
    /// A bit that no other role has.
    #[inline(always)]
    pub(super) const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// Whether the keys of such a mapping are names that people choose.
    #[inline]
    pub(super) fn has_names_for_keys(self) -> bool {
        matches!(self, Self::Labels | Self::Annotations)
    }
}
