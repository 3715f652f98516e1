//! Reports for programs: one JSON object per line.

use serde::Serialize;

use crate::manifest::Note;
use crate::rewrite::{ProblemKind, Site};

use super::entry::{Message, NO_RESOURCE, ReportEntry, why_unchecked};
use super::format::{Pages, Report};
use super::record::{ImageRecord, RuleRecord};
use super::summary::{Ending, Summary};

/// One JSON object per line.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonReport;

/// A line about an image.
#[derive(Debug, Serialize)]
struct ImageLine<'a> {
    /// change, kept, skip, note, warning or error.
    r#type: &'static str,
    #[serde(flatten)]
    image: ImageRecord<'a>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<RuleRecord<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl<'a> ImageLine<'a> {
    fn new(r#type: &'static str, file: &'a str, site: &'a Site, status: &'static str) -> Self {
        let image = ImageRecord::new(file, site);
        Self { r#type, image, status, target: None, rule: None, message: None }
    }
}

/// A line about a file or the run.
#[derive(Debug, Serialize)]
struct MessageLine<'a> {
    r#type: &'static str,
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    message: &'a str,
}

/// Appends `value` as a line of JSON.
pub fn line(out: &mut String, value: &impl Serialize) {
    out.push_str(&serde_json::to_string(value).expect("records have string keys and no failing types"));
    out.push('\n');
}

#[derive(Serialize)]
struct TypedLine<'a, T> {
    r#type: &'static str,
    #[serde(flatten)]
    value: &'a T,
}

/// Appends `value` as a line of JSON of this `type`.
pub fn typed_line(out: &mut String, r#type: &'static str, value: &impl Serialize) {
    line(out, &TypedLine { r#type, value });
}

impl Report for JsonReport {
    fn entry(&self, pages: &mut Pages, file: &str, entry: &ReportEntry<'_>) {
        let value = match *entry {
            ReportEntry::Change(change) => ImageLine {
                target: Some(&change.to),
                rule: change.rule.as_deref().map(RuleRecord::from),
                ..ImageLine::new("change", file, &change.site, "ok")
            },
            ReportEntry::Kept(kept) => ImageLine {
                rule: kept.rule.as_deref().map(RuleRecord::from),
                ..ImageLine::new("kept", file, &kept.site, "ok")
            },
            ReportEntry::LeftAlone { skip, fails } => ImageLine {
                message: Some(skip.reason.message()),
                ..ImageLine::new(if fails { "error" } else { "skip" }, file, &skip.site, skip.reason.status())
            },
            ReportEntry::Problem(problem) => ImageLine {
                message: Some(problem.kind.to_string()),
                ..ImageLine::new("error", file, &problem.site, status(&problem.kind))
            },
            ReportEntry::Unmapped { site, level } => ImageLine {
                message: Some("no rule covers this image".to_owned()),
                ..ImageLine::new(level.as_str(), file, site, "unmapped")
            },
            ReportEntry::Unchecked { site, level } => ImageLine {
                message: Some(why_unchecked(file, site)),
                ..ImageLine::new(level.as_str(), file, site, "unchecked")
            },
            ReportEntry::NoResource { site } => ImageLine {
                message: Some(NO_RESOURCE.to_owned()),
                ..ImageLine::new("error", file, site, "no-resource")
            },
            ReportEntry::Digest { site, level, status, text } => ImageLine {
                message: Some(text.to_owned()),
                ..ImageLine::new(level.as_str(), file, site, status)
            },
            ReportEntry::Note(note) => return note_line(&mut pages.report, file, note),
        };
        line(&mut pages.report, &value);
    }

    fn message(&self, pages: &mut Pages, message: &Message<'_>) {
        let Message { level, file, location, text } = *message;
        let value = MessageLine {
            r#type: level.as_str(),
            file,
            document: location.and_then(|at| at.document),
            line: location.map(|at| at.position.line),
            column: location.map(|at| at.position.column),
            message: text,
        };
        line(&mut pages.report, &value);
    }

    fn diff(&self, pages: &mut Pages, file: &str, diff: &str) -> bool {
        line(&mut pages.report, &serde_json::json!({ "type": "diff", "file": file, "diff": diff }));
        true
    }

    fn summary(&self, pages: &mut Pages, summary: &Summary, ending: Ending) {
        line(
            &mut pages.report,
            &serde_json::json!({
                "type": "summary",
                "files": summary.files,
                "changedFiles": summary.changed_files,
                "changes": summary.changes,
                "kept": summary.kept,
                "unmapped": summary.unmapped,
                "leftAlone": summary.left_alone,
                "notChecked": summary.not_checked,
                "passedOver": summary.passed_over,
                "errors": summary.errors,
                "written": ending == Ending::Written,
            }),
        );
    }
}

/// The status of an image that the rules cannot decide about.
fn status(kind: &ProblemKind) -> &'static str {
    match kind {
        ProblemKind::Chained { .. } => "chained",
        ProblemKind::Endless { .. } => "endless",
        ProblemKind::OneName { .. } => "one-name",
        ProblemKind::BadResult { .. } => "invalid-result",
    }
}

fn note_line(out: &mut String, file: &str, note: &Note) {
    let value = serde_json::json!({
        "type": "note",
        "file": file,
        "document": note.document,
        "path": note.path.to_string(),
        "line": note.position.line,
        "column": note.position.column,
        "message": note.kind.as_str(),
    });
    line(out, &value);
}
