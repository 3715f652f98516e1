//! Flow collections, in one line and over lines.

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

fn is_flow(byte: u8) -> bool {
    matches!(byte, b',' | b'[' | b']' | b'{' | b'}')
}

impl<'a, S: Sink<'a>> Reader<'a, '_, S> {
    /// Reads the flow collection at `start` and says where it ends; `end` is where the line at hand does.
    pub(super) fn flow(&mut self, start: usize, end: &mut usize, depth: usize) -> Option<usize> {
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
        let mut at = self.flow_gap(start + 1, end)?;
        while self.bytes[at] != closer {
            if is_map {
                at = self.flow_key(at, end)?;
            }
            at = if matches!(self.bytes[at], b'[' | b'{') {
                self.flow(at, end, depth + 1)?
            } else {
                self.flow_scalar(at, end, Slot::Value)?
            };
            at = self.flow_gap(at, end)?;
            match self.bytes[at] {
                b',' => at = self.flow_gap(at + 1, end)?,
                byte if byte == closer => {}
                _ => return None,
            }
        }
        self.sink.event(closes);
        Some(at + 1)
    }

    /// Passes spaces, comments and line ends up to the next token. It must be indented more than the block
    /// collection around; a bracket that closes need not.
    fn flow_gap(&mut self, from: usize, end: &mut usize) -> Option<usize> {
        let at = self.skip_gap(from);
        if at < *end && self.bytes[at] != b'#' {
            return Some(at);
        }
        self.nothing_behind(from, *end)?;
        loop {
            let line = self.next;
            let start = self.skip_spaces(line);
            match self.bytes.get(start)? {
                b'\n' => self.next = start + 1,
                b'\r' => self.next = start + 2,
                b'#' => self.next = self.after_break(start),
                byte => {
                    let is_indented = matches!(byte, b']' | b'}') || start - line > self.column();
                    *end = self.line_end(start);
                    self.no_tabs(start, *end)?;
                    return is_indented.then_some(start);
                }
            }
        }
    }

    /// Reads a key and its `:`, and says where its value starts.
    fn flow_key(&mut self, start: usize, end: &mut usize) -> Option<usize> {
        let close = self.flow_scalar(start, end, Slot::Key)?;
        let is_quoted = matches!(self.bytes[start], b'"' | b'\'');
        let colon = if is_quoted { close } else { self.skip_gap(close) };
        let is_colon = colon < *end && self.bytes[colon] == b':';
        let is_separate = colon + 1 == *end || self.bytes.get(colon + 1) == Some(&b' ');
        if !is_colon || !(is_separate || is_quoted) || colon - start > MAX_KEY {
            return None;
        }
        self.flow_gap(colon + 1, end)
    }

    /// Reads a scalar and says where it ends.
    fn flow_scalar(&mut self, start: usize, end: &mut usize, slot: Slot) -> Option<usize> {
        let quote = self.bytes[start];
        if matches!(quote, b'"' | b'\'') {
            let (value, close) = self.quoted(start, *end, quote)?;
            if close > *end {
                if slot == Slot::Key {
                    return None;
                }
                *end = self.line_end(close);
            }
            self.scalar(value, Span::new(start, close), quoted::style(quote));
            return Some(close);
        }
        let at = self.flow_plain_end(start, *end, slot)?;
        let mut text_end = at;
        while self.bytes[text_end - 1] == b' ' {
            text_end -= 1;
        }
        let value = Cow::Borrowed(&self.text[start..text_end]);
        self.scalar(value, Span::new(start, text_end), ScalarStyle::Plain);
        Some(at)
    }

    /// What ends a plain scalar within its line. When that is the end of the line, the caller makes sure
    /// that the next line does not go on with it.
    fn flow_plain_end(&self, start: usize, end: usize, slot: Slot) -> Option<usize> {
        let mut at = start;
        if self.bytes[start] == b'-' {
            // A dash begins text when there is text behind it.
            at += 1;
            if at >= end || self.bytes[at] == b' ' || is_flow(self.bytes[at]) {
                return None;
            }
        } else if matches!(self.bytes[start], b'?' | b':') || !self.may_start_plain(start, end) {
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
