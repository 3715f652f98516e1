//! What a report has to say: about an image, or about a file or a whole run.

use super::flag::flag_for;
use crate::manifest::{DocumentError, Note, Place, Position};
use crate::rewrite::{Change, Decided, Problem, Site, Skip};

/// How much something matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Good to know.
    Note,
    /// Probably not as meant.
    Warning,
    /// It fails the run.
    Error,
}

impl Level {
    /// The word that marks it in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Something about an image of a file.
#[derive(Debug, Clone, Copy)]
pub enum ReportEntry<'p> {
    /// It becomes another.
    Change(&'p Change),
    /// The maps leave it as it is.
    Kept(&'p Decided),
    /// It is left alone for another reason, which may fail the run.
    LeftAlone {
        /// The image and the reason.
        skip: &'p Skip,
        /// Whether that fails the run.
        fails: bool,
    },
    /// What authors should know.
    Note(&'p Note),
    /// What fails the run.
    Problem(&'p Problem),
    /// It looks like an image, and its place is none that is rewritten.
    Unchecked {
        /// What looks like one.
        site: &'p Site,
        /// How much that matters.
        level: Level,
    },
    /// There is something about its digest.
    Digest {
        /// The image.
        site: &'p Site,
        /// How much that matters.
        level: Level,
        /// The status that inventories give such an image: `unpinned` or `torn`.
        status: &'static str,
        /// What, in words.
        text: &'p str,
    },
    /// It changes, and no Kubernetes resource is around it, where that is to be said.
    NoResource {
        /// The image.
        site: &'p Site,
    },
    /// No rule covers it, where that is to be said.
    Unmapped {
        /// The image.
        site: &'p Site,
        /// How much that matters.
        level: Level,
    },
}

impl ReportEntry<'_> {
    /// Where it stands.
    #[must_use]
    pub fn position(&self) -> Position {
        match self {
            Self::Change(change) => change.site.position,
            Self::Kept(kept) => kept.site.position,
            Self::LeftAlone { skip, .. } => skip.site.position,
            Self::Note(note) => note.position,
            Self::Problem(problem) => problem.site.position,
            Self::Unmapped { site, .. }
            | Self::Unchecked { site, .. }
            | Self::Digest { site, .. }
            | Self::NoResource { site } => site.position,
        }
    }
}

/// Why something that looks like an image in `file` is not checked, and which flag has it rewritten.
#[must_use]
pub fn why_unchecked(file: &str, site: &Site) -> String {
    let why = match site.place {
        Place::RenderInput => "a chart or an operator puts this image together",
        _ => "it looks like an image, in a place where none is known",
    };
    flag_for(file, site).map_or_else(|| why.to_owned(), |flag| format!("{why}; {flag} has it rewritten"))
}

/// What is said of an image that is in no Kubernetes resource.
pub const NO_RESOURCE: &str = "not in a Kubernetes resource: there is no apiVersion or kind above it; use --exclude to leave the file out";

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// The document, from 0, in files of YAML and JSON.
    pub document: Option<usize>,
    /// Line and column.
    pub position: Position,
}

impl From<&DocumentError> for Location {
    fn from(error: &DocumentError) -> Self {
        Self { document: Some(error.document), position: error.position }
    }
}

/// Something about a file, or about the whole run.
#[derive(Debug, Clone, Copy)]
pub struct Message<'m> {
    /// How much it matters.
    pub level: Level,
    /// The file, where it is about one. Without a location the text names it, too.
    pub file: Option<&'m str>,
    /// The place in the file.
    pub location: Option<Location>,
    /// What there is to say.
    pub text: &'m str,
}
