//! Flow collections, in one line and over lines.

use super::super::Span;
use super::super::event::{Event, ScalarStyle, Sink, Word};
use super::{MAX_KEY, Quoted, Reader};

/// How deep flow collections may nest here.
const MAX_FLOW_DEPTH: usize = 16;

/// Where a scalar stands within a flow collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Key,
    Value,
}

fn is_flow(byte: u8) -> bool {
    matches!(byte, b',' | b'[' | b']' | b'{' | b'}')
}

impl<'a, S: Sink<'a>> Reader<'a, '_, S> {
    /// Reads the flow collection at `start` and says where it ends; then the line at hand is the one it ends in.
    pub(super) fn flow(&mut self, start: usize, depth: usize) -> Option<usize> {
        if depth >= MAX_FLOW_DEPTH {
            return None;
        }
        let is_map = self.bytes[start] == b'{';
        let closer = if is_map { b'}' } else { b']' };
        if is_map {
            self.sink.mapping_start(true);
        } else {
            self.sink.sequence_start(true);
        }
        let mut at = self.flow_gap(start + 1)?;
        while self.bytes[at] != closer {
            if is_map {
                at = self.flow_key(at)?;
            }
            at = if matches!(self.bytes[at], b'[' | b'{') {
                self.flow(at, depth + 1)?
            } else {
                self.flow_scalar(at, Slot::Value)?
            };
            at = self.flow_gap(at)?;
            match self.bytes[at] {
                b',' => at = self.flow_gap(at + 1)?,
                byte if byte == closer => {}
                _ => return None,
            }
        }
        if is_map {
            self.sink.mapping_end();
        } else {
            self.sink.sequence_end();
        }
        Some(at + 1)
    }

    /// Passes spaces, comments and line ends up to the next token. It must be indented more than the block
    /// collection around; a bracket that closes need not.
    fn flow_gap(&mut self, from: usize) -> Option<usize> {
        let at = self.skip_gap(from);
        if at < self.end && self.bytes[at] != b'#' {
            return Some(at);
        }
        self.nothing_behind(from)?;
        loop {
            let (line, start) = self.ahead(&mut 0)?;
            self.pass_line();
            let byte = self.bytes[start];
            if byte != b'#' {
                let is_indented = matches!(byte, b']' | b'}') || start - line > self.column();
                self.no_tabs(start)?;
                return is_indented.then_some(start);
            }
        }
    }

    /// Reads a key and its `:`, and says where its value starts.
    fn flow_key(&mut self, start: usize) -> Option<usize> {
        let close = self.flow_scalar(start, Slot::Key)?;
        let is_quoted = matches!(self.bytes[start], b'"' | b'\'');
        let colon = if is_quoted { close } else { self.skip_gap(close) };
        let is_colon = colon < self.end && self.bytes[colon] == b':';
        let is_separate = colon + 1 == self.end || self.bytes.get(colon + 1) == Some(&b' ');
        if !is_colon || !(is_separate || is_quoted) || colon - start > MAX_KEY {
            return None;
        }
        self.flow_gap(colon + 1)
    }

    /// Reads a scalar and says where it ends.
    fn flow_scalar(&mut self, start: usize, slot: Slot) -> Option<usize> {
        if matches!(self.bytes[start], b'"' | b'\'') {
            let line_end = self.end;
            let scalar = self.quoted(start)?;
            let close = scalar.span().end;
            if close > line_end && slot == Slot::Key {
                return None;
            }
            match scalar {
                Quoted::Word(word) => self.sink.word(word),
                Quoted::Long(scalar) => self.sink.event(Event::Scalar(scalar)),
            }
            return Some(close);
        }
        let at = self.flow_plain_end(start, slot)?;
        let mut text_end = at;
        while self.bytes[text_end - 1] == b' ' {
            text_end -= 1;
        }
        self.sink.word(Word::new(self.text, Span::new(start, text_end), ScalarStyle::Plain));
        Some(at)
    }

    /// What ends a plain scalar within its line. When that is the end of the line, the caller makes sure
    /// that the next line does not go on with it.
    fn flow_plain_end(&self, start: usize, slot: Slot) -> Option<usize> {
        let end = self.end;
        let mut at = start;
        if self.bytes[start] == b'-' {
            // A dash begins text when there is text behind it.
            at += 1;
            if at >= end || self.bytes[at] == b' ' || is_flow(self.bytes[at]) {
                return None;
            }
        } else if matches!(self.bytes[start], b'?' | b':') || !self.may_start_plain(start) {
            return None;
        }
        while at < end {
            match self.bytes[at] {
                b':' if at + 1 == end || self.bytes[at + 1] == b' ' => {
                    return (slot == Slot::Key).then_some(at);
                }
                b':' if is_flow(self.bytes[at + 1]) => return None,
                b'#' if self.bytes[at - 1] == b' ' => return None,
                byte if is_flow(byte) => break,
                _ => {}
            }
            at += 1;
        }
        Some(at)
    }
}
