//! The fast reader: block-style YAML of the kind that manifests are written in, at a tenth of the cost.
//! On every text it either gives up or says exactly what the YAML reader says.
//!
//! What the structure of a text hangs on (line ends, the first byte of each line, `: ` and ` #`) is found in one pass
//! of vector instructions; then it goes from line to line and from mark to mark where the YAML reader looks at each
//! character. Giving up is always right and only slow, so whatever is rare in manifests is given up on: anchors,
//! aliases, tags, complex keys, tabs outside block scalars, odd flow collections, a document that is no block
//! collection.
//!
//! `docs/decisions/fast-reader.md` says why there are two readers, and what each trick saves.

mod block;
mod class;
mod flow;
mod plain;
mod quoted;
mod search;
mod tape;

use memchr::memchr;

use super::Span;
use super::event::{Event, Scalar, ScalarStyle, Sink, Word};
pub use block::Block;
use class::{Class, Odd};
use plain::Stop;
use tape::{Marks, Tape};

/// How deep collections may nest here; the YAML reader's limit is 255.
const MAX_DEPTH: usize = 200;

/// How many bytes a key may have here; the YAML reader takes 1,024 characters.
const MAX_KEY: usize = 1_000;

/// Reads documents, and keeps its memory from one to the next.
#[derive(Debug, Default)]
pub struct FastReader {
    tape: Tape,
    frames: Vec<Frame>,
}

impl FastReader {
    /// Reads `span` of `text`, one document, and says whether it was sure of all of it. When it was not, the
    /// sink has heard a part and must forget it.
    ///
    /// `span` is a segment: a `---` line may stand at its start and nowhere else.
    pub fn read<'a>(&mut self, text: &'a str, span: Span, sink: &mut impl Sink<'a>) -> bool {
        span.of(text).is_some() && Reader::document(text, span, self, sink).is_some()
    }
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

/// Where a line's content starts.
#[derive(Debug, Clone, Copy)]
struct Line {
    start: usize,
    column: usize,
}

/// The reading of one document. What returns an `Option` gives up with `None`.
struct Reader<'a, 's, S> {
    text: &'a str,
    /// The bytes of `text` up to the end of the segment.
    bytes: &'a [u8],
    marks: Marks<'s>,
    odd: Odd,
    /// Where the content of the line at hand ends.
    end: usize,
    /// The start of the next line.
    next: usize,
    /// Index of the next line.
    next_line: usize,
    /// Index of the next `:` or `#` to look at.
    next_mark: usize,
    frames: &'s mut Vec<Frame>,
    /// The innermost collection (at first, the document) waits for a node; when none comes, it is an empty
    /// one at this offset.
    waiting: Option<usize>,
    sink: &'s mut S,
}

