//! Whatever the maps, rewriting twice is rewriting once, and what comes out is a reference. The first line of the input
//! is the image, the rest are the maps.

#![no_main]

use imageswap::image::ImageReference;
use imageswap::maps::{Maps, MapsText, ParseOptions, lint};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|input: &str| -> Corpus {
    let (image, text) = input.split_once('\n').unwrap_or((input, ""));
    let texts = [MapsText::new("fuzz", text)];
    let _ = lint(&texts);
    let Ok(image) = ImageReference::parse(image) else { return Corpus::Reject };
    for (lenient, allow_chained) in [(false, false), (true, false), (true, true)] {
        let Ok(parsed) = Maps::parse(&texts, ParseOptions { lenient, allow_chained }) else { continue };
        let explanation = parsed.maps.explain(&image);
        let Some(once) = explanation.decision.outcome.changed() else { continue };
        let again = ImageReference::parse(once).expect("a result is a reference");
        let twice = parsed.maps.decide(&again);
        assert_eq!(twice.outcome.changed(), None, "{image:?} became {once}, and that changes again");
    }
    Corpus::Keep
});
