//! A cursor over JSON text that passes over what nobody asks for: objects by their keys, values as the text in which
//! they stand. It reads each byte once, goes through nested values without a stack, and leaves judging them to their
//! readers.

use std::borrow::Cow;

use crate::manifest::json_text::plain_length;

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
pub(super) struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    /// The value as written.
    pub(super) fn as_str(self) -> &'a str {
        self.0
    }

    /// Whether it is `null`.
    pub(super) fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// Whether it is an object.
    pub(super) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// The string that it is; `None` when it is none, or has an escape that JSON does not know.
    pub(super) fn string(self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') { serde_json::from_str(self.0).ok() } else { Some(Cow::Borrowed(inner)) }
    }

    /// Whether it is `true`.
    pub(super) fn is_true(self) -> bool {
        self.0 == "true"
    }
}

/// A place in a JSON text, at a value that is read next.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Starts at the first value of `text`.
    pub(super) fn new(text: &'a str) -> Self {
        let mut cursor = Self { text, at: 0 };
        cursor.white_space();
        cursor
    }

    /// Whether the next value is an object.
    pub(super) fn is_at_object(&self) -> bool {
        self.peek() == Some(b'{')
    }

    /// Makes sure that nothing but white space is left.
    pub(super) fn end(mut self) -> Result<(), CursorError> {
        self.white_space();
        if self.at < self.text.len() { Err(self.error("nothing more")) } else { Ok(()) }
    }

    /// Passes over a value, and gives it as it stands. What is in objects and arrays is not judged.
    pub(super) fn value(&mut self) -> Result<Raw<'a>, CursorError> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => self.string()?,
            Some(b'{' | b'[') => self.collection()?,
            _ => self.literal()?,
        }
        Ok(Raw(&self.text[start..self.at]))
    }

    /// Passes over an object, and gives it as it stands. Calls `entry` with each key; what `entry` reads is the key's
    /// value, and where it reads nothing the value is passed over. Of a key that stands twice, both are given.
    pub(super) fn entries(
        &mut self,
        mut entry: impl FnMut(&str, &mut Self) -> Result<(), CursorError>,
    ) -> Result<Raw<'a>, CursorError> {
        let whole = self.at;
        self.expect(b'{', "an object")?;
        self.white_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Raw(&self.text[whole..self.at]));
        }
        loop {
            let start = self.at;
            self.string()?;
            let key = Raw(&self.text[start..self.at]).string();
            let key = key.ok_or(CursorError { offset: start, expected: "a key with JSON's escapes" })?;
            self.white_space();
            self.expect(b':', "':'")?;
            self.white_space();
            let before = self.at;
            entry(&key, self)?;
            if self.at == before {
                self.value()?;
            }
            self.white_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.error("',' or '}'")),
            }
            self.white_space();
        }
        self.at += 1;
        Ok(Raw(&self.text[whole..self.at]))
    }

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

    /// Passes over a string.
    fn string(&mut self) -> Result<(), CursorError> {
        let start = self.at;
        self.expect(b'"', "a string")?;
        let bytes = self.text.as_bytes();
        loop {
            let length = plain_length(bytes.get(self.at..).unwrap_or_default());
            self.at += length.ok_or(CursorError { offset: start, expected: "a string that is closed" })?;
            match bytes[self.at] {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    fn literal(&mut self) -> Result<(), CursorError> {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let is_part = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
        let end = start + rest.iter().take_while(is_part).count();
        let word = &self.text[start..end];
        let is_value = matches!(word, "true" | "false" | "null")
            || serde_json::from_str::<serde_json::Number>(word).is_ok();
        if !is_value {
            return Err(CursorError { offset: start, expected: "a JSON value" });
        }
        self.at = end;
        Ok(())
    }

    /// Passes over an object or array, by its quotes and brackets alone.
    fn collection(&mut self) -> Result<(), CursorError> {
        let start = self.at;
        let open = CursorError { offset: start, expected: "an object or array that is closed" };
        let bytes = self.text.as_bytes();
        let mut depth = 0_usize;
        loop {
            let is_structure = |b: &u8| IS_STRUCTURE[usize::from(*b)];
            self.at += bytes[self.at..].iter().position(is_structure).ok_or(open)?;
            match bytes[self.at] {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                _ => depth -= 1,
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }
}

/// The bytes that a value's end hangs on.
const IS_STRUCTURE: [bool; 256] = {
    let mut table = [false; 256];
    let structure = b"\"{}[]";
    let mut i = 0;
    while i < structure.len() {
        table[structure[i] as usize] = true;
        i += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Result<Vec<(String, String)>, CursorError> {
        let mut found = Vec::new();
        let mut cursor = Cursor::new(text);
        cursor.entries(|key, cursor| {
            found.push((key.to_owned(), cursor.value()?.as_str().to_owned()));
            Ok(())
        })?;
        cursor.end()?;
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
            ("{", 1),
            ("{\"a\":1", 6),
            ("{\"a\":[1", 5),
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
