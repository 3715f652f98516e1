//! Flow collections, in one line and over lines.

use super::super::Span;
use super::super::event::{Event, ScalarStyle, Sink, Word};
use super::{DocumentReader, GiveUp, KEY_MAX, Quoted, Taken};

/// How deep flow collections may nest here.
const FLOW_DEPTH_MAX: usize = 16;

/// Where a scalar stands within a flow collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Key,
    Value,
}

fn is_flow(byte: u8) -> bool {
    matches!(byte, b',' | b'[' | b']' | b'{' | b'}')
}

impl<'a, S: Sink<'a>> DocumentReader<'a, '_, S> {
    /// Reads the flow collection at `start` and says where it ends; then the line at hand is the one it ends in.
    pub(super) fn flow(&mut self, start: usize, depth: usize) -> Taken<usize> {
        GiveUp::unless(depth < FLOW_DEPTH_MAX)?;
        let is_map = self.cursor.bytes[start] == b'{';
        let closer = if is_map { b'}' } else { b']' };
        if is_map {
            self.sink.mapping_start(true);
        } else {
            self.sink.sequence_start(true);
        }
        let mut at = self.flow_gap(start + 1)?;
        while self.cursor.bytes[at] != closer {
            if is_map {
                at = self.flow_key(at)?;
            }
            at = if matches!(self.cursor.bytes[at], b'[' | b'{') {
                self.flow(at, depth + 1)?
            } else {
                self.flow_scalar(at, Slot::Value)?
            };
            at = self.flow_gap(at)?;
            match self.cursor.bytes[at] {
                b',' => at = self.flow_gap(at + 1)?,
                byte if byte == closer => {}
                _ => return Err(GiveUp),
            }
        }
        if is_map {
            self.sink.mapping_end();
        } else {
            self.sink.sequence_end();
        }
        Ok(at + 1)
    }

    /// Passes spaces, comments and line ends up to the next token. It must be indented more than the block
    /// collection around; a bracket that closes need not.
    fn flow_gap(&mut self, from: usize) -> Taken<usize> {
        let at = self.cursor.skip_gap(from);
        if at < self.cursor.end && self.cursor.bytes[at] != b'#' {
            return Ok(at);
        }
        self.cursor.nothing_behind(from)?;
        loop {
            let line = self.cursor.ahead().ok_or(GiveUp)?;
            self.cursor.pass_line();
            let byte = self.cursor.bytes[line.content];
            if byte != b'#' {
                let is_indented = matches!(byte, b']' | b'}') || line.column() > self.column();
                self.cursor.no_tabs(line.content)?;
                return GiveUp::unless(is_indented).map(|()| line.content);
            }
        }
    }

    /// Reads a key and its `:`, and says where its value starts.
    fn flow_key(&mut self, start: usize) -> Taken<usize> {
        let close = self.flow_scalar(start, Slot::Key)?;
        let is_quoted = matches!(self.cursor.bytes[start], b'"' | b'\'');
        let colon = if is_quoted { close } else { self.cursor.skip_gap(close) };
        let is_colon = colon < self.cursor.end && self.cursor.bytes[colon] == b':';
        let is_separate = colon + 1 == self.cursor.end || self.cursor.bytes.get(colon + 1) == Some(&b' ');
        if !is_colon || !(is_separate || is_quoted) || colon - start > KEY_MAX {
            return Err(GiveUp);
        }
        self.flow_gap(colon + 1)
    }

    /// Reads a scalar and says where it ends.
    fn flow_scalar(&mut self, start: usize, slot: Slot) -> Taken<usize> {
        if matches!(self.cursor.bytes[start], b'"' | b'\'') {
            let line_end = self.cursor.end;
            let scalar = self.quoted(start)?;
            let close = scalar.span().end;
            if close > line_end && slot == Slot::Key {
                return Err(GiveUp);
            }
            match scalar {
                Quoted::Word(word) => self.sink.word(word),
                Quoted::Long(scalar) => self.sink.event(Event::Scalar(scalar)),
            }
            return Ok(close);
        }
        let at = self.flow_plain_end(start, slot)?;
        let mut text_end = at;
        while self.cursor.bytes[text_end - 1] == b' ' {
            text_end -= 1;
        }
        self.sink.word(Word::new(self.text, Span::new(start, text_end), ScalarStyle::Plain));
        Ok(at)
    }

    /// What ends a plain scalar within its line. When that is the end of the line, the caller makes sure
    /// that the next line does not go on with it.
    fn flow_plain_end(&self, start: usize, slot: Slot) -> Taken<usize> {
        let end = self.cursor.end;
        let mut at = start;
        if self.cursor.bytes[start] == b'-' {
            // A dash begins text when there is text behind it.
            at += 1;
            if at >= end || self.cursor.bytes[at] == b' ' || is_flow(self.cursor.bytes[at]) {
                return Err(GiveUp);
            }
        } else if matches!(self.cursor.bytes[start], b'?' | b':') || !self.may_start_plain(start) {
            return Err(GiveUp);
        }
        while at < end {
            match self.cursor.bytes[at] {
                b':' if at + 1 == end || self.cursor.bytes[at + 1] == b' ' => {
                    return GiveUp::unless(slot == Slot::Key).map(|()| at);
                }
                b':' if is_flow(self.cursor.bytes[at + 1]) => return Err(GiveUp),
                b'#' if self.cursor.bytes[at - 1] == b' ' => return Err(GiveUp),
                byte if is_flow(byte) => break,
                _ => {}
            }
            at += 1;
        }
        Ok(at)
    }
}
