//! Where the fast reader is in a text: the line at hand, and how far along the tape it is.

use memchr::memchr;

use super::class::Odd;
use super::search;
use super::tape::Marks;
use super::{GiveUp, Taken};

/// A place in a text, with the marks of the tape that are still ahead.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a, 's> {
    /// The text up to the end of the segment.
    pub(super) bytes: &'a [u8],
    marks: Marks<'s>,
    odd: Odd,
    /// Where the content of the line at hand ends.
    pub(super) end: usize,
    /// The start of the next line.
    pub(super) next: usize,
    /// Index of the next line on the tape.
    line: usize,
    /// Index of the next `:` or `#` on the tape.
    mark: usize,
}

/// The next line that has content.
#[derive(Debug, Clone, Copy)]
pub(super) struct NextLine {
    pub(super) start: usize,
    /// Where its content starts.
    pub(super) content: usize,
    /// How many line breaks are before it, that of the line at hand included.
    pub(super) breaks: usize,
}

impl NextLine {
    /// How much it is indented.
    #[inline(always)]
    pub(super) fn column(self) -> usize {
        self.content - self.start
    }
}

impl<'a, 's> Cursor<'a, 's> {
    /// Before the line that starts at `start`, the first that is on the tape.
    pub(super) fn new(bytes: &'a [u8], marks: Marks<'s>, odd: Odd, start: usize) -> Self {
        Self { bytes, marks, odd, end: start, next: start, line: 0, mark: 0 }
    }

    /// Goes on to the next line.
    #[inline]
    pub(super) fn pass_line(&mut self) {
        let end = self.marks.ends[self.line] as usize;
        self.line += 1;
        self.next = end + 1;
        self.end = if self.odd.returns && self.bytes[..end].last() == Some(&b'\r') { end - 1 } else { end };
    }

    /// Where the content of the next line starts; the end of the text when there is none.
    #[inline]
    pub(super) fn next_content(&self) -> usize {
        self.marks.contents[self.line] as usize
    }

    /// The next line that has content, a comment perhaps; empty lines before it are passed. None when the text ends.
    #[inline(always)]
    pub(super) fn ahead(&mut self) -> Option<NextLine> {
        let (mut content, mut breaks) = (self.next_content(), 1);
        if *self.bytes.get(content)? <= b'\r' {
            (content, breaks) = self.ahead_of_empty()?;
        }
        Some(NextLine { start: self.next, content, breaks })
    }

    /// [`Cursor::ahead`] for empty lines (or a tab): where the content starts, and the line breaks before it.
    #[inline(never)]
    fn ahead_of_empty(&mut self) -> Option<(usize, usize)> {
        let mut breaks = 1;
        loop {
            let content = self.next_content();
            match *self.bytes.get(content)? {
                b'\n' | b'\r' => self.pass_line(),
                _ => return Some((content, breaks)),
            }
            breaks += 1;
        }
    }

    /// The next mark behind `from`; where there is none in the line at hand, its end or something behind that.
    #[inline]
    pub(super) fn mark_behind(&mut self, from: usize) -> usize {
        loop {
            let mark = self.marks.marks[self.mark] as usize;
            if mark > from {
                return mark;
            }
            self.mark += 1;
        }
    }

    /// The first byte behind the spaces at `from`, which is mostly one.
    #[inline]
    pub(super) fn skip_gap(&self, from: usize) -> usize {
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
    pub(super) fn no_tabs(&self, from: usize) -> Taken {
        GiveUp::unless(!self.odd.tabs || memchr(b'\t', &self.bytes[from..self.end]).is_none())
    }

    /// Makes sure that nothing but spaces and a comment is between `from`, where a token ends, and the end of
    /// its line.
    #[inline]
    pub(super) fn nothing_behind(&self, from: usize) -> Taken {
        let at = self.skip_gap(from);
        GiveUp::unless(at == self.end || (self.bytes[at] == b'#' && at > from))
    }

    /// Whether at `at` of the line at hand stands `indicator` with a space or the end of the line behind it.
    #[inline]
    pub(super) fn is_indicator(&self, at: usize, indicator: u8) -> bool {
        self.bytes[at] == indicator && (at + 1 == self.end || self.bytes[at + 1] == b' ')
    }
}
