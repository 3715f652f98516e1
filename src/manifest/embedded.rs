//! Text within text: a manifest or patch that stands as the string of a scalar, and where each of its characters is
//! written in the text around it.
//!
//! ```yaml
//! patches:
//! - patch: |-
//!     - op: replace
//!       path: /spec/template/spec/containers/0/image
//!       value: nginx:1.27   # these bytes are edited where they stand
//! ```
//!
//! The string is read as a text of its own. What is found in it has places in that string; [`Embedded::outer`] says
//! which bytes of the text around spell them, and [`Layers`](super::Layers) how a new value is spelled there. Where
//! the scalar's style makes one of the two impossible, nothing may be edited.

use std::borrow::Cow;

use super::Span;
use super::event::{Scalar, ScalarStyle};

/// The string of a scalar, and how it is spelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Embedded<'a> {
    /// The string.
    pub(super) value: Cow<'a, str>,
    style: ScalarStyle,
    /// Which bytes spell which, in the order of the text. What lies between two pieces is the style's: indentation,
    /// folded line breaks.
    pieces: Vec<Piece>,
}

/// A stretch of the string and the bytes that spell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    /// Where it starts in the string.
    inner: usize,
    /// How many bytes of the string it is.
    inner_len: usize,
    /// The bytes that spell it.
    outer: Span,
}

impl Piece {
    /// Whether it stands there as it is, so that a part of it can be told.
    fn is_verbatim(self) -> bool {
        self.inner_len == self.outer.end - self.outer.start
    }
}

impl<'a> Embedded<'a> {
    /// The string of `scalar` in `text`; `None` when it cannot be told which bytes spell which character.
    pub(super) fn new(text: &str, scalar: &Scalar<'a>) -> Option<Self> {
        let written = scalar.span.of(text)?;
        let start = scalar.span.start;
        let pieces = match scalar.style {
            ScalarStyle::Literal | ScalarStyle::Folded => block(text, scalar)?,
            ScalarStyle::SingleQuoted => {
                quoted(written.strip_prefix('\'')?.strip_suffix('\'')?, start + 1, single_escape)?
            }
            ScalarStyle::DoubleQuoted => {
                quoted(written.strip_prefix('"')?.strip_suffix('"')?, start + 1, double_escape)?
            }
            ScalarStyle::Plain => quoted(written, start, |_| None)?,
        };
        let embedded = Self { value: scalar.value.clone(), style: scalar.style, pieces };
        embedded.spells(text).then_some(embedded)
    }

    /// The same, on its own.
    pub(super) fn into_owned(self) -> Embedded<'static> {
        Embedded { value: Cow::Owned(self.value.into_owned()), style: self.style, pieces: self.pieces }
    }

    /// Whether the pieces are in the order of the string, and each spells its part of it.
    fn spells(&self, text: &str) -> bool {
        let mut at = 0;
        self.pieces.iter().all(|piece| {
            let inner = self.value.get(piece.inner..piece.inner + piece.inner_len);
            let in_order = piece.inner >= at && inner.is_some();
            at = piece.inner + piece.inner_len;
            in_order && (!piece.is_verbatim() || inner == piece.outer.of(text) || piece.inner_len == 1)
        })
    }

    /// The bytes that spell `inner` of the string; `None` when a line break of the style lies within it, or nothing
    /// spells it.
    pub(super) fn outer(&self, inner: Span) -> Option<Span> {
        if inner.start >= inner.end {
            return None;
        }
        let first = self.piece_at(inner.start)?;
        let last = self.piece_at(inner.end - 1)?;
        let pieces = &self.pieces[first..=last];
        let touching = |pair: &[Piece]| {
            pair[0].outer.end == pair[1].outer.start && pair[0].inner + pair[0].inner_len == pair[1].inner
        };
        if !pieces.windows(2).all(touching) {
            return None;
        }
        let (first, last) = (pieces.first()?, pieces.last()?);
        let start = if first.is_verbatim() {
            first.outer.start + (inner.start - first.inner)
        } else {
            (inner.start == first.inner).then_some(first.outer.start)?
        };
        let end = if last.is_verbatim() {
            last.outer.start + (inner.end - last.inner)
        } else {
            (inner.end == last.inner + last.inner_len).then_some(last.outer.end)?
        };
        Some(Span::new(start, end))
    }

    /// Where the character at `offset` of the string is written, for messages: that of the one before it where nothing
    /// spells it.
    pub(super) fn position(&self, offset: usize) -> usize {
        let at = self.pieces.partition_point(|piece| piece.inner <= offset).saturating_sub(1);
        self.pieces.get(at).map_or(0, |piece| {
            let within = offset.saturating_sub(piece.inner);
            if piece.is_verbatim() {
                (piece.outer.start + within).min(piece.outer.end)
            } else {
                piece.outer.start
            }
        })
    }

    /// How the scalar around spells what stands in the string.
    pub(super) fn style(&self) -> ScalarStyle {
        self.style
    }

    fn piece_at(&self, offset: usize) -> Option<usize> {
        let at = self.pieces.partition_point(|piece| piece.inner <= offset).checked_sub(1)?;
        let piece = &self.pieces[at];
        (offset < piece.inner + piece.inner_len).then_some(at)
    }
}

