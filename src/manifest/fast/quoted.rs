//! Quoted scalars, with escapes and over lines.

use super::super::Span;
use super::super::event::{Scalar, ScalarStyle, Sink, Word};
use super::cursor::NextLine;
use super::plain::{break_lines, fold};
use super::{DocumentReader, GiveUp, Quoted, Taken, search};

impl Quoted<'_> {
    /// The bytes of the scalar, quotes included.
    pub(super) fn span(&self) -> Span {
        match self {
            Self::Word(word) => word.span(),
            Self::Long(scalar) => scalar.span,
        }
    }
}

impl<'a, S: Sink<'a>> DocumentReader<'a, '_, S> {
    /// Reads the quoted scalar at `start`. Then the line at hand is the one it ends in.
    #[inline]
    pub(super) fn quoted(&mut self, start: usize) -> Taken<Quoted<'a>> {
        let quote = self.cursor.bytes[start];
        let style = if quote == b'"' { ScalarStyle::DoubleQuoted } else { ScalarStyle::SingleQuoted };
        let inner = start + 1;
        let found = self.special(inner, quote);
        if found < self.cursor.end
            && self.cursor.bytes[found] == quote
            && (quote == b'"' || self.cursor.bytes.get(found + 1) != Some(&quote))
        {
            return Ok(Quoted::Word(Word::new(self.text, Span::new(start, found + 1), style)));
        }
        let (value, close) = self.long_quoted(inner, quote)?;
        let span = Span::new(start, close);
        Ok(Quoted::Long(Scalar::bare(value.into(), span, start, style)))
    }

    /// The next quote or backslash that means something within these quotes, or the end of the line.
    #[inline]
    fn special(&self, from: usize, quote: u8) -> usize {
        let escape = if quote == b'"' { b'\\' } else { quote };
        search::either(self.cursor.bytes, from, self.cursor.end, quote, escape)
    }

    /// Reads a quoted scalar with escapes in it or with several lines, from behind its first quote.
    fn long_quoted(&mut self, inner: usize, quote: u8) -> Taken<(String, usize)> {
        let mut value = String::new();
        let mut at = inner;
        loop {
            let found = self.special(at, quote);
            if found == self.cursor.end {
                let line = self.text[at..found].trim_end_matches(' ');
                value.push_str(line);
                let line = self.next_quoted_line(quote)?;
                fold(&mut value, line.breaks);
                at = line.content;
                continue;
            }
            value.push_str(&self.text[at..found]);
            if self.cursor.bytes[found] == b'\\' {
                if found + 1 == self.cursor.end {
                    let line = self.next_quoted_line(quote)?;
                    break_lines(&mut value, line.breaks - 1);
                    at = line.content;
                } else {
                    let (character, length) =
                        escape(&self.cursor.bytes[found + 1..self.cursor.end]).ok_or(GiveUp)?;
                    value.push(character);
                    at = found + 1 + length;
                }
            } else if quote == b'\'' && self.cursor.bytes.get(found + 1) == Some(&b'\'') {
                value.push('\'');
                at = found + 2;
            } else {
                return Ok((value, found + 1));
            }
        }
    }

    /// Goes on to the next line within quotes that is not empty. It must be indented more than the block collection around;
    /// a quote that closes need not.
    fn next_quoted_line(&mut self, quote: u8) -> Taken<NextLine> {
        let line = self.cursor.ahead().ok_or(GiveUp)?;
        self.cursor.pass_line();
        let is_indented = self.cursor.bytes[line.content] == quote || line.column() > self.column();
        self.cursor.no_tabs(line.content)?;
        GiveUp::unless(is_indented).map(|()| line)
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
