//! Flow collections in one line.

use std::borrow::Cow;

use super::super::Span;
use super::super::event::{Event, ScalarStyle, Sink};
use super::{MAX_KEY, Reader, quoted};

/// How deep flow collections may nest here.
const MAX_FLOW_DEPTH: usize = 16;

/// Where a scalar stands within a flow collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Key,
    Value,
}

impl<'a, S: Sink<'a>> Reader<'a, '_, S> {
    /// Reads the flow collection at `start`, within a line that ends at `end`, and says where it ends.
    pub(super) fn flow(&mut self, start: usize, end: usize, depth: usize) -> Option<usize> {
        if depth >= MAX_FLOW_DEPTH {
            return None;
        }
        let is_map = self.bytes[start] == b'{';
        let (opens, closes, closer) = if is_map {
            (Event::MappingStart { anchor: None, flow: true }, Event::MappingEnd, b'}')
        } else {
            (Event::SequenceStart { anchor: None, flow: true }, Event::SequenceEnd, b']')
        };
        self.sink.event(opens);
        let mut at = self.skip_spaces(start + 1);
        if at < end && self.bytes[at] == closer {
            self.sink.event(closes);
            return Some(at + 1);
        }
        loop {
            if is_map {
                at = self.flow_key(at, end)?;
            }
            at = self.flow_node(at, end, depth)?;
            at = self.skip_spaces(at);
            if at >= end {
                return None;
            }
            match self.bytes[at] {
                b',' => at = self.skip_spaces(at + 1),
                byte if byte == closer => {
                    self.sink.event(closes);
                    return Some(at + 1);
                }
                _ => return None,
            }
        }
    }

    /// Reads a key and its `:`, and says where its value starts.
    fn flow_key(&mut self, start: usize, end: usize) -> Option<usize> {
        let close = self.flow_scalar(start, end, Slot::Key)?;
        let is_quoted = matches!(self.bytes[start], b'"' | b'\'');
        let colon = if is_quoted { close } else { self.skip_spaces(close) };
        let is_colon = colon < end && self.bytes[colon] == b':';
        let is_separate = colon + 1 < end && self.bytes[colon + 1] == b' ';
        if !is_colon || !(is_separate || is_quoted) || colon - start > MAX_KEY {
            return None;
        }
        Some(self.skip_spaces(colon + 1))
    }

    fn flow_node(&mut self, start: usize, end: usize, depth: usize) -> Option<usize> {
        if start < end && matches!(self.bytes[start], b'[' | b'{') {
            self.flow(start, end, depth + 1)
        } else {
            self.flow_scalar(start, end, Slot::Value)
        }
    }

    fn flow_scalar(&mut self, start: usize, end: usize, slot: Slot) -> Option<usize> {
        if start >= end {
            return None;
        }
        let quote = self.bytes[start];
        if matches!(quote, b'"' | b'\'') {
            let (value, close) = self.quoted(start, end, quote)?;
            if close > end {
                return None;
            }
            self.scalar(value, Span::new(start, close), quoted::style(quote));
            return Some(close);
        }
        if !self.may_start_plain(start, end) {
            return None;
        }
        let is_flow = |byte: u8| matches!(byte, b',' | b'[' | b']' | b'{' | b'}');
        if matches!(quote, b'-' | b'?' | b':') {
            return None;
        }
        let mut at = start;
        while at < end {
            match self.bytes[at] {
                b':' => {
                    let next = self.bytes.get(at + 1).copied().unwrap_or(b'\n');
                    if next == b' ' || at + 1 == end {
                        if slot == Slot::Value {
                            return None;
                        }
                        break;
                    }
                    if is_flow(next) {
                        return None;
                    }
                }
                b'#' if self.bytes[at - 1] == b' ' => return None,
                byte if is_flow(byte) => break,
                _ => {}
            }
            at += 1;
        }
        let mut text_end = at;
        while self.bytes[text_end - 1] == b' ' {
            text_end -= 1;
        }
        let value = Cow::Borrowed(&self.text[start..text_end]);
        self.scalar(value, Span::new(start, text_end), ScalarStyle::Plain);
        Some(at)
    }
}
