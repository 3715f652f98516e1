//! What the finder finds: images with their places, and the resources they belong to.

use super::event::ScalarStyle;
use super::path::FieldPath;
use super::{Layers, Position, Slot, Span};

/// Why a place counts as an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// `image` of an element of `containers`, `initContainers` or `ephemeralContainers`.
    Container,
    /// `volumes[].image.reference` beside `containers`.
    Volume,
    /// A field of the table by kind, or one that the user named.
    Field,
    /// The value of a variable that the table or the user names.
    Variable,
    /// What follows a flag in `args` or `command` that the table or the user names.
    Argument,
    /// The value of an annotation that the table or the user names.
    Annotation,
    /// A value of `data` that the table or the user names.
    Data,
    /// The value of a JSON patch's operation whose path leads to a container or its image.
    Patch,
    /// An image that stands as one text in a file that is no manifest: Helm values, Compose and the like.
    Value,
    /// An image that a chart puts together from several values.
    Parts,
    /// A registry that a chart puts before names.
    Registry,
    /// A reference of which a template fills in the rest.
    Template,
    /// Parts that a chart or operator puts together: `image: {registry, repository, tag}`. Listed, not edited.
    RenderInput,
    /// Text that looks like an image where no image is expected (env, args, unknown kinds). Listed, not edited.
    Mention,
}

impl Place {
    /// The name that reports give it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Volume => "volume",
            Self::Field => "field",
            Self::Variable => "variable",
            Self::Argument => "argument",
            Self::Annotation => "annotation",
            Self::Data => "data",
            Self::Patch => "patch",
            Self::Value => "value",
            Self::Parts => "parts",
            Self::Registry => "registry",
            Self::Template => "template",
            Self::RenderInput => "render input",
            Self::Mention => "mention",
        }
    }

    /// Whether a rewrite changes such places.
    #[must_use]
    pub fn is_site(self) -> bool {
        match self {
            Self::Container
            | Self::Volume
            | Self::Field
            | Self::Variable
            | Self::Argument
            | Self::Annotation
            | Self::Data
            | Self::Patch
            | Self::Value
            | Self::Parts
            | Self::Registry
            | Self::Template => true,
            Self::RenderInput | Self::Mention => false,
        }
    }

    /// Whether such images stand in manifests, and not in files of other formats that were asked for.
    #[must_use]
    pub fn is_of_manifest(self) -> bool {
        !matches!(self, Self::Value | Self::Parts | Self::Registry | Self::Template)
    }

    /// Whether such an image is written as one text, which can get a digest.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.is_site() && !matches!(self, Self::Parts | Self::Registry | Self::Template)
    }
}

/// Why a site is not to be edited whatever the maps say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Blocked {
    /// The resource or its pod template carries the disable label.
    DisableLabel,
    /// The resource is a Kptfile or one of our own kinds.
    OwnKind,
    /// The scalar is shared through an anchor with a place that is no image.
    SharedAnchor,
    /// The text at the place does not spell the value in a way that can be edited.
    NotEditable,
}

impl Blocked {
    /// The reason as reports say it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DisableLabel => "the disable label is set on the resource or its pod template",
            Self::OwnKind => "configuration of kpt or imageswap itself",
            Self::SharedAnchor => "shared through an anchor with a place that is no image",
            Self::NotEditable => "written in a way that cannot be edited in place",
        }
    }
}

/// A scalar of the text that holds one string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The string, decoded.
    pub value: String,
    /// The bytes of the scalar as it stands: quotes included, a block scalar from its `|` or `>`.
    pub span: Span,
    /// The bytes to replace for another value; `None` when it cannot be edited.
    pub edit: Option<Span>,
    /// How it is written.
    pub style: ScalarStyle,
    /// Whether it stands within a flow collection.
    pub flow: bool,
    /// Whether a bracket would be read as YAML's own: in a part of a plain scalar, at the scalar's start or in a flow
    /// collection.
    pub refuses_brackets: bool,
    /// The scalars whose strings it stands in, when it is part of a text within the text.
    pub within: Layers,
    /// Where it starts.
    pub position: Position,
}

impl Text {
    /// Where another value is written in its place; `None` when it cannot be edited.
    #[must_use]
    pub fn slot(&self) -> Option<Slot> {
        let Self { style, flow, refuses_brackets, within, .. } = *self;
        self.edit.map(|span| Slot { span, style, flow, refuses_brackets, within, new_key: None })
    }
}

