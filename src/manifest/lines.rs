//! From byte offsets to lines and columns, as editors count them.

use memchr::{memchr, memchr_iter, memchr2_iter, memrchr, memrchr2};

/// How many bytes lie at most between two places that [`Lines`] can go on from.
const STRIDE: usize = 16 * 1024;

/// A place in a text: line and column, both from 1; columns count characters, and a byte order mark none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1. `\n`, `\r\n` and a lone `\r` end a line.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// A byte of a text, and what is known of the lines before it.
#[derive(Debug, Clone, Copy)]
struct Counted {
    at: usize,
    /// Line ends before `at`.
    lines: usize,
    /// Where characters were last counted up to: in the line of `at`, or at its start.
    counted_to: usize,
    /// Characters of the line before `counted_to`.
    characters: usize,
}

/// Turns byte offsets of one text into positions. Rising offsets take a single pass over the text, however long its
/// lines are, and a falling one at most 16 KiB.
#[derive(Debug)]
pub struct Lines<'a> {
    text: &'a [u8],
    here: Counted,
    /// Places passed, at most [`STRIDE`] bytes apart; the first is the start of the text.
    passed: Vec<Counted>,
    /// Without any `\r`, lines are counted by their `\n` alone. Looked for when somebody asks.
    has_cr: Option<bool>,
    /// Bytes looked at.
    #[cfg(test)]
    work: usize,
}

impl<'a> Lines<'a> {
    /// Starts at the beginning of `text`.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        let text = text.as_bytes();
        let here = Counted { at: 0, lines: 0, counted_to: 0, characters: 0 };
        Self {
            text,
            here,
            passed: vec![here],
            has_cr: None,
            #[cfg(test)]
            work: 0,
        }
    }

    /// The position of byte `offset`. Cheapest when offsets rise.
    pub fn position(&mut self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        if offset < self.here.at {
            // The first is at 0, so there is one before any offset.
            let known = self.passed.partition_point(|place| place.at <= offset);
            self.here = self.passed[known.saturating_sub(1)];
        }
        while offset - self.here.at > STRIDE {
            let mut next = self.here.at + STRIDE;
            while self.text[next] & 0xc0 == 0x80 {
                next -= 1;
            }
            self.pass_to(next);
            self.count_characters();
            if self.passed.last().is_some_and(|last| last.at < self.here.at) {
                self.passed.push(self.here);
            }
        }
        self.pass_to(offset);
        self.count_characters();
        if self.passed.last().is_some_and(|last| offset >= last.at + STRIDE / 2) {
            self.passed.push(self.here);
        }
        Position { line: self.here.lines + 1, column: self.here.characters + 1 }
    }

    /// Whether there is any `\r` in the text.
    pub(super) fn has_cr(&mut self) -> bool {
        *self.has_cr.get_or_insert_with(|| memchr(b'\r', self.text).is_some())
    }

    /// Goes on to `offset`, and counts the lines on the way.
    fn pass_to(&mut self, offset: usize) {
        let from = self.here.at;
        let has_cr = self.has_cr();
        let bytes = &self.text[from..offset];
        let last_end = if has_cr {
            let ends_line = |at: &usize| bytes[*at] == b'\n' || self.text.get(from + at + 1) != Some(&b'\n');
            self.here.lines += memchr2_iter(b'\n', b'\r', bytes).filter(ends_line).count();
            memrchr2(b'\n', b'\r', bytes)
        } else {
            self.here.lines += memchr_iter(b'\n', bytes).count();
            memrchr(b'\n', bytes)
        };
        if let Some(end) = last_end {
            (self.here.counted_to, self.here.characters) = (from + end + 1, 0);
        }
        self.here.at = offset;
        #[cfg(test)]
        {
            self.work += bytes.len();
        }
    }

    /// Counts the characters of the line up to where we are.
    fn count_characters(&mut self) {
        let mut bytes = &self.text[self.here.counted_to..self.here.at];
        #[cfg(test)]
        {
            self.work += bytes.len();
        }
        if self.here.characters == 0 {
            while let Some(rest) = bytes.strip_prefix("\u{feff}".as_bytes()) {
                bytes = rest;
            }
        }
        // Each character has one byte that goes on no other.
        self.here.characters += bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        self.here.counted_to = self.here.at;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counts_as_editors_do() {
        let text = "\u{feff}a\r\nbé x\rc\n";
        let mut lines = Lines::new(text);
        let mut at = |s: &str| lines.position(text.find(s).unwrap());
        assert_eq!(at("a"), Position { line: 1, column: 1 });
        assert_eq!(at("x"), Position { line: 2, column: 4 });
        assert_eq!(at("c"), Position { line: 3, column: 1 });
        assert_eq!(at("b"), Position { line: 2, column: 1 });
    }

    /// Counts from the start of the text, each time.
    fn counted_plainly(text: &str, offset: usize) -> Position {
        let before = &text[..offset];
        let ends_line = |(at, byte): (usize, &u8)| {
            *byte == b'\n' || (*byte == b'\r' && text.as_bytes().get(at + 1) != Some(&b'\n'))
        };
        let line =
            1 + before.bytes().collect::<Vec<_>>().iter().enumerate().filter(|p| ends_line(*p)).count();
        let start = before.rfind(['\n', '\r']).map_or(0, |i| i + 1);
        Position { line, column: 1 + before[start..].trim_start_matches('\u{feff}').chars().count() }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn counts_from_anywhere(
            pieces in prop::collection::vec(
                (prop::sample::select(vec!["a", "é", "漢字 ", "\n", "\r\n", "\r", "\u{feff}"]), 1_usize..6_000),
                1..8,
            ),
            wanted in prop::collection::vec(0.0..1.0_f64, 1..12),
        ) {
            let text: String = pieces.iter().map(|(piece, times)| piece.repeat(*times)).collect();
            let mut lines = Lines::new(&text);
            for part in wanted {
                let mut offset = (part * text.len() as f64) as usize;
                while !text.is_char_boundary(offset) {
                    offset -= 1;
                }
                prop_assert_eq!(lines.position(offset), counted_plainly(&text, offset), "at {}", offset);
            }
        }
    }

    #[test]
    fn looks_at_each_byte_of_a_long_line_but_twice() {
        let text = "{\"image\": \"nginx\"}, ".repeat(100_000);
        let mut lines = Lines::new(&text);
        for at in (0..text.len()).step_by(20) {
            assert_eq!(lines.position(at), Position { line: 1, column: at + 1 });
        }
        assert!(lines.work <= 2 * text.len(), "{} of {} bytes", lines.work, text.len());
        // Backwards it takes no more than the way from a place that was passed.
        lines.work = 0;
        for at in (0..text.len()).step_by(2_000).rev() {
            assert_eq!(lines.position(at), Position { line: 1, column: at + 1 });
        }
        assert!(lines.work <= text.len() / 2_000 * 2 * STRIDE, "{} bytes", lines.work);
    }
}
