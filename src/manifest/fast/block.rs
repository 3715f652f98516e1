//! Block scalars, literal and folded. What ends one is seen at once; its value is made when somebody asks for it, for
//! scripts, dashboards and the prose of schemas are long.

use std::borrow::Cow;

use memchr::{memchr, memmem};

use super::super::Span;
use super::super::event::{Event, Scalar, ScalarStyle, Sink, Undecoded};
use super::plain::{break_lines, fold};
use super::{DocumentReader, GiveUp, Taken, search};

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

/// A block scalar with text in it.
#[derive(Clone, Copy)]
pub struct Block<'a> {
    /// The text of the file, up to the end of the document.
    text: &'a str,
    style: ScalarStyle,
    chomping: Chomping,
    /// Where its `|` or `>` stands.
    start: usize,
    /// Its first line of text.
    first: Ahead,
    /// How much its text is indented.
    indent: usize,
    /// The end of its indentation, of the first line behind it.
    end: usize,
}

impl<'a> Block<'a> {
    /// The value.
    fn value(&self) -> Cow<'a, str> {
        let bytes = self.text.as_bytes();
        let mut value: Cow<'a, str> = Cow::Borrowed("");
        let (mut ahead, mut is_first, mut after_blank) = (self.first, true, false);
        let line_end = loop {
            let Ahead { breaks, at, .. } = ahead;
            let blank = matches!(bytes[at], b' ' | b'\t');
            let line_end = line_end(bytes, at);
            let line = &self.text[at..line_end];
            if is_first && breaks == 0 {
                value = Cow::Borrowed(line);
            } else {
                let value = value.to_mut();
                if self.style == ScalarStyle::Folded && !is_first && !after_blank && !blank {
                    fold(value, breaks + 1);
                } else {
                    break_lines(value, breaks + usize::from(!is_first));
                }
                value.push_str(line);
            }
            (is_first, after_blank) = (false, blank);
            if line_end == bytes.len() {
                ahead = Ahead { breaks: 0, ..ahead };
                break line_end;
            }
            // What would be given up on was so before there was a block.
            let Some(next) = skip_empty(bytes, after(bytes, line_end), self.indent) else { break line_end };
            ahead = next;
            if ahead.column < self.indent || ahead.at == bytes.len() {
                break line_end;
            }
        };
        if self.chomping != Chomping::Strip {
            match value {
                Cow::Borrowed(text) if bytes.get(line_end) == Some(&b'\n') => {
                    value = Cow::Borrowed(&self.text[line_end - text.len()..=line_end]);
                }
                _ => value.to_mut().push('\n'),
            }
        }
        if self.chomping == Chomping::Keep && ahead.breaks > 0 {
            break_lines(value.to_mut(), ahead.breaks);
        }
        value
    }
}

impl<'a> Undecoded<'a> for Block<'a> {
    fn contains(&self, word: &memmem::Finder<'_>) -> bool {
        word.find(&self.text.as_bytes()[self.first.at..self.end]).is_some()
    }
}

impl<'a> From<Block<'a>> for Scalar<'a> {
    fn from(block: Block<'a>) -> Self {
        let span = Span::new(block.first.at, block.end);
        Self::bare(block.value(), span, block.start, block.style)
    }
}

/// Where the line at `from` ends.
fn line_end(bytes: &[u8], from: usize) -> usize {
    match memchr(b'\n', &bytes[from..]) {
        Some(length) if length > 0 && bytes[from + length - 1] == b'\r' => from + length - 1,
        Some(length) => from + length,
        None => bytes.len(),
    }
}

/// Where the line starts that is behind the end of another.
fn after(bytes: &[u8], line_end: usize) -> usize {
    line_end + if bytes[line_end] == b'\r' { 2 } else { 1 }
}

/// Passes over empty lines from the start of `line` on. A line with `indent` spaces and more is not empty.
#[inline]
fn skip_empty(bytes: &[u8], mut line: usize, indent: usize) -> Option<Ahead> {
    let mut breaks = 0;
    let mut widest = 0;
    loop {
        let column = (search::skip_spaces(bytes, line) - line).min(indent);
        let at = line + column;
        match bytes.get(at) {
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

impl<'a, S: Sink<'a>> DocumentReader<'a, '_, S> {
    /// Reads the block scalar whose `|` or `>` is at `start`.
    pub(super) fn block_scalar(&mut self, start: usize) -> Taken {
        let style = if self.cursor.bytes[start] == b'|' { ScalarStyle::Literal } else { ScalarStyle::Folded };
        let header = self.header(start + 1)?;
        let parent = self.column();
        let increment = header.increment.map_or(usize::MAX, |increment| parent + increment);
        let first = skip_empty(self.cursor.bytes, self.cursor.next.min(self.cursor.bytes.len()), increment)
            .ok_or(GiveUp)?;
        // Without an indicator the first line of text says the indentation, and no empty line before it may
        // have more.
        let indent = header.increment.map_or(first.column.max(first.widest), |increment| parent + increment);
        self.pass_lines(first.at - first.column);
        if first.at == self.cursor.bytes.len() {
            // Without a line of text the scalar's span is all of it.
            GiveUp::unless(header.chomping != Chomping::Keep)?;
            self.pass_lines(first.at);
            self.without_text(Cow::Borrowed(""), Span::new(start, first.at), start, style);
            return Ok(());
        }
        if first.column <= parent || first.column < indent {
            GiveUp::unless(first.column <= parent)?;
            let value =
                if header.chomping == Chomping::Keep { "\n".repeat(first.breaks) } else { String::new() };
            self.without_text(Cow::Owned(value), Span::new(first.at, first.at), start, style);
            return Ok(());
        }
        let end = self.block_end(indent)?;
        let text = &self.text[..self.cursor.bytes.len()];
        let chomping = header.chomping;
        self.sink.block(Block { text, style, chomping, start, first, indent, end });
        Ok(())
    }

    fn header(&self, from: usize) -> Taken<Header> {
        let mut header = Header { chomping: Chomping::Clip, increment: None };
        let mut at = from;
        while at < self.cursor.end {
            match self.cursor.bytes[at] {
                b'+' if header.chomping == Chomping::Clip => header.chomping = Chomping::Keep,
                b'-' if header.chomping == Chomping::Clip => header.chomping = Chomping::Strip,
                digit @ b'1'..=b'9' if header.increment.is_none() => {
                    header.increment = Some(usize::from(digit - b'0'));
                }
                _ => break,
            }
            at += 1;
        }
        self.cursor.nothing_behind(at)?;
        Ok(header)
    }

    /// Goes on to the line before the one that starts at `line`.
    fn pass_lines(&mut self, line: usize) {
        while self.cursor.next < line {
            self.cursor.pass_line();
        }
    }

    /// Passes over the lines of text, and says where the YAML reader's span of them ends.
    fn block_end(&mut self, indent: usize) -> Taken<usize> {
        loop {
            let content = self.cursor.next_content();
            match self.cursor.bytes.get(content) {
                None => {
                    self.pass_lines(content);
                    return Ok(content);
                }
                // An empty line, or one of spaces alone.
                Some(b'\n' | b'\r') => {}
                Some(byte) if content - self.cursor.next < indent => {
                    // A tab may not help to indent.
                    return GiveUp::unless(*byte != b'\t').map(|()| content);
                }
                Some(_) => {}
            }
            self.cursor.pass_line();
        }
    }

    /// A block scalar without a line of text.
    fn without_text(&mut self, value: Cow<'a, str>, span: Span, start: usize, style: ScalarStyle) {
        self.sink.event(Event::Scalar(Scalar::bare(value, span, start, style)));
    }
}
