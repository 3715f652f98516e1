//! Annotations of GitHub Actions: [workflow commands], one on each line.
//!
//! [workflow commands]: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
//!
//! ```text
//! ::error file=web.yaml,line=3,col=12,title=image::nginx:1 -> mirror.example.com/nginx:1
//! ```

use std::borrow::Cow;
use std::fmt::Write;

use crate::manifest::Position;

use super::entry::{Level, Message, ReportEntry};
use super::finding::Finding;
use super::format::{Pages, Report};
use super::summary::{Ending, Summary};
use super::text::TextReport;

/// Annotations of GitHub Actions.
#[derive(Debug, Clone, Copy)]
pub struct GithubReport {
    /// How much it matters that an image changes.
    pub change: Level,
    /// What people read in the log beside the annotations: the summary.
    pub text: TextReport,
}

impl Report for GithubReport {
    fn entry(&self, pages: &mut Pages, file: &str, entry: &ReportEntry<'_>) {
        let Some(finding) = Finding::of(file, entry, self.change) else { return };
        let position = Some(finding.position);
        annotation(&mut pages.report, finding.level, Some(file), position, finding.rule.id, &finding.message);
    }

    fn message(&self, pages: &mut Pages, message: &Message<'_>) {
        let Message { level, file, location, text } = *message;
        annotation(&mut pages.report, level, file, location.map(|at| at.position), "file", text);
    }

    fn summary(&self, pages: &mut Pages, summary: &Summary, ending: Ending) {
        self.text.summary(pages, summary, ending);
    }
}

fn annotation(
    out: &mut String,
    level: Level,
    file: Option<&str>,
    position: Option<Position>,
    title: &str,
    message: &str,
) {
    let command = match level {
        Level::Note => "notice",
        Level::Warning | Level::Error => level.as_str(),
    };
    let _ = write!(out, "::{command} ");
    if let Some(file) = file {
        let _ = write!(out, "file={},", property(file.strip_prefix("./").unwrap_or(file)));
    }
    if let Some(Position { line, column }) = position {
        let _ = write!(out, "line={line},col={column},");
    }
    let _ = writeln!(out, "title={}::{}", property(title), data(message));
}

/// `text` behind the second `::`.
fn data(text: &str) -> Cow<'_, str> {
    encoded(text, &['%', '\r', '\n'])
}

/// `text` as the value of a property.
fn property(text: &str) -> Cow<'_, str> {
    encoded(text, &['%', '\r', '\n', ':', ','])
}

fn encoded<'t>(text: &'t str, special: &[char]) -> Cow<'t, str> {
    if !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if special.contains(&c) {
            let _ = write!(out, "%{:02X}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_are_encoded() {
        let mut out = String::new();
        let position = Some(Position { line: 3, column: 4 });
        annotation(&mut out, Level::Error, Some("./a,b:c\n.yaml"), position, "t:1", "100 %\nx: y, z");
        assert_eq!(out, "::error file=a%2Cb%3Ac%0A.yaml,line=3,col=4,title=t%3A1::100 %25%0Ax: y, z\n");
        let mut out = String::new();
        annotation(&mut out, Level::Note, None, None, "file", "x");
        assert_eq!(out, "::notice title=file::x\n");
    }
}
