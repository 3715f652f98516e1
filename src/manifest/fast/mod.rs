//! The fast reader: block-style YAML of the kind that manifests are written in, at a tenth of the cost.
//! On every text it either gives up or says exactly what the YAML reader says.
//!
//! It goes from line to line and searches where the YAML reader looks at each character. Giving up is
//! always right and only slow, so whatever is rare in manifests is given up on: anchors, aliases, tags,
//! complex keys, tabs outside block scalars, odd flow collections, a document that is no block collection.

mod block;
mod flow;
mod plain;
mod quoted;
mod search;
mod survey;

use std::borrow::Cow;

use memchr::memchr;

use super::Span;
use super::event::{Event, Scalar, ScalarStyle, Sink, Tag};

/// How deep collections may nest here; the YAML reader's limit is 255.
const MAX_DEPTH: usize = 200;

/// How many bytes a key may have here; the YAML reader takes 1,024 characters.
const MAX_KEY: usize = 1_000;

/// Reads `span` of `text`, one document, and says whether it was sure of all of it. When it was not, the
/// sink has heard a part and must forget it.
///
/// `span` is a segment: a `---` line may stand at its start and nowhere else.
pub fn read<'a>(text: &'a str, span: Span, sink: &mut impl Sink<'a>) -> bool {
    span.of(text).is_some() && Reader::document(text, span, sink).is_some()
}

/// What kind of block collection is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Mapping,
    Sequence,
    /// A sequence in the same column as the mapping whose value it is.
    FlushSequence,
}

/// An open block collection.
#[derive(Debug, Clone, Copy)]
struct Frame {
    /// Where its keys or dashes stand, in bytes (and characters: only spaces and dashes are before them)
    /// from the start of the line.
    column: usize,
    kind: Kind,
}

/// A line's content: from its first byte that is no space to where its line break starts.
#[derive(Debug, Clone, Copy)]
struct Line {
    start: usize,
    end: usize,
    column: usize,
}

/// The reading of one document. What returns an `Option` gives up with `None`.
struct Reader<'a, 's, S> {
    text: &'a str,
    /// The bytes of `text` up to the end of the segment.
    bytes: &'a [u8],
    /// The start of the next line.
    next: usize,
    /// The first byte of the next line that is no space, if it is known: when it is behind `next`.
    content: usize,
    /// Whether the segment holds tabs.
    tabs: bool,
    frames: Vec<Frame>,
    /// The innermost collection (at first, the document) waits for a node; when none comes, it is an empty
    /// one at this offset.
    waiting: Option<usize>,
    sink: &'s mut S,
}

