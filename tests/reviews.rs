//! Reviews and their answers, as data: each file of `tests/reviews` holds maps, flags, a review and what is answered.
//! After a wanted change, `REVIEWS=overwrite cargo test --test reviews`, and read the difference.
#![allow(clippy::unwrap_used)]

#[path = "reviews_support/mod.rs"]
mod support;

use std::fs;

use imageswap::manifest::{Places, Scanner, edit};
use imageswap::maps::{Maps, MapsText, ParseOptions};
use imageswap::rewrite::{Engine, KustomizeMode};
use imageswap::webhook::admission::{Ask, OnError, OnUnmapped, ReviewOutcome, Settings, admit};
use serde_json::{Value, json};
use support::{apply, decoded_patch};

/// The body that a case sends.
fn body(case: &Value) -> String {
    if let Some(review) = case.get("review") {
        return review.to_string();
    }
    let body = case["body"].as_str().unwrap().to_owned();
    let Some(parts) = case["repeat"].as_array() else { return body };
    let repeated = |part: &Value| {
        let times = usize::try_from(part[1].as_u64().unwrap()).unwrap();
        part[0].as_str().unwrap().repeat(times)
    };
    body.replace("%s", &parts.iter().map(repeated).collect::<String>())
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().map(|all| all.iter().map(|text| text.as_str().unwrap()).collect()).unwrap_or_default()
}

fn engine(case: &Value, flags: &Value) -> Engine {
    let parsed = match flags["legacyPrefix"].as_str() {
        Some(prefix) => Maps::legacy(prefix).unwrap(),
        None => {
            let text = MapsText::new("maps", case["maps"].as_str().unwrap());
            Maps::parse(&[text], ParseOptions::default()).unwrap()
        }
    };
    let mut fields = Places::known();
    for field in strings(&flags["fields"]) {
        fields.add(field.parse().unwrap());
    }
    let label = flags["disableLabel"].as_str().unwrap_or(imageswap::manifest::DISABLE_LABEL);
    Engine {
        maps: parsed.maps.into(),
        scanner: Scanner::new(fields, label.to_owned()).with_step_limit(100_000),
        skips: strings(&flags["skip"]).iter().map(|skip| skip.parse().unwrap()).collect(),
        kustomize: KustomizeMode::Follow,
        ..Engine::default()
    }
}

fn settings(flags: &Value) -> Settings {
    Settings {
        on_unmapped: match flags["onUnmapped"].as_str() {
            None => OnUnmapped::Ignore,
            Some("warn") => OnUnmapped::Warn,
            Some("deny") => OnUnmapped::Deny,
            Some(other) => panic!("{other}"),
        },
        on_error: if flags["onError"] == "allow" { OnError::Allow } else { OnError::Deny },
        annotate_original: flags["annotateOriginal"] == true,
        dry_run: flags["dryRun"] == true,
        validate: flags["validate"] == true,
    }
}

/// What is answered, with the patch in clear.
fn answer(name: &str, case: &Value) -> Value {
    let flags = &case["flags"];
    let engine = engine(case, flags);
    let ask = Ask {
        settings: settings(flags),
        audit: case["path"] == "/audit",
        rules: Some("0123456789abcdef".into()),
    };
    let body = body(case);
    let answer = match admit(body.as_bytes(), &engine, &ask) {
        Err(error) => return json!({"status": 400, "text": error.to_string()}),
        Ok(answer) => answer,
    };
    let mut review: Value = serde_json::from_slice(&answer.body).unwrap();
    let patch = decoded_patch(&review);
    for warning in strings(&review["response"]["warnings"]) {
        assert!(warning.len() <= 256 && !warning.contains('\n'), "{name}: {warning}");
    }
    if let Some(patch) = &patch {
        review["response"]["patch"] = patch.clone();
        one_engine(name, &body, patch, &engine, case);
        twice_is_once(name, &body, patch, &engine, &ask);
    }
    assert_eq!(patch.is_some(), answer.facts.outcome == ReviewOutcome::Patched, "{name}");
    json!({"status": 200, "outcome": answer.facts.outcome.as_str(), "review": review})
}

/// What `rewrite -` makes of the object is what its patch makes of it, where nothing but images is patched and the
/// request adds nothing to what the object says.
fn one_engine(name: &str, body: &str, patch: &Value, engine: &Engine, case: &Value) {
    let review: Value = serde_json::from_str(body).unwrap();
    let request = &review["request"];
    let flags = &case["flags"];
    if request["operation"] != "CREATE" || flags["annotateOriginal"] == true || !flags["skip"].is_null() {
        return;
    }
    let object = request["object"].to_string();
    let edited = edit::apply(&object, &engine.plan_alone(&object).edits()).unwrap();
    let mut patched = request["object"].clone();
    apply(&mut patched, patch);
    assert_eq!(patched, serde_json::from_str::<Value>(&edited).unwrap(), "{name}");
}

/// The patched object is not patched again.
fn twice_is_once(name: &str, body: &str, patch: &Value, engine: &Engine, ask: &Ask) {
    let mut review: Value = serde_json::from_str(body).unwrap();
    apply(&mut review["request"]["object"], patch);
    let again = admit(review.to_string().as_bytes(), engine, ask).unwrap();
    assert_eq!(again.facts.outcome, ReviewOutcome::Unchanged, "{name}: {:?}", again.facts);
}

#[test]
fn are_answered_as_written() {
    let mut names: Vec<_> = fs::read_dir("tests/reviews").unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    assert!(names.len() >= 60, "only {} reviews", names.len());
    let overwrite = std::env::var("REVIEWS").is_ok_and(|value| value == "overwrite");
    let mut wrong = Vec::new();
    for path in &names {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let mut case: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let got = answer(name, &case);
        if overwrite {
            case["answer"] = got;
            fs::write(path, format!("{case:#}\n")).unwrap();
        } else if case["answer"] != got {
            wrong.push(format!("{name} ({}):\nwant {:#}\ngot {got:#}", case["about"], case["answer"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
