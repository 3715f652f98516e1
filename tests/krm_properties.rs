//! Promises of the function over generated ResourceLists: bytes outside of image scalars and `results` stay,
//! what is read afterwards is what was read before with the images replaced, and a second run changes no item.
#![allow(clippy::unwrap_used)]

mod krm_support;

use imageswap::krm::{Ending, FunctionConfig, FunctionOptions, ResourceList, Severity, Verdict, run};
use imageswap::manifest::edit;
use imageswap::maps::{Maps, MapsText, ParseOptions};
use imageswap::rewrite::Engine;
use krm_support::value;
use proptest::prelude::*;
use serde_json::Value;

/// How a ResourceList is written.
#[derive(Debug, Clone)]
struct Written {
    items: Vec<Item>,
    results: Option<&'static str>,
    order: usize,
    version: &'static str,
    crlf: bool,
    final_line_end: bool,
    lead: &'static str,
    indent: &'static str,
}

#[derive(Debug, Clone)]
struct Item {
    shape: usize,
    image: &'static str,
    comment: bool,
}

/// Shapes of an item, `IMAGE` where the image goes, without indentation.
const SHAPES: &[&str] = &[
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - image: IMAGE\n    name: c\n",
    "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 'IMAGE', name: c}, {image: \"IMAGE\"}]}\n",
    "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"spec\": {\"containers\": [{\"image\": \"IMAGE\"}]}}\n",
    "apiVersion: v1\nkind: Pod\nx: &c\n  image: IMAGE\nspec:\n  initContainers:\n  - <<: *c\n    name: c\n",
    "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: c\n    image: >-\n      IMAGE\n    args: |+\n      # no comment\n\n\n",
    "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: |\n    results:\n    items:\n    image: IMAGE\n",
    "apiVersion: kpt.dev/v1\nkind: Kptfile\nspec:\n  containers: [{image: IMAGE}]\n",
    "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  spec:\n    containers:\n    - image: \"IMAGE\" # c\n",
    "kind: Odd\nimage: {results: []}\n",
    "{}\n",
];

const IMAGES: &[&str] = &[
    "nginx",
    "quay.io/a/b:1",
    "m.io/hub/nginx",
    "docker.io/a/b@sha256:9f0c5a1de2b34c6780a1b2c3d4e5f60718293a4b5c6d7e8f9012a3b4c5d6e7f8",
    "gcr.io/x",
    "$(IMAGE)",
];

const RESULTS: &[&str] = &[
    "results: []\n",
    "results:\n",
    "results:\n- message: old\n  severity: error\n  # a comment\n",
    "results: # c\n  name: x\n  items: [{message: \"a\"}]\n",
    "\"results\": [{message: a}, # ]\n  {message: b}] # after\n",
    "results:\n- message: |\n    items:\n    - a\n\n",
];

fn written() -> impl Strategy<Value = Written> {
    let item = (0..SHAPES.len(), prop::sample::select(IMAGES), any::<bool>())
        .prop_map(|(shape, image, comment)| Item { shape, image, comment });
    (
        prop::collection::vec(item, 0..6),
        prop::option::of(prop::sample::select(RESULTS)),
        0..24_usize,
        prop::sample::select(&["v1", "v1beta1"][..]),
        any::<bool>(),
        any::<bool>(),
        prop::sample::select(&["", "---\n", "# lead\n\n", "\u{feff}"][..]),
        prop::sample::select(&["", "  "][..]),
    )
        .prop_map(|(items, results, order, version, crlf, final_line_end, lead, indent)| Written {
            items,
            results,
            order,
            version,
            crlf,
            final_line_end,
            lead,
            indent,
        })
}

impl Written {
    fn text(&self) -> String {
        let mut items = String::from("items:");
        items.push_str(if self.items.is_empty() { " []\n" } else { "\n" });
        for (i, item) in self.items.iter().enumerate() {
            if item.comment {
                items.push_str(&format!("{}# item {i}\n", self.indent));
            }
            let body = SHAPES[item.shape].replace("IMAGE", item.image);
            for (line, text) in body.split_inclusive('\n').enumerate() {
                let lead = if line == 0 { "- " } else { "  " };
                let blank = text == "\n";
                items.push_str(&if blank { text.to_owned() } else { format!("{}{lead}{text}", self.indent) });
            }
        }
        let config =
            "functionConfig:\n  kind: ConfigMap\n  apiVersion: v1\n  x: {containers: [{image: nginx}]}\n";
        let mut parts = vec![items, config.to_owned(), self.results.unwrap_or_default().to_owned()];
        parts.push(format!("kind: ResourceList\napiVersion: config.kubernetes.io/{} # v\n", self.version));
        // One of the orders of four parts.
        let mut order = self.order;
        let mut text = self.lead.to_owned();
        while !parts.is_empty() {
            text.push_str(&parts.remove(order % parts.len()));
            order /= parts.len() + 1;
        }
        if !self.final_line_end {
            text.truncate(text.trim_end().len());
        }
        if self.crlf { text.replace('\n', "\r\n") } else { text }
    }
}

