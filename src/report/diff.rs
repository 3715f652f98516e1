//! The unified diff of one file, made from its text and its edits: only the lines round the edits are looked
//! at, and the edited text is never built.
//!
//! ```diff
//! --- a/web/deployment.yaml
//! +++ b/web/deployment.yaml
//! @@ -17,7 +17,7 @@
//!        containers:
//! ```
//!
//! The form is that of `git diff` without its extra headers, so that `patch -p1` and `git apply` take it.

use std::borrow::Cow;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use memchr::{memchr, memchr_iter, memrchr};
use similar::Algorithm;

use crate::manifest::edit::{self, Edit};

/// How many unchanged lines are shown on each side of a change; changes with no more than twice as many
/// between them share a hunk.
const CONTEXT: usize = 3;

/// How the parts of a diff look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiffStyle {
    /// The lines that name the file.
    pub header: Style,
    /// The `@@` lines.
    pub hunk: Style,
    /// Lines that go.
    pub removed: Style,
    /// Lines that come.
    pub added: Style,
}

impl DiffStyle {
    /// No colour; the only style that `patch` can read.
    #[must_use]
    pub fn plain() -> Self {
        Self::default()
    }

    /// The colours of git.
    #[must_use]
    pub fn coloured() -> Self {
        Self {
            header: Style::new().bold(),
            hunk: AnsiColor::Cyan.on_default(),
            removed: AnsiColor::Red.on_default(),
            added: AnsiColor::Green.on_default(),
        }
    }
}

/// Writes the diff between `text` and `text` with `edits` applied; nothing when they are the same.
///
/// `path` is named with `a/` and `b/` before it, without a leading `/` or `./`.
///
/// # Errors
/// Those of `out`; edits that do not fit `text` are `InvalidInput` and nothing is written.
pub fn unified(
    path: &Path,
    text: &str,
    edits: &[Edit],
    style: &DiffStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    edit::pieces(text, edits).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let changes = changes(text, edits);
    if changes.is_empty() {
        return Ok(());
    }
    write_header(path, style, out)?;
    let mut printer = Printer { text, style, out, delta: 0 };
    changes.chunk_by(|a, b| b.line - a.line_after() <= 2 * CONTEXT).try_for_each(|hunk| printer.hunk(hunk))
}

/// Whole lines that are replaced by others.
#[derive(Debug)]
struct Change<'a> {
    /// The bytes of the lines that go.
    old: Range<usize>,
    /// The number of the first of them, from 0.
    line: usize,
    /// How many go.
    removed: usize,
    /// What comes, in pieces that need not end where lines do.
    new: Vec<Cow<'a, str>>,
    /// How many lines that is.
    added: usize,
}

impl Change<'_> {
    fn line_after(&self) -> usize {
        self.line + self.removed
    }
}

/// The changes of lines that `edits` make, in order; `edits` must fit `text`.
fn changes<'a>(text: &'a str, edits: &'a [Edit]) -> Vec<Change<'a>> {
    let mut edits = edits.iter().filter(|edit| edit.span.of(text) != Some(&edit.text)).peekable();
    let mut changes = Vec::new();
    let (mut at, mut line) = (0, 0);
    while let Some(first) = edits.next() {
        let start = line_start(text, first.span.start);
        let mut end = line_end(text, first.span.end);
        let mut block = vec![first];
        while let Some(next) = edits.next_if(|next| next.span.start < end || end == text.len()) {
            end = line_end(text, next.span.end);
            block.push(next);
        }
        line += count_newlines(&text[at..start]);
        at = start;
        block_changes(text, start..end, line, &block, &mut changes);
    }
    changes
}

