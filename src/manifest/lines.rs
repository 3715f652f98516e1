//! From byte offsets to lines and columns, as editors count them.

use memchr::{memchr2_iter, memrchr2};

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
}

impl<'a> Lines<'a> {
    /// Starts at the beginning of `text`.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    /// The position of byte `offset`. Cheap when offsets rise; a falling one starts over.
    pub fn position(&mut self, offset: usize) -> Position {
        let bytes = self.text.as_bytes();
        let offset = offset.min(bytes.len());
        if offset < self.at {
            *self = Self::new(self.text);
        }
        let ends_line = |at: usize| bytes[at] == b'\n' || bytes.get(at + 1) != Some(&b'\n');
        let breaks = memchr2_iter(b'\n', b'\r', &bytes[self.at..offset]).map(|i| self.at + i);
        self.line += breaks.filter(|&at| ends_line(at)).count();
        self.at = offset;
        let start = memrchr2(b'\n', b'\r', &bytes[..offset]).map_or(0, |i| i + 1);
        let before = &self.text[start..offset];
        Position { line: self.line, column: before.trim_start_matches('\u{feff}').chars().count() + 1 }
    }
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
