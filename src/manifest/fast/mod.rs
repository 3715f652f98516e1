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
mod cursor;
mod flow;
mod plain;
mod quoted;
mod search;
mod tape;

use super::Span;
use super::event::{Event, Scalar, ScalarStyle, Sink, Word};
pub use block::Block;
use class::{Class, Odd};
use cursor::{Cursor, NextLine};
use plain::Stop;
use tape::Tape;

/// How deep collections may nest here; the YAML reader's limit is 255.
const DEPTH_MAX: usize = 200;

/// How many bytes a key may have here; the YAML reader takes 1,024 characters.
const KEY_MAX: usize = 1_000;

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
        span.of(text).is_some() && DocumentReader::document(text, span, self, sink).is_ok()
    }
}

/// What kind of block collection is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BlockKind {
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
    kind: BlockKind,
}

/// Why a document is left to the YAML reader: something in it is rare, and not worth being sure of here.
#[derive(Debug)]
struct GiveUp;

impl GiveUp {
    #[inline(always)]
    fn unless(is_sure: bool) -> Taken {
        if is_sure { Ok(()) } else { Err(Self) }
    }
}

/// What was read, unless the document is given up on.
type Taken<T = ()> = Result<T, GiveUp>;

/// The reading of one document.
struct DocumentReader<'a, 's, S> {
    text: &'a str,
    cursor: Cursor<'a, 's>,
    frames: &'s mut Vec<Frame>,
    /// The innermost collection (at first, the document) waits for a node; when none comes, it is an empty
    /// one at this offset.
    waiting: Option<usize>,
    sink: &'s mut S,
}