fn engine() -> Engine {
    let maps = MapsText::new("maps", "docker.io::m.io/hub\nquay.io::m.io/quay\n");
    Engine { maps: Maps::parse(&[maps], ParseOptions::default()).unwrap().maps.into(), ..Engine::default() }
}

fn apply(text: &str, options: FunctionOptions) -> (Verdict, String) {
    let list = ResourceList::read(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let verdict = run(&list, &engine(), options, &[]);
    let output = edit::apply(text, &verdict.edits).unwrap();
    (verdict, output)
}

/// `value` with every image of a container as the rules want it, outside of Kptfiles.
fn expected(value: &Value) -> Value {
    match value {
        Value::Object(map) if map.get("kind") == Some(&"Kptfile".into()) => value.clone(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| match (key.as_str(), value) {
                ("image", Value::String(image)) => (key.clone(), swapped(image).into()),
                _ => (key.clone(), expected(value)),
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(values) => values.iter().map(expected).collect(),
        other => other.clone(),
    }
}

fn swapped(image: &str) -> String {
    match image {
        "nginx" => "m.io/hub/nginx".to_owned(),
        image if image.starts_with("quay.io/") => image.replace("quay.io", "m.io/quay"),
        image if image.starts_with("docker.io/") => image.replace("docker.io", "m.io/hub"),
        image => image.to_owned(),
    }
}

fn without_results(text: &str) -> Value {
    let mut value = value(text.trim_start_matches('\u{feff}'));
    value.as_object_mut().unwrap().remove("results");
    value
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn only_images_of_items_and_results_change(written in written()) {
        let text = written.text();
        let before = without_results(&text);
        let (verdict, output) = apply(&text, FunctionOptions::default());
        prop_assert_eq!(verdict.ending, Ending::Done);
        let after = without_results(&output);
        prop_assert_eq!(&after["items"], &expected(&before["items"]), "{}", output);
        for key in ["functionConfig", "kind", "apiVersion"] {
            prop_assert_eq!(&after[key], &before[key]);
        }
        // Every edit but that of the results replaces an image by an image.
        let mut others = 0;
        for edit in &verdict.edits {
            let old = edit.span.of(&text).unwrap().trim_matches(['"', '\'']);
            if IMAGES.contains(&old) {
                prop_assert_eq!(edit.text.trim_matches(['"', '\'']), swapped(old));
            } else {
                prop_assert!(old.is_empty() || old.trim_start_matches(['"', '\'']).starts_with("results"), "{:?}", old);
                others += 1;
            }
        }
        prop_assert!(others <= 1);
        // What it says is what it did.
        let results = value(output.trim_start_matches('\u{feff}'))["results"].clone();
        let told = results.as_array().map_or(0, Vec::len);
        prop_assert_eq!(told, verdict.results.len());
        let changes = verdict.results.iter().filter(|r| r.field.as_ref().is_some_and(|f| f.proposed_value.is_some()));
        prop_assert_eq!(changes.count(), verdict.edits.len() - others);
    }

    #[test]
    fn a_second_run_changes_no_item_and_a_third_nothing(written in written()) {
        let (_, first) = apply(&written.text(), FunctionOptions::default());
        let (_, second) = apply(&first, FunctionOptions::default());
        prop_assert_eq!(without_results(&first), without_results(&second));
        let (verdict, third) = apply(&second, FunctionOptions::default());
        prop_assert_eq!(&third, &second);
        prop_assert_eq!(verdict.edits, vec![]);
    }

    #[test]
    fn validation_changes_nothing_but_results(written in written()) {
        let text = written.text();
        let (changing, _) = apply(&text, FunctionOptions::default());
        let (verdict, output) = apply(&text, FunctionOptions { validate: true, ..FunctionOptions::default() });
        prop_assert_eq!(without_results(&output), without_results(&text));
        let would_change = changing.results.iter().any(|r| r.field.as_ref().is_some_and(|f| f.proposed_value.is_some()));
        prop_assert_eq!(verdict.ending != Ending::Done, would_change);
        // An error and a failure always come together.
        let has_error = verdict.results.iter().any(|r| r.severity == Severity::Error);
        prop_assert_eq!(has_error, would_change);
        let severities: Vec<_> = verdict.results.iter().map(|r| r.severity).collect();
        if has_error {
            prop_assert!(severities.is_sorted());
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a-zA-Z:{}\\[\\]\"'#&*!|>\\- \n,]{0,80}") {
        let _ = FunctionConfig::read("x", &text);
        let head = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n";
        let plain = format!("{head}items: []\n");
        prop_assert!(ResourceList::read(&plain).is_ok());
        let inner = text.replace('\n', "\n  ");
        for rest in [
            text.clone(),
            format!("items: []\nfunctionConfig:\n  {inner}\n"),
            format!("items:\n- {inner}\n"),
            format!("items:\n- kind: Pod\n  apiVersion: v1\n  spec: {{containers: [{{image: nginx}}]}}\n  {inner}\n"),
        ] {
            let input = format!("{head}{rest}");
            if let Ok(list) = ResourceList::read(&input) {
                let _ = list.function_config();
                let verdict = run(&list, &engine(), FunctionOptions::default(), &[]);
                prop_assert!(edit::apply(&input, &verdict.edits).is_ok());
            }
        }
    }
}
