//! Reports for programs: a JSON object a line.

use serde::Serialize;

use crate::manifest::Note;
use crate::rewrite::{Change, Decided, Problem, Site, Skip};

use super::record::{ImageRecord, RuleRecord};

/// A line of `rewrite --format json` about an image.
#[derive(Debug, Serialize)]
struct Line<'a> {
    /// change, kept, skip, unmapped or error.
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

/// Appends `value` as a line of JSON.
pub fn line(out: &mut String, value: &impl Serialize) {
    out.push_str(&serde_json::to_string(value).expect("records have string keys and no failing types"));
    out.push('\n');
}

/// An image that becomes another.
pub fn change(out: &mut String, file: &str, change: &Change<'_>) {
    let rule = change.rule.map(RuleRecord::from);
    let image = ImageRecord::new(file, &change.site);
    let target = Some(change.to.as_str());
    line(out, &Line { r#type: "change", image, status: "ok", target, rule, message: None });
}

/// An image that is left alone.
pub fn skip(out: &mut String, file: &str, skip: &Skip) {
    let image = ImageRecord::new(file, &skip.site);
    let (status, message) = (skip.reason.status(), Some(skip.reason.message()));
    line(out, &Line { r#type: "skip", image, status, target: None, rule: None, message });
}

/// An image that the maps leave as it is.
pub fn kept(out: &mut String, file: &str, kept: &Decided<'_>) {
    let image = ImageRecord::new(file, &kept.site);
    let rule = kept.rule.map(RuleRecord::from);
    line(out, &Line { r#type: "kept", image, status: "ok", target: None, rule, message: None });
}

/// An image that no rule covers, where that is to be said.
pub fn unmapped(out: &mut String, file: &str, site: &Site, level: &'static str) {
    let image = ImageRecord::new(file, site);
    let message = Some("no rule covers this image".to_owned());
    line(out, &Line { r#type: level, image, status: "ok", target: None, rule: None, message });
}

/// What fails the run.
pub fn problem(out: &mut String, file: &str, problem: &Problem) {
    let image = ImageRecord::new(file, &problem.site);
    let message = Some(problem.kind.to_string());
    line(out, &Line { r#type: "error", image, status: "ok", target: None, rule: None, message });
}

/// What authors should know.
pub fn note(out: &mut String, file: &str, note: &Note) {
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

/// An error about a file, or a place in it.
pub fn error(out: &mut String, file: Option<&str>, place: Option<(usize, usize, usize)>, message: &str) {
    let mut value = serde_json::json!({ "type": "error", "file": file, "message": message });
    if let Some((document, line, column)) = place {
        value["document"] = document.into();
        value["line"] = line.into();
        value["column"] = column.into();
    }
    line(out, &value);
}

/// An image that is left alone, where that fails the run.
pub fn strict(out: &mut String, file: &str, skip: &Skip) {
    let image = ImageRecord::new(file, &skip.site);
    let (status, message) = (skip.reason.status(), Some(skip.reason.message()));
    line(out, &Line { r#type: "error", image, status, target: None, rule: None, message });
}
