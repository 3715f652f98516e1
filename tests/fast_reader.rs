//! The fast reader against the YAML reader: on every text it either gives up or says exactly the same.
//!
//! Two environment variables widen the search: `IMAGESWAP_CORPUS` names a folder of YAML files, and
//! `IMAGESWAP_YAML_TEST_SUITE` a checkout of the official test suite; `IMAGESWAP_MUTATIONS` says how often
//! each document of them is mutated.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test says its counts")]

#[path = "fast_reader/corpus.rs"]
mod corpus;
#[path = "fast_reader/mutate.rs"]
mod mutate;
#[path = "fast_reader/table.rs"]
mod table;

use std::cell::RefCell;

use imageswap::manifest::event::{Event, Sink};
use imageswap::manifest::fast::FastReader;
use imageswap::manifest::{Span, yaml};
use proptest::prelude::*;

/// What the YAML reader says of a text.
#[derive(Default)]
struct Stream<'a> {
    documents: usize,
    events: Vec<Event<'a>>,
}

impl<'a> Sink<'a> for Stream<'a> {
    fn document_start(&mut self) {
        self.documents += 1;
    }

    fn event(&mut self, event: Event<'a>) {
        self.events.push(event);
    }
}

/// What came of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Taken,
    GivenUp,
}

thread_local! {
    /// Kept from text to text, as in a run over many files.
    static READER: RefCell<FastReader> = RefCell::new(FastReader::default());
}

/// Reads `span` of `text` with both readers and holds that they agree, or that the fast one gives up.
fn compare(text: &str, span: Span) -> Outcome {
    let mut fast = Vec::new();
    if !READER.with_borrow_mut(|reader| reader.read(text, span, &mut fast)) {
        return Outcome::GivenUp;
    }
    let mut full = Stream::default();
    let result = yaml::read(text, span, &mut full);
    let slice = span.of(text);
    assert!(result.is_ok(), "taken, and no YAML: {slice:?}: {result:?}");
    assert_eq!(full.documents, 1, "taken, and not one document: {slice:?}");
    assert_eq!(fast, full.events, "of {slice:?}");
    Outcome::Taken
}

fn compare_whole(text: &str) -> Outcome {
    compare(text, Span::new(0, text.len()))
}

/// Each line of a document alone, from snippets that together make most of what manifests hold and some of
/// what they do not.
fn line() -> impl Strategy<Value = String> {
    let text = prop::sample::select(vec![
        "containers:",
        "- image: nginx:1.2",
        "image: nginx",
        "name: a",
        "- name: b",
        "- - a",
        "- - - b: c",
        "-",
        "- ",
        "- # c",
        "key:",
        "key: ",
        "key: # c",
        "key: |",
        "key: >-",
        "key: |+",
        "key: >2",
        "key: |1-",
        "key: |2+ # c",
        "- |",
        "- >+",
        "# comment",
        "#",
        "text",
        "more text",
        "a: 'b'",
        "a: 'b",
        "c'",
        "'",
        "a: 'it''s'",
        "a: \"b\"",
        "a: \"b",
        "c\"",
        "\"a\": b",
        "'a': b",
        "\"a\" : b",
        "a: \"b\\\"c\"",
        "a: \"b\\",
        "a: \"\\x41\\u00e9\\n\"",
        "a: b # c",
        "a: b #c",
        "a: b#c",
        "a: b: c",
        "a:b",
        "a : b",
        "a: [b, c]",
        "a: {b: c}",
        "a: []",
        "a: {}",
        "- {}",
        "- [a, {b: c}]",
        "a: {\"b\":\"c\"}",
        "a: [a b,c:d]",
        "a: {b: }",
        "a: [",
        "]",
        "a: {b,",
        "}",
        "- é: ü",
        "a: 漢字",
        "a: &x b",
        "a: *x",
        "a: !!str b",
        "? a",
        ": b",
        "---",
        "--- a",
        "...",
        "%YAML 1.2",
        "a:\tb",
        "\ta",
        "a: b\t",
        "  ",
        "",
        "",
        "a: -",
        "a: - b",
        "a: ?x",
        "a: ::",
        ":8080",
        "- :8080",
        "- --flag=a",
        "- -",
        "a: |x",
        "a: @b",
        "a: %b",
        "a: `b",
        "a: ,b",
        "<<: b",
        "~",
        "a: ~",
        "a: 1",
        "\"a",
        "a: 'b' c",
        "a: 'b' # c",
        "a: 'b'# c",
        "a: 'b': c",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{1}",
        "\u{7f}",
    ]);
    let indent = prop_oneof![4 => (0_usize..5).prop_map(|n| 2 * n), 1 => 0_usize..12];
    let end = prop_oneof![8 => Just("\n"), 1 => Just("\r\n"), 1 => Just(" \n"), 1 => Just("\n\n")];
    (indent, text, end).prop_map(|(indent, text, end)| format!("{}{text}{end}", " ".repeat(indent)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn says_what_the_yaml_reader_says_of_any_lines(
        lines in prop::collection::vec(line(), 1..12),
        cut in any::<bool>(),
    ) {
        let mut text = lines.concat();
        if cut {
            text.pop();
        }
        compare_whole(&text);
    }

    #[test]
    fn says_what_the_yaml_reader_says_of_mutated_manifests(seed in any::<u64>()) {
        let mut random = mutate::Random(seed);
        let text = mutate::manifest(&mut random);
        prop_assert_eq!(compare_whole(&text), Outcome::Taken, "{:?}", text);
        compare_whole(&mutate::mutated(&text, &mut random));
    }

    #[test]
    fn says_what_the_yaml_reader_says_of_any_text(text in "[-a:#'\"|>\\[\\]{},\\\\ \n\té]{0,40}") {
        compare_whole(&text);
    }

    #[test]
    fn counts_from_the_start_of_the_text(seed in any::<u64>(), before in "[a-zé\n]{0,9}", behind in "[a-z:\n]{0,9}") {
        let document = mutate::manifest(&mut mutate::Random(seed));
        let text = format!("{before}{document}{behind}");
        prop_assert_eq!(compare(&text, Span::new(before.len(), before.len() + document.len())), Outcome::Taken);
    }
}
