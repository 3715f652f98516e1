//! Block scalars, literal and folded.

use std::borrow::Cow;

use super::super::Span;
use super::super::event::{Event, Scalar, ScalarStyle, Sink, Tag};
use super::Reader;
use super::plain::{break_lines, fold};

/// What becomes of the line breaks at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Clip,
    Strip,
    Keep,
}

/// What a block scalar's first line says.
#[derive(Debug, Clone, Copy)]
struct Header {
    chomping: Chomping,
    /// By how many columns the text is indented more than what holds it, if that is said.
    increment: Option<usize>,
}

/// The next line of a block scalar that is not empty.
#[derive(Debug, Clone, Copy)]
struct Ahead {
    /// How many empty lines are before it.
    breaks: usize,
    /// How much the widest of those is indented.
    widest: usize,
    /// The end of its indentation, or of the text.
    at: usize,
    column: usize,
}

impl<'a, S: Sink<'a>> Reader<'a, '_, S> {
    /// Reads the block scalar whose `|` or `>` is at `start`, in a line that ends at `end`.
    pub(super) fn block_scalar(&mut self, start: usize, end: usize, style: ScalarStyle) -> Option<()> {
        let header = self.header(start + 1, end)?;
        let parent = self.column();
        let ahead = match header.increment {
            Some(increment) => self.skip_empty(parent + increment)?,
            None => self.skip_empty(usize::MAX)?,
        };
        // Without an indicator the first line of text says the indentation, and no empty line before it may
        // have more.
        let indent = header.increment.map_or(ahead.column.max(ahead.widest), |increment| parent + increment);
        if ahead.at == self.bytes.len() {
            // Without a line of text the scalar's span is all of it.
            if header.chomping == Chomping::Keep {
                return None;
            }
            self.next = ahead.at;
            self.block_event(Cow::Borrowed(""), Span::new(start, ahead.at), start, style);
            return Some(());
        }
        if ahead.column <= parent || ahead.column < indent {
            if ahead.column > parent {
                return None;
            }
            let value =
                if header.chomping == Chomping::Keep { "\n".repeat(ahead.breaks) } else { String::new() };
            self.next = ahead.at - ahead.column;
            self.content = ahead.at;
            self.block_event(Cow::Owned(value), Span::new(ahead.at, ahead.at), start, style);
            return Some(());
        }
        let (value, end) = self.block_text(ahead, indent, style, header.chomping)?;
        self.block_event(value, Span::new(ahead.at, end), start, style);
        Some(())
    }

    fn header(&self, from: usize, end: usize) -> Option<Header> {
        let mut header = Header { chomping: Chomping::Clip, increment: None };
        let mut at = from;
        while at < end {
            match self.bytes[at] {
                b'+' if header.chomping == Chomping::Clip => header.chomping = Chomping::Keep,
                b'-' if header.chomping == Chomping::Clip => header.chomping = Chomping::Strip,
                digit @ b'1'..=b'9' if header.increment.is_none() => {
                    header.increment = Some(usize::from(digit - b'0'));
                }
                _ => break,
            }
            at += 1;
        }
        self.nothing_behind(at, end)?;
        Some(header)
    }

    /// Passes over empty lines from `next` on. A line with `indent` spaces and more is not empty.
    fn skip_empty(&mut self, indent: usize) -> Option<Ahead> {
        let mut breaks = 0;
        let mut widest = 0;
        let mut line = self.next;
        loop {
            let column = (self.skip_spaces(line) - line).min(indent);
            let at = line + column;
            match self.bytes.get(at) {
                Some(b'\n') => line = at + 1,
                Some(b'\r') => line = at + 2,
                // A tab may not help to indent.
                Some(b'\t') if indent != usize::MAX && column < indent => return None,
                _ => return Some(Ahead { breaks, widest, at, column }),
            }
            widest = widest.max(column);
            breaks += 1;
        }
    }

    /// Reads the text from its first line on: the value and where the YAML reader's span of it ends.
    fn block_text(
        &mut self,
        first: Ahead,
        indent: usize,
        style: ScalarStyle,
        chomping: Chomping,
    ) -> Option<(Cow<'a, str>, usize)> {
        let folded = style == ScalarStyle::Folded;
        let mut value: Cow<'a, str> = Cow::Borrowed("");
        let mut ahead = first;
        let mut is_first = true;
        let mut after_blank = false;
        let mut line_end;
        loop {
            let Ahead { breaks, at, .. } = ahead;
            let blank = matches!(self.bytes[at], b' ' | b'\t');
            line_end = self.line_end(at);
            let line = &self.text[at..line_end];
            if is_first && breaks == 0 {
                value = Cow::Borrowed(line);
            } else {
                let value = value.to_mut();
                if folded && !is_first && !after_blank && !blank {
                    fold(value, breaks + 1);
                } else {
                    break_lines(value, breaks + usize::from(!is_first));
                }
                value.push_str(line);
            }
            is_first = false;
            after_blank = blank;
            if line_end == self.bytes.len() {
                ahead = Ahead { breaks: 0, widest: 0, at: line_end, column: 0 };
                break;
            }
            ahead = self.skip_empty(indent)?;
            if ahead.column < indent || ahead.at == self.bytes.len() {
                break;
            }
        }
        if chomping != Chomping::Strip {
            match value {
                Cow::Borrowed(text) if self.bytes.get(line_end) == Some(&b'\n') => {
                    let start = line_end - text.len();
                    value = Cow::Borrowed(&self.text[start..=line_end]);
                }
                _ => value.to_mut().push('\n'),
            }
        }
        if chomping == Chomping::Keep && ahead.breaks > 0 {
            break_lines(value.to_mut(), ahead.breaks);
        }
        self.next = if ahead.at == self.bytes.len() { ahead.at } else { ahead.at - ahead.column };
        self.content = ahead.at;
        Some((value, ahead.at))
    }

    fn block_event(&mut self, value: Cow<'a, str>, span: Span, start: usize, style: ScalarStyle) {
        self.sink.event(Event::Scalar(Scalar { value, span, start, style, tag: Tag::None, anchor: None }));
    }
}
