//! Quoted scalars, with escapes and over lines.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::super::event::{ScalarStyle, Sink};
use super::Reader;
use super::plain::{break_lines, fold};

/// The style of a scalar in these quotes.
pub(super) fn style(quote: u8) -> ScalarStyle {
    if quote == b'"' { ScalarStyle::DoubleQuoted } else { ScalarStyle::SingleQuoted }
}

impl<'a, S: Sink<'a>> Reader<'a, '_, S> {
    /// Reads the quoted scalar at `start`, in a line that ends at `end`: its value and where it ends.
    pub(super) fn quoted(&mut self, start: usize, end: usize, quote: u8) -> Option<(Cow<'a, str>, usize)> {
        let inner = start + 1;
        if let Some(found) = self.special(inner, end, quote)
            && self.bytes[found] == quote
            && (quote == b'"' || self.bytes.get(found + 1) != Some(&quote))
        {
            return Some((Cow::Borrowed(&self.text[inner..found]), found + 1));
        }
        let (value, close) = self.long_quoted(inner, end, quote)?;
        Some((Cow::Owned(value), close))
    }

    /// The next quote or backslash that means something within these quotes.
    fn special(&self, from: usize, end: usize, quote: u8) -> Option<usize> {
        let rest = &self.bytes[from..end];
        let found = if quote == b'"' { memchr2(b'"', b'\\', rest) } else { memchr(b'\'', rest) };
        found.map(|i| from + i)
    }

    /// Reads a quoted scalar with escapes in it or with several lines, from behind its first quote.
    fn long_quoted(&mut self, inner: usize, end: usize, quote: u8) -> Option<(String, usize)> {
        let mut value = String::new();
        let (mut at, mut end) = (inner, end);
        loop {
            let Some(found) = self.special(at, end, quote) else {
                let line = self.text[at..end].trim_end_matches(' ');
                value.push_str(line);
                let breaks;
                (breaks, at, end) = self.next_quoted_line(quote)?;
                fold(&mut value, breaks);
                continue;
            };
            value.push_str(&self.text[at..found]);
            if self.bytes[found] == b'\\' {
                if found + 1 == end {
                    let breaks;
                    (breaks, at, end) = self.next_quoted_line(quote)?;
                    break_lines(&mut value, breaks - 1);
                } else {
                    let (character, length) = escape(&self.bytes[found + 1..end])?;
                    value.push(character);
                    at = found + 1 + length;
                }
            } else if quote == b'\'' && self.bytes.get(found + 1) == Some(&b'\'') {
                value.push('\'');
                at = found + 2;
            } else {
                return Some((value, found + 1));
            }
        }
    }

    /// The next line within quotes that is not empty: how many line breaks are before it, and its content.
    /// It must be indented more than the block collection around; a quote that closes need not.
    fn next_quoted_line(&mut self, quote: u8) -> Option<(usize, usize, usize)> {
        let mut breaks = 1;
        loop {
            let line = self.next;
            let start = self.skip_spaces(line);
            match self.bytes.get(start)? {
                b'\n' => self.next = start + 1,
                b'\r' => self.next = start + 2,
                &byte => {
                    let is_indented = byte == quote || start - line > self.column();
                    let end = self.line_end(start);
                    self.no_tabs(start, end)?;
                    return is_indented.then_some((breaks, start, end));
                }
            }
            breaks += 1;
        }
    }
}

/// The character that `rest`, behind a backslash, begins to spell, and how many bytes spell it.
fn escape(rest: &[u8]) -> Option<(char, usize)> {
    let character = match rest.first()? {
        b'0' => '\0',
        b'a' => '\x07',
        b'b' => '\x08',
        b't' => '\t',
        b'n' => '\n',
        b'v' => '\x0b',
        b'f' => '\x0c',
        b'r' => '\r',
        b'e' => '\x1b',
        &byte @ (b' ' | b'"' | b'/' | b'\\') => char::from(byte),
        b'N' => '\u{85}',
        b'_' => '\u{a0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        b'x' => return code_point(rest, 2),
        b'u' => return code_point(rest, 4),
        b'U' => return code_point(rest, 8),
        _ => return None,
    };
    Some((character, 1))
}

/// The character whose code point the `digits` hexadecimal digits behind the first byte of `rest` are.
/// Surrogates are given up on.
fn code_point(rest: &[u8], digits: usize) -> Option<(char, usize)> {
    let value = rest.get(1..=digits)?.iter().try_fold(0_u32, |value, &byte| {
        let digit = char::from(byte).to_digit(16)?;
        Some(value.checked_mul(16)? + digit)
    })?;
    Some((char::from_u32(value)?, digits + 1))
}