impl<'a, 's, S: Sink<'a>> Reader<'a, 's, S> {
    /// Reads a whole segment.
    fn document(text: &'a str, span: Span, sink: &'s mut S) -> Option<()> {
        let bytes = &text.as_bytes()[..span.end];
        let tabs = survey::survey(&bytes[span.start..])?.tabs;
        let frames = Vec::with_capacity(16);
        let mut reader =
            Self { text, bytes, next: span.start, content: 0, tabs, frames, waiting: None, sink };
        let marked = reader.marker()?;
        while let Some(line) = reader.next_line() {
            reader.line(line)?;
        }
        if reader.frames.is_empty() {
            // Nothing but comments: a document only if `---` says so.
            let start = marked?;
            reader.scalar(Cow::Borrowed(""), Span::new(start, start), ScalarStyle::Plain);
        }
        reader.fill();
        while let Some(frame) = reader.frames.pop() {
            reader.end(frame.kind);
        }
        Some(())
    }

    /// Passes a `---` line at the start, and says where its marker ends.
    fn marker(&mut self) -> Option<Option<usize>> {
        let start = self.next;
        self.waiting = Some(start);
        if !self.bytes[start..].starts_with(b"---") {
            return Some(None);
        }
        let end = self.line_end(start);
        let after = start + 3;
        (after == end || self.bytes[after] == b' ').then_some(())?;
        self.nothing_behind(after, end)?;
        Some(Some(after))
    }

    /// The next line that has content and is no comment.
    fn next_line(&mut self) -> Option<Line> {
        loop {
            let start = self.next;
            let content = if self.content > start { self.content } else { self.skip_spaces(start) };
            match self.bytes.get(content)? {
                b'\n' => self.next = content + 1,
                b'\r' => self.next = content + 2,
                b'#' => self.next = self.after_break(content),
                _ => {
                    let end = self.line_end(content);
                    return Some(Line { start: content, end, column: content - start });
                }
            }
        }
    }

    /// Where the content of the line at `from` ends; `next` moves behind its break.
    fn line_end(&mut self, from: usize) -> usize {
        let Some(length) = memchr(b'\n', &self.bytes[from..]) else {
            self.next = self.bytes.len();
            return self.next;
        };
        let end = from + length;
        self.next = end + 1;
        if length > 0 && self.bytes[end - 1] == b'\r' { end - 1 } else { end }
    }

    fn after_break(&self, from: usize) -> usize {
        memchr(b'\n', &self.bytes[from..]).map_or(self.bytes.len(), |i| from + i + 1)
    }

    fn skip_spaces(&self, from: usize) -> usize {
        search::skip_spaces(self.bytes, from)
    }

    /// Passes the spaces between two tokens: mostly it is one or none.
    #[inline]
    fn skip_gap(&self, from: usize) -> usize {
        match self.bytes.get(from) {
            Some(b' ') => match self.bytes.get(from + 1) {
                Some(b' ') => self.skip_spaces(from + 2),
                _ => from + 1,
            },
            _ => from,
        }
    }

    /// Gives up on lines with tabs, which may stand only where few do.
    fn no_tabs(&self, from: usize, to: usize) -> Option<()> {
        (!self.tabs || memchr(b'\t', &self.bytes[from..to]).is_none()).then_some(())
    }

    /// Makes sure that nothing but spaces and a comment is between `from`, where a token ends, and the end of
    /// its line.
    fn nothing_behind(&self, from: usize, end: usize) -> Option<()> {
        let at = self.skip_gap(from);
        (at == end || (self.bytes[at] == b'#' && at > from)).then_some(())
    }

    /// Reads a line that starts a node or an entry of an open collection.
    fn line(&mut self, line: Line) -> Option<()> {
        let Line { mut start, end, mut column } = line;
        self.no_tabs(start, end)?;
        let mut dash = self.is_indicator(start, end, b'-');
        if column == 0 {
            let rest = &self.bytes[start..end];
            if rest[0] == b'%' || rest.starts_with(b"---") || rest.starts_with(b"...") {
                return None;
            }
        }
        let mut is_new = self.settle(column, dash)?;
        while dash {
            if is_new {
                self.begin(column, Kind::Sequence)?;
            }
            let content = self.skip_gap(start + 1);
            if content == end || self.bytes[content] == b'#' {
                self.waiting = Some(end);
                return Some(());
            }
            self.waiting = Some(start);
            column += content - start;
            start = content;
            dash = self.is_indicator(start, end, b'-');
            is_new = true;
        }
        self.key_or_scalar(start, end, column, is_new)
    }

    /// Closes what ends before a line whose content is in `column`, and says whether that content is a new
    /// node; else it is an entry of the innermost collection.
    fn settle(&mut self, column: usize, dash: bool) -> Option<bool> {
        while let Some(frame) = self.frames.last().copied()
            && frame.column > column
        {
            self.fill();
            self.frames.pop();
            self.end(frame.kind);
        }
        let Some(frame) = self.frames.last().copied().filter(|frame| frame.column == column) else {
            return self.waiting.is_some().then_some(true);
        };
        match (frame.kind, dash) {
            (Kind::Mapping, true) => {
                self.waiting?;
                self.begin(column, Kind::FlushSequence)?;
            }
            (Kind::Mapping, false) | (Kind::Sequence | Kind::FlushSequence, true) => self.fill(),
            (Kind::Sequence, false) => return None,
            (Kind::FlushSequence, false) => {
                self.fill();
                self.frames.pop();
                self.end(frame.kind);
            }
        }
        Some(false)
    }

    /// Reads a key and its value, or a scalar or flow collection that is a node of its own.
    fn key_or_scalar(&mut self, start: usize, end: usize, column: usize, is_new: bool) -> Option<()> {
        let (value, span, style, colon) = match self.bytes[start] {
            quote @ (b'"' | b'\'') => {
                let (value, close) = self.quoted(start, end, quote)?;
                let after = self.skip_gap(close);
                // A scalar over lines was no key, and `next` tells.
                let one_line = close <= end;
                if !(one_line && self.bytes.get(after) == Some(&b':')) {
                    return self.lone_scalar(value, Span::new(start, close), quoted::style(quote), is_new);
                }
                (value, Span::new(start, close), quoted::style(quote), after)
            }
            b'|' | b'>' | b'[' | b'{' => {
                return if is_new { self.value(start, end) } else { None };
            }
            _ => {
                let (content_end, colon) = match self.plain_key(start, end) {
                    Some(colon) => (colon, colon),
                    None => {
                        self.may_start_plain(start, end).then_some(())?;
                        match self.plain_end(start, end) {
                            (content_end, plain::Stop::Colon(colon)) => (content_end, colon),
                            _ => return if is_new { self.value(start, end) } else { None },
                        }
                    }
                };
                let span = Span::new(start, content_end);
                (Cow::Borrowed(&self.text[start..content_end]), span, ScalarStyle::Plain, colon)
            }
        };
        if colon - start > MAX_KEY || !self.is_indicator(colon, end, b':') {
            return None;
        }
        if is_new {
            self.begin(column, Kind::Mapping)?;
        }
        self.scalar(value, span, style);
        let content = self.skip_gap(colon + 1);
        self.waiting = Some(colon);
        if content == end || self.bytes[content] == b'#' {
            return Some(());
        }
        if !matches!(self.bytes[content], b'"' | b'\'') {
            return self.value(content, end);
        }
        let quote = self.bytes[content];
        let (value, close) = self.quoted(content, end, quote)?;
        self.lone_scalar(value, Span::new(content, close), quoted::style(quote), true)
    }

    /// A quoted scalar that is no key; `next` is behind the line it ends in.
    fn lone_scalar(
        &mut self,
        value: Cow<'a, str>,
        span: Span,
        style: ScalarStyle,
        is_new: bool,
    ) -> Option<()> {
        let end = self.line_end(span.end);
        self.nothing_behind(span.end, end)?;
        if !is_new || self.frames.is_empty() {
            return None;
        }
        self.scalar(value, span, style);
        self.waiting = None;
        Some(())
    }

    /// A value that is neither quoted nor a block collection.
    fn value(&mut self, start: usize, end: usize) -> Option<()> {
        if self.frames.is_empty() {
            return None;
        }
        match self.bytes[start] {
            b'|' => self.block_scalar(start, end, ScalarStyle::Literal)?,
            b'>' => self.block_scalar(start, end, ScalarStyle::Folded)?,
            b'[' | b'{' => {
                let mut end = end;
                let close = self.flow(start, &mut end, 0)?;
                self.nothing_behind(close, end)?;
            }
            _ => {
                (self.may_start_plain(start, end) && !self.is_indicator(start, end, b'-')).then_some(())?;
                self.plain(start, end)?;
            }
        }
        self.waiting = None;
        Some(())
    }

    /// Whether at `at` stands `indicator` with a space or the end of the line behind it.
    #[inline]
    fn is_indicator(&self, at: usize, end: usize, indicator: u8) -> bool {
        self.bytes[at] == indicator && (at + 1 == end || self.bytes[at + 1] == b' ')
    }

    /// The column of the innermost collection; a document that is a scalar is given up on.
    fn column(&self) -> usize {
        self.frames.last().map_or(usize::MAX, |frame| frame.column)
    }

    fn begin(&mut self, column: usize, kind: Kind) -> Option<()> {
        if self.frames.len() >= MAX_DEPTH {
            return None;
        }
        self.frames.push(Frame { column, kind });
        self.waiting = None;
        self.sink.event(match kind {
            Kind::Mapping => Event::MappingStart { anchor: None, flow: false },
            Kind::Sequence | Kind::FlushSequence => Event::SequenceStart { anchor: None, flow: false },
        });
        Some(())
    }

    fn end(&mut self, kind: Kind) {
        self.sink.event(match kind {
            Kind::Mapping => Event::MappingEnd,
            Kind::Sequence | Kind::FlushSequence => Event::SequenceEnd,
        });
    }

    /// Puts an empty node where one is waited for.
    fn fill(&mut self) {
        if let Some(at) = self.waiting.take()
            && !self.frames.is_empty()
        {
            self.scalar(Cow::Borrowed(""), Span::new(at, at), ScalarStyle::Plain);
        }
    }

    fn scalar(&mut self, value: Cow<'a, str>, span: Span, style: ScalarStyle) {
        let start = span.start;
        self.sink.event(Event::Scalar(Scalar { value, span, start, style, tag: Tag::None, anchor: None }));
    }
}
