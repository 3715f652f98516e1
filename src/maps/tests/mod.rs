//! The language as a whole: tables of named cases, and the property that twice is once.

mod faults;
mod language;
mod never_twice;
mod today;

use crate::image::ImageReference;

use super::*;

/// The rules of a text that must be free of faults.
fn maps(text: &str) -> Maps {
    parsed(text).maps
}

fn parsed(text: &str) -> Parsed {
    Maps::parse(&[MapsText::new("maps", text)], ParseOptions::default())
        .unwrap_or_else(|errors| panic!("{text}\n{errors}"))
}

fn image(text: &str) -> ImageReference<'_> {
    ImageReference::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What an image is in the end.
fn becomes(maps: &Maps, text: &str) -> String {
    maps.explain(&image(text)).result().to_owned()
}

/// A row of a table: name, maps, image, what it becomes.
type Row = (&'static str, &'static str, &'static str, &'static str);

fn check(table: &[Row]) {
    for (name, text, from, to) in table {
        let maps = maps(text);
        let decision = maps.decide(&image(from));
        assert!(!decision.outcome.is_error(), "{name}: {from}: {decision:?}");
        assert_eq!(becomes(&maps, from), *to, "{name}: {from}");
        assert_eq!(becomes(&maps, to), *to, "{name}: {from}, twice");
        // Changed or not shows in the outcome as well.
        assert_eq!(decision.outcome.changed().is_some(), from != to, "{name}: {decision:?}");
    }
}
