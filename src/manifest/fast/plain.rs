//! Plain scalars, in one line and over lines.

use std::borrow::Cow;

use super::super::Span;
use super::super::event::{ScalarStyle, Sink};
use super::{Reader, search};

/// What ends a plain scalar's text in its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The line is over.
    Line,
    /// A comment starts.
    Comment,
    /// A `:` that makes it a key, at this offset.
    Colon(usize),
}

impl<'a, S: Sink<'a>> Reader<'a, '_, S> {
    /// The `:` of a plain key of the most common kind: it begins with a letter, and the first `:` or `#` in
    /// its line ends it.
    #[inline]
    pub(super) fn plain_key(&self, start: usize, end: usize) -> Option<usize> {
        if !self.bytes[start].is_ascii_alphabetic() {
            return None;
        }
        let at = search::colon_or_hash(self.bytes, start, end)?;
        (self.is_indicator(at, end, b':') && self.bytes[at - 1] != b' ').then_some(at)
    }

    /// Whether the byte at `start` may begin a plain scalar outside flow collections.
    #[inline]
    pub(super) fn may_start_plain(&self, start: usize, end: usize) -> bool {
        match self.bytes[start] {
            b'?' | b':' => start + 1 < end && self.bytes[start + 1] != b' ',
            byte => !matches!(
                byte,
                b'[' | b']'
                    | b'{'
                    | b'}'
                    | b','
                    | b'#'
                    | b'&'
                    | b'*'
                    | b'!'
                    | b'|'
                    | b'>'
                    | b'\''
                    | b'"'
                    | b'%'
                    | b'@'
                    | b'`'
            ),
        }
    }

    /// Where the text of the plain scalar at `start` ends in its line, spaces before that not counted, and
    /// what ends it.
    pub(super) fn plain_end(&self, start: usize, end: usize) -> (usize, Stop) {
        let mut at = start;
        let (mut text_end, stop) = loop {
            let Some(found) = search::colon_or_hash(self.bytes, at, end) else { break (end, Stop::Line) };
            at = found;
            if self.bytes[at] == b':' {
                if at + 1 == end || self.bytes[at + 1] == b' ' {
                    break (at, Stop::Colon(at));
                }
            } else if at > start && self.bytes[at - 1] == b' ' {
                break (at, Stop::Comment);
            }
            at += 1;
        };
        while text_end > start && self.bytes[text_end - 1] == b' ' {
            text_end -= 1;
        }
        (text_end, stop)
    }

    /// Reads a plain scalar that is no key, with the lines that go on with it.
    pub(super) fn plain(&mut self, start: usize, end: usize) -> Option<()> {
        let (mut text_end, mut stop) = self.plain_end(start, end);
        let mut value = Cow::Borrowed(&self.text[start..text_end]);
        loop {
            match stop {
                Stop::Colon(_) => return None,
                Stop::Comment => break,
                Stop::Line => {}
            }
            let Some((breaks, line)) = self.continuation() else { break };
            let end = self.line_end(line);
            self.no_tabs(line, end)?;
            if self.is_indicator(line, end, b':') {
                return None;
            }
            (text_end, stop) = self.plain_end(line, end);
            let value = value.to_mut();
            fold(value, breaks);
            value.push_str(&self.text[line..text_end]);
        }
        self.scalar(value, Span::new(start, text_end), ScalarStyle::Plain);
        Some(())
    }

    /// The line that goes on with a plain scalar of the innermost collection, if there is one: how many line
    /// breaks are before it, and where its content starts. Passes empty lines.
    fn continuation(&mut self) -> Option<(usize, usize)> {
        let mut breaks = 1;
        loop {
            let line = self.next;
            let start = self.skip_spaces(line);
            match self.bytes.get(start)? {
                b'\n' => self.next = start + 1,
                b'\r' => self.next = start + 2,
                b'#' => return None,
                _ => {
                    self.content = start;
                    return (start - line > self.column()).then_some((breaks, start));
                }
            }
            breaks += 1;
        }
    }
}

/// Adds what `breaks` line breaks between two lines of text stand for.
pub(super) fn fold(value: &mut String, breaks: usize) {
    if breaks == 1 {
        value.push(' ');
    } else {
        break_lines(value, breaks - 1);
    }
}

/// Adds `breaks` line breaks.
pub(super) fn break_lines(value: &mut String, breaks: usize) {
    for _ in 0..breaks {
        value.push('\n');
    }
}
