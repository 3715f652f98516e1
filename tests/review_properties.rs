//! One engine: for any object, the patch that `serve` answers makes of it what `rewrite` makes of its text.
#![allow(clippy::unwrap_used)]

#[path = "reviews_support/mod.rs"]
mod support;

use imageswap::manifest::edit;
use imageswap::maps::{Maps, MapsText, ParseOptions};
use imageswap::rewrite::Engine;
use imageswap::webhook::admission::{Ask, Outcome, Settings, admit};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{apply, decoded_patch};

const MAPS: &str =
    "docker.io::mirror.example.com/hub\nquay.io/a::mirror.example.com/a\n[EXACT]b:1::c.example.com/b:2\n";

fn engine() -> Engine {
    let maps = Maps::parse(&[MapsText::new("maps", MAPS)], ParseOptions::default()).unwrap().maps;
    Engine { maps: maps.into(), ..Engine::default() }
}

fn image() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::sample::select(
            &["nginx", "a/b:1", "b:1", "quay.io/a/x:1", "quay.io/b", "ghcr.io/c@x", "", "é\"\\\n", "auto"][..]
        )
        .prop_map(Value::from),
        Just(Value::Null),
        Just(json!(5)),
        Just(json!({"reference": "nginx"})),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(
            &["spec", "template", "containers", "initContainers", "volumes", "image", "name", "items", "metadata", "labels"][..]
        )
        .prop_map(str::to_owned),
        1 => prop::sample::select(&["a/b", "c~d", "~0", "~1/", "", "é", "\"", "\\", "\n", "\u{1f600}"][..])
            .prop_map(str::to_owned),
    ]
}

/// Any value, with what workloads are made of in odd places.
fn node() -> impl Strategy<Value = Value> {
    let container = (image(), prop::option::of("[a-z]{1,3}")).prop_map(|(image, name)| match name {
        Some(name) => json!({"name": name, "image": image}),
        None => json!({"image": image}),
    });
    let leaf = prop_oneof![
        image(),
        any::<bool>().prop_map(Value::from),
        prop::collection::vec(container, 0..4)
            .prop_map(|all| json!({"containers": all, "volumes": [{"image": {"reference": "nginx"}}]})),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// A JSON text of the value: some with white space, some with all of it escaped that may be.
fn text(value: &Value, form: u8) -> String {
    match form {
        0 => value.to_string(),
        1 => format!("{value:#}"),
        _ => {
            let plain = value.to_string();
            plain.chars().map(|c| if c.is_ascii() { c.to_string() } else { escaped(c) }).collect()
        }
    }
}

fn escaped(c: char) -> String {
    c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

proptest! {
    #[test]
    fn a_patch_does_what_rewrite_does(
        kind in prop::sample::select(&["Pod", "Deployment", "List", "Task"][..]),
        spec in node(),
        annotated in any::<bool>(),
        form in 0..3_u8,
    ) {
        let engine = engine();
        let object = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}, "spec": spec});
        let object_text = text(&object, form);
        let body = format!(
            "{{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{{\"uid\":\"u\",\"operation\":\"CREATE\",\"object\":{object_text}}}}}"
        );
        let settings = Settings { annotate_original: annotated, ..Settings::default() };
        let ask = Ask { settings, ..Ask::default() };
        let answer = admit(body.as_bytes(), &engine, &ask).unwrap();
        let review: Value = serde_json::from_slice(&answer.body).unwrap();
        let mut patched: Value = serde_json::from_str(&object_text).unwrap();
        let patch = decoded_patch(&review);
        prop_assert_eq!(patch.is_some(), answer.facts.outcome == Outcome::Patched);
        if let Some(patch) = patch {
            apply(&mut patched, &patch);
        }
        if let Some(metadata) = patched["metadata"].as_object_mut() {
            metadata.remove("annotations");
        }
        let edited = edit::apply(&object_text, &engine.plan_alone(&object_text).edits()).unwrap();
        prop_assert_eq!(patched, serde_json::from_str::<Value>(&edited).unwrap());
    }
}