/// The changes within the lines of `block`, which `edits` touch.
fn block_changes<'a>(
    text: &'a str,
    block: Range<usize>,
    line: usize,
    edits: &[&'a Edit],
    changes: &mut Vec<Change<'a>>,
) {
    let old = &text[block.clone()];
    let mut new = Vec::with_capacity(edits.len() * 2 + 1);
    let mut at = block.start;
    for edit in edits {
        new.push(Cow::Borrowed(&text[at..edit.span.start]));
        new.push(Cow::Borrowed(edit.text.as_str()));
        at = edit.span.end;
    }
    new.push(Cow::Borrowed(&text[at..block.end]));
    let moves_lines = edits.iter().any(|edit| {
        memchr(b'\n', edit.text.as_bytes()).is_some()
            || edit.span.of(text).is_some_and(|old| old.contains('\n'))
    });
    if !moves_lines {
        // Not the number of old lines: a last line without newline may come or go.
        let added = count_lines(&new);
        changes.push(Change { old: block, line, removed: lines(old).count(), new, added });
        return;
    }
    let new = new.concat();
    let (old_lines, new_lines): (Vec<_>, Vec<_>) = (lines(old).collect(), lines(&new).collect());
    let mut ends = vec![block.start];
    ends.extend(old_lines.iter().scan(block.start, |end, line| {
        *end += line.len();
        Some(*end)
    }));
    for op in similar::capture_diff_slices(Algorithm::Myers, &old_lines, &new_lines) {
        if op.tag() == similar::DiffTag::Equal {
            continue;
        }
        let (from, to) = (op.old_range(), op.new_range());
        changes.push(Change {
            old: ends[from.start]..ends[from.end],
            line: line + from.start,
            removed: from.len(),
            new: vec![Cow::Owned(new_lines[to.clone()].concat())],
            added: to.len(),
        });
    }
}

struct Printer<'a, 'o> {
    text: &'a str,
    style: &'a DiffStyle,
    out: &'o mut dyn Write,
    /// By how many lines the new text is ahead of the old one.
    delta: isize,
}

impl Printer<'_, '_> {
    fn hunk(&mut self, changes: &[Change<'_>]) -> io::Result<()> {
        let (Some(first), Some(last)) = (changes.first(), changes.last()) else { return Ok(()) };
        let mut start = first.old.start;
        let mut before = 0;
        while before < CONTEXT && start > 0 {
            start = line_start(self.text, start - 1);
            before += 1;
        }
        let mut end = last.old.end;
        let mut after = 0;
        while after < CONTEXT && end < self.text.len() {
            end = line_end(self.text, end);
            after += 1;
        }
        let removed = last.line_after() - first.line;
        let grown: isize = changes.iter().map(|change| signed(change.added) - signed(change.removed)).sum();
        let old = HunkRange { line: signed(first.line - before), lines: signed(before + removed + after) };
        let new = HunkRange { line: old.line + self.delta, lines: old.lines + grown };
        let style = self.style.hunk;
        writeln!(self.out, "{style}@@ -{} +{} @@{style:#}", old.show(), new.show())?;
        self.delta += grown;

        let text = self.text;
        for run in changes.chunk_by(|a, b| a.old.end == b.old.start) {
            let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
            let old = first.old.start..last.old.end;
            self.lines(' ', Style::new(), [&text[start..old.start]])?;
            self.lines('-', self.style.removed, [&text[old.clone()]])?;
            let new = run.iter().flat_map(|change| &change.new);
            self.lines('+', self.style.added, new.map(AsRef::as_ref))?;
            start = old.end;
        }
        self.lines(' ', Style::new(), [&text[start..end]])
    }

    /// Writes the lines that `pieces` make together, each with its mark.
    fn lines<'p>(
        &mut self,
        mark: char,
        style: Style,
        pieces: impl IntoIterator<Item = &'p str>,
    ) -> io::Result<()> {
        let mut open = false;
        for part in pieces.into_iter().flat_map(lines) {
            if !open {
                write!(self.out, "{style}{mark}")?;
            }
            let content = part.strip_suffix('\n');
            self.out.write_all(content.unwrap_or(part).as_bytes())?;
            open = content.is_none();
            if !open {
                writeln!(self.out, "{style:#}")?;
            }
        }
        if open {
            writeln!(self.out, "{style:#}\n\\ No newline at end of file")?;
        }
        Ok(())
    }
}