/// The lines of a block scalar, without their indentation. A folded one has the same lines: only how they are joined
/// differs.
fn block(text: &str, scalar: &Scalar<'_>) -> Option<Vec<Piece>> {
    let value = &*scalar.value;
    let mut pieces = Vec::new();
    let mut inner = 0;
    // The reader's span starts at the first line's text, behind its indentation.
    let first_line = text[..scalar.span.start].rfind('\n').map_or(0, |end| end + 1);
    let mut outer = first_line;
    let indent = indentation(text, scalar)?;
    while inner < value.len() && outer < text.len() {
        let line_end = memchr::memchr(b'\n', &text.as_bytes()[outer..]).map_or(text.len(), |at| outer + at);
        let has_cr = text[outer..line_end].ends_with('\r');
        let content_end = line_end - usize::from(has_cr);
        let content_start = (outer + indent).min(content_end);
        let content = text.get(content_start..content_end)?;
        // A blank line is a line break of the string; in a folded scalar some line breaks are spaces or nothing.
        if !content.is_empty() && text[outer..content_start].bytes().all(|b| b == b' ') {
            let found = value[inner..].find(|c| c != '\n' && c != ' ').map(|skip| inner + skip);
            let at = if value[inner..].starts_with(content) {
                Some(inner)
            } else {
                let blank = content.len() - content.trim_start_matches(' ').len();
                found.and_then(|found| found.checked_sub(blank)).filter(|at| *at >= inner)
            };
            match at {
                Some(at) if value[at..].starts_with(content) => {
                    pieces.push(Piece {
                        inner: at,
                        inner_len: content.len(),
                        outer: Span::new(content_start, content_end),
                    });
                    inner = at + content.len();
                }
                // Trailing lines of nothing but spaces may be part of no string.
                _ if content.trim_matches([' ', '\t']).is_empty() => {}
                _ => return None,
            }
        }
        // The line break: one of the string, or what it is folded into.
        if value[inner..].starts_with('\n') {
            let end = Span::new(content_end, (line_end + 1).min(text.len()));
            if end.start < end.end {
                pieces.push(Piece { inner, inner_len: 1, outer: end });
            }
            inner += 1;
        } else if scalar.style == ScalarStyle::Folded && value[inner..].starts_with(' ') {
            inner += 1;
        }
        outer = line_end + 1;
    }
    Some(pieces)
}

/// How many columns a block scalar's lines are indented: those of its first line that is not blank, less the spaces
/// that belong to the string.
fn indentation(text: &str, scalar: &Scalar<'_>) -> Option<usize> {
    let spaces = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let is_blank = |line: &&str| line.trim_matches([' ', '\t', '\r']).is_empty();
    let first_line = text[..scalar.span.start].rfind('\n').map_or(0, |end| end + 1);
    let written = text[first_line..].lines().find(|line| !is_blank(line))?;
    let own = scalar.value.lines().find(|line| !is_blank(line))?;
    spaces(written).checked_sub(spaces(own))
}

