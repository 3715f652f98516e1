//! A cursor over JSON text that passes over what nobody asks for: objects by their keys, values as the spans in which
//! they stand. It goes through nested values without a stack, and leaves judging them to their readers.

use std::borrow::Cow;

use memchr::memchr2;

use crate::manifest::Span;

/// Why a text is not read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at byte {offset}")]
pub(super) struct CursorError {
    /// Where the cursor stopped.
    pub(super) offset: usize,
    /// What should have stood there.
    pub(super) expected: &'static str,
}

/// A value as it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Raw<'a> {
    text: &'a str,
    span: Span,
}

impl<'a> Raw<'a> {
    /// The whole of `text` as one value.
    ///
    /// # Errors
    /// It holds none, or more than white space stands behind it.
    pub(super) fn whole(text: &'a str) -> Result<Self, CursorError> {
        let mut cursor = Cursor { text, at: 0 };
        cursor.white_space();
        let span = cursor.value()?;
        cursor.white_space();
        if cursor.at < text.len() {
            return Err(cursor.error("nothing more"));
        }
        Ok(Self { text, span })
    }

    /// The value as written.
    pub(super) fn as_str(self) -> &'a str {
        self.span.of(self.text).unwrap_or_default()
    }

    /// Whether it is `null`.
    pub(super) fn is_null(self) -> bool {
        self.as_str() == "null"
    }

    /// Whether it is an object.
    pub(super) fn is_object(self) -> bool {
        self.as_str().starts_with('{')
    }

    /// The string that it is; `None` when it is none, or has an escape that JSON does not know.
    pub(super) fn string(self) -> Option<Cow<'a, str>> {
        let inner = self.as_str().strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') {
            serde_json::from_str(self.as_str()).ok()
        } else {
            Some(Cow::Borrowed(inner))
        }
    }

    /// Whether it is `true`.
    pub(super) fn is_true(self) -> bool {
        self.as_str() == "true"
    }

    /// Calls `entry` with each key of an object and its value. Of a key that stands twice, both are given.
    ///
    /// # Errors
    /// It is no object, or is not well-formed.
    pub(super) fn entries(self, mut entry: impl FnMut(&str, Raw<'a>)) -> Result<(), CursorError> {
        let text = &self.text[..self.span.end];
        let mut cursor = Cursor { text, at: self.span.start };
        cursor.expect(b'{', "an object")?;
        cursor.white_space();
        if cursor.peek() == Some(b'}') {
            return Ok(());
        }
        loop {
            let start = cursor.at;
            let key = Raw { text, span: cursor.string()? };
            let key =
                key.string().ok_or(CursorError { offset: start, expected: "a key with JSON's escapes" })?;
            cursor.white_space();
            cursor.expect(b':', "':'")?;
            cursor.white_space();
            let span = cursor.value()?;
            entry(&key, Raw { text: self.text, span });
            cursor.white_space();
            match cursor.peek() {
                Some(b',') => cursor.at += 1,
                Some(b'}') => return Ok(()),
                _ => return Err(cursor.error("',' or '}'")),
            }
            cursor.white_space();
        }
    }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn error(&self, expected: &'static str) -> CursorError {
        CursorError { offset: self.at, expected }
    }

    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), CursorError> {
        if self.peek() != Some(byte) {
            return Err(self.error(expected));
        }
        self.at += 1;
        Ok(())
    }

    fn white_space(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')).count();
    }

    /// Passes over a string and says where it stands, quotes included.
    fn string(&mut self) -> Result<Span, CursorError> {
        let start = self.at;
        self.expect(b'"', "a string")?;
        let bytes = self.text.as_bytes();
        loop {
            match memchr2(b'"', b'\\', bytes.get(self.at..).unwrap_or_default()) {
                None => return Err(CursorError { offset: start, expected: "a string that is closed" }),
                Some(i) if bytes[self.at + i] == b'"' => {
                    self.at += i + 1;
                    return Ok(Span::new(start, self.at));
                }
                Some(i) => self.at += i + 2,
            }
        }
    }

    /// Passes over a value and says where it stands.
    fn value(&mut self) -> Result<Span, CursorError> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => return self.string(),
            Some(b'{' | b'[') => {}
            _ => {
                let rest = &self.text.as_bytes()[start..];
                let is_part = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
                self.at += rest.iter().take_while(is_part).count();
                let word = &self.text[start..self.at];
                let is_value = matches!(word, "true" | "false" | "null")
                    || serde_json::from_str::<serde_json::Number>(word).is_ok();
                return if is_value {
                    Ok(Span::new(start, self.at))
                } else {
                    Err(CursorError { offset: start, expected: "a JSON value" })
                };
            }
        }
        let mut depth = 0_usize;
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let is_structure = |b: &u8| matches!(b, b'"' | b'{' | b'[' | b'}' | b']');
            let Some(next) = rest.iter().position(is_structure) else {
                return Err(CursorError { offset: start, expected: "an object or array that is closed" });
            };
            self.at += next;
            match rest[next] {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                _ => depth -= 1,
            }
            self.at += 1;
            if depth == 0 {
                return Ok(Span::new(start, self.at));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Result<Vec<(String, String)>, CursorError> {
        let mut found = Vec::new();
        Raw::whole(text)?.entries(|key, value| found.push((key.to_owned(), value.as_str().to_owned())))?;
        Ok(found)
    }

    #[test]
    fn finds_values_where_they_stand() {
        let text =
            " {\"a\" : [1,{\"}\":\"]\\\"\"}] ,\"b\\u0061\":\"x\", \"c\":null,\"d\":-1.5e3,\"a\":{}} \n";
        let want =
            [("a", "[1,{\"}\":\"]\\\"\"}]"), ("ba", "\"x\""), ("c", "null"), ("d", "-1.5e3"), ("a", "{}")];
        let want: Vec<_> = want.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(entries(text), Ok(want));
        assert_eq!(entries("{}"), Ok(Vec::new()));
    }

    #[test]
    fn says_where_it_stops() {
        for (text, offset) in [
            ("", 0),
            ("{", 0),
            ("{\"a\":1", 0),
            ("{} x", 3),
            ("[]", 0),
            ("{\"a\"}", 4),
            ("{\"a\":1 \"b\":2}", 7),
            ("{\"a\":tru}", 5),
            ("{\"a\":1,}", 7),
            ("{a:1}", 1),
            ("{\"a\":\"x}", 5),
            ("{\"a\\x\":1}", 1),
            ("\"a\\", 0),
        ] {
            assert_eq!(entries(text).map_err(|e| e.offset), Err(offset), "{text}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let text = format!("{{\"a\":{}{}}}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert_eq!(entries(&text).map(|found| found.len()), Ok(1));
    }
}
