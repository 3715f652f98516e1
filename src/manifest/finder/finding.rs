//! What the finder finds in one document, and on what it still depends.

use crate::manifest::event::Scalar;
use crate::manifest::mention::{self, Part};
use crate::manifest::notes::Notes;
use crate::manifest::occurrence::{Blocked, NoteKind, Place, Resource};
use crate::manifest::path::{FieldPath, Segment};
use crate::manifest::places::Places;
use crate::manifest::scalar::image_text;

use super::frame::Patched;

/// On what it still depends whether a finding is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    Settled,
    /// An image volume, if `containers` stands beside its `volumes`.
    PodVolume,
    /// A field of the table, if the resource's kind says so; else a mention.
    Field,
    /// The value of a variable or patch, if that is named like an image's.
    ImageName,
    /// The value of a variable, if the places name that; else a mention, if it looks like an image or its name says so.
    Variable,
    /// The image of something that looks like a container: one, if it belongs to a resource.
    Shape,
    /// In the arguments or variables of an element of a list, which stand at this place if that is a container.
    OfElement(Place),
    /// As [`Claim::OfElement`], of something that looks like a container: if it belongs to a resource.
    OfShape(Place),
    /// The value of a parameter, if a Template makes an image of it.
    Parameter,
    /// A value of `data`, if the places name that.
    Data,
    /// A text that may hold images itself.
    Text,
    /// A text whose images are only mentioned.
    Prose,
    /// The value of a key of a Kustomization's `images` entry, if it is one.
    Kustomize(EntryKey),
}

/// A key of an entry of a Kustomization's `images`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::manifest) enum EntryKey {
    Name,
    NewName,
    NewTag,
    Digest,
    /// All of them, as `nginx=quay.io/a/nginx:1`.
    Whole,
}

/// How a scalar came to the place where it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::manifest) enum Reach {
    /// It stands there.
    Own,
    /// An alias or a merge brings it there.
    Alias,
    /// An alias brings it into a node that is itself at an anchor, whose own uses count instead.
    AliasWithinAnchor,
}

/// Which bytes of a scalar's value are images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::manifest) enum ImageParts {
    /// All of them are one.
    Whole,
    One(Part),
    /// At least two, in their order.
    Several(Box<[Part]>),
}

impl ImageParts {
    /// These parts of a value that is `whole`.
    fn new(parts: Vec<Part>, whole: Part) -> Self {
        match parts[..] {
            [part] if part == whole => Self::Whole,
            [part] => Self::One(part),
            _ => Self::Several(parts.into_boxed_slice()),
        }
    }

    /// Where the first of them starts.
    fn start(&self) -> usize {
        match self {
            Self::Whole => 0,
            Self::One(part) => part.start,
            Self::Several(parts) => parts.first().map_or(0, |part| part.start),
        }
    }
}

/// A finding of the document that is being read.
#[derive(Debug)]
pub(in crate::manifest) struct Finding<'a> {
    pub(super) claim: Claim,
    pub(in crate::manifest) place: Place,
    pub(in crate::manifest) path: FieldPath,
    pub(in crate::manifest) scalar: Scalar<'a>,
    pub(in crate::manifest) parts: ImageParts,
    pub(in crate::manifest) flow: bool,
    pub(in crate::manifest) reach: Reach,
    /// How many places of the list it stands for, to each of which the same alias brings it.
    pub(in crate::manifest) times: usize,
    pub(in crate::manifest) resource: Option<usize>,
    pub(in crate::manifest) container: Option<String>,
    /// Name of the parameter whose value it is.
    pub(super) name: Option<String>,
    /// Containers that it is brought to by aliases and merges, besides.
    pub(in crate::manifest) other_containers: Vec<String>,
    pub(in crate::manifest) blocked: Option<Blocked>,
}

