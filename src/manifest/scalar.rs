//! Scalars as text: which are strings, and how a new value is written in the style of the old one.

use std::borrow::Cow;

use super::Span;
use super::event::{Event, Scalar, ScalarStyle, Tag};

/// Whether a YAML reader of the Kubernetes world takes `scalar` as a string: go-yaml's rules (YAML 1.1
/// booleans, and numbers, nulls and dates of either version) for plain scalars, its tag for a tagged one.
#[must_use]
pub fn is_string(scalar: &Scalar<'_>) -> bool {
    match scalar.tag {
        Tag::Str | Tag::Custom => true,
        Tag::Core | Tag::Merge => false,
        Tag::None => scalar.style != ScalarStyle::Plain || is_plain_string(&scalar.value),
    }
}

/// Whether plain `text` stays a string when a YAML reader resolves it.
fn is_plain_string(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(first) = bytes.first() else { return false };
    match first {
        // Flags of commands: a number has a digit or a point behind its sign.
        b'+' | b'-' if !matches!(bytes.get(1), Some(b'0'..=b'9' | b'.')) => true,
        b'0'..=b'9' | b'+' | b'-' | b'.' => !is_number(text) && !is_date(text),
        b'~' | b'<' | b'=' => !matches!(text, "~" | "<<" | "="),
        b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'y' | b'Y' | b'o' | b'O' => {
            text.len() > LONGEST_WORD || !is_word(text)
        }
        _ => true,
    }
}

/// The length of `false`, the longest null or boolean.
const LONGEST_WORD: usize = 5;

/// The nulls and booleans of YAML 1.1 and 1.2, in their three spellings.
fn is_word(text: &str) -> bool {
    const WORDS: [&str; 7] = ["null", "true", "false", "yes", "no", "on", "off"];
    let capitalised = |word: &str| text[..1] == word[..1].to_ascii_uppercase() && text[1..] == word[1..];
    text.is_ascii()
        && WORDS.iter().any(|word| {
            text == *word
                || text.len() == word.len() && (capitalised(word) || text == word.to_ascii_uppercase())
        })
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let radix = |prefix: &str, digits: fn(u8) -> bool| {
        unsigned
            .strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| digits(b) || b == b'_'))
    };
    if radix("0x", |b| b.is_ascii_hexdigit())
        || radix("0o", |b| (b'0'..=b'7').contains(&b))
        || radix("0b", |b| matches!(b, b'0' | b'1'))
    {
        return true;
    }
    // [0-9_]* [. [0-9_]*] [e[+-][0-9]+], with a digit somewhere before the exponent.
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    exponent.is_none_or(|e| !e.is_empty() && e.bytes().all(|b| b.is_ascii_digit()))
        && mantissa.bytes().any(|b| b.is_ascii_digit())
        && mantissa.bytes().filter(|&b| b == b'.').count() <= 1
        && !mantissa.starts_with('_')
        && mantissa.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'_'))
}

/// `2001-12-14`, alone or with a time behind it.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let digits = |part: Option<&str>, lengths: std::ops::RangeInclusive<usize>| {
        part.is_some_and(|p| lengths.contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))
    };
    digits(parts.next(), 4..=4)
        && digits(parts.next(), 1..=2)
        && parts.next().is_some_and(|rest| {
            let day = rest.bytes().take_while(u8::is_ascii_digit).count();
            (1..=2).contains(&day)
                && (rest.len() == day || matches!(rest.as_bytes()[day], b'T' | b't' | b' ' | b'\t'))
        })
}

/// The value that stands for an image: a block scalar's final line break is its style's, not the image's.
#[must_use]
pub fn image_text<'s>(scalar: &'s Scalar<'_>) -> &'s str {
    match scalar.style {
        ScalarStyle::Literal | ScalarStyle::Folded => scalar.value.trim_end_matches(['\n', '\r']),
        ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => &scalar.value,
    }
}

/// The bytes to replace when `scalar` of `text` gets another value: what stands for the value as written, of
/// a block scalar its one line.
///
/// `None` when the text there does not spell the value: then nothing may be edited.
#[must_use]
pub fn editable(text: &str, scalar: &Scalar<'_>) -> Option<Span> {
    let value = image_text(scalar);
    let span = match scalar.style {
        // A second line of nothing but spaces may look the same as written and as a value.
        ScalarStyle::Literal | ScalarStyle::Folded if value.contains('\n') => return None,
        ScalarStyle::Literal | ScalarStyle::Folded => {
            Span::new(scalar.span.start, scalar.span.start + value.len())
        }
        ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => scalar.span,
    };
    if span.start == span.end {
        // Nothing is written there: the span of a block scalar without text is where the next token stands,
        // or its header; that of a tag without a value, right behind the tag.
        return None;
    }
    let written = span.of(text)?;
    let unquoted = |quote| written.strip_prefix(quote).and_then(|w| w.strip_suffix(quote));
    let same = match scalar.style {
        ScalarStyle::Plain | ScalarStyle::Literal | ScalarStyle::Folded => written == value,
        ScalarStyle::SingleQuoted => {
            unquoted('\'').is_some_and(|w| w == value || w.replace("''", "'") == value)
        }
        ScalarStyle::DoubleQuoted => unquoted('"').is_some_and(|w| w == value) || decodes_to(written, value),
    };
    same.then_some(span)
}