/// The pieces of a quoted or plain scalar that is `written` at `start`. `escape` says how many bytes an escape at the
/// start of a text takes, and how many bytes of the string it spells.
fn quoted(written: &str, start: usize, escape: fn(&str) -> Option<(usize, usize)>) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let (mut inner, mut at, mut from) = (0, 0, 0);
    let bytes = written.as_bytes();
    let flush = |pieces: &mut Vec<Piece>, from: usize, to: usize, inner: &mut usize| {
        if from < to {
            let outer = Span::new(start + from, start + to);
            pieces.push(Piece { inner: *inner, inner_len: to - from, outer });
            *inner += to - from;
        }
    };
    while at < bytes.len() {
        if let Some((outer_len, inner_len)) = escape(&written[at..]) {
            flush(&mut pieces, from, at, &mut inner);
            let outer = Span::new(start + at, start + at + outer_len);
            if inner_len > 0 {
                pieces.push(Piece { inner, inner_len, outer });
            }
            inner += inner_len;
            at += outer_len;
            // An escaped line break takes the indentation of the next line with it, and leaves blank lines behind it
            // as line breaks.
            if inner_len == 0 {
                let rest = &written[at..];
                let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
                inner += rest[..blank].matches('\n').count();
                at += blank;
            }
            from = at;
        } else if matches!(bytes[at], b'\n' | b'\r') {
            // Blanks round a line break fold with it: one break is a space, n + 1 breaks are n line breaks.
            let before = written[from..at].trim_end_matches([' ', '\t']).len();
            flush(&mut pieces, from, from + before, &mut inner);
            let rest = &written[at..];
            let folded = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            let breaks = rest[..folded].matches('\n').count().max(1);
            inner += if breaks == 1 { 1 } else { breaks - 1 };
            at += folded;
            from = at;
        } else {
            at += written[at..].chars().next()?.len_utf8();
        }
    }
    flush(&mut pieces, from, at, &mut inner);
    Some(pieces)
}

fn single_escape(rest: &str) -> Option<(usize, usize)> {
    rest.starts_with("''").then_some((2, 1))
}