impl Finding<'_> {
    /// Whether `other` says the same of the same scalar, but for the place that an alias brings it to.
    pub(super) fn repeats(&self, other: &Self) -> bool {
        self.reach == Reach::Alias
            && other.reach == Reach::Alias
            && self.claim == Claim::Settled
            && other.claim == Claim::Settled
            && self.start() == other.start()
            && (self.place, &self.parts, self.blocked) == (other.place, &other.parts, other.blocked)
            && self.resource == other.resource
    }

    /// Whether it is the image of a container that the `value` of a JSON patch's operation at `depth` gives.
    pub(super) fn is_in_patch(&self, depth: usize, patched: Patched) -> bool {
        let mut steps = self.path.segments_below(depth);
        let in_value = steps.next() == Some(Segment::Key("value"));
        let in_container = match patched {
            Patched::Container => true,
            Patched::ContainerList => matches!(steps.next(), Some(Segment::Index(_))),
            Patched::ContainerImage | Patched::OtherImage => false,
        };
        in_value && in_container && steps.eq([Segment::Key("image")])
    }

    /// Whether the last key of its path is `key`.
    pub(super) fn is_under(&self, key: &str) -> bool {
        self.path.segments().next_back() == Some(Segment::Key(key))
    }

    /// Whether it says how something is, and not how it should be.
    pub(super) fn is_in_status(&self, depth: usize) -> bool {
        self.path.segments_below(depth).next() == Some(Segment::Key("status"))
    }

    /// Keeps a field that no table names as a mention, when it looks like an image at all.
    pub(super) fn settle_as_mention(&mut self, depth: usize) -> bool {
        let in_status = self.is_in_status(depth);
        let key = self.path.segments_below(depth).rev().find_map(|s| match s {
            Segment::Key(key) => Some(key),
            Segment::Index(_) => None,
        });
        self.claim = Claim::Settled;
        self.place = Place::Mention;
        !in_status
            && key.is_some_and(|k| k.to_ascii_lowercase().contains("image"))
            && mention::is_reference_like(&self.scalar.value)
    }

    /// Whether it is a text that may hold images itself.
    pub(in crate::manifest) fn is_text(&self) -> bool {
        self.claim == Claim::Text
    }

    /// Whether it is a text whose images are only mentioned.
    pub(in crate::manifest) fn is_prose(&self) -> bool {
        self.claim == Claim::Prose
    }

    /// Where it stands in the text: the scalar, and the first part of it.
    pub(in crate::manifest) fn start(&self) -> (usize, usize) {
        (self.scalar.start, self.parts.start())
    }

    /// Decides on a variable called `name`: its images when `places` name it, else a mention if anything.
    pub(super) fn settle_variable(&mut self, name: &str, places: &Places) -> bool {
        self.claim = Claim::Settled;
        let value = image_text(&self.scalar);
        let images = places.images_of_variable(name, value);
        if images.is_empty() {
            return mention::is_image_like(value)
                || (mention::names_image(name) && mention::is_reference_like(value));
        }
        let whole = Part { start: 0, end: value.len() };
        places.found_variable(name);
        self.place = Place::Variable;
        self.parts = ImageParts::new(images, whole);
        true
    }

    /// Has what was decided wait until it is known whether the list's element around it is a container.
    pub(super) fn wait_for_element(&mut self) {
        self.claim = Claim::OfElement(self.place);
        self.place = Place::Mention;
    }

    /// Decides on a value of `data` that `resource` has.
    pub(super) fn settle_data(&mut self, resource: &Resource, places: &Places) {
        let value = image_text(&self.scalar);
        let asked_for = places.data(resource, &self.path);
        if asked_for.is_some() {
            places.found_data(resource, &self.path);
        }
        self.claim = match asked_for {
            None => Claim::Prose,
            Some(matching) if matching.takes(value) => Claim::Settled,
            Some(_) => Claim::Text,
        };
    }

    /// The key of a Kustomization's `images` entry whose value it is.
    pub(in crate::manifest) fn entry_key(&self) -> Option<EntryKey> {
        match self.claim {
            Claim::Kustomize(key) => Some(key),
            Claim::Settled
            | Claim::PodVolume
            | Claim::Field
            | Claim::ImageName
            | Claim::Variable
            | Claim::Shape
            | Claim::OfElement(_)
            | Claim::OfShape(_)
            | Claim::Parameter
            | Claim::Data
            | Claim::Text
            | Claim::Prose => None,
        }
    }
}

/// A note about the document that is being read.
#[derive(Debug)]
pub(in crate::manifest) struct FoundNote {
    pub(in crate::manifest) kind: NoteKind,
    pub(in crate::manifest) path: FieldPath,
    /// Where it is about, in bytes from the start of the text.
    pub(in crate::manifest) offset: usize,
}

/// What is found in one document.
#[derive(Debug, Default)]
pub(in crate::manifest) struct Found<'a> {
    pub(in crate::manifest) findings: Vec<Finding<'a>>,
    pub(in crate::manifest) resources: Vec<Resource>,
    pub(in crate::manifest) notes: Notes<FoundNote>,
    /// The document uses anchors or aliases, so its events must be resolved before the finder hears them.
    pub(in crate::manifest) has_anchors: bool,
    /// It has a merge key, so that its events must be resolved, too.
    pub(in crate::manifest) must_be_replayed: bool,
    /// A resource may have parts of a chart.
    pub(in crate::manifest) may_have_chart: bool,
    /// More was found than may be kept; what is here is a part of it.
    pub(in crate::manifest) is_too_much: bool,
}
