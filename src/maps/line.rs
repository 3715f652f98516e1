//! One line of a maps text: the comment cut off, the form read, key and value apart.

use super::error::MapsErrorKind;
use super::glob;

/// The white space that is trimmed: tabs and spaces, and the CR of a CRLF.
const BLANK: [char; 3] = [' ', '\t', '\r'];

/// Which kind of key a line has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Exact,
    Replace,
    /// A registry, a path, `default` or `noswap_wildcards`.
    Plain,
}

/// A rule as it stands on its line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MapsLine<'a> {
    pub(super) form: Form,
    pub(super) key: &'a str,
    /// In characters from 1.
    pub(super) key_column: usize,
    pub(super) value: &'a str,
    pub(super) value_column: usize,
    /// The old single `:` separates.
    pub(super) single_colon: bool,
}

/// What is wrong with a line as such: the column (in characters from 1), what, and what was expected.
pub(super) type LineError = (usize, MapsErrorKind, &'static str);

const RULE: &str = "KEY::VALUE";

/// Reads a line; `None` for a blank one or a comment.
pub(super) fn read(line: &str) -> Option<Result<MapsLine<'_>, LineError>> {
    let content = without_comment(line).trim_end_matches(BLANK);
    let start = content.len() - content.trim_start_matches(BLANK).len();
    if start == content.len() {
        return None;
    }
    Some(split(content, start))
}

/// A `#` at the line's start or after white space starts a comment.
pub(super) fn without_comment(line: &str) -> &str {
    let mut after_blank = true;
    for (index, c) in line.char_indices() {
        if c == '#' && after_blank {
            return &line[..index];
        }
        after_blank = BLANK.contains(&c);
    }
    line
}

/// `content` without the white space at its end; `start` is where its first character stands.
fn split(content: &str, start: usize) -> Result<MapsLine<'_>, LineError> {
    let column = |index: usize| content[..index].chars().count() + 1;
    let (form, key_start) = match word(&content[start..]) {
        None => (Form::Plain, start),
        Some("EXACT") => (Form::Exact, start + "[EXACT]".len()),
        Some("REPLACE") => (Form::Replace, start + "[REPLACE]".len()),
        Some("REGEX") => return Err((column(start), MapsErrorKind::Regex, "[EXACT] or [REPLACE]")),
        Some(word) => {
            let kind = MapsErrorKind::UnknownForm { word: word.to_owned() };
            return Err((column(start), kind, "[EXACT] or [REPLACE]"));
        }
    };
    let rest = &content[key_start..];
    let (key_end, value_start, single_colon) = match separators(rest) {
        Separators::Double(at) => (at, at + 2, false),
        Separators::Single(at) if form == Form::Plain && is_port(&rest[..at], &rest[at + 1..]) => {
            return Err((column(key_start + at), MapsErrorKind::AmbiguousColon, RULE));
        }
        Separators::Single(at) => (at, at + 1, true),
        Separators::Several(at) => {
            return Err((column(key_start + at), MapsErrorKind::AmbiguousColon, RULE));
        }
        Separators::None { open: Some(at) } if form == Form::Replace => {
            let kind = MapsErrorKind::Glob { reason: glob::UNCLOSED };
            return Err((column(key_start + at), kind, "a `]` that closes it"));
        }
        Separators::None { .. } => return Err((column(start), MapsErrorKind::NoSeparator, RULE)),
    };
    let key = rest[..key_end].trim_matches(BLANK);
    let value = rest[value_start..].trim_matches(BLANK);
    let key_at = key_start + (key_end - rest[..key_end].trim_start_matches(BLANK).len());
    if key.is_empty() {
        return Err((column(key_start), MapsErrorKind::EmptyKey, RULE));
    }
    let value_at = content.len() - value.len();
    Ok(MapsLine {
        form,
        key,
        key_column: column(key_at),
        value,
        value_column: column(value_at),
        single_colon,
    })
}

/// The word of a `[WORD]` at the start. `[::1]` and `[a-z]` are none.
fn word(text: &str) -> Option<&str> {
    let (word, _) = text.strip_prefix('[')?.split_once(']')?;
    (!word.is_empty() && word.bytes().all(|b| b.is_ascii_alphabetic())).then_some(word)
}

enum Separators {
    /// The first `::` outside brackets stands here.
    Double(usize),
    /// One `:` outside brackets.
    Single(usize),
    /// More than one; the second one stands here.
    Several(usize),
    /// None; and where a bracket opens that nothing closes.
    None { open: Option<usize> },
}

fn separators(text: &str) -> Separators {
    let bytes = text.as_bytes();
    let (mut first, mut second, mut open) = (None, None, None);
    let mut index = 0;
    while index < bytes.len() {
        match bytes[index] {
            b'[' => match glob::set_end(text, index) {
                Some(end) => index = end,
                None => open = open.or(Some(index)),
            },
            b':' if bytes.get(index + 1) == Some(&b':') => return Separators::Double(index),
            b':' if first.is_none() => first = Some(index),
            b':' => second = second.or(Some(index)),
            _ => {}
        }
        index += 1;
    }
    match (first, second) {
        (None, _) => Separators::None { open },
        (Some(at), None) => Separators::Single(at),
        (Some(_), Some(at)) => Separators::Several(at),
    }
}

