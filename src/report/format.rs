//! What every format of a report can do.

use super::entry::{Message, ReportEntry};
use super::summary::{Ending, Summary};

/// What a format makes of things, kept apart by where it goes.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Pages {
    /// The report itself.
    pub report: String,
    /// Errors and warnings for people, which go to standard error.
    pub messages: String,
}

/// A format of reports. Everything is appended to pages, file by file and from several threads.
pub trait Report: Sync {
    /// Adds something about an image of `file`.
    fn entry(&self, pages: &mut Pages, file: &str, entry: &ReportEntry<'_>);

    /// Adds something about a file or about the run.
    fn message(&self, pages: &mut Pages, message: &Message<'_>);

    /// Whether people read it, and not programs.
    fn is_text(&self) -> bool {
        false
    }

    /// Adds the diff of a file where the format holds diffs itself; says whether it does.
    fn diff(&self, pages: &mut Pages, file: &str, diff: &str) -> bool {
        let _ = (pages, file, diff);
        false
    }

    /// Adds the counts of the run.
    fn summary(&self, pages: &mut Pages, summary: &Summary, ending: Ending);

    /// The report as one document of all its parts, where the format asks for one; `success` says how the run ended.
    fn document(&self, parts: &[&str], success: bool) -> Option<String> {
        let _ = (parts, success);
        None
    }
}