impl<'a, 's, S: Sink<'a>> DocumentReader<'a, 's, S> {
    /// Reads a whole segment.
    fn document(text: &'a str, span: Span, memory: &'s mut FastReader, sink: &'s mut S) -> Taken {
        let FastReader { tape, frames } = memory;
        let bytes = &text.as_bytes()[..span.end];
        let mut odd = Odd::default();
        let marks = tape.read(bytes, span.start, |at| odd.add(bytes, at)).ok_or(GiveUp)?;
        frames.clear();
        let mut reader = Self {
            text,
            cursor: Cursor::new(bytes, marks, odd, span.start),
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
            let start = marked.ok_or(GiveUp)?;
            reader.empty(start);
        }
        reader.fill();
        while let Some(frame) = reader.frames.pop() {
            reader.close(frame.kind);
        }
        Ok(())
    }

    /// Passes a `---` line at the start, and says where its marker ends.
    fn marker(&mut self) -> Taken<Option<usize>> {
        let start = self.cursor.next;
        if !self.cursor.bytes[start..].starts_with(b"---") {
            return Ok(None);
        }
        self.cursor.pass_line();
        let after = start + 3;
        GiveUp::unless(after == self.cursor.end || self.cursor.bytes[after] == b' ')?;
        self.cursor.nothing_behind(after)?;
        Ok(Some(after))
    }

    /// Goes on to the next line that has content and is no comment.
    #[inline]
    fn next_line(&mut self) -> Option<NextLine> {
        loop {
            let line = self.cursor.ahead()?;
            self.cursor.pass_line();
            if self.cursor.bytes[line.content] != b'#' {
                return Some(line);
            }
        }
    }

    /// Reads a line that starts a node or an entry of an open collection.
    #[inline(always)]
    fn line(&mut self, line: NextLine) -> Taken {
        let (mut start, mut column) = (line.content, line.column());
        self.cursor.no_tabs(start)?;
        if column == 0 && matches!(self.cursor.bytes[start], b'%' | b'-' | b'.') {
            let rest = &self.cursor.bytes[start..self.cursor.end];
            if rest[0] == b'%' || rest.starts_with(b"---") || rest.starts_with(b"...") {
                return Err(GiveUp);
            }
        }
        let mut dash = self.cursor.is_indicator(start, b'-');
        let mut is_new = self.settle(column, dash)?;
        while dash {
            if is_new {
                self.begin(column, BlockKind::Sequence)?;
            }
            let content = self.cursor.skip_gap(start + 1);
            if content == self.cursor.end || self.cursor.bytes[content] == b'#' {
                self.waiting = Some(self.cursor.end);
                return Ok(());
            }
            self.waiting = Some(start);
            column += content - start;
            start = content;
            dash = self.cursor.is_indicator(start, b'-');
            is_new = true;
        }
        self.key_or_scalar(start, column, is_new)
    }

    /// Closes what ends before a line whose content is in `column`, and says whether that content is a new
    /// node; else it is an entry of the innermost collection.
    #[inline]
    fn settle(&mut self, column: usize, dash: bool) -> Taken<bool> {
        while let Some(frame) = self.frames.last().copied()
            && frame.column > column
        {
            self.fill();
            self.frames.pop();
            self.close(frame.kind);
        }
        let Some(frame) = self.frames.last().copied().filter(|frame| frame.column == column) else {
            return GiveUp::unless(self.waiting.is_some()).map(|()| true);
        };
        match (frame.kind, dash) {
            (BlockKind::Mapping, true) => {
                GiveUp::unless(self.waiting.is_some())?;
                self.begin(column, BlockKind::FlushSequence)?;
            }
            (BlockKind::Mapping, false) | (BlockKind::Sequence | BlockKind::FlushSequence, true) => {
                self.fill();
            }
            (BlockKind::Sequence, false) => return Err(GiveUp),
            (BlockKind::FlushSequence, false) => {
                self.fill();
                self.frames.pop();
                self.close(frame.kind);
            }
        }
        Ok(false)
    }

    /// Reads a key and its value, or a scalar or flow collection that is a node of its own.
    #[inline]
    fn key_or_scalar(&mut self, start: usize, column: usize, is_new: bool) -> Taken {
        let class = Class::of(self.cursor.bytes[start]);
        if class == Class::Quote {
            return self.quoted_key_or_scalar(start, column, is_new);
        }
        let may_be_key = class == Class::Plain || (class == Class::Indicator && self.may_start_plain(start));
        let (key, stop) = if may_be_key { self.plain_end(start) } else { (start, Stop::Line) };
        let Stop::Colon(colon) = stop else {
            return if is_new { self.value(None, start) } else { Err(GiveUp) };
        };
        if colon - start > KEY_MAX {
            return Err(GiveUp);
        }
        if is_new {
            self.begin(column, BlockKind::Mapping)?;
        }
        let key = Word::new(self.text, Span::new(start, key), ScalarStyle::Plain);
        self.entry(Some(key), colon)
    }

    /// As [`DocumentReader::key_or_scalar`], for a quote at `start`.
    fn quoted_key_or_scalar(&mut self, start: usize, column: usize, is_new: bool) -> Taken {
        let line_end = self.cursor.end;
        let scalar = self.quoted(start)?;
        let close = scalar.span().end;
        let colon = self.cursor.skip_gap(close);
        // A scalar over lines is no key.
        if close > line_end || self.cursor.bytes.get(colon) != Some(&b':') {
            GiveUp::unless(is_new && !self.frames.is_empty())?;
            return self.quoted_value(None, scalar);
        }
        if colon - start > KEY_MAX || !self.cursor.is_indicator(colon, b':') {
            return Err(GiveUp);
        }
        if is_new {
            self.begin(column, BlockKind::Mapping)?;
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
    fn entry(&mut self, key: Option<Word<'a>>, colon: usize) -> Taken {
        let content = self.cursor.skip_gap(colon + 1);
        if content == self.cursor.end || self.cursor.bytes[content] == b'#' {
            self.key(key);
            self.waiting = Some(colon);
            return Ok(());
        }
        if Class::of(self.cursor.bytes[content]) == Class::Plain {
            self.waiting = None;
            return self.plain(key, content);
        }
        self.value(key, content)
    }

    /// Reads a value that is no block collection; of a mapping, if there is a key.
    #[inline(never)]
    fn value(&mut self, key: Option<Word<'a>>, start: usize) -> Taken {
        GiveUp::unless(!self.frames.is_empty())?;
        self.waiting = None;
        match Class::of(self.cursor.bytes[start]) {
            Class::Plain | Class::Indicator | Class::Other => {
                GiveUp::unless(self.may_start_plain(start) && !self.cursor.is_indicator(start, b'-'))?;
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
                self.cursor.nothing_behind(close)
            }
        }
    }

    /// A quoted scalar that is no key; the line at hand is the one it ends in.
    #[inline]
    fn quoted_value(&mut self, key: Option<Word<'a>>, scalar: Quoted<'a>) -> Taken {
        self.waiting = None;
        self.cursor.nothing_behind(scalar.span().end)?;
        match scalar {
            Quoted::Word(word) => self.put(key, word),
            Quoted::Long(scalar) => {
                self.key(key);
                self.sink.event(Event::Scalar(scalar));
            }
        }
        Ok(())
    }

    /// The column of the innermost collection; a document that is a scalar is given up on.
    #[inline]
    fn column(&self) -> usize {
        self.frames.last().map_or(usize::MAX, |frame| frame.column)
    }

    #[inline]
    fn begin(&mut self, column: usize, kind: BlockKind) -> Taken {
        GiveUp::unless(self.frames.len() < DEPTH_MAX)?;
        self.frames.push(Frame { column, kind });
        self.waiting = None;
        match kind {
            BlockKind::Mapping => self.sink.mapping_start(false),
            BlockKind::Sequence | BlockKind::FlushSequence => self.sink.sequence_start(false),
        }
        Ok(())
    }

    #[inline]
    fn close(&mut self, kind: BlockKind) {
        match kind {
            BlockKind::Mapping => self.sink.mapping_end(),
            BlockKind::Sequence | BlockKind::FlushSequence => self.sink.sequence_end(),
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
