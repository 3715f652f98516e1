//! What the scanner finds can be edited: nothing but the images changes, as many are found afterwards, and a
//! second rewrite changes nothing.

#![no_main]

use std::sync::LazyLock;

use imageswap::manifest::edit::{self, Edit};
use imageswap::manifest::{Occurrence, Scan, Scanner, Span, scalar};
use libfuzzer_sys::fuzz_target;

static SCANNER: LazyLock<Scanner> = LazyLock::new(Scanner::default);

/// What every image becomes.
const IMAGE: &str = "registry.example:5000/team/app:1.2";

/// The sites that a rewrite would edit, in the order of the text. An alias may bring one to several places.
fn sites(scan: &Scan) -> Vec<(&Occurrence, Span)> {
    let editable = |o: &'_ Occurrence| o.place.is_site() && o.blocked.is_none();
    let found = scan.occurrences.iter().filter(|o| editable(o));
    let mut sites: Vec<_> = found.filter_map(|o| Some((o, o.text.edit?))).collect();
    sites.sort_by_key(|(_, span)| *span);
    sites.dedup_by_key(|(_, span)| *span);
    sites
}

fn edits(scan: &Scan) -> Vec<Edit> {
    let encode = |o: &Occurrence| scalar::encode(IMAGE, o.text.style, o.text.flow).into_owned();
    sites(scan).into_iter().map(|(o, span)| Edit { span, text: encode(o) }).collect()
}

fuzz_target!(|text: &str| {
    let scan = SCANNER.scan(text);
    if !scan.errors.is_empty() {
        return;
    }
    let same = |span: Span| Edit { span, text: text[span.start..span.end].to_owned() };
    let identity: Vec<_> = sites(&scan).into_iter().map(|(_, span)| same(span)).collect();
    assert_eq!(edit::apply(text, &identity).as_deref(), Ok(text));

    let first = edits(&scan);
    if first.is_empty() {
        return;
    }
    let rewritten = edit::apply(text, &first).expect("sites lie apart, in order");
    let again = SCANNER.scan(&rewritten);
    assert!(again.errors.is_empty(), "{:?} of {rewritten:?}", again.errors);
    let second = edits(&again);
    assert_eq!(second.len(), first.len(), "other sites in {rewritten:?}");

    // Between the edits stands what stood there, and each edit's text stands where the next scan finds it.
    let (mut old, mut new) = (0, 0);
    for (before, after) in first.iter().zip(&second) {
        assert_eq!(text[old..before.span.start], rewritten[new..after.span.start]);
        assert_eq!(rewritten[after.span.start..after.span.end], before.text);
        (old, new) = (before.span.end, after.span.end);
    }
    assert_eq!(text[old..], rewritten[new..]);
    assert!(sites(&again).iter().all(|(o, _)| o.text.value == IMAGE));
    assert_eq!(edit::apply(&rewritten, &second).as_deref(), Ok(rewritten.as_str()));
});
