//! From byte offsets to lines and columns, as editors count them.

use memchr::{memchr, memchr2_iter, memrchr2};

/// A place in a text: line and column, both from 1; columns count characters, and a byte order mark none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1. `\n`, `\r\n` and a lone `\r` end a line.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// Turns rising byte offsets of one text into positions in a single pass.
#[derive(Debug)]
pub struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    /// Without any `\r`, lines are counted by their `\n` alone.
    has_cr: bool,
}

impl<'a> Lines<'a> {
    /// Starts at the beginning of `text`.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 1, has_cr: memchr(b'\r', text.as_bytes()).is_some() }
    }

    /// The position of byte `offset`. Cheap when offsets rise; a falling one starts over.
    pub fn position(&mut self, offset: usize) -> Position {
        let bytes = self.text.as_bytes();
        let offset = offset.min(bytes.len());
        if offset < self.at {
            (self.at, self.line) = (0, 1);
        }
        let passed = &bytes[self.at..offset];
        self.line += if self.has_cr {
            let ends_line = |at: usize| bytes[at] == b'\n' || bytes.get(at + 1) != Some(&b'\n');
            memchr2_iter(b'\n', b'\r', passed).filter(|i| ends_line(self.at + i)).count()
        } else {
            count_newlines(passed)
        };
        self.at = offset;
        let start = memrchr2(b'\n', b'\r', &bytes[..offset]).map_or(0, |i| i + 1);
        let before = &self.text[start..offset];
        Position { line: self.line, column: before.trim_start_matches('\u{feff}').chars().count() + 1 }
    }
}

/// How many `\n` there are; in a form that the compiler turns into vector instructions.
fn count_newlines(bytes: &[u8]) -> usize {
    // A chunk's count fits in a byte.
    let in_chunk = |chunk: &[u8]| chunk.iter().map(|b| u8::from(*b == b'\n')).sum::<u8>();
    bytes.chunks(255).map(|chunk| usize::from(in_chunk(chunk))).sum()
}

#[cfg(test)]
mod tests {
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
}
