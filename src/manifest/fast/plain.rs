//! Plain scalars, in one line and over lines.

use super::super::Span;
use super::super::event::{Event, Scalar, ScalarStyle, Sink, Word};
use super::class::Class;
use super::cursor::NextLine;
use super::{DocumentReader, GiveUp, Taken};

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

impl<'a, S: Sink<'a>> DocumentReader<'a, '_, S> {
    /// Whether the byte at `start` may begin a plain scalar outside flow collections.
    #[inline]
    pub(super) fn may_start_plain(&self, start: usize) -> bool {
        match Class::of(self.cursor.bytes[start]) {
            Class::Plain => true,
            Class::Indicator => {
                self.cursor.bytes[start] == b'-'
                    || (start + 1 < self.cursor.end && self.cursor.bytes[start + 1] != b' ')
            }
            Class::Quote | Class::BlockScalar | Class::Flow | Class::Other => false,
        }
    }

    /// Where the text of the plain scalar at `start` ends in its line, spaces before that not counted, and
    /// what ends it. At `start` stands text, and no `:` that would be an indicator.
    #[inline(always)]
    pub(super) fn plain_end(&mut self, start: usize) -> (usize, Stop) {
        let mut from = start;
        let (text_end, stop) = loop {
            let mark = self.cursor.mark_behind(from).min(self.cursor.end);
            if self.cursor.bytes[mark - 1] == b':' {
                break (mark - 1, Stop::Colon(mark - 1));
            }
            if mark == self.cursor.end {
                break (mark, Stop::Line);
            }
            if self.cursor.bytes[mark] == b'#' {
                break (mark, Stop::Comment);
            }
            from = mark;
        };
        debug_assert!(text_end > start, "there is text");
        if self.cursor.bytes[text_end - 1] == b' ' {
            return (start + self.cursor.bytes[start..text_end].trim_ascii_end().len(), stop);
        }
        (text_end, stop)
    }

    /// Reads the plain scalar that starts at `start` and is no key, with the lines that go on with it.
    #[inline(always)]
    pub(super) fn plain(&mut self, key: Option<Word<'a>>, start: usize) -> Taken {
        let (text_end, stop) = self.plain_end(start);
        let more = match stop {
            Stop::Colon(_) => return Err(GiveUp),
            Stop::Comment => None,
            Stop::Line => self.continuation(),
        };
        if more.is_some() {
            self.key(key);
            return self.long_plain(Span::new(start, text_end), more);
        }
        self.put(key, Word::new(self.text, Span::new(start, text_end), ScalarStyle::Plain));
        Ok(())
    }

    /// Reads on in a plain scalar whose first line is `first`.
    fn long_plain(&mut self, first: Span, mut more: Option<NextLine>) -> Taken {
        let mut value = first.of(self.text).ok_or(GiveUp)?.to_owned();
        let mut text_end = first.end;
        while let Some(line) = more {
            self.cursor.pass_line();
            self.cursor.no_tabs(line.content)?;
            GiveUp::unless(!self.cursor.is_indicator(line.content, b':'))?;
            let stop;
            (text_end, stop) = self.plain_end(line.content);
            fold(&mut value, line.breaks);
            value.push_str(&self.text[line.content..text_end]);
            more = match stop {
                Stop::Colon(_) => return Err(GiveUp),
                Stop::Comment => None,
                Stop::Line => self.continuation(),
            };
        }
        let span = Span::new(first.start, text_end);
        self.sink.event(Event::Scalar(Scalar::bare(value.into(), span, span.start, ScalarStyle::Plain)));
        Ok(())
    }

    /// The line that goes on with a plain scalar of the innermost collection, if there is one. Passes empty lines.
    #[inline(always)]
    fn continuation(&mut self) -> Option<NextLine> {
        let line = self.cursor.ahead()?;
        (line.column() > self.column() && self.cursor.bytes[line.content] != b'#').then_some(line)
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
