//! One engine: for any object, the patch that `serve` answers makes of it what `rewrite` makes of its text. And whatever
//! becomes of a review on its way, the answer is a review or says what is wrong. `PROPTEST_CASES=1000000` tries for long.
#![allow(clippy::unwrap_used)]

#[path = "reviews_support/mod.rs"]
mod support;

use imageswap::manifest::edit;
use imageswap::maps::{Maps, MapsText, ParseOptions};
use imageswap::rewrite::Engine;
use imageswap::webhook::admission::{Ask, ReviewOutcome, Settings, admit};
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

/// The bodies of the reviews in `tests/reviews`, without the largest ones.
fn bodies() -> Vec<Vec<u8>> {
    let read = |path: std::path::PathBuf| {
        let case: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let body = case.get("review").map(Value::to_string);
        body.or_else(|| case["body"].as_str().map(str::to_owned)).unwrap().into_bytes()
    };
    let mut paths: Vec<_> = std::fs::read_dir("tests/reviews").unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(read).filter(|body| body.len() < 16 * 1024).collect()
}

/// One thing that happens to a body.
#[derive(Debug, Clone)]
enum Mutation {
    Byte(prop::sample::Index, u8),
    Cut(prop::sample::Index, prop::sample::Index),
    Copy(prop::sample::Index, prop::sample::Index, prop::sample::Index),
    Insert(prop::sample::Index, &'static str),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<prop::sample::Index>;
    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        "\"",
        "\\",
        ":",
        ",",
        "\\\"",
        "\\u0069mage",
        "null",
        "-1e9",
        "\u{feff}",
        "\n",
        "\0",
        "\"image\":\"nginx\"",
        "\"containers\":[{\"image\":\"nginx\"}]",
        "\"object\":{}",
        "\"request\":",
        "\"metadata\":{\"annotations\":",
        "\"kind\":\"AdmissionReview\"",
        "\"operation\":\"UPDATE\"",
    ];
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Byte(at, byte)),
        (at(), at()).prop_map(|(from, to)| Mutation::Cut(from, to)),
        (at(), at(), at()).prop_map(|(from, to, at)| Mutation::Copy(from, to, at)),
        (at(), prop::sample::select(PIECES)).prop_map(|(at, piece)| Mutation::Insert(at, piece)),
    ]
}

fn mutate(body: &mut Vec<u8>, mutation: &Mutation) {
    let place = |at: &prop::sample::Index| at.index(body.len() + 1);
    let range = |from, to| {
        let (from, to) = (place(from), place(to));
        from.min(to)..from.max(to).min(from.min(to) + 64)
    };
    match mutation {
        Mutation::Byte(at, byte) => {
            let at = place(at).min(body.len().saturating_sub(1));
            body.get_mut(at).into_iter().for_each(|old| *old = *byte);
        }
        Mutation::Cut(from, to) => drop(body.drain(range(from, to))),
        Mutation::Copy(from, to, at) => {
            let (piece, at) = (body[range(from, to)].to_vec(), place(at));
            body.splice(at..at, piece);
        }
        Mutation::Insert(at, piece) => {
            let at = place(at);
            body.splice(at..at, piece.bytes());
        }
    }
}

proptest! {
    #[test]
    fn a_mutated_review_is_answered_or_refused(
        body in prop::sample::select(bodies()),
        mutations in prop::collection::vec(mutation(), 1..6),
        annotated in any::<bool>(),
    ) {
        let mut body = body;
        mutations.iter().for_each(|mutation| mutate(&mut body, mutation));
        let mut engine = engine();
        engine.scanner = engine.scanner.with_step_limit(100_000);
        let settings = Settings { annotate_original: annotated, ..Settings::default() };
        let ask = Ask { settings, ..Ask::default() };
        let Ok(answer) = admit(&body, &engine, &ask) else { return Ok(()) };
        let review: Value = serde_json::from_slice(&answer.body).unwrap();
        prop_assert_eq!(&review["response"]["uid"], answer.facts.uid.as_str());
        // As an API server writes it: no key stands twice.
        let Ok(mut asked) = serde_json::from_slice::<Value>(&body) else { return Ok(()) };
        let answer = admit(asked.to_string().as_bytes(), &engine, &ask).unwrap();
        let patch = decoded_patch(&serde_json::from_slice(&answer.body).unwrap());
        prop_assert_eq!(patch.is_some(), answer.facts.outcome == ReviewOutcome::Patched);
        let Some(patch) = patch else { return Ok(()) };
        apply(&mut asked["request"]["object"], &patch);
        let again = admit(asked.to_string().as_bytes(), &engine, &ask).unwrap();
        prop_assert_eq!(again.facts.outcome, ReviewOutcome::Unchanged, "{:?}", again.facts);
    }

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
        prop_assert_eq!(patch.is_some(), answer.facts.outcome == ReviewOutcome::Patched);
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
