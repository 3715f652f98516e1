//! Reports for people: a line for each thing with its place, errors and warnings marked at the line's start.

use std::fmt::Write;

use crate::manifest::Note;
use crate::rewrite::{Change, Decided, Problem, Site, Skip};

/// `file:line:column`
fn place(out: &mut String, file: &str, site: &Site) {
    out.push_str(file);
    let _ = write!(out, ":{}:{}: ", site.position.line, site.position.column);
}

/// `file:1:2: nginx -> m.io/nginx (registry rule docker.io::m.io, imageswap.maps:3)`
pub fn change(out: &mut String, file: &str, change: &Change<'_>, verbose: bool) {
    // A run over a tree says this most of all.
    out.reserve(file.len() + 3 * (change.site.image.len() + change.to.len()));
    place(out, file, &change.site);
    out.push_str(&change.site.image);
    out.push_str(" -> ");
    out.push_str(&change.to);
    if let Some(rule) = change.rule {
        let _ = write!(out, " by {rule}");
    }
    out.push('\n');
    if verbose && let Some(rule) = change.other_spelling {
        place(out, file, &change.site);
        let _ = writeln!(out, "note: {rule} names the same image in another spelling, and so does not apply");
    }
}

/// `file:1:2: left alone: {{ x }} at spec.containers[0].image: a template fills this in`
pub fn skip(out: &mut String, file: &str, skip: &Skip) {
    place(out, file, &skip.site);
    let Site { image, path, .. } = &skip.site;
    let _ = writeln!(out, "left alone: {} at {path}: {}", quoted(image), skip.reason.message());
}

/// An image that is left alone, where that fails the run.
pub fn strict(out: &mut String, file: &str, skip: &Skip) {
    out.push_str("error: ");
    place(out, file, &skip.site);
    let Site { image, path, document, .. } = &skip.site;
    let message = skip.reason.message();
    let _ = writeln!(out, "left alone: {} at {path} (document {document}): {message}", quoted(image));
}

/// An image that the maps leave as it is.
pub fn kept(out: &mut String, file: &str, kept: &Decided<'_>) {
    place(out, file, &kept.site);
    let _ = match kept.rule {
        Some(rule) => writeln!(out, "kept: {} by {rule}", kept.site.image),
        None => writeln!(out, "kept: {} (no rule applies)", kept.site.image),
    };
}

/// An image that no rule covers, where that is to be said.
pub fn unmapped(out: &mut String, file: &str, site: &Site, level: &str) {
    let _ = write!(out, "{level}: ");
    place(out, file, site);
    let Site { image, path, document, .. } = site;
    let _ = writeln!(out, "no rule covers {image} at {path} (document {document})");
}

/// What fails the run.
pub fn problem(out: &mut String, file: &str, problem: &Problem) {
    out.push_str("error: ");
    place(out, file, &problem.site);
    let Site { image, path, document, .. } = &problem.site;
    let _ = writeln!(out, "{image} at {path} (document {document}): {}", problem.kind);
    if let Some(hint) = problem.kind.hint() {
        let _ = writeln!(out, "  {hint}");
    }
}

/// What authors should know.
pub fn note(out: &mut String, file: &str, note: &Note) {
    let position = note.position;
    let what = note.kind.as_str();
    let _ = writeln!(out, "{file}:{}:{}: note: {}: {what}", position.line, position.column, note.path);
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
