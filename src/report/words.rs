//! Words, values and numbers as they stand in a line that people read.

use std::borrow::Cow;

/// How much of a value that is no image is shown, in characters.
const SHOWN: usize = 200;

/// `text` as it can stand in a line: in quotes where it is empty or holds what would break the line, and cut
/// where it is too long for any image.
#[must_use]
pub fn quoted(text: &str) -> String {
    if let Some((at, _)) = text.char_indices().nth(SHOWN).filter(|_| text.len() > 4 * SHOWN) {
        return format!("{}… ({} bytes)", quoted(&text[..at]), text.len());
    }
    if text.is_empty() || text.chars().any(char::is_control) { format!("{text:?}") } else { text.to_owned() }
}

/// `text` with its control characters written as in Rust and shells (`\n`, `\u{1b}`), so that a file's name can neither
/// break a line nor steer a terminal.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    escaped_but(text, None)
}

/// The same for texts of several lines.
#[must_use]
pub fn escaped_lines(text: &str) -> Cow<'_, str> {
    escaped_but(text, Some('\n'))
}

fn escaped_but(text: &str, except: Option<char>) -> Cow<'_, str> {
    // Printable ASCII, as most texts are, has none.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let breaks = |c: char| c.is_control() && Some(c) != except;
    if !text.contains(breaks) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if breaks(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// `3 images`, `1 image`
#[must_use]
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        for (text, one, many) in [
            ("a/b.yaml", "a/b.yaml", "a/b.yaml"),
            ("a\u{1b}[31m\n", "a\\u{1b}[31m\\n", "a\\u{1b}[31m\n"),
            ("größe\t", "größe\\t", "größe\\t"),
            ("\u{9b}", "\\u{9b}", "\\u{9b}"),
        ] {
            assert_eq!(escaped(text), one);
            assert_eq!(escaped_lines(text), many);
        }
    }
}
