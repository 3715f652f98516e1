//! The JSON reader: one or more JSON values (kubectl takes them concatenated) as events with byte spans.

use std::borrow::Cow;

use memchr::memchr2;

use super::event::{Event, Scalar, ScalarStyle, Sink, Tag};
use super::{ParseError, Span};

/// How deep arrays and objects may nest: what Go's encoding/json takes.
const MAX_DEPTH: usize = 10_000;

/// Reads `range` of `text` as concatenated JSON values, each a document. Spans and the error's offset count
/// from the start of `text`.
///
/// # Errors
/// What is not JSON (RFC 8259), or is nested deeper than 10,000 levels.
pub fn read<'a>(text: &'a str, range: Span, sink: &mut impl Sink<'a>) -> Result<(), ParseError> {
    let mut reader = Reader { text, at: range.start, end: range.end };
    reader.white_space();
    while reader.at < reader.end {
        sink.document_start();
        reader.value(sink)?;
        sink.document_end();
        reader.white_space();
    }
    Ok(())
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    end: usize,
}

/// What may come next inside an object or array.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    FirstOrEnd,
    CommaOrEnd,
}

impl<'a> Reader<'a> {
    /// Reads one value with everything in it; nesting is on the heap, not the stack.
    fn value(&mut self, sink: &mut impl Sink<'a>) -> Result<(), ParseError> {
        let mut open: Vec<u8> = Vec::new();
        self.node(sink, &mut open)?;
        let mut next = Next::FirstOrEnd;
        while let Some(&closer) = open.last() {
            self.white_space();
            let byte = self.peek();
            if byte == Some(closer) {
                self.at += 1;
                open.pop();
                sink.event(if closer == b'}' { Event::MappingEnd } else { Event::SequenceEnd });
                next = Next::CommaOrEnd;
                continue;
            }
            if next == Next::CommaOrEnd {
                if byte != Some(b',') {
                    return Err(self.error(&format!("expected ',' or '{}'", char::from(closer))));
                }
                self.at += 1;
                self.white_space();
            }
            if closer == b'}' {
                if self.peek() != Some(b'"') {
                    return Err(self.error("expected a key in double quotes"));
                }
                self.string(sink)?;
                self.white_space();
                if self.peek() != Some(b':') {
                    return Err(self.error("expected ':' after the key"));
                }
                self.at += 1;
                self.white_space();
            }
            let depth = open.len();
            self.node(sink, &mut open)?;
            next = if open.len() > depth { Next::FirstOrEnd } else { Next::CommaOrEnd };
        }
        Ok(())
    }

    /// Reads a scalar, or opens an object or array and pushes its closer.
    fn node(&mut self, sink: &mut impl Sink<'a>, open: &mut Vec<u8>) -> Result<(), ParseError> {
        match self.peek() {
            Some(b'{' | b'[') if open.len() == MAX_DEPTH => {
                return Err(self.error(&format!("nested deeper than {MAX_DEPTH} levels")));
            }
            Some(b'{') => {
                sink.event(Event::MappingStart { anchor: None, flow: true });
                open.push(b'}');
                self.at += 1;
            }
            Some(b'[') => {
                sink.event(Event::SequenceStart { anchor: None, flow: true });
                open.push(b']');
                self.at += 1;
            }
            Some(b'"') => self.string(sink)?,
            _ => self.literal(sink)?,
        }
        Ok(())
    }

    fn string(&mut self, sink: &mut impl Sink<'a>) -> Result<(), ParseError> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut at = start + 1;
        let mut escaped = false;
        loop {
            match memchr2(b'"', b'\\', &bytes[at..self.end]) {
                None => return Err(self.error("this string is never closed")),
                Some(i) if bytes[at + i] == b'"' => {
                    at += i;
                    break;
                }
                Some(i) => {
                    escaped = true;
                    at = (at + i + 2).min(self.end);
                }
            }
        }
        let inner = &self.text[start + 1..at];
        if inner.bytes().any(|b| b < 0x20) {
            return Err(self.error("a control character in a string"));
        }
        self.at = at + 1;
        let span = Span::new(start, self.at);
        let value = if escaped {
            let written = &self.text[start..self.at];
            let decoded = serde_json::from_str::<String>(written);
            Cow::Owned(decoded.map_err(|_| ParseError {
                offset: start,
                message: "a string with an escape that JSON does not have".to_owned(),
            })?)
        } else {
            Cow::Borrowed(inner)
        };
        let style = ScalarStyle::DoubleQuoted;
        sink.event(Event::Scalar(Scalar::bare(value, span, start, style)));
        Ok(())
    }

    /// A number, `true`, `false` or `null`.
    fn literal(&mut self, sink: &mut impl Sink<'a>) -> Result<(), ParseError> {
        let rest = &self.text.as_bytes()[self.at..self.end];
        let length =
            rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')).count();
        let span = Span::new(self.at, self.at + length);
        let value = &self.text[span.start..span.end];
        let number = || serde_json::from_str::<serde_json::Number>(value).is_ok();
        if !matches!(value, "true" | "false" | "null") && !number() {
            return Err(self.error("expected a JSON value"));
        }
        self.at = span.end;
        let (style, tag) = (ScalarStyle::Plain, Tag::Core);
        let value = Cow::Borrowed(value);
        sink.event(Event::Scalar(Scalar { value, span, start: span.start, style, tag, anchor: None }));
        Ok(())
    }

    fn white_space(&mut self) {
        let rest = &self.text.as_bytes()[self.at..self.end];
        self.at += rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')).count();
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes()[..self.end].get(self.at).copied()
    }

    fn error(&self, message: &str) -> ParseError {
        ParseError { offset: self.at, message: message.to_owned() }
    }
}
