//! Rules and settings that were read.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::krm::OnUnmapped;
use crate::manifest::{Places, Position};
use crate::maps::{Maps, MapsNotice};
use crate::report::{Level, Location, Message, Pages, Report};
use crate::rewrite::SkipRule;

use super::super::stderr;

/// What configurations say besides rules.
#[derive(Debug, Clone, Default)]
pub struct RuleSettings {
    /// Where images are looked for; `None` when nothing is said.
    pub fields: Option<Places>,
    /// What is left alone.
    pub skip: Vec<SkipRule>,
    /// What to do about an image that no rule covers.
    pub on_unmapped: OnUnmapped,
    /// The configuration that forbids changes, if one does.
    pub validate: Option<String>,
    /// Add digests to images.
    pub pin: bool,
    /// A lock file of digests.
    pub lock: Option<PathBuf>,
}

/// Rules and settings that were read, ready for an engine.
#[derive(Debug, Default)]
pub struct Ruleset {
    /// Which image becomes which.
    pub maps: Arc<Maps>,
    /// What else was said.
    pub settings: RuleSettings,
    /// About the rules.
    pub notices: Vec<MapsNotice>,
    /// What was read, in its order.
    pub names: Vec<String>,
    /// Whether any source says anything about rules.
    pub given: bool,
}

/// Something about rules that is probably not as meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleWarning {
    /// The file, or what stands for it; `None` when it is about all of them.
    pub source: Option<String>,
    /// Where in the file.
    pub place: Option<Position>,
    /// What there is to say.
    pub text: String,
    /// Nothing will change because of it, which is an error where everything is to be in order (`--strict`).
    pub is_grave: bool,
}

impl fmt::Display for RuleWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = &self.source {
            write!(f, "{source}:")?;
            if let Some(Position { line, column }) = self.place {
                write!(f, "{line}:{column}:")?;
            }
            f.write_str(" ")?;
        }
        f.write_str(&self.text)
    }
}

impl RuleWarning {
    /// Adds it to a report, at this level.
    pub fn report(&self, level: Level, report: &dyn Report, pages: &mut Pages) {
        let location = self.place.map(|position| Location { document: None, position });
        // Text needs a file before the message where there is no line.
        let text = if location.is_none() && report.is_text() { self.to_string() } else { self.text.clone() };
        let message = Message { level, file: self.source.as_deref(), location, text: &text };
        report.message(pages, &message);
    }
}

impl Ruleset {
    /// Says what is to be said about the rules.
    pub fn announce(&self) {
        self.warnings().for_each(|warning| stderr::warning(&warning.to_string()));
    }

    /// What is to be said about the rules.
    pub fn warnings(&self) -> impl Iterator<Item = RuleWarning> {
        let notices = self.notices.iter().map(|notice| {
            let place =
                (notice.line() > 0).then(|| Position { line: notice.line(), column: notice.column() });
            let source = Some(notice.source_name().to_owned());
            RuleWarning { source, place, text: notice.message(), is_grave: false }
        });
        let empty = self.given && self.maps.is_empty();
        let text = "the maps contain no rules, so nothing will change".to_owned();
        notices.chain(empty.then_some(RuleWarning { source: None, place: None, text, is_grave: true }))
    }

    /// Where the rules are from, and in which order: `base.maps, then imageswap.maps, then --map`.
    pub fn origin(&self) -> String {
        match self.names.len() {
            0 => "nowhere".to_owned(),
            1 => self.names[0].clone(),
            _ => format!("{} (of the same key the last one wins)", self.names.join(", then ")),
        }
    }
}
