//! Entries as findings of a check: which rule, how much it matters, where, and one sentence. What formats of other
//! programs (SARIF, GitHub's annotations) have in common.

use crate::manifest::{Position, Span};
use crate::rewrite::Site;

use super::entry::{Level, NO_RESOURCE, ReportEntry, why_unchecked};
use super::words::quoted;

/// A kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FindingRule {
    pub(super) id: &'static str,
    pub(super) description: &'static str,
}

macro_rules! rules {
    ($($name:ident, $id:literal, $description:literal;)*) => {
        $(const $name: &FindingRule = &FindingRule { id: $id, description: $description };)*
        /// All kinds of findings.
        pub(super) const RULES: &[&FindingRule] = &[$($name),*];
    };
}

rules! {
    IMAGE, "image", "The image does not come from where the maps say.";
    LEFT_ALONE, "left-alone", "The image is left alone: templated, encrypted, invalid, or by request.";
    NOTE, "note", "Something that authors of the manifest should know.";
    PROBLEM, "problem", "The maps cannot decide about the image.";
    UNMAPPED, "unmapped", "No rule of the maps covers the image.";
    UNCHECKED, "unchecked", "It looks like an image, and its place is none that is rewritten.";
    NO_RESOURCE_RULE, "no-resource", "The image would change, and is not in a Kubernetes resource.";
    DIGEST, "digest", "The image has no digest, or not the one of its tag.";
    FILE, "file", "The file cannot be read or written.";
}

/// The kind of finding that messages about files are.
pub(super) const ABOUT_FILE: &FindingRule = FILE;

/// An entry as a finding.
#[derive(Debug)]
pub(super) struct Finding<'p> {
    pub(super) rule: &'static FindingRule,
    pub(super) level: Level,
    pub(super) position: Position,
    /// The bytes of the scalar, where the finding is about one.
    pub(super) span: Option<Span>,
    pub(super) message: String,
    pub(super) site: Option<&'p Site>,
}

impl<'p> Finding<'p> {
    /// The finding that `entry` is; `None` for an image that is as it should be. `change` is how much it matters that an
    /// image changes.
    pub(super) fn of(file: &str, entry: &ReportEntry<'p>, change: Level) -> Option<Self> {
        let about = |rule, level, site: &'p Site, message| Self {
            rule,
            level,
            position: site.position,
            span: Some(site.span),
            message,
            site: Some(site),
        };
        Some(match *entry {
            ReportEntry::Kept(_) => return None,
            ReportEntry::Change(entry) => {
                let by = entry.rule.as_ref().map_or(String::new(), |rule| format!(" by {rule}"));
                about(IMAGE, change, &entry.site, format!("{} -> {}{by}", entry.site.image, entry.to))
            }
            ReportEntry::LeftAlone { skip, fails } => {
                let level = if fails { Level::Error } else { Level::Note };
                let message = format!("left alone: {}: {}", quoted(&skip.site.image), skip.reason.message());
                about(LEFT_ALONE, level, &skip.site, message)
            }
            ReportEntry::Problem(problem) => {
                let message = format!("{}: {}", problem.site.image, problem.kind);
                about(PROBLEM, Level::Error, &problem.site, message)
            }
            ReportEntry::Unmapped { site, level } => {
                about(UNMAPPED, level, site, format!("no rule covers {}", site.image))
            }
            ReportEntry::Unchecked { site, level } => {
                let message = format!("not checked: {}: {}", quoted(&site.image), why_unchecked(file, site));
                about(UNCHECKED, level, site, message)
            }
            ReportEntry::NoResource { site } => {
                about(NO_RESOURCE_RULE, Level::Error, site, format!("{}: {NO_RESOURCE}", quoted(&site.image)))
            }
            ReportEntry::Digest { site, level, text, status: _ } => {
                about(DIGEST, level, site, format!("{}: {text}", site.image))
            }
            ReportEntry::Note(note) => Self {
                rule: NOTE,
                level: Level::Note,
                position: note.position,
                span: None,
                message: format!("{}: {}", note.path, note.kind.as_str()),
                site: None,
            },
        })
    }
}