/// Whether what stands behind a single `:` may be the port of a registry before it, as in
/// `localhost:5000/x`. `default` and `noswap_wildcards` have none.
fn is_port(key: &str, value: &str) -> bool {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    !matches!(key.trim_matches(BLANK), "default" | "noswap_wildcards")
        && digits > 0
        && matches!(value.as_bytes().get(digits), None | Some(b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &str) -> (Form, &str, usize, &str, usize, bool) {
        let line = read(line).expect("not blank").expect("a rule");
        (line.form, line.key, line.key_column, line.value, line.value_column, line.single_colon)
    }

    #[test]
    fn rules() {
        use Form::{Exact, Plain, Replace};
        for (name, line, want) in [
            ("plain", "docker.io::m.io/hub", (Plain, "docker.io", 1, "m.io/hub", 12, false)),
            ("blanks around", " \ta.io \t::\t b.io \t", (Plain, "a.io", 3, "b.io", 13, false)),
            ("empty value", "gitlab.com::", (Plain, "gitlab.com", 1, "", 13, false)),
            ("comment after it", "gitlab.com:: # no", (Plain, "gitlab.com", 1, "", 13, false)),
            ("comment of many", "h.io::b.com ###### many", (Plain, "h.io", 1, "b.com", 7, false)),
            ("no comment without a blank", "a.io::b#c", (Plain, "a.io", 1, "b#c", 7, false)),
            ("ports", "reg.io:8443::mirror:5000/x", (Plain, "reg.io:8443", 1, "mirror:5000/x", 14, false)),
            (
                "IPv6 on both sides",
                "[::1]:80::[fe80::1]:5000/x",
                (Plain, "[::1]:80", 1, "[fe80::1]:5000/x", 11, false),
            ),
            ("IPv6 alone", "[::1]::m.io", (Plain, "[::1]", 1, "m.io", 8, false)),
            ("exact", "[EXACT]a/b:v1::c:v2", (Exact, "a/b:v1", 8, "c:v2", 16, false)),
            ("exact with blanks", "[EXACT] a :: b", (Exact, "a", 9, "b", 14, false)),
            ("replace", "[REPLACE]a*::b", (Replace, "a*", 10, "b", 14, false)),
            ("a `::` in a set is the glob's", "[REPLACE]a[::]b::c", (Replace, "a[::]b", 10, "c", 18, false)),
            ("single colon", "quay.io:m.io", (Plain, "quay.io", 1, "m.io", 9, true)),
            ("single colon, no value", "default:", (Plain, "default", 1, "", 9, true)),
            (
                "a keyword has no port",
                "noswap_wildcards:5000",
                (Plain, "noswap_wildcards", 1, "5000", 18, true),
            ),
            ("exact with a single colon", "[EXACT]a:b", (Exact, "a", 8, "b", 10, true)),
            ("the first :: counts", "a.io::b::c", (Plain, "a.io", 1, "b::c", 7, false)),
        ] {
            assert_eq!(parts(line), want, "{name}");
        }
    }

    #[test]
    fn nothing_there() {
        for line in ["", "   ", "\t", "# a::b", "  # a::b", "\r", "#"] {
            assert_eq!(read(line), None, "{line:?}");
        }
    }

    #[test]
    fn no_rules() {
        let ambiguous = |column| (column, MapsErrorKind::AmbiguousColon, RULE);
        for (name, line, want) in [
            ("a word", "docker.io", (1, MapsErrorKind::NoSeparator, RULE)),
            ("another separator", " a.io;b.io", (2, MapsErrorKind::NoSeparator, RULE)),
            ("port in the value", "a.io:b.io:5000/x", ambiguous(10)),
            ("port in the key", "a.io:80:b.io", ambiguous(8)),
            ("a port and no value", "localhost:5000", ambiguous(10)),
            ("a port and a path", "localhost:5000/x", ambiguous(10)),
            ("no key", " ::b", (2, MapsErrorKind::EmptyKey, RULE)),
            ("no key, old", ":b", (1, MapsErrorKind::EmptyKey, RULE)),
            ("reserved", "[REGEX]a.*::b", (1, MapsErrorKind::Regex, "[EXACT] or [REPLACE]")),
            (
                "unknown form",
                "[exact]a::b",
                (1, MapsErrorKind::UnknownForm { word: "exact".into() }, "[EXACT] or [REPLACE]"),
            ),
        ] {
            assert_eq!(read(line), Some(Err(want)), "{name}");
        }
        // The bracket of an open set is literal for the split; the glob's own check refuses it.
        assert_eq!(parts("[REPLACE]a[b::c").1, "a[b");
        assert!(matches!(read("[REPLACE]a[b"), Some(Err((11, MapsErrorKind::Glob { .. }, _)))));
    }
}
