//! On every text, the fast reader either gives up or says exactly what the YAML reader says.

#![no_main]

use std::cell::RefCell;

use imageswap::manifest::event::{Event, Sink};
use imageswap::manifest::fast::FastReader;
use imageswap::manifest::{Span, yaml};
use libfuzzer_sys::{Corpus, fuzz_target};

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

thread_local! {
    /// Kept from text to text, as in a run over many files.
    static READER: RefCell<FastReader> = RefCell::new(FastReader::default());
}

fuzz_target!(|text: &str| -> Corpus {
    let whole = Span::new(0, text.len());
    let mut fast = Vec::new();
    if !READER.with_borrow_mut(|reader| reader.read(text, whole, &mut fast)) {
        return Corpus::Keep;
    }
    let mut full = Stream::default();
    let result = yaml::read(text, whole, &mut full);
    assert!(result.is_ok(), "taken, and no YAML: {result:?}");
    assert_eq!(full.documents, 1);
    assert_eq!(fast, full.events);
    Corpus::Keep
});
