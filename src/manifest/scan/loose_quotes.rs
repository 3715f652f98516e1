//! Quoted scalars that go on at their key's own indentation. YAML wants them indented more, kubectl and PyYAML do not
//! care, and so such manifests are about.
//!
//! The YAML reader gets a copy of the text in which each of them stands on one line: of the same length, so that every
//! offset is right. What the scalar says is then read from the text itself.

use super::{Run, Scan, Scanner};
use crate::manifest::event::{Event, Scalar};
use crate::manifest::fast::FastReader;
use crate::manifest::{Span, yaml};

/// How often a text is read again, each time with one more scalar of each document put on one line.
const MOST_ROUNDS: usize = 64;

/// The largest text that is read again, in bytes: manifests are smaller, and each round is a copy and a reading.
const LARGEST: usize = 1 << 20;

impl Scanner {
    /// Finds the images of a text that stands within `depth` others.
    pub(super) fn scan_within(&self, text: &str, reader: &mut FastReader, depth: usize) -> Scan {
        let run = self.read(text, text, &[], reader, depth);
        let (first, mut loose) = (run.scan, run.loose_quotes);
        let mut quotes: Vec<Span> = Vec::new();
        for _ in 0..MOST_ROUNDS {
            if loose.is_empty() || text.len() > LARGEST {
                break;
            }
            quotes.extend(loose.iter().filter_map(|before| open_at_end(text, *before)));
            quotes.sort_unstable();
            quotes.dedup();
            let copy = on_one_line(text, &quotes);
            let run = self.read(&copy, text, &quotes, reader, depth);
            if run.loose_quotes.is_empty() && run.quotes_seen == quotes.len() {
                return run.scan;
            }
            loose = run.loose_quotes;
        }
        first
    }
}

impl<'a> Run<'a, '_> {
    /// Takes note of a quoted scalar: in it a line end of YAML 1.1 hides nothing, and its value is that of the text as
    /// it stands.
    pub(super) fn quoted(&mut self, scalar: &mut Scalar<'a>) {
        let span = scalar.span;
        self.old_line_ends.pass_quoted(span);
        if self.quotes.binary_search(&span).is_err() {
            return;
        }
        self.quotes_seen += 1;
        let mut events = Vec::new();
        let read = yaml::read(self.original, span, &mut events);
        if let (Ok(()), [Event::Scalar(as_written)]) = (read, &mut events[..]) {
            scalar.value = std::mem::take(&mut as_written.value);
        }
    }
}

/// The quoted scalar of `text` that is open where `before` ends, which starts somewhere in a node or an entry.
fn open_at_end(text: &str, before: Span) -> Option<Span> {
    let bytes = text.as_bytes();
    let mut at = before.start;
    while at < before.end {
        let starts_token = at == before.start
            || matches!(bytes[at - 1], b' ' | b'\t' | b'\n' | b'\r' | b'[' | b'{' | b',' | b':');
        match bytes[at] {
            b'#' if starts_token => at += memchr::memchr(b'\n', &bytes[at..])?,
            b'"' | b'\'' if starts_token => {
                let end = end_of_quoted(bytes, at)?;
                if end > before.end {
                    return Some(Span::new(at, end));
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    None
}

/// The end of the quoted scalar at `start`, its quote included.
fn end_of_quoted(bytes: &[u8], start: usize) -> Option<usize> {
    let quote = bytes[start];
    let mut at = start + 1;
    loop {
        match *bytes.get(at)? {
            b'\\' if quote == b'"' => at += 2,
            b'\'' if quote == b'\'' && bytes.get(at + 1) == Some(&b'\'') => at += 2,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// `text` with spaces for the line ends of `quotes`.
fn on_one_line(text: &str, quotes: &[Span]) -> String {
    let mut copy = text.as_bytes().to_vec();
    for quote in quotes {
        let bytes = copy[quote.start..quote.end].iter_mut();
        bytes.filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
    }
    // A line end is a character of its own, so that the text is still UTF-8.
    String::from_utf8(copy).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_quotes_that_go_on_at_their_keys_own_indentation() {
        for quoted in ["\"one\n  two\"", "'one\n  two'", "'one\n\n  two\n  three' # c"] {
            for text in [
                format!("kind: Pod\nspec:\n  d: {quoted}\n  containers:\n  - image: nginx\n"),
                format!("kind: Pod\nspec:\n  containers:\n  - image: nginx\n  d: {quoted}\n---\nimage: x\n"),
            ] {
                for scanner in [Scanner::default(), Scanner::default().without_fast_reader()] {
                    let scan = scanner.scan(&text);
                    assert!(scan.errors.is_empty(), "{text}: {:?}", scan.errors);
                    assert_eq!(scan.occurrences[0].text.value, "nginx", "{text}");
                }
            }
        }
        let text = "kind: Pod\nspec:\n  containers:\n  - image: \"ngi\\\n  nx\"\n";
        assert_eq!(Scanner::default().scan(text).occurrences[0].text.value, "nginx");
    }

    #[test]
    fn finds_the_scalar_that_is_open() {
        let open = |text: &str, until: &str| {
            let span = open_at_end(text, Span::new(0, text.find(until).unwrap()))?;
            Some(text[span.start..span.end].to_owned())
        };
        assert_eq!(open("a: \"b\n  X\"\n", "X").as_deref(), Some("\"b\n  X\""));
        assert_eq!(open("'a': 'b''\n\n  X' # c\n", "X").as_deref(), Some("'b''\n\n  X'"));
        assert_eq!(open("# it's\nit's: [\"\\\"b\nX\"]", "X").as_deref(), Some("\"\\\"b\nX\""));
        assert_eq!(open("a: \"b\"\nX", "X"), None);
        assert_eq!(open("a: \"b\nX", "X"), None);
        assert_eq!(on_one_line("a: 'b\r\n é'\n", &[Span::new(3, 11)]), "a: 'b   é'\n");
    }
}
