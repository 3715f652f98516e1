//! What a rewrite of one text would do: changes, what is left alone and why, and what is wrong.

use std::sync::Arc;

use crate::manifest::edit::Edit;
use crate::manifest::{
    Blocked, DocumentError, FieldPath, KustomizeImage, Note, Place, Position, Resource, Span,
};
use crate::maps::Rule;

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
    /// The resource it belongs to.
    pub resource: Option<Arc<Resource>>,
    /// Name of the container it belongs to.
    pub container: Option<String>,
    /// Names of further containers that have it through an alias or a merge.
    pub other_containers: Vec<String>,
}

impl Site {
    /// The path from the resource on, as KRM results name fields.
    #[must_use]
    pub fn path_in_resource(&self) -> FieldPath {
        self.path.below(self.resource.as_deref().map_or(0, |r| r.depth))
    }
}

/// An image that becomes another.
#[derive(Debug, Clone)]
pub struct Change<'m> {
    /// The image.
    pub site: Site,
    /// What it becomes.
    pub to: String,
    /// The rule that says so; of a Kustomization's entry that follows, the rule of the image it names.
    pub rule: Option<&'m Rule>,
    /// An `[EXACT]` rule names the same image in another spelling, and so does not apply.
    pub other_spelling: Option<&'m Rule>,
    /// The edit of the text.
    pub edit: Edit,
}

/// An image that is left alone though it is no plain reference or the user asked for it.
#[derive(Debug, Clone)]
pub struct Skip {
    /// The image.
    pub site: Site,
    /// Why.
    pub reason: SkipReason,
}

/// Why an image is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// A template's placeholder.
    Templated,
    /// Encrypted by SOPS.
    Encrypted,
    /// No valid reference; with the reason.
    Invalid(String),
    /// The finder says so.
    Blocked(Blocked),
    /// A skip rule names it.
    SkipRule,
    /// `image: auto`, which Istio fills in.
    Auto,
    /// A Kustomization's entry that cannot follow; with the reason.
    Kustomize(String),
}

impl SkipReason {
    /// A short name to count by.
    #[must_use]
    pub fn category(&self) -> &'static str {
        match self {
            Self::Templated => "templated",
            Self::Encrypted => "encrypted",
            Self::Invalid(_) => "invalid",
            Self::Blocked(Blocked::DisableLabel) => "disabled by label",
            Self::Blocked(Blocked::OwnKind) => "in tool configuration",
            Self::Blocked(Blocked::SharedAnchor) => "sharing an anchor",
            Self::Blocked(Blocked::NotEditable) => "not editable",
            Self::SkipRule => "by --skip",
            Self::Auto => "auto",
            Self::Kustomize(_) => "in kustomize images",
        }
    }

    /// The reason in words.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Templated => "a template fills this in".to_owned(),
            Self::Encrypted => "encrypted".to_owned(),
            Self::Invalid(reason) => format!("no image reference: {reason}"),
            Self::Blocked(blocked) => blocked.as_str().to_owned(),
            Self::SkipRule => "a skip rule names it".to_owned(),
            Self::Auto => "Istio fills this in".to_owned(),
            Self::Kustomize(reason) => reason.clone(),
        }
    }

    /// The status that inventories give such an image.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self {
            Self::Templated => "templated",
            Self::Encrypted => "encrypted",
            Self::Invalid(_) => "invalid",
            Self::Blocked(_) | Self::SkipRule | Self::Auto | Self::Kustomize(_) => "skipped",
        }
    }

    /// Whether `--strict` makes an error of it: what nobody asked to be left alone.
    #[must_use]
    pub fn fails_strict(&self) -> bool {
        match self {
            Self::Templated
            | Self::Encrypted
            | Self::Invalid(_)
            | Self::Kustomize(_)
            | Self::Blocked(Blocked::SharedAnchor | Blocked::NotEditable) => true,
            Self::Blocked(Blocked::DisableLabel | Blocked::OwnKind) | Self::SkipRule | Self::Auto => false,
        }
    }
}

/// An image that the maps leave as it is.
#[derive(Debug, Clone)]
pub struct Decided<'m> {
    /// The image.
    pub site: Site,
    /// The rule that leaves it as it is, or whose target it lies under.
    pub rule: Option<&'m Rule>,
    /// No rule applied, and it does not lie under a target.
    pub unmapped: bool,
}

/// Something that must not go unnoticed: the run fails.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The image.
    pub site: Site,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What a [`Problem`] is about. The texts name the rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// Rewriting once and twice would differ.
    #[error("chained: {first} makes it {once}, and {second} would make that {twice}")]
    Chained {
        /// The rule that applies.
        first: String,
        /// Its result.
        once: String,
        /// The rule that would apply to the result.
        second: String,
        /// And its result.
        twice: String,
    },
    /// Following the chain never ends.
    #[error("{rule} starts a chain that does not end: {}", .steps.join(", then "))]
    Endless {
        /// The rule that applies first.
        rule: String,
        /// The image and what it becomes, step by step.
        steps: Vec<String>,
    },
    /// The rule makes no valid reference of this image.
    #[error("{rule} makes it {result:?}, which is no image reference: {reason}")]
    BadResult {
        /// The rule.
        rule: String,
        /// What it makes.
        result: String,
        /// Why that is no reference.
        reason: String,
    },
}

impl ProblemKind {
    /// What to do about it, if there is good advice.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Chained { .. } => {
                Some("--allow-chained follows the rules to the end, or give one rule that leads there")
            }
            Self::Endless { .. } => Some("take one of these rules out"),
            Self::BadResult { .. } => Some("give this image a rule of its own"),
        }
    }
}

/// What a rewrite of one text would do.
#[derive(Debug, Default)]
pub struct Plan<'m> {
    /// How many documents the text has.
    pub documents: usize,
    /// Images that become others, in the order of the text.
    pub changes: Vec<Change<'m>>,
    /// Images that the maps leave as they are.
    pub kept: Vec<Decided<'m>>,
    /// Images that are left alone for another reason.
    pub skips: Vec<Skip>,
    /// What fails the run.
    pub problems: Vec<Problem>,
    /// Images that charts put together, and text that looks like images: neither is checked.
    pub unchecked: Vec<Site>,
    /// A Kustomization's entries, to be followed when the whole tree is known.
    pub kustomize_images: Vec<KustomizeImage>,
    /// Resources that `kustomize_images` refer to.
    pub resources: Vec<Arc<Resource>>,
    /// What authors should know.
    pub notes: Vec<Note>,
    /// Documents that do not parse; nothing of the text may be edited then.
    pub errors: Vec<DocumentError>,
}

impl Plan<'_> {
    /// The edits of the text, sorted by position.
    #[must_use]
    pub fn edits(&self) -> Vec<Edit> {
        let mut edits: Vec<Edit> = self.changes.iter().map(|change| change.edit.clone()).collect();
        edits.sort_by_key(|edit| edit.span);
        edits
    }
}