/// An escape of a double-quoted scalar, in YAML's and JSON's spelling.
fn double_escape(rest: &str) -> Option<(usize, usize)> {
    let mut chars = rest.chars();
    if chars.next()? != '\\' {
        return None;
    }
    let code = |digits: usize| u32::from_str_radix(rest.get(2..2 + digits)?, 16).ok();
    let length_of = |code: u32| char::from_u32(code).map_or(3, char::len_utf8);
    let escape = chars.next()?;
    Some(match escape {
        'x' => (4, length_of(code(2)?)),
        'u' => {
            let first = code(4)?;
            let is_pair = (0xD800..0xDC00).contains(&first) && rest.get(6..8) == Some("\\u");
            if is_pair { (12, 4) } else { (6, length_of(first)) }
        }
        'U' => (10, length_of(code(8)?)),
        'N' | '_' => (2, 2),
        'L' | 'P' => (2, 3),
        '\r' if rest.get(2..3) == Some("\n") => (3, 0),
        '\n' | '\r' => (2, 0),
        other => (1 + other.len_utf8(), 1),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::manifest::event::Event;
    use crate::manifest::yaml;

    /// The last scalar of a document.
    fn last_scalar(text: &str) -> Scalar<'_> {
        let mut events = Vec::new();
        yaml::read(text, Span::new(0, text.len()), &mut events).unwrap();
        let scalar = |event| if let Event::Scalar(scalar) = event { Some(scalar) } else { None };
        events.into_iter().rev().find_map(scalar).unwrap()
    }

    /// What spells `part` of the string of the last scalar.
    fn outer(text: &str, part: &str) -> Option<String> {
        let scalar = last_scalar(text);
        let embedded = Embedded::new(text, &scalar).unwrap_or_else(|| panic!("cannot be told: {text:?}"));
        let at =
            embedded.value.find(part).unwrap_or_else(|| panic!("{part:?} is not in {:?}", embedded.value));
        let span = embedded.outer(Span::new(at, at + part.len()))?;
        span.of(text).map(str::to_owned)
    }

    #[test]
    fn says_which_bytes_spell_a_part() {
        for (text, part, want) in [
            ("p: |\n  a: 1\n  image: nginx\n", "nginx", Some("nginx")),
            ("p: |-\r\n  a: 1\r\n\r\n  image: nginx\r\n", "nginx", Some("nginx")),
            ("p: |2\n    a: 1\n  image: nginx", "nginx", Some("nginx")),
            ("- p: |+\n\n    image: nginx\n\n", "image: nginx", Some("image: nginx")),
            ("p: |\n  a: é\n  image: nginx\n", "nginx", Some("nginx")),
            ("p: >\n  [{image: nginx},\n  {image: b}]\n", "nginx", Some("nginx")),
            ("p: >\n  a:\n    image: nginx\n\n    b: 1\n  c: 2\n", "nginx", Some("nginx")),
            ("p: >\n  a b\n  c d\n", "b c", None),
            ("p: 'a: ''b''\n\n  image: nginx'\n", "nginx", Some("nginx")),
            ("p: 'a: ''b'' c'\n", "'b'", Some("''b''")),
            ("p: \"a: 1\\nimage: nginx\\n\"\n", "nginx", Some("nginx")),
            ("p: \"{\\\"image\\\":\\\"nginx\\\"}\"\n", "\"nginx\"", Some("\\\"nginx\\\"")),
            ("p: \"a: 1\\n\\\n  image: nginx\"\n", "nginx", Some("nginx")),
            ("p: \"\\u00e9 \\x6eginx x\"\n", "nginx", Some("\\x6eginx")),
            ("p: \"a\n\n  image: nginx\"\n", "nginx", Some("nginx")),
            ("p: image nginx\n", "nginx", Some("nginx")),
            ("p: a\n  image\n", "image", Some("image")),
        ] {
            assert_eq!(outer(text, part).as_deref(), want, "{part:?} of {text:?}");
        }
    }

    #[test]
    fn every_part_of_one_piece_maps_to_its_bytes() {
        let text = "p: |\n    a: 1\n\n     b\n    c: [d, e]\nq: 1\n";
        let scalar = {
            let mut events = Vec::new();
            yaml::read(text, Span::new(0, text.len()), &mut events).unwrap();
            let literal = |event| match event {
                Event::Scalar(scalar) if scalar.style == ScalarStyle::Literal => Some(scalar),
                _ => None,
            };
            events.into_iter().find_map(literal).unwrap()
        };
        let embedded = Embedded::new(text, &scalar).unwrap();
        for start in 0..embedded.value.len() {
            for end in start + 1..=embedded.value.len() {
                let part = &embedded.value[start..end];
                let span = embedded.outer(Span::new(start, end));
                if part.contains('\n') {
                    continue;
                }
                assert_eq!(span.and_then(|span| span.of(text)), Some(part));
                assert_eq!(embedded.position(start), span.unwrap().start);
            }
        }
    }

    /// Texts of scalars in every style, most of them odd.
    fn scalars() -> impl Strategy<Value = String> {
        let words = [
            "a",
            "image: nginx",
            "-",
            "#x",
            "é",
            "''",
            "\\n",
            "\\\"",
            "\\x41",
            "\\\n   ",
            "\n",
            "\n\n",
            "\r\n",
        ];
        let words = prop::sample::select(
            words
                .iter()
                .copied()
                .chain([" ", "  ", "\t", "\n  ", "\n   ", "\n     ", "\\u00e9"])
                .collect::<Vec<_>>(),
        );
        let heads = prop::sample::select(vec![
            "p: |\n  ",
            "p: |-\n  ",
            "p: |+\n  ",
            "p: >\n  ",
            "p: >-\n   ",
            "p: |2\n  ",
            "- p: >+\n\n    ",
            "p: '",
            "p: \"",
            "p: x",
        ]);
        (heads, prop::collection::vec(words, 1..12)).prop_map(|(head, words)| {
            let quote = head.chars().next_back().filter(|c| matches!(c, '\'' | '"'));
            let mut text = head.to_owned();
            for word in words {
                // Further lines stand deeper than the key.
                text.push_str(word);
                if word.ends_with('\n') {
                    text.push_str(if quote.is_none() { "   " } else { " " });
                }
            }
            text.extend(quote);
            text
        })
    }

    fn string_of(text: &str) -> Option<String> {
        let mut events = Vec::new();
        yaml::read(text, Span::new(0, text.len()), &mut events).ok()?;
        let scalars: Vec<_> = events.iter().filter(|event| matches!(event, Event::Scalar(_))).collect();
        match scalars[..] {
            [_, Event::Scalar(scalar)] => Some(scalar.value.to_string()),
            _ => None,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

        /// Another word in place of a word changes that word of the string, and nothing else.
        #[test]
        fn an_edit_changes_its_part_alone(text in scalars()) {
            let Some(value) = string_of(&text) else { return Ok(()) };
            let scalar = last_scalar(&text);
            let Some(embedded) = Embedded::new(&text, &scalar) else { return Ok(()) };
            let is_word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic());
            for start in 0..value.len() {
                for end in start + 1..=value.len() {
                    let Some(part) = value.get(start..end).filter(|part| is_word(part)) else { continue };
                    let Some(span) = embedded.outer(Span::new(start, end)) else { continue };
                    let edited = format!("{}m.io/a{}", &text[..span.start], &text[span.end..]);
                    let want = format!("{}m.io/a{}", &value[..start], &value[end..]);
                    prop_assert_eq!(string_of(&edited), Some(want), "{:?} of {:?}", part, text);
                }
            }
        }
    }
}
