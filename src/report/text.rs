//! Reports for people: a line for each thing with its place, errors and warnings marked at the line's start.

use std::borrow::Cow;
use std::fmt::Write;

use crate::manifest::Position;
use crate::rewrite::{Change, Site, Skip};

use super::entry::{Entry, Level, Message, NO_RESOURCE, why_unchecked};
use super::format::{Pages, Report};
use super::summary::{Ending, Summary};

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

    fn entry(&self, pages: &mut Pages, file: &str, entry: &Entry<'_>) {
        let Pages { report, speech } = pages;
        match *entry {
            Entry::Change(entry) => change(report, file, entry, self.verbose),
            Entry::Kept(kept) => {
                place(report, file, kept.site.position);
                let image = &kept.site.image;
                let _ = match &kept.rule {
                    Some(rule) => writeln!(report, "kept: {image} by {rule}"),
                    None => writeln!(report, "kept: {image} (no rule applies)"),
                };
            }
            Entry::LeftAlone { skip, fails: false } => {
                place(report, file, skip.site.position);
                left_alone(report, skip, "");
            }
            Entry::LeftAlone { skip, fails: true } => {
                speech.push_str("error: ");
                place(speech, file, skip.site.position);
                left_alone(speech, skip, &format!(" (document {})", skip.site.document));
            }
            Entry::Note(note) => {
                place(report, file, note.position);
                let path = note.path.to_string();
                let separator = if path.is_empty() { "" } else { ": " };
                let _ = writeln!(report, "note: {}{separator}{}", escaped(&path), note.kind.as_str());
            }
            Entry::Problem(problem) => {
                speech.push_str("error: ");
                place(speech, file, problem.site.position);
                let Site { image, path, document, .. } = &problem.site;
                let path = path.to_string();
                let _ =
                    writeln!(speech, "{image} at {} (document {document}): {}", escaped(&path), problem.kind);
                if let Some(hint) = problem.kind.hint() {
                    let _ = writeln!(speech, "  {hint}");
                }
            }
            Entry::Unchecked { site, level } => {
                let _ = write!(speech, "{}: ", level.as_str());
                place(speech, file, site.position);
                let path = site.path.to_string();
                let (image, path) = (quoted(&site.image), escaped(&path));
                let why = why_unchecked(file, site);
                let _ =
                    writeln!(speech, "not checked: {image} at {path} (document {}): {why}", site.document);
            }
            Entry::Digest { site, level, text, status: _ } => {
                let _ = write!(speech, "{}: ", level.as_str());
                place(speech, file, site.position);
                let path = site.path.to_string();
                let (image, path) = (quoted(&site.image), escaped(&path));
                let _ = writeln!(speech, "{image} at {path} (document {}): {text}", site.document);
            }
            Entry::NoResource { site } => {
                speech.push_str("error: ");
                place(speech, file, site.position);
                let path = site.path.to_string();
                let (image, path) = (quoted(&site.image), escaped(&path));
                let _ = writeln!(speech, "{image} at {path} (document {}): {NO_RESOURCE}", site.document);
            }
            Entry::Unmapped { site, level } => {
                let _ = write!(speech, "{}: ", level.as_str());
                place(speech, file, site.position);
                let Site { image, path, document, .. } = site;
                let path = path.to_string();
                let _ =
                    writeln!(speech, "no rule covers {image} at {} (document {document})", escaped(&path));
            }
        }
    }

    fn message(&self, pages: &mut Pages, message: &Message<'_>) {
        let Message { level, file, location, text } = *message;
        if self.quiet && level != Level::Error {
            return;
        }
        let out = &mut pages.speech;
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
            pages.speech.push_str(&summary.text(ending));
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

/// `left alone: {{ x }} at spec.containers[0].image: a template fills this in`
fn left_alone(out: &mut String, skip: &Skip, document: &str) {
    let Site { image, path, .. } = &skip.site;
    let path = path.to_string();
    let message = skip.reason.message();
    let _ =
        writeln!(out, "left alone: {} at {}{document}: {}", quoted(image), escaped(&path), escaped(&message));
}

/// How much of a value that is no image is shown, in characters.
const SHOWN: usize = 200;

/// `text` as it can stand in a line: in quotes where it is empty or holds what would break the line, and cut
/// where it is too long for any image.
#[must_use]
pub fn quoted(text: &str) -> String {
    if let Some((at, _)) = text.char_indices().nth(SHOWN).filter(|_| text.len() > 4 * SHOWN) {
        return format!("{}… ({} bytes)", quoted(&text[..at]), text.len());
    }
    if text.is_empty() || text.chars().any(char::is_control) { format!("{text:?}") } else { text.to_owned() }
}

/// `text` with its control characters written as in Rust and shells (`\n`, `\u{1b}`), so that a file's name can neither
/// break a line nor steer a terminal.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    escaped_but(text, None)
}

/// The same for texts of several lines.
#[must_use]
pub fn escaped_lines(text: &str) -> Cow<'_, str> {
    escaped_but(text, Some('\n'))
}

fn escaped_but(text: &str, except: Option<char>) -> Cow<'_, str> {
    // Printable ASCII, as most texts are, has none.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let breaks = |c: char| c.is_control() && Some(c) != except;
    if !text.contains(breaks) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if breaks(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// `3 images`, `1 image`
#[must_use]
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        for (text, one, many) in [
            ("a/b.yaml", "a/b.yaml", "a/b.yaml"),
            ("a\u{1b}[31m\n", "a\\u{1b}[31m\\n", "a\\u{1b}[31m\n"),
            ("größe\t", "größe\\t", "größe\\t"),
            ("\u{9b}", "\\u{9b}", "\\u{9b}"),
        ] {
            assert_eq!(escaped(text), one);
            assert_eq!(escaped_lines(text), many);
        }
    }
}
