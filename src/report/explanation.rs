//! What an image becomes and why, as text and as JSON.

use std::fmt::{self, Write};

use serde::Serialize;

use crate::maps::Explanation;
use crate::rewrite::Site;

use super::json;
use super::record::RuleRecord;
use super::words::{escaped, quoted};

/// What there is to say about an image.
#[derive(Debug)]
pub enum Explained<'a> {
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

/// What there is to say about the digest of an image.
#[derive(Debug)]
pub enum DigestAnswer<'a> {
    /// It gets one.
    Pinned {
        /// What it becomes.
        to: &'a str,
        /// Where the digest comes from, where that is known.
        origin: Option<&'a DigestOrigin>,
    },
    /// There is none, for this reason.
    Failed(String),
    /// Nobody asks for one.
    LeftAlone,
}

/// Where a digest comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "from")]
pub enum DigestOrigin {
    /// A lock file.
    Lock {
        /// Its name.
        file: String,
    },
    /// A registry.
    Registry {
        /// The one that answered: the image's own, or its mirror.
        registry: String,
        /// The reference that was looked up.
        lookup: String,
        /// The digest of the index that this one was picked from, for one platform.
        #[serde(skip_serializing_if = "Option::is_none")]
        index: Option<String>,
    },
}

impl fmt::Display for DigestOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lock { file } => f.write_str(&escaped(file)),
            Self::Registry { registry, lookup, index } => {
                write!(f, "the registry {registry} (looked up as {lookup}")?;
                match index {
                    Some(index) => write!(f, ", picked from the index {index})"),
                    None => f.write_str(")"),
                }
            }
        }
    }
}

/// Adds what there is to say about a digest, in words.
pub fn digest_text(out: &mut String, image: &str, answer: &DigestAnswer<'_>) {
    let _ = writeln!(out, "{image}: {}", words(answer));
}

/// The same as a line of JSON.
pub fn digest_json(out: &mut String, image: &str, answer: &DigestAnswer<'_>) {
    let (pinned, origin) = match answer {
        DigestAnswer::Pinned { to, origin } => (Some(*to), *origin),
        DigestAnswer::Failed(_) | DigestAnswer::LeftAlone => (None, None),
    };
    let message = words(answer);
    json::line(out, &DigestLine { image, pinned, origin, message });
}

fn words(answer: &DigestAnswer<'_>) -> String {
    match answer {
        DigestAnswer::Pinned { to, origin: Some(origin) } => format!("pinned as {to} by {origin}"),
        DigestAnswer::Pinned { to, origin: None } => format!("pinned as {to}"),
        DigestAnswer::Failed(reason) => reason.clone(),
        DigestAnswer::LeftAlone => "gets no digest (it has one, or --skip-prefixes names it)".to_owned(),
    }
}

/// A line of JSON about the digest of an image.
#[derive(Debug, Serialize)]
struct DigestLine<'a> {
    image: &'a str,
    pinned: Option<&'a str>,
    origin: Option<&'a DigestOrigin>,
    message: String,
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
pub fn json(out: &mut String, answer: &Explained<'_>, place: Option<InFile<'_>>) {
    let (image, result, rule, reason) = match answer {
        Explained::Decided(explanation) => (
            &*explanation.image,
            explanation.result(),
            explanation.decision.rule.as_deref(),
            explanation.reason(),
        ),
        Explained::LeftAlone { image, reason } => (*image, *image, None, format!("left alone: {reason}")),
    };
    let line = AnswerLine {
        image,
        result,
        matched: rule.is_some(),
        changed: matches!(answer, Explained::Decided(explanation) if explanation.changed()),
        rule: rule.map(RuleRecord::from),
        reason,
        file: place.map(|p| p.file),
        line: place.map(|p| p.site.position.line),
        path: place.map(|p| p.site.path.to_string()),
    };
    json::line(out, &line);
}

/// Adds the answer in words: what becomes of the image, the reason, and why the rules before do not apply.
pub fn text(out: &mut String, answer: &Explained<'_>, place: Option<InFile<'_>>) {
    if let Some(InFile { file, site }) = place {
        let path = site.path.to_string();
        let (file, path) = (escaped(file), escaped(&path));
        let _ = writeln!(out, "{file}:{}:{}: {path}", site.position.line, site.position.column);
    }
    match answer {
        Explained::Decided(explanation) => decided(out, explanation),
        Explained::LeftAlone { image, reason } => {
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
