//! An image of a text: where it stands, what it belongs to, and how another is written in its place.

use std::sync::Arc;

use crate::image::ImageReference;
use crate::manifest::{FieldPath, FoundImage, Place, Position, Resource, Slot, Span, Text};

/// An image and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The document of the file, from 0.
    pub document: usize,
    /// Line and column of the scalar.
    pub position: Position,
    /// The bytes of the scalar as it stands.
    pub span: Span,
    /// The way to it from the document's root.
    pub path: FieldPath,
    /// Why it counts as an image.
    pub place: Place,
    /// The image as written.
    pub image: String,
    /// Where and how another image is written in its place; `None` when it cannot be edited.
    pub slot: Option<Slot>,
    /// The resource it belongs to.
    pub resource: Option<Arc<Resource>>,
    /// Name of the container it belongs to.
    pub container: Option<String>,
    /// Names of further containers that have it through an alias or a merge.
    pub other_containers: Vec<String>,
}

impl Site {
    /// That of `image`, whose main text is `text`; it is `shown` so.
    pub(super) fn of_found(image: &FoundImage, text: &Text, place: Place, shown: String) -> Self {
        Self {
            document: image.document,
            position: text.position,
            span: text.span,
            path: image.path.clone(),
            place,
            image: shown,
            slot: text.slot(),
            resource: None,
            container: None,
            other_containers: Vec::new(),
        }
    }

    /// Whether a resource of Kubernetes is around it. What a Kustomization changes counts: patches and entries need not
    /// say a kind.
    #[must_use]
    pub fn is_in_resource(&self) -> bool {
        let says_kind = |resource: &Resource| !(resource.kind.is_empty() && resource.api_version.is_empty());
        matches!(self.place, Place::Patch | Place::RenderInput)
            || self.resource.as_deref().is_some_and(says_kind)
    }

    /// Why it is not known which image will be pulled, where only a part of it is written here; `None` for a whole image.
    #[must_use]
    pub fn unknown_rest(&self) -> Option<&'static str> {
        let reference = || ImageReference::parse(&self.image);
        match self.place {
            Place::Registry => Some("the chart puts it before images that are not known"),
            Place::Template if reference().is_err() => Some("a template fills in the rest of it"),
            Place::Parts
                if reference().is_ok_and(|image| image.tag().is_none() && image.digest().is_none()) =>
            {
                Some("the chart fills in its tag")
            }
            _ => None,
        }
    }

    /// The path from the resource on, as KRM results name fields.
    #[must_use]
    pub fn path_in_resource(&self) -> FieldPath {
        self.path.below(self.resource.as_deref().map_or(0, |r| r.depth))
    }
}
