//! A reference that is read is the text it was read from, and its parts put together are, too.

#![no_main]

use imageswap::image::ImageReference;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let reference = match ImageReference::parse(text) {
        Ok(reference) => reference,
        Err(error) => {
            assert!(error.offset() <= text.len(), "{error}");
            return;
        }
    };
    assert_eq!(reference.as_str(), text);
    let registry = reference.registry().map_or(String::new(), |registry| format!("{registry}/"));
    assert_eq!(format!("{registry}{}{}", reference.path(), reference.suffix()), text);
    assert_eq!(format!("{}{}", reference.name(), reference.suffix()), text);
    let tag = reference.tag().map_or(String::new(), |tag| format!(":{tag}"));
    let digest = reference.digest().map_or(String::new(), |digest| format!("@{}", digest.as_str()));
    assert_eq!(format!("{tag}{digest}"), reference.suffix());
    let canonical = reference.canonical();
    let again = ImageReference::parse(&canonical).expect("a canonical reference is a reference");
    assert_eq!(again.canonical(), canonical);
});
