//! What an object says of itself, as far as it decides whether and how it is patched.

use super::cursor::Raw;

/// The annotation of pods that a kubelet runs by itself; the API server has only their mirror.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// What is read of an object's metadata.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Metadata<'a> {
    /// Whether there is any.
    pub(super) is_there: bool,
    /// The annotations, where they are an object.
    pub(super) annotations: Option<Raw<'a>>,
    /// It is the mirror of a static pod, which no answer can change.
    pub(super) is_mirror: bool,
    /// It is being deleted.
    pub(super) is_deleted: bool,
    /// The annotation that says what its images were.
    pub(super) originals: Option<Raw<'a>>,
}

impl<'a> Metadata<'a> {
    /// Reads the metadata of `object`; what is not well-formed is left to the engine, which reads all of it.
    pub(super) fn of(object: Raw<'a>, originals: &str) -> Self {
        let mut found = Self::default();
        let mut metadata = None;
        let _ = object.entries(|key, value| {
            if key == "metadata" {
                metadata = Some(value);
            }
        });
        let Some(metadata) = metadata.filter(|metadata: &Raw<'a>| metadata.is_object()) else { return found };
        found.is_there = true;
        let mut annotations = None;
        let _ = metadata.entries(|key, value| match key {
            "annotations" => annotations = Some(value),
            "deletionTimestamp" => found.is_deleted = !value.is_null(),
            _ => {}
        });
        found.annotations = annotations.filter(|annotations: &Raw<'a>| annotations.is_object());
        if let Some(annotations) = found.annotations {
            let _ = annotations.entries(|key, value| match key {
                MIRROR => found.is_mirror = true,
                key if key == originals => found.originals = Some(value),
                _ => {}
            });
        }
        found
    }
}