/// Where a hunk stands in one of the two texts.
struct HunkRange {
    /// Its first line, from 0.
    line: isize,
    lines: isize,
}

impl HunkRange {
    /// `first,count` as in `@@` lines; a place without lines names the line before it.
    fn show(&self) -> String {
        match self.lines {
            0 => format!("{},0", self.line),
            1 => (self.line + 1).to_string(),
            lines => format!("{},{lines}", self.line + 1),
        }
    }
}

fn write_header(path: &Path, style: &DiffStyle, out: &mut dyn Write) -> io::Result<()> {
    let style = style.header;
    for (mark, side) in [("---", 'a'), ("+++", 'b')] {
        write!(out, "{style}{mark} ")?;
        write_name(path, side, out)?;
        writeln!(out, "{style:#}")?;
    }
    Ok(())
}

/// Writes a name as git does: in C's manner where it holds what would end or garble the line; with a tab
/// after it when it holds a space, so that nothing is taken for a date.
fn write_name(path: &Path, side: char, out: &mut dyn Write) -> io::Result<()> {
    let name = path.strip_prefix("/").or_else(|_| path.strip_prefix(".")).unwrap_or(path);
    let name = name.as_os_str().as_bytes();
    let quoted = name.iter().any(|byte| byte.is_ascii_control() || matches!(byte, b'"' | b'\\'));
    if !quoted {
        write!(out, "{side}/")?;
        out.write_all(name)?;
        return if name.contains(&b' ') { out.write_all(b"\t") } else { Ok(()) };
    }
    write!(out, "\"{side}/")?;
    for byte in name {
        match byte {
            b'\n' => out.write_all(b"\\n")?,
            b'\t' => out.write_all(b"\\t")?,
            b'"' | b'\\' => out.write_all(&[b'\\', *byte])?,
            byte if byte.is_ascii_control() => write!(out, "\\{byte:03o}")?,
            byte => out.write_all(&[*byte])?,
        }
    }
    out.write_all(b"\"")
}

/// Where the line that holds the byte at `at` begins.
fn line_start(text: &str, at: usize) -> usize {
    memrchr(b'\n', &text.as_bytes()[..at]).map_or(0, |newline| newline + 1)
}

/// One past the newline of the line that holds the byte at `at`.
fn line_end(text: &str, at: usize) -> usize {
    memchr(b'\n', &text.as_bytes()[at..]).map_or(text.len(), |newline| at + newline + 1)
}

/// The lines of a text, with their newlines.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n')
}

fn count_newlines(text: &str) -> usize {
    memchr_iter(b'\n', text.as_bytes()).count()
}

