//! What an image becomes and why, as text and as JSON.

use std::fmt::Write;

use serde::Serialize;

use crate::maps::Explanation;
use crate::rewrite::Site;

use super::json;
use super::record::RuleRecord;
use super::text::{escaped, quoted};

/// What there is to say about an image.
#[derive(Debug)]
pub enum Answer<'a> {
    /// The maps decide about it.
    Decided(Explanation),
    /// The maps are not asked.
    LeftAlone {
        /// The image as written.
        image: &'a str,
        /// Why.
        reason: String,
    },
}

/// Where in a manifest an image stands.
#[derive(Debug, Clone, Copy)]
pub struct InFile<'a> {
    /// The manifest.
    pub file: &'a str,
    /// The image in it.
    pub site: &'a Site,
}

/// A line of JSON about an image.
#[derive(Debug, Serialize)]
struct AnswerLine<'a> {
    image: &'a str,
    result: &'a str,
    matched: bool,
    changed: bool,
    rule: Option<RuleRecord<'a>>,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

/// Adds the answer as a line of JSON.
pub fn json(out: &mut String, answer: &Answer<'_>, place: Option<InFile<'_>>) {
    let (image, result, rule, reason) = match answer {
        Answer::Decided(explanation) => (
            &*explanation.image,
            explanation.result(),
            explanation.decision.rule.as_deref(),
            explanation.reason(),
        ),
        Answer::LeftAlone { image, reason } => (*image, *image, None, format!("left alone: {reason}")),
    };
    let line = AnswerLine {
        image,
        result,
        matched: rule.is_some(),
        changed: matches!(answer, Answer::Decided(explanation) if explanation.changed()),
        rule: rule.map(RuleRecord::from),
        reason,
        file: place.map(|p| p.file),
        line: place.map(|p| p.site.position.line),
        path: place.map(|p| p.site.path.to_string()),
    };
    json::line(out, &line);
}

/// Adds the answer in words: what becomes of the image, the reason, and why the rules before do not apply.
pub fn text(out: &mut String, answer: &Answer<'_>, place: Option<InFile<'_>>) {
    if let Some(InFile { file, site }) = place {
        let path = site.path.to_string();
        let (file, path) = (escaped(file), escaped(&path));
        let _ = writeln!(out, "{file}:{}:{}: {path}", site.position.line, site.position.column);
    }
    match answer {
        Answer::Decided(explanation) => decided(out, explanation),
        Answer::LeftAlone { image, reason } => {
            let _ = writeln!(out, "{} stays {}", quoted(image), quoted(image));
            let _ = writeln!(out, "  left alone: {}", escaped(reason));
        }
    }
}

fn decided(out: &mut String, explanation: &Explanation) {
    let arrow = if explanation.changed() { "->" } else { "stays" };
    let _ = writeln!(out, "{} {arrow} {}", explanation.image, explanation.result());
    let _ = writeln!(out, "  {}", explanation.reason());
    for candidate in &explanation.candidates {
        let _ = writeln!(out, "  not {}: {}", candidate.rule, candidate.why);
    }
}
