//! The JSON reader: one or more JSON values (kubectl takes them concatenated) as events with byte spans.

use std::borrow::Cow;

use super::event::{Event, Scalar, ScalarStyle, Sink, Tag, Word};
use super::json_text::plain_length;
use super::{ParseError, Span};

/// How deep arrays and objects may nest: what Go's encoding/json takes.
const DEPTH_MAX: usize = 10_000;

/// Reads `range` of `text` as concatenated JSON values, each a document. Spans and the error's offset count
/// from the start of `text`.
///
/// # Errors
/// What is not JSON (RFC 8259), or is nested deeper than 10,000 levels.
pub fn read<'a>(text: &'a str, range: Span, sink: &mut impl Sink<'a>) -> Result<(), ParseError> {
    let mut reader = JsonReader { text, at: range.start, end: range.end };
    reader.white_space();
    while reader.at < reader.end {
        sink.document_start();
        reader.value(sink)?;
        sink.document_end();
        reader.white_space();
    }
    Ok(())
}

struct JsonReader<'a> {
    text: &'a str,
    at: usize,
    end: usize,
}

/// A string.
enum JsonString<'a> {
    Word(Word<'a>),
    /// One with escapes.
    Decoded(Scalar<'a>),
}

impl<'a> JsonString<'a> {
    fn tell(self, sink: &mut impl Sink<'a>) {
        match self {
            Self::Word(word) => sink.word(word),
            Self::Decoded(scalar) => sink.event(Event::Scalar(scalar)),
        }
    }
}

/// What may come next inside an object or array.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    FirstOrEnd,
    CommaOrEnd,
}

impl<'a> JsonReader<'a> {
    /// Reads one value with everything in it; nesting is on the heap, not the stack.
    fn value(&mut self, sink: &mut impl Sink<'a>) -> Result<(), ParseError> {
        let mut open: Vec<u8> = Vec::new();
        self.node(sink, &mut open, None)?;
        let mut next = Next::FirstOrEnd;
        while let Some(&closer) = open.last() {
            self.white_space();
            let byte = self.peek();
            if byte == Some(closer) {
                self.at += 1;
                open.pop();
                if closer == b'}' {
                    sink.mapping_end();
                } else {
                    sink.sequence_end();
                }
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
            let key = if closer == b'}' { self.key()? } else { None };
            let depth = open.len();
            self.node(sink, &mut open, key)?;
            next = if open.len() > depth { Next::FirstOrEnd } else { Next::CommaOrEnd };
        }
        Ok(())
    }

    /// Reads a key and its colon.
    fn key(&mut self) -> Result<Option<JsonString<'a>>, ParseError> {
        if self.peek() != Some(b'"') {
            return Err(self.error("expected a key in double quotes"));
        }
        let key = self.string()?;
        self.white_space();
        if self.peek() != Some(b':') {
            return Err(self.error("expected ':' after the key"));
        }
        self.at += 1;
        self.white_space();
        Ok(Some(key))
    }

    /// Reads a scalar, or opens an object or array and pushes its closer. In an object, its key was read before.
    fn node(
        &mut self,
        sink: &mut impl Sink<'a>,
        open: &mut Vec<u8>,
        key: Option<JsonString<'a>>,
    ) -> Result<(), ParseError> {
        let byte = self.peek();
        if byte == Some(b'"') {
            match (key, self.string()?) {
                (Some(JsonString::Word(key)), JsonString::Word(value)) => sink.entry(key, value),
                (key, value) => {
                    key.into_iter().for_each(|key| key.tell(sink));
                    value.tell(sink);
                }
            }
            return Ok(());
        }
        key.into_iter().for_each(|key| key.tell(sink));
        match byte {
            Some(b'{' | b'[') if open.len() == DEPTH_MAX => {
                return Err(self.error(&format!("nested deeper than {DEPTH_MAX} levels")));
            }
            Some(b'{') => {
                sink.mapping_start(true);
                open.push(b'}');
                self.at += 1;
            }
            Some(b'[') => {
                sink.sequence_start(true);
                open.push(b']');
                self.at += 1;
            }
            _ => self.literal(sink)?,
        }
        Ok(())
    }

    fn string(&mut self) -> Result<JsonString<'a>, ParseError> {
        let start = self.at;
        let bytes = &self.text.as_bytes()[..self.end];
        let mut at = start + 1;
        let mut escaped = false;
        loop {
            let length = plain_length(bytes.get(at..).unwrap_or_default());
            at += length.ok_or_else(|| self.error("this string is never closed"))?;
            match bytes[at] {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    at += 2;
                }
                _ => return Err(self.error("a control character in a string")),
            }
        }
        self.at = at + 1;
        let span = Span::new(start, self.at);
        let style = ScalarStyle::DoubleQuoted;
        if !escaped {
            return Ok(JsonString::Word(Word::new(self.text, span, style)));
        }
        let decoded = serde_json::from_str::<String>(&self.text[start..self.at]);
        let value = decoded.map_err(|_| ParseError {
            offset: start,
            message: "a string with an escape that JSON does not have".to_owned(),
        })?;
        Ok(JsonString::Decoded(Scalar::bare(Cow::Owned(value), span, start, style)))
    }

    /// A number, `true`, `false` or `null`.
    fn literal(&mut self, sink: &mut impl Sink<'a>) -> Result<(), ParseError> {
        let rest = &self.text.as_bytes()[self.at..self.end];
        let length =
            rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')).count();
        let span = Span::new(self.at, self.at + length);
        let value = &self.text[span.start..span.end];
        let is_digits = |text: &str| {
            text.bytes().all(|b| b.is_ascii_digit())
                && !text.is_empty()
                && (!text.starts_with('0') || text == "0")
        };
        let number = || is_digits(value) || serde_json::from_str::<serde_json::Number>(value).is_ok();
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