/// How many lines the pieces of a text make.
fn count_lines(pieces: &[Cow<'_, str>]) -> usize {
    let newlines: usize = pieces.iter().map(|piece| count_newlines(piece)).sum();
    let last = pieces.iter().rev().find(|piece| !piece.is_empty());
    newlines + usize::from(last.is_some_and(|last| !last.ends_with('\n')))
}

/// A count of lines; texts in memory have fewer than `isize::MAX`.
fn signed(count: usize) -> isize {
    isize::try_from(count).unwrap_or(isize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Span;

    fn replace(text: &str, old: &str, new: &str) -> Edit {
        let start = text.find(old).unwrap();
        Edit { span: Span::new(start, start + old.len()), text: new.to_owned() }
    }

    fn diff(path: &str, text: &str, edits: &[Edit], style: &DiffStyle) -> String {
        let mut out = Vec::new();
        unified(Path::new(path), text, edits, style, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn plain(text: &str, edits: &[Edit]) -> String {
        diff("f", text, edits, &DiffStyle::plain())
    }

    #[test]
    fn one_line_with_context() {
        let text = "1\n2\n3\n4\nimage: q # c\n6\n7\n8\n9\n";
        assert_eq!(
            plain(text, &[replace(text, "q", "b")]),
            "--- a/f\n+++ b/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-image: q # c\n+image: b # c\n 6\n 7\n 8\n"
        );
    }

    #[test]
    fn hunks_share_six_lines_but_not_seven() {
        let six = "a\n1\n2\n3\n4\n5\n6\nb\n";
        let edits = |text| [replace(text, "a", "x"), replace(text, "b", "y")];
        assert_eq!(plain(six, &edits(six)).matches("@@ ").count(), 1);
        let seven = "a\n1\n2\n3\n4\n5\n6\n7\nb\n";
        let shown = plain(seven, &edits(seven));
        assert!(shown.contains("@@ -1,4 +1,4 @@\n-a\n+x\n 1\n"), "{shown}");
        assert!(shown.contains("@@ -6,4 +6,4 @@\n 5\n"), "{shown}");
    }

    #[test]
    fn lines_next_to_each_other_go_together() {
        let text = "a\nb\n";
        let edits = [replace(text, "a", "x"), replace(text, "b", "y")];
        assert!(plain(text, &edits).ends_with("@@ -1,2 +1,2 @@\n-a\n-b\n+x\n+y\n"));
    }

    #[test]
    fn no_newline_at_the_end() {
        let text = "k: v\nimage: a";
        assert_eq!(
            plain(text, &[replace(text, "image: a", "image: b")]),
            "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n k: v\n-image: a\n\\ No newline at end of file\n+image: b\n\\ No newline at end of file\n"
        );
        let text = "image: q\nk: v";
        assert!(
            plain(text, &[replace(text, "q", "b")])
                .ends_with("+image: b\n k: v\n\\ No newline at end of file\n")
        );
    }

    #[test]
    fn carriage_returns_stay() {
        let text = "image: q\r\nk: v\r\n";
        assert!(plain(text, &[replace(text, "q", "b")]).ends_with("-image: q\r\n+image: b\r\n k: v\r\n"));
    }

    #[test]
    fn nothing_for_no_change() {
        assert_eq!(plain("a\n", &[]), "");
        assert_eq!(plain("a\n", &[replace("a\n", "a", "a")]), "");
    }

    #[test]
    fn edits_that_do_not_fit_write_nothing() {
        let mut out = Vec::new();
        let edits = [Edit { span: Span::new(0, 9), text: String::new() }];
        let error = unified(Path::new("f"), "a", &edits, &DiffStyle::plain(), &mut out).unwrap_err();
        assert_eq!((error.kind(), out.len()), (io::ErrorKind::InvalidInput, 0));
    }

    #[test]
    fn names() {
        for (path, shown) in [
            ("./a.yaml", "--- a/a.yaml\n"),
            ("/x/a.yaml", "--- a/x/a.yaml\n"),
            ("a b.yaml", "--- a/a b.yaml\t\n"),
            ("a\n\"\u{1b}", "--- \"a/a\\n\\\"\\033\"\n"),
        ] {
            let text = diff(path, "q\n", &[replace("q\n", "q", "r")], &DiffStyle::plain());
            assert!(text.starts_with(shown), "{path:?}: {text}");
        }
    }

    #[test]
    fn colours_are_those_of_git() {
        let shown = diff("f", "q\n", &[replace("q\n", "q", "r")], &DiffStyle::coloured());
        assert_eq!(
            shown,
            "\u{1b}[1m--- a/f\u{1b}[0m\n\u{1b}[1m+++ b/f\u{1b}[0m\n\u{1b}[36m@@ -1 +1 @@\u{1b}[0m\n\
             \u{1b}[31m-q\u{1b}[0m\n\u{1b}[32m+r\u{1b}[0m\n"
        );
    }
}
