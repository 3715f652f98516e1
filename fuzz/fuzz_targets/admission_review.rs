//! Any bytes as an AdmissionReview: no panic; what is answered is JSON with the review's uid; and a patch points at
//! what is there, and makes of the object what `rewrite` makes of its text.

#![no_main]

use imageswap::manifest::{Scanner, edit};
use imageswap::maps::{Maps, MapsText, ParseOptions};
use imageswap::rewrite::Engine;
use imageswap::webhook::admission::{Ask, Settings, admit};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let maps = MapsText::new("maps", "docker.io::mirror.example.com/hub\nquay.io::mirror.example.com/quay\n");
    let maps = Maps::parse(&[maps], ParseOptions::default()).expect("the maps are good").maps;
    let engine = Engine { maps: maps.into(), scanner: Scanner::default().with_step_limit(100_000), ..Engine::default() };
    let settings = Settings { annotate_original: data.len() % 2 == 0, ..Settings::default() };
    let Ok(answer) = admit(data, &engine, &Ask { settings, ..Ask::default() }) else { return };
    let review: Value = serde_json::from_slice(&answer.body).expect("the answer is JSON");
    assert_eq!(review["response"]["uid"], answer.facts.uid.as_str());
    let Ok(asked) = serde_json::from_slice::<Value>(data) else { return };
    let object = &asked["request"]["object"];
    for swap in &answer.facts.swaps {
        assert!(object.to_string().contains(&Value::from(swap.from.as_str()).to_string()), "{swap:?}");
    }
    let text = object.to_string();
    let rewritten = edit::apply(&text, &engine.plan_alone(&text).edits()).expect("the edits fit");
    serde_json::from_str::<Value>(&rewritten).expect("what is rewritten is JSON still");
});