/// An image in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// The document of the file, from 0.
    pub document: usize,
    /// Why it counts as an image.
    pub place: Place,
    /// The way to it from the document's root.
    pub path: FieldPath,
    /// The scalar. Of a render input, its repository, and the value is the parts put together.
    pub text: Text,
    /// Index into [`Scan::resources`](super::Scan) of the innermost resource it belongs to.
    pub resource: Option<usize>,
    /// Name of the container it belongs to.
    pub container: Option<String>,
    /// Names of further containers that have it through an alias or a merge.
    pub other_containers: Vec<String>,
    /// Why it must not be edited.
    pub blocked: Option<Blocked>,
}

/// A mapping with `apiVersion` and `kind`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Resource {
    /// `apiVersion`
    pub api_version: String,
    /// `kind`
    pub kind: String,
    /// `metadata.name`
    pub name: Option<String>,
    /// `metadata.namespace`
    pub namespace: Option<String>,
    /// The file it came from, as kpt and kustomize annotate it.
    pub origin: Option<Origin>,
    /// How many steps below the document's root it stands.
    pub depth: usize,
}

impl Resource {
    /// The API group: `apps` of `apps/v1`, empty for the core group.
    #[must_use]
    pub fn group(&self) -> &str {
        self.api_version.rsplit_once('/').map_or("", |(group, _)| group)
    }

    /// Whether kustomize reads it as its own configuration. It needs no `apiVersion` for that.
    #[must_use]
    pub fn is_kustomization(&self) -> bool {
        matches!(self.kind.as_str(), "Kustomization" | "Component")
            && (self.group() == "kustomize.config.k8s.io" || self.api_version.is_empty())
    }

    /// Whether it is configuration of kpt or of imageswap itself: `imageswap.dev/…`, or `v1` as
    /// `kpt fn eval -- ImageSwap` writes it.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        match self.kind.as_str() {
            "Kptfile" => self.group() == "kpt.dev",
            "ImageSwap" => matches!(self.group(), "imageswap.dev" | ""),
            _ => false,
        }
    }
}

/// Where an item of a ResourceList came from (annotations `internal.config.kubernetes.io/path` and `index`,
/// or their older names).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Origin {
    /// Path of the file in its package.
    pub path: Option<String>,
    /// Document of that file, from 0.
    pub index: Option<i64>,
}

/// An entry of a Kustomization's `images`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KustomizeImage {
    /// The document of the file, from 0.
    pub document: usize,
    /// The way to the entry from the document's root.
    pub path: FieldPath,
    /// The images it applies to.
    pub name: Option<Text>,
    /// What their name becomes.
    pub new_name: Option<Text>,
    /// What their tag becomes.
    pub new_tag: Option<Text>,
    /// What their digest becomes.
    pub digest: Option<Text>,
    /// Where a digest is written, or a key for one that is not there; `None` when the entry sets no tag, or is written in
    /// a way that has no sure place for it. Filled in when plans are made.
    pub digest_slot: Option<Slot>,
    /// Index into [`Scan::resources`](super::Scan) of the Kustomization, when it says its kind.
    pub resource: Option<usize>,
}

/// Something about a document that its author should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The document of the file, from 0.
    pub document: usize,
    /// What it is.
    pub kind: NoteKind,
    /// The way to it.
    pub path: FieldPath,
    /// Where it is.
    pub position: Position,
}

/// What a [`Note`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoteKind {
    /// A key of a container or pod stands twice; both are treated alike.
    DuplicateKey,
    /// `kind` or `spec` stands twice in a mapping, as where the `---` between two manifests is missing.
    TwoManifests,
    /// A character that YAML 1.1 takes for a line end, and YAML 1.2 does not, with an image behind it.
    OldLineEnd,
    /// An image is an alias: it is edited at its anchor, or not at all.
    Alias,
    /// An image is an alias of an anchor that does not exist.
    UndefinedAlias,
}

impl NoteKind {
    /// All kinds, in their order.
    pub(super) const ALL: [Self; 5] =
        [Self::DuplicateKey, Self::TwoManifests, Self::OldLineEnd, Self::Alias, Self::UndefinedAlias];

    /// The note as reports say it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DuplicateKey => "duplicate key; both are rewritten, though most readers take only one",
            Self::TwoManifests => {
                "duplicate key; most readers take only the last: is a '---' missing between two manifests?"
            }
            Self::OldLineEnd => {
                "a character (U+0085, U+2028 or U+2029) that kubectl takes for a line end, and YAML 1.2 does not: \
                 the image behind it was not looked at"
            }
            Self::Alias => "an alias; its anchor decides",
            Self::UndefinedAlias => "an alias of an anchor that is not defined",
        }
    }
}
