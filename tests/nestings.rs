//! Images within texts within texts, in every style that a scalar may have: bytes outside of images stay, twice is once,
//! and what the inner reader reads differs in images alone. `PROPTEST_CASES` sets how many cases are tried.
#![allow(clippy::unwrap_used)]

use imageswap::manifest::edit;
use imageswap::maps::{Maps, MapsText, ParseOptions};
use imageswap::rewrite::{Engine, Plan};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

/// How a text stands in the text around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Literal,
    LiteralStrip,
    LiteralKeep,
    /// Folded: the text is JSON on one line, so that there is nothing to fold.
    Folded,
    Single,
    Double,
    /// Double quotes in which letters are spelled as escapes.
    Escaped,
}

const STYLES: &[Style] = &[
    Style::Literal,
    Style::LiteralStrip,
    Style::LiteralKeep,
    Style::Folded,
    Style::Single,
    Style::Double,
    Style::Escaped,
];

/// How the innermost patch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Merge,
    JsonPatch,
    Json,
    Transformer,
}

const FORMS: &[Form] = &[Form::Merge, Form::JsonPatch, Form::Json, Form::Transformer];

const IMAGES: &[&str] = &[
    "nginx:1",
    "quay.io/team/log@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "redis",
    "localhost:5000/a/b:2",
    "m.example:5000/hub/kept:1",
];

#[derive(Debug, Clone)]
struct Case {
    images: Vec<&'static str>,
    form: Form,
    style: Style,
    indent: usize,
    crlf: bool,
}

fn cases() -> impl Strategy<Value = Case> {
    let images = prop::collection::vec(select(IMAGES), 1..4);
    (images, select(FORMS), select(STYLES), 1..5usize, any::<bool>())
        .prop_map(|(images, form, style, indent, crlf)| Case { images, form, style, indent, crlf })
}

impl Case {
    /// The innermost text.
    fn patch(&self) -> String {
        let containers: Vec<Value> = self
            .images
            .iter()
            .enumerate()
            .map(|(number, image)| serde_json::json!({"name": format!("c{number}"), "image": image}))
            .collect();
        match self.form {
            Form::Json => serde_json::json!({"kind": "Pod", "spec": {"containers": containers}}).to_string(),
            Form::JsonPatch => {
                let operation = |(number, image): (usize, &&str)| {
                    format!(
                        "- op: test\n  path: /spec/containers/{number}/image\n  value: '{image}' # it's one\n"
                    )
                };
                self.images.iter().enumerate().map(operation).collect()
            }
            Form::Merge => {
                let container = |(number, image): (usize, &&str)| {
                    format!("  - name: \"c{number}\"\n    image: {image}\n")
                };
                let containers: String = self.images.iter().enumerate().map(container).collect();
                format!("kind: Pod\nspec:\n  containers:\n{containers}")
            }
            Form::Transformer => {
                let patch = serde_json::json!([{
                    "op": "add", "path": "/spec/containers", "value": containers
                }]);
                let patch = patch.to_string().replace('\\', "\\\\").replace('"', "\\\"");
                format!("apiVersion: builtin\nkind: PatchTransformer\npatch: \"{patch}\"\n")
            }
        }
    }

    /// The whole text: a Kustomization that holds the patch.
    fn text(&self) -> String {
        let patch = self.patch();
        let one_line = || {
            let value: Value = serde_saphyr::from_str(&patch).unwrap();
            value.to_string()
        };
        let pad = " ".repeat(self.indent);
        let block = |head: &str, text: &str| {
            let lines: String = text.lines().map(|line| format!("  {pad}{line}\n")).collect();
            format!("{head}\n{lines}")
        };
        let scalar = match self.style {
            Style::Literal => block("|", &patch),
            Style::LiteralStrip => block("|-", &patch),
            Style::LiteralKeep => block("|+", &patch),
            Style::Folded => block(">-", &one_line()),
            Style::Single => format!("'{}'\n", one_line().replace('\'', "''")),
            Style::Double => format!("{}\n", Value::from(patch.as_str())),
            Style::Escaped => {
                let escaped = Value::from(patch.as_str()).to_string();
                format!("{}\n", escaped.replace('g', "\\x67").replace("/", "\\u002f"))
            }
        };
        let text = match self.form {
            Form::Transformer => format!("transformers:\n- {scalar}resources: [a.yaml] # behind\n"),
            Form::Merge | Form::JsonPatch | Form::Json => {
                let pad = " ".repeat(2);
                let scalar = scalar.replace("\n  ", &format!("\n{pad}  "));
                format!("# before\npatches:\n- patch: {scalar}- target: {{kind: Pod}}\n")
            }
        };
        let text = format!("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n{text}");
        if self.crlf { text.replace('\n', "\r\n") } else { text }
    }
}

/// The text's tree, in which a text that is a patch is a tree, too.
fn tree(text: &str) -> Value {
    fn deepened(value: Value) -> Value {
        match value {
            Value::String(text) if text.contains(['\n', '{', '[']) => tree(&text),
            Value::Array(items) => items.into_iter().map(deepened).collect(),
            Value::Object(entries) => {
                entries.into_iter().map(|(key, value)| (key, deepened(value))).collect()
            }
            value => value,
        }
    }
    deepened(serde_saphyr::from_str(text).unwrap())
}

/// The tree with `image` in the place of each image.
fn mapped(tree: Value, image: &impl Fn(&str) -> String) -> Value {
    match tree {
        Value::String(text) if IMAGES.contains(&text.as_str()) => Value::String(image(&text)),
        Value::Array(items) => items.into_iter().map(|item| mapped(item, image)).collect(),
        Value::Object(entries) => {
            entries.into_iter().map(|(key, value)| (key, mapped(value, image))).collect()
        }
        value => value,
    }
}

fn engine() -> Engine {
    let maps = "docker.io::m.example:5000/hub\nquay.io::m.example/quay\n";
    let parsed = Maps::parse(&[MapsText::new("maps", maps)], ParseOptions::default()).unwrap();
    Engine { maps: parsed.maps.into(), ..Engine::default() }
}

fn apply(text: &str, plan: &Plan) -> String {
    assert!(plan.errors.is_empty() && plan.problems.is_empty(), "{:?} {:?}", plan.errors, plan.problems);
    edit::apply(text, &plan.edits()).unwrap()
}

fn becomes(image: &str) -> String {
    match image {
        "nginx:1" => "m.example:5000/hub/nginx:1".to_owned(),
        "redis" => "m.example:5000/hub/redis".to_owned(),
        image => image.replacen("quay.io/", "m.example/quay/", 1),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn images_within_texts_are_edited_where_they_stand(case in cases()) {
        let text = case.text();
        let engine = engine();
        let plan = engine.plan_alone(&text);
        let rewritten = apply(&text, &plan);
        // All that is there is found, and the trees differ in images alone.
        let sites = plan.changes.len() + plan.kept.len();
        prop_assert_eq!(sites, case.images.len(), "{}", text);
        prop_assert_eq!(tree(&rewritten), mapped(tree(&text), &becomes), "{}\n{}", text, rewritten);
        // Bytes outside of the edits stay.
        let (mut at, mut rest) = (0, rewritten.as_str());
        for edit in plan.edits() {
            rest = rest.strip_prefix(&text[at..edit.span.start]).unwrap();
            rest = rest.strip_prefix(edit.text.as_str()).unwrap();
            at = edit.span.end;
        }
        prop_assert_eq!(rest, &text[at..]);
        // Twice is once.
        let second = engine.plan_alone(&rewritten);
        prop_assert!(second.changes.is_empty(), "{}", rewritten);
    }
}