impl<'a, 's, S: Sink<'a>> Reader<'a, 's, S> {
    /// Reads a whole segment.
    fn document(text: &'a str, span: Span, memory: &'s mut FastReader, sink: &'s mut S) -> Option<()> {
        let FastReader { tape, frames } = memory;
        let bytes = &text.as_bytes()[..span.end];
        let mut odd = Odd::default();
        let marks = tape.read(bytes, span.start, |at| odd.add(bytes, at))?;
        frames.clear();
        let mut reader = Self {
            text,
            bytes,
            marks,
            odd,
            end: span.start,
            next: span.start,
            next_line: 0,
            next_mark: 0,
            frames,
            waiting: Some(span.start),
            sink,
        };
        let marked = reader.marker()?;
        while let Some(line) = reader.next_line() {
            reader.line(line)?;
        }
        if reader.frames.is_empty() {
            // Nothing but comments: a document only if `---` says so.
            let start = marked?;
            reader.empty(start);
        }
        reader.fill();
        while let Some(frame) = reader.frames.pop() {
            reader.close(frame.kind);
        }
        Some(())
    }

    /// Passes a `---` line at the start, and says where its marker ends.
    fn marker(&mut self) -> Option<Option<usize>> {
        let start = self.next;
        if !self.bytes[start..].starts_with(b"---") {
            return Some(None);
        }
        self.pass_line();
        let after = start + 3;
        (after == self.end || self.bytes[after] == b' ').then_some(())?;
        self.nothing_behind(after)?;
        Some(Some(after))
    }

    /// Goes on to the next line.
    #[inline]
    fn pass_line(&mut self) {
        let end = self.marks.ends[self.next_line] as usize;
        self.next_line += 1;
        self.next = end + 1;
        self.end = if self.odd.returns && self.bytes[..end].last() == Some(&b'\r') { end - 1 } else { end };
    }

    /// Where the content of the next line starts; the end of the text when there is none.
    #[inline]
    fn next_content(&self) -> usize {
        self.marks.contents[self.next_line] as usize
    }

    /// Where the next line that has content, a comment perhaps, starts, and where its content does. How many empty lines
    /// are before it is added to `empty`.
    #[inline(always)]
    fn ahead(&mut self, empty: &mut usize) -> Option<(usize, usize)> {
        let mut content = self.next_content();
        if *self.bytes.get(content)? <= b'\r' {
            content = self.ahead_of_empty(empty)?;
        }
        Some((self.next, content))
    }

    /// [`Reader::ahead`] for empty lines (or a tab).
    #[inline(never)]
    fn ahead_of_empty(&mut self, empty: &mut usize) -> Option<usize> {
        loop {
            let content = self.next_content();
            match *self.bytes.get(content)? {
                b'\n' | b'\r' => self.pass_line(),
                _ => return Some(content),
            }
            *empty += 1;
        }
    }

    /// Goes on to the next line that has content and is no comment.
    #[inline]
    fn next_line(&mut self) -> Option<Line> {
        loop {
            let (line, start) = self.ahead(&mut 0)?;
            self.pass_line();
            if self.bytes[start] != b'#' {
                return Some(Line { start, column: start - line });
            }
        }
    }

    /// The next mark behind `from`; where there is none in the line at hand, its end or something behind that.
    #[inline]
    fn mark_behind(&mut self, from: usize) -> usize {
        loop {
            let mark = self.marks.marks[self.next_mark] as usize;
            if mark > from {
                return mark;
            }
            self.next_mark += 1;
        }
    }

    /// The first byte behind the spaces at `from`, which is mostly one.
    #[inline]
    fn skip_gap(&self, from: usize) -> usize {
        match self.bytes.get(from) {
            Some(b' ') => match self.bytes.get(from + 1) {
                Some(b' ') => search::skip_spaces(self.bytes, from + 2),
                _ => from + 1,
            },
            _ => from,
        }
    }

    /// Gives up on a line with tabs from `from` on; they may stand only where few do.
    #[inline]
    fn no_tabs(&self, from: usize) -> Option<()> {
        (!self.odd.tabs || memchr(b'\t', &self.bytes[from..self.end]).is_none()).then_some(())
    }

    /// Makes sure that nothing but spaces and a comment is between `from`, where a token ends, and the end of
    /// its line.
    #[inline]
    fn nothing_behind(&self, from: usize) -> Option<()> {
        let at = self.skip_gap(from);
        (at == self.end || (self.bytes[at] == b'#' && at > from)).then_some(())
    }

    /// Reads a line that starts a node or an entry of an open collection.
    #[inline]
    fn line(&mut self, line: Line) -> Option<()> {
        let Line { mut start, mut column } = line;
        self.no_tabs(start)?;
        if column == 0 && matches!(self.bytes[start], b'%' | b'-' | b'.') {
            let rest = &self.bytes[start..self.end];
            if rest[0] == b'%' || rest.starts_with(b"---") || rest.starts_with(b"...") {
                return None;
            }
        }
        let mut dash = self.is_indicator(start, b'-');
        let mut is_new = self.settle(column, dash)?;
        while dash {
            if is_new {
                self.begin(column, Kind::Sequence)?;
            }
            let content = self.skip_gap(start + 1);
            if content == self.end || self.bytes[content] == b'#' {
                self.waiting = Some(self.end);
                return Some(());
            }
            self.waiting = Some(start);
            column += content - start;
            start = content;
            dash = self.is_indicator(start, b'-');
            is_new = true;
        }
        self.key_or_scalar(start, column, is_new)
    }

    /// Closes what ends before a line whose content is in `column`, and says whether that content is a new
    /// node; else it is an entry of the innermost collection.
    #[inline]
    fn settle(&mut self, column: usize, dash: bool) -> Option<bool> {
        while let Some(frame) = self.frames.last().copied()
            && frame.column > column
        {
            self.fill();
            self.frames.pop();
            self.close(frame.kind);
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
                self.close(frame.kind);
            }
        }
        Some(false)
    }

    /// Reads a key and its value, or a scalar or flow collection that is a node of its own.
    #[inline]
    fn key_or_scalar(&mut self, start: usize, column: usize, is_new: bool) -> Option<()> {
        let class = Class::of(self.bytes[start]);
        if class == Class::Quote {
            return self.quoted_key_or_scalar(start, column, is_new);
        }
        let may_be_key = class == Class::Plain || (class == Class::Indicator && self.may_start_plain(start));
        let (key, stop) = if may_be_key { self.plain_end(start) } else { (start, Stop::Line) };
        let Stop::Colon(colon) = stop else {
            return if is_new { self.value(None, start) } else { None };
        };
        if colon - start > MAX_KEY {
            return None;
        }
        if is_new {
            self.begin(column, Kind::Mapping)?;
        }
        let key = Word::new(self.text, Span::new(start, key), ScalarStyle::Plain);
        self.entry(Some(key), colon)
    }

    /// As [`Reader::key_or_scalar`], for a quote at `start`.
    fn quoted_key_or_scalar(&mut self, start: usize, column: usize, is_new: bool) -> Option<()> {
        let line_end = self.end;
        let scalar = self.quoted(start)?;
        let close = scalar.span().end;
        let colon = self.skip_gap(close);
        // A scalar over lines is no key.
        if close > line_end || self.bytes.get(colon) != Some(&b':') {
            (is_new && !self.frames.is_empty()).then_some(())?;
            return self.quoted_value(None, scalar);
        }
        if colon - start > MAX_KEY || !self.is_indicator(colon, b':') {
            return None;
        }
        if is_new {
            self.begin(column, Kind::Mapping)?;
        }
        let key = match scalar {
            Quoted::Word(word) => Some(word),
            Quoted::Long(scalar) => {
                self.sink.event(Event::Scalar(scalar));
                None
            }
        };
        self.entry(key, colon)
    }

    /// Reads what is behind the `colon` of a key, which the sink has heard if it is not given.
    #[inline(always)]
    fn entry(&mut self, key: Option<Word<'a>>, colon: usize) -> Option<()> {
        let content = self.skip_gap(colon + 1);
        if content == self.end || self.bytes[content] == b'#' {
            self.key(key);
            self.waiting = Some(colon);
            return Some(());
        }
        if Class::of(self.bytes[content]) == Class::Plain {
            self.waiting = None;
            return self.plain(key, content);
        }
        self.value(key, content)
    }

    /// Reads a value that is no block collection; of a mapping, if there is a key.
    #[inline(never)]
    fn value(&mut self, key: Option<Word<'a>>, start: usize) -> Option<()> {
        if self.frames.is_empty() {
            return None;
        }
        self.waiting = None;
        match Class::of(self.bytes[start]) {
            Class::Plain | Class::Indicator | Class::Other => {
                (self.may_start_plain(start) && !self.is_indicator(start, b'-')).then_some(())?;
                self.plain(key, start)
            }
            Class::Quote => {
                let scalar = self.quoted(start)?;
                self.quoted_value(key, scalar)
            }
            Class::BlockScalar => {
                self.key(key);
                self.block_scalar(start)
            }
            Class::Flow => {
                self.key(key);
                let close = self.flow(start, 0)?;
                self.nothing_behind(close)
            }
        }
    }

    /// A quoted scalar that is no key; the line at hand is the one it ends in.
    #[inline]
    fn quoted_value(&mut self, key: Option<Word<'a>>, scalar: Quoted<'a>) -> Option<()> {
        self.waiting = None;
        self.nothing_behind(scalar.span().end)?;
        match scalar {
            Quoted::Word(word) => self.put(key, word),
            Quoted::Long(scalar) => {
                self.key(key);
                self.sink.event(Event::Scalar(scalar));
            }
        }
        Some(())
    }

    /// Whether at `at` of the line at hand stands `indicator` with a space or the end of the line behind it.
    #[inline]
    fn is_indicator(&self, at: usize, indicator: u8) -> bool {
        self.bytes[at] == indicator && (at + 1 == self.end || self.bytes[at + 1] == b' ')
    }

    /// The column of the innermost collection; a document that is a scalar is given up on.
    #[inline]
    fn column(&self) -> usize {
        self.frames.last().map_or(usize::MAX, |frame| frame.column)
    }

    #[inline]
    fn begin(&mut self, column: usize, kind: Kind) -> Option<()> {
        if self.frames.len() >= MAX_DEPTH {
            return None;
        }
        self.frames.push(Frame { column, kind });
        self.waiting = None;
        match kind {
            Kind::Mapping => self.sink.mapping_start(false),
            Kind::Sequence | Kind::FlushSequence => self.sink.sequence_start(false),
        }
        Some(())
    }

    #[inline]
    fn close(&mut self, kind: Kind) {
        match kind {
            Kind::Mapping => self.sink.mapping_end(),
            Kind::Sequence | Kind::FlushSequence => self.sink.sequence_end(),
        }
    }

    /// Puts an empty node where one is waited for.
    #[inline]
    fn fill(&mut self) {
        if let Some(at) = self.waiting.take()
            && !self.frames.is_empty()
        {
            self.empty(at);
        }
    }

    /// An empty node at `at`.
    fn empty(&mut self, at: usize) {
        self.sink.word(Word::new(self.text, Span::new(at, at), ScalarStyle::Plain));
    }

    /// A key whose value is more than a word.
    #[inline]
    fn key(&mut self, key: Option<Word<'a>>) {
        if let Some(key) = key {
            self.sink.word(key);
        }
    }

    /// A scalar that is a word, behind its key if it has one.
    #[inline]
    fn put(&mut self, key: Option<Word<'a>>, word: Word<'a>) {
        match key {
            Some(key) => self.sink.entry(key, word),
            None => self.sink.word(word),
        }
    }
}

/// A quoted scalar.
enum Quoted<'a> {
    Word(Word<'a>),
    /// With escapes in it, or over several lines.
    Long(Scalar<'a>),
}