/// Whether the quoted scalar `written` has escapes that spell `value`.
fn decodes_to(written: &str, value: &str) -> bool {
    let spells = |events: &[Event<'_>]| matches!(events, [Event::Scalar(s)] if s.value == value);
    let whole = Span::new(0, written.len());
    let mut events = Vec::new();
    if super::json::read(written, whole, &mut events).is_ok() && spells(&events) {
        return true;
    }
    events.clear();
    super::yaml::read(written, whole, &mut events).is_ok() && spells(&events)
}

/// `value` (an image reference) as it is written in place of a scalar of `style`; `flow` says whether the
/// place is within a flow collection.
#[must_use]
pub fn encode(value: &str, style: ScalarStyle, flow: bool) -> Cow<'_, str> {
    match style {
        ScalarStyle::Plain if is_safe_plain(value, flow) => Cow::Borrowed(value),
        ScalarStyle::Plain | ScalarStyle::DoubleQuoted => Cow::Owned(["\"", value, "\""].concat()),
        ScalarStyle::SingleQuoted => Cow::Owned(["'", value, "'"].concat()),
        ScalarStyle::Literal | ScalarStyle::Folded => Cow::Borrowed(value),
    }
}

/// Whether plain `value` reads back as the same string, in a block or a flow collection.
fn is_safe_plain(value: &str, flow: bool) -> bool {
    value.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && value.bytes().all(|b| {
            b.is_ascii_alphanumeric()
                || matches!(b, b'.' | b'_' | b'/' | b':' | b'@' | b'-' | b'+')
                || (!flow && matches!(b, b'[' | b']'))
        })
        && !value.ends_with(':')
        && is_plain_string(value)
        && !is_old_scalar(value)
}

/// Whether plain `text` is a string to Kubernetes, and a boolean or a number of base 60 (`1:30`) to readers that go by the
/// letter of YAML 1.1. It is read as a string, and not written so.
fn is_old_scalar(text: &str) -> bool {
    matches!(text, "y" | "Y" | "n" | "N")
        || (text.contains(':') && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'_' | b'.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_strings_from_what_else_plain_text_can_be() {
        for text in
            ["nginx", "nginx:1.2", "1.2.3", "12:30", "0.0.0.0/a", "nullable", "no/yes", "1a", "-", "é"]
        {
            assert!(is_plain_string(text), "{text} is a string");
        }
        for text in [
            "",
            "~",
            "null",
            "Null",
            "NULL",
            "true",
            "Yes",
            "OFF",
            "1",
            "1.14",
            "-2",
            "+.5",
            "1e3",
            "1_000",
            "0x1F",
            "0o17",
            ".inf",
            "2001-12-14",
            "2001-12-14T21:59:43Z",
            "<<",
        ] {
            assert!(!is_plain_string(text), "{text} is no string");
        }
    }

    #[test]
    fn encodes_in_the_scalars_own_style() {
        let cases = [
            ("m.io:5000/a", ScalarStyle::Plain, true, "m.io:5000/a"),
            ("[::1]:5000/a", ScalarStyle::Plain, false, "\"[::1]:5000/a\""),
            ("1.20", ScalarStyle::Plain, false, "\"1.20\""),
            ("null", ScalarStyle::Plain, false, "\"null\""),
            ("y", ScalarStyle::Plain, false, "\"y\""),
            ("N", ScalarStyle::Plain, false, "\"N\""),
            ("yes", ScalarStyle::Plain, false, "\"yes\""),
            ("on", ScalarStyle::Plain, true, "\"on\""),
            ("1e3", ScalarStyle::Plain, false, "\"1e3\""),
            ("1:30", ScalarStyle::Plain, false, "\"1:30\""),
            ("10.0.0.1:5000/a:1", ScalarStyle::Plain, false, "10.0.0.1:5000/a:1"),
            ("year", ScalarStyle::Plain, false, "year"),
            ("m.io/a", ScalarStyle::SingleQuoted, false, "'m.io/a'"),
            ("m.io/a", ScalarStyle::DoubleQuoted, false, "\"m.io/a\""),
            ("m.io/a", ScalarStyle::Folded, false, "m.io/a"),
        ];
        for (value, style, flow, expected) in cases {
            assert_eq!(encode(value, style, flow), expected);
        }
    }
}
