//! Reports for people: a line for each thing with its place, errors and warnings marked at the line's start.

use std::fmt::Write;

use crate::manifest::Position;
use crate::rewrite::{Change, Site};

use super::entry::{Level, Message, NO_RESOURCE, ReportEntry, why_unchecked};
use super::format::{Pages, Report};
use super::summary::{Ending, Summary};
use super::words::{escaped, escaped_lines, quoted};

/// Lines for people.
#[derive(Debug, Clone, Copy, Default)]
pub struct TextReport {
    /// Say also where a rule in another spelling does not apply.
    pub verbose: bool,
    /// Say nothing but errors.
    pub quiet: bool,
}

impl Report for TextReport {
    fn is_text(&self) -> bool {
        true
    }

    fn entry(&self, pages: &mut Pages, file: &str, entry: &ReportEntry<'_>) {
        let Pages { report, messages } = pages;
        match *entry {
            ReportEntry::Change(entry) => change(report, file, entry, self.verbose),
            ReportEntry::Kept(kept) => {
                place(report, file, kept.site.position);
                let image = &kept.site.image;
                let _ = match &kept.rule {
                    Some(rule) => writeln!(report, "kept: {image} by {rule}"),
                    None => writeln!(report, "kept: {image} (no rule applies)"),
                };
            }
            ReportEntry::LeftAlone { skip, fails: false } => {
                place(report, file, skip.site.position);
                let Site { image, path, .. } = &skip.site;
                let (path, reason) = (path.to_string(), skip.reason.message());
                let (path, reason) = (escaped(&path), escaped(&reason));
                let _ = writeln!(report, "left alone: {} at {path}: {reason}", quoted(image));
            }
            ReportEntry::Note(note) => {
                place(report, file, note.position);
                let path = note.path.to_string();
                let separator = if path.is_empty() { "" } else { ": " };
                let _ = writeln!(report, "note: {}{separator}{}", escaped(&path), note.kind.as_str());
            }
            ReportEntry::LeftAlone { skip, fails: true } => {
                let reason = skip.reason.message();
                about(messages, Level::Error, file, &skip.site, "left alone: ", &escaped(&reason));
            }
            ReportEntry::Problem(problem) => {
                about(messages, Level::Error, file, &problem.site, "", &problem.kind.to_string());
                if let Some(hint) = problem.kind.hint() {
                    let _ = writeln!(messages, "  {hint}");
                }
            }
            ReportEntry::Unchecked { site, level } => {
                about(messages, level, file, site, "not checked: ", &why_unchecked(file, site));
            }
            ReportEntry::Digest { site, level, text, status: _ } => {
                about(messages, level, file, site, "", text);
            }
            ReportEntry::NoResource { site } => about(messages, Level::Error, file, site, "", NO_RESOURCE),
            ReportEntry::Unmapped { site, level } => {
                about(messages, level, file, site, "no rule covers ", "");
            }
        }
    }

    fn message(&self, pages: &mut Pages, message: &Message<'_>) {
        let Message { level, file, location, text } = *message;
        if self.quiet && level != Level::Error {
            return;
        }
        let out = &mut pages.messages;
        let _ = write!(out, "{}: ", level.as_str());
        let _ = match (file, location) {
            (Some(file), Some(at)) => {
                place(out, file, at.position);
                let document =
                    at.document.map_or(String::new(), |document| format!(" (document {document})"));
                writeln!(out, "{}{document}", escaped_lines(text))
            }
            _ => writeln!(out, "{}", escaped_lines(text)),
        };
    }

    fn summary(&self, pages: &mut Pages, summary: &Summary, ending: Ending) {
        if !self.quiet {
            pages.messages.push_str(&summary.text(ending));
        }
    }
}

/// `file:line:column: `
fn place(out: &mut String, file: &str, position: Position) {
    out.push_str(&escaped(file));
    let _ = write!(out, ":{}:{}: ", position.line, position.column);
}

/// `file:1:2: nginx -> m.io/nginx by the registry rule docker.io::m.io (imageswap.maps:3)`
fn change(out: &mut String, file: &str, change: &Change, verbose: bool) {
    // A run over a tree says this most of all.
    out.reserve(file.len() + 3 * (change.site.image.len() + change.to.len()));
    place(out, file, change.site.position);
    out.push_str(&change.site.image);
    out.push_str(" -> ");
    out.push_str(&change.to);
    if let Some(rule) = &change.rule {
        let _ = write!(out, " by {rule}");
    }
    out.push('\n');
    if verbose && let Some(rule) = &change.other_spelling {
        place(out, file, change.site.position);
        let _ = writeln!(out, "note: {rule} names the same image in another spelling, and so does not apply");
    }
}

/// `error: file:1:2: left alone: {{ x }} at spec.containers[0].image (document 0): a template fills this in`, with `before`
/// the image and with `reason`, which may be empty.
fn about(out: &mut String, level: Level, file: &str, site: &Site, before: &str, reason: &str) {
    let _ = write!(out, "{}: ", level.as_str());
    place(out, file, site.position);
    let path = site.path.to_string();
    let _ = write!(out, "{before}{} at {} (document {})", quoted(&site.image), escaped(&path), site.document);
    let separator = if reason.is_empty() { "" } else { ": " };
    let _ = writeln!(out, "{separator}{reason}");
}
