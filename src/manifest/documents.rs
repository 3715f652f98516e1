//! Splits a stream into documents before anything is parsed, and passes over those that hold no image.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, packed};
use memchr::memmem;

use super::Span;
use super::places::Places;

/// Splits `text`, which may have `\r` or not, from byte `start` on at each `---` in column 0 that is followed by a
/// space, a tab or a line end: such a line ends a document even inside a block scalar. `None` for a stream with lone
/// `\r` as line ends.
///
/// A stream with directives must be read as a whole; whether it has any ([`has_directive`]) the caller looks, where the
/// fast reader, which gives up on them, did not.
pub(super) fn split(text: &str, start: usize, may_have_cr: bool) -> Option<Vec<Span>> {
    let bytes = text.as_bytes();
    if may_have_cr && has_lone_cr(&bytes[start..]) {
        return None;
    }
    let mut spans = Vec::new();
    let mut from = start;
    for marker in MARKER.find_iter(&bytes[start..]).map(|i| start + i + 1) {
        if is_marker(&bytes[marker..]) {
            spans.push(Span::new(from, marker));
            from = marker;
        }
    }
    spans.push(Span::new(from, text.len()));
    Some(spans)
}

/// Finds what may be the start of a document.
static MARKER: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("\n---"));

/// Finds what may be the end of a document.
static END: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("\n..."));

/// Finds what may be a directive.
static DIRECTIVE: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("\n%"));

/// Whether `bytes` start with `---` and white space or nothing.
fn is_marker(bytes: &[u8]) -> bool {
    bytes.starts_with(b"---") && matches!(bytes.get(3), None | Some(b' ' | b'\t' | b'\n' | b'\r'))
}

/// Whether a line starts with `%`, as directives do.
pub(super) fn has_directive(bytes: &[u8]) -> bool {
    bytes.first() == Some(&b'%') || DIRECTIVE.find(bytes).is_some()
}

fn has_lone_cr(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', bytes).any(|i| bytes.get(i + 1) != Some(&b'\n'))
}

/// How many documents one stretch of [`split`] holds: one, or none when it has nothing but comments and no `---`.
/// `None` when there is a `...` line, behind which another document may start without `---`.
pub(super) fn count(bytes: &[u8]) -> Option<usize> {
    if bytes.starts_with(b"...") || END.find(bytes).is_some() {
        return None;
    }
    if is_marker(bytes) {
        return Some(1);
    }
    let is_content = |line: &[u8]| !matches!(line.trim_ascii_start().first(), None | Some(b'#'));
    let mut rest = bytes;
    while let Some(end) = memchr::memchr(b'\n', rest) {
        if is_content(&rest[..end]) {
            return Some(1);
        }
        rest = &rest[end + 1..];
    }
    Some(usize::from(is_content(rest)))
}

/// What a document must hold to have an image in it; a search that costs next to nothing.
#[derive(Debug, Clone)]
pub(super) struct Prefilter {
    image: memmem::Finder<'static>,
    /// Other texts to look for; `None` when nothing can be told from the text.
    others: Option<Texts>,
}

/// Texts that are looked for all at once.
#[derive(Debug, Clone)]
enum Texts {
    /// By vector instructions, where the processor has them and there are few texts.
    Packed(packed::Searcher),
    /// One byte at a time. Building it costs more than reading a small file, so it is built only where it is needed.
    Automaton(AhoCorasick),
}

impl Texts {
    /// `None` when there are too many for a searcher.
    fn new(texts: &[String]) -> Option<Self> {
        match packed::Searcher::new(texts) {
            Some(searcher) => Some(Self::Packed(searcher)),
            None => AhoCorasick::new(texts).ok().map(Self::Automaton),
        }
    }

    /// Whether one of them stands in `bytes`.
    fn stand_in(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Packed(searcher) => searcher.find(bytes).is_some(),
            Self::Automaton(automaton) => automaton.is_match(bytes),
        }
    }
}

impl Prefilter {
    pub(super) fn new(places: &Places) -> Self {
        let others = places.texts_without_image().and_then(|texts| Texts::new(&texts));
        Self { image: memmem::Finder::new("image"), others }
    }

    /// Whether `bytes` may hold an image: they have one of the words, or an escape that could spell one.
    pub(super) fn may_hold_image(&self, bytes: &[u8]) -> bool {
        let Some(others) = &self.others else { return true };
        self.image.find(bytes).is_some() || others.stand_in(bytes) || has_escape(bytes)
    }
}

/// Whether there is a backslash that a letter of a key could hide behind.
fn has_escape(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'\\', bytes)
        .any(|i| matches!(bytes.get(i + 1), Some(b'x' | b'u' | b'U' | b'\n' | b'\r')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(text: &str) -> Vec<Option<usize>> {
        let spans = split(text, 0, true).unwrap();
        assert!(spans.iter().zip(&spans[1..]).all(|(one, next)| one.end == next.start));
        spans.iter().map(|span| count(&text.as_bytes()[span.start..span.end])).collect()
    }

    #[test]
    fn splits_where_yaml_does() {
        assert_eq!(
            counts("# c\n---\na: 1\n---\n# only a comment\n--- b\n"),
            [Some(0), Some(1), Some(1), Some(1)]
        );
        assert_eq!(counts("a: |\n  ---\n  b\n---x: 1\n"), [Some(1)]);
        assert_eq!(counts("a: 1\n...\nb: 1\n---\nc: 1\n"), [None, Some(1)]);
        assert_eq!(split("a: 1\r---\rb: 1\r", 0, true), None);
        assert_eq!(counts("a: 1\r\n---\r\nb: 1\r\n"), [Some(1), Some(1)]);
        assert_eq!(counts(""), [Some(0)]);
    }

    #[test]
    fn searches_alike_with_and_without_vectors() {
        let texts = Texts::new(&["ab".to_owned(), "RELATED_".to_owned()]).unwrap();
        let plainly = Texts::Automaton(AhoCorasick::new(["ab", "RELATED_"]).unwrap());
        for (text, want) in
            [("a b", false), ("xxab", true), ("RELATE", false), ("xRELATED_x", true), ("", false)]
        {
            for text in [text.to_owned(), format!("{text}{}", " ".repeat(200))] {
                let found = [&texts, &plainly].map(|texts| texts.stand_in(text.as_bytes()));
                assert_eq!(found, [want; 2], "{text}");
            }
        }
    }

    #[test]
    fn sees_directives() {
        assert!(has_directive(b"%YAML 1.2\n---\na") && has_directive(b"a\n...\n%TAG ! x\n---\nb"));
        assert!(!has_directive(b"a: 10%\n  %b: c\n"));
    }

    #[test]
    fn lets_only_documents_pass_that_may_hold_an_image() {
        let filter = Prefilter::new(&Places::known());
        assert!(filter.may_hold_image(b"containers: [{image: a}]"));
        assert!(filter.may_hold_image(br#"{"im\u0061ge": 1}"#));
        assert!(filter.may_hold_image(b"spec: {initImage: a}"));
        assert!(filter.may_hold_image(b"env: [{name: RELATED_IMAGE_A, value: a}]"));
        assert!(!filter.may_hold_image(b"kind: Service\nspec: {a: \"b\\n\"}"));
    }
}
