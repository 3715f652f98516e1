//! The promises, over generated manifests and maps: identity keeps bytes, twice is once, edits stay in their
//! spans, and nothing else changes. `PROPTEST_CASES` sets how many cases are tried.
#![allow(clippy::unwrap_used)]

use imageswap::manifest::edit::{self, Edit};
use imageswap::manifest::{ScalarStyle, Scanner, Text, scalar};
use imageswap::maps::{Maps, MapsText, ParseOptions};
use imageswap::rewrite::{Engine, Plan};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// How an image is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    /// Double quotes with an escape in them.
    Escaped,
    Folded,
    FoldedStrip,
    Literal,
    LiteralKeep,
    /// On the line below its key.
    Below,
    Tagged,
    Anchored,
    /// An alias of the last anchored image, where there is one.
    Alias,
    QuotedKey,
    ComplexKey,
}

/// How the containers of a document are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Block,
    /// The sequence is not indented under its key.
    Flush,
    Flow,
    Json,
}

#[derive(Debug, Clone)]
struct Document {
    layout: Layout,
    key: &'static str,
    indent: usize,
    comments: bool,
    images: Vec<(String, Style)>,
}

#[derive(Debug, Clone)]
struct Manifest {
    documents: Vec<Document>,
    crlf: bool,
    bom: bool,
    final_newline: bool,
}

impl Manifest {
    /// The text, and how many image scalars stand in it (an alias is none).
    fn text(&self) -> (String, usize) {
        let mut out = String::new();
        let mut scalars = 0;
        for (number, document) in self.documents.iter().enumerate() {
            if number > 0 || document.comments {
                out.push_str("---\n");
            }
            match document.layout {
                Layout::Block | Layout::Flush => document.block(&mut out, &mut scalars),
                Layout::Flow => document.flow(&mut out, &mut scalars),
                Layout::Json => document.json(&mut out, &mut scalars),
            }
        }
        let ends_in_block = self.documents.last().is_some_and(|document| {
            matches!(document.images.last(), Some((_, Style::Literal | Style::LiteralKeep | Style::Folded)))
        });
        if !self.final_newline && !ends_in_block {
            out.truncate(out.trim_end().len());
        }
        if self.crlf {
            out = out.replace('\n', "\r\n");
        }
        if self.bom {
            out.insert(0, '\u{feff}');
        }
        (out, scalars)
    }
}

impl Document {
    fn block(&self, out: &mut String, scalars: &mut usize) {
        let (pad, dash) =
            (" ".repeat(self.indent), if self.layout == Layout::Flush { 0 } else { self.indent });
        let comment = if self.comments { " # image: not/this:1" } else { "" };
        out.push_str(&format!("apiVersion: v1{comment}\nkind: Pod\nspec:\n{pad}{}:{comment}\n", self.key));
        let dash = format!("{pad}{}", " ".repeat(dash));
        let mut anchor = None;
        for (number, (image, style)) in self.images.iter().enumerate() {
            if self.comments {
                out.push_str("# - image: nor/this:1\n\n");
            }
            out.push_str(&format!("{dash}- name: 'c {number}'\n{dash}  "));
            let deep = format!("{dash}      ");
            *scalars += 1;
            match style {
                Style::Plain => out.push_str(&format!("image: {image}{comment}\n")),
                Style::Single => out.push_str(&format!("image: '{image}'{comment}\n")),
                Style::Double => out.push_str(&format!("image:   \"{image}\"{comment}\n")),
                Style::Escaped => out.push_str(&format!("image: \"{}\"\n", escaped(image))),
                Style::Folded => out.push_str(&format!("image: >{comment}\n{deep}{image}\n")),
                Style::FoldedStrip => out.push_str(&format!("image: >-\n{deep}{image}\n")),
                Style::Literal => out.push_str(&format!("image: |\n{deep}{image}\n")),
                Style::LiteralKeep => out.push_str(&format!("image: |+\n{deep}{image}\n")),
                Style::Below => out.push_str(&format!("image:\n{deep}{image}  {comment}\n")),
                Style::Tagged => out.push_str(&format!("image: !!str {image}\n")),
                Style::QuotedKey => out.push_str(&format!("\"image\" : {image}\n")),
                Style::ComplexKey => out.push_str(&format!("? image\n{dash}  : {image}\n")),
                Style::Anchored => {
                    anchor = Some(number);
                    out.push_str(&format!("image: &a{number} {image}{comment}\n"));
                }
                Style::Alias => match anchor {
                    Some(number) => {
                        *scalars -= 1;
                        out.push_str(&format!("image: *a{number}\n"));
                    }
                    None => out.push_str(&format!("image: {image}\n")),
                },
            }
            out.push_str(&format!("{dash}  args: [\"{{image: x}}\", 'image']\n"));
        }
    }

    fn flow(&self, out: &mut String, scalars: &mut usize) {
        let gap = if self.comments { "\n  " } else { "" };
        let item = |(image, style): &(String, Style)| {
            let value = match style {
                Style::Single => format!("'{image}'"),
                Style::Double | Style::QuotedKey => format!("\"{image}\""),
                Style::Escaped => format!("\"{}\"", escaped(image)),
                _ => format!("{image} "),
            };
            format!("{gap}{{name: a,image: {value}}}")
        };
        let items: Vec<String> = self.images.iter().map(item).collect();
        *scalars += items.len();
        out.push_str(&format!("{{kind: Pod, spec: {{{}: [{}]}}}}\n", self.key, items.join(",")));
    }

    fn json(&self, out: &mut String, scalars: &mut usize) {
        let gap = if self.comments { "\n\t" } else { "" };
        let item = |(image, style): &(String, Style)| {
            let value = if *style == Style::Escaped { escaped(image) } else { image.clone() };
            format!("{gap}{{\"name\":\"a\",\"image\":{gap}\"{value}\"}}")
        };
        let items: Vec<String> = self.images.iter().map(item).collect();
        *scalars += items.len();
        out.push_str(&format!("{{\"kind\":\"Pod\",\"spec\":{{\"{}\":[{}]}}}}\n", self.key, items.join(",")));
    }
}

/// `image` with its first character as an escape.
fn escaped(image: &str) -> String {
    let first = image.chars().next().unwrap();
    format!("\\u{:04x}{}", u32::from(first), &image[first.len_utf8()..])
}

const REGISTRIES: &[&str] = &[
    "",
    "docker.io/",
    "quay.io/",
    "quay.io:443/",
    "ghcr.io/",
    "localhost:5000/",
    "m.example/",
    "n.example/hub/",
];
const PATHS: &[&str] = &["nginx", "library/nginx", "team/app", "team/app/x", "a/b/c", "hub/library/nginx"];
const SUFFIXES: &[&str] = &[
    "",
    ":1",
    ":v1.2-x_y",
    "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ":1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
];

fn image() -> impl Strategy<Value = String> {
    (select(REGISTRIES), select(PATHS), select(SUFFIXES))
        .prop_map(|(registry, path, suffix)| format!("{registry}{path}{suffix}"))
}

fn style() -> impl Strategy<Value = Style> {
    use Style::*;
    select(vec![
        Plain,
        Plain,
        Single,
        Double,
        Escaped,
        Folded,
        FoldedStrip,
        Literal,
        LiteralKeep,
        Below,
        Tagged,
        Anchored,
        Alias,
        QuotedKey,
        ComplexKey,
    ])
}

fn document() -> impl Strategy<Value = Document> {
    let layout = select(vec![Layout::Block, Layout::Block, Layout::Flush, Layout::Flow, Layout::Json]);
    let key = select(vec!["containers", "initContainers", "ephemeralContainers"]);
    let images = prop::collection::vec((image(), style()), 1..5);
    (layout, key, 1..5usize, any::<bool>(), images).prop_map(|(layout, key, indent, comments, images)| {
        Document { layout, key, indent, comments, images }
    })
}

fn manifest() -> impl Strategy<Value = Manifest> {
    let documents = prop::collection::vec(document(), 1..4);
    (documents, any::<bool>(), any::<bool>(), any::<bool>())
        .prop_map(|(documents, crlf, bom, final_newline)| Manifest { documents, crlf, bom, final_newline })
}

const KEYS: &[&str] = &[
    "default",
    "docker.io",
    "docker.io/library",
    "docker.io/team",
    "quay.io",
    "quay.io:443",
    "quay.io/team",
    "ghcr.io",
    "localhost:5000",
    "m.example",
    "m.example/hub",
    "n.example",
    "n.example/hub/library",
    "[EXACT]nginx",
    "[EXACT]quay.io/team/app:1",
    "[REPLACE]*team*",
    "[REPLACE]ghcr.io/*",
];
const VALUES: &[&str] = &[
    "",
    "m.example",
    "m.example/hub",
    "n.example/hub",
    "n.example:5000",
    "m.example/hub-",
    "m.example/{registry}/{path}",
    "n.example/{name}",
    "quay.io/team",
];

/// Maps of some of these keys and values, in any order; chains and targets among the sources are likely.
fn maps() -> impl Strategy<Value = Maps> {
    let rule = (any::<Index>(), any::<Index>());
    (prop::collection::vec(rule, 0..8), any::<bool>()).prop_map(|(rules, allow_chained)| {
        let mut lines: Vec<String> = Vec::new();
        for (key, value) in rules {
            let key = key.get(KEYS);
            if !lines.iter().any(|line| line.starts_with(&format!("{key}::"))) {
                lines.push(format!("{key}::{}", value.get(VALUES)));
            }
        }
        let text = lines.join("\n");
        // Lines that are no rules (an [EXACT] value with braces) are passed over.
        let options = ParseOptions { lenient: true, allow_chained };
        Maps::parse(&[MapsText::new("maps", text.as_str())], options).unwrap().maps
    })
}

fn engine(maps: Maps) -> Engine {
    Engine { maps: maps.into(), ..Engine::default() }
}

fn rewritten(text: &str, plan: &Plan) -> String {
    edit::apply(text, &plan.edits()).unwrap()
}

/// The scalars of a text by an independent reader: values, with everything else that it reports.
fn events(text: &str) -> Vec<String> {
    use saphyr_parser::{Event, Parser};
    let text = text.trim_start_matches('\u{feff}');
    Parser::new_from_str(text)
        .map(|event| match event.unwrap().0 {
            // Quoting may be needed for a value, and is no difference.
            Event::Scalar(value, _, anchor, tag) => format!("= {value} {anchor} {tag:?}"),
            other => format!("{other:?}"),
        })
        .collect()
}

/// `text` with each image as it is written once more.
fn rewritten_to_itself(text: &str, images: &[Text]) -> String {
    let edits: Vec<Edit> = images
        .iter()
        .filter_map(|image| {
            let span = image.edit?;
            Some(Edit { span, text: scalar::encode(&image.value, image.style, image.flow).into_owned() })
        })
        .collect();
    edit::apply(text, &edits).unwrap()
}

/// 1024 cases, or as many as `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() {
        config
    } else {
        ProptestConfig { cases: 1024, ..config }
    }
}

proptest! {
    #![proptest_config(config())]

    /// The finder finds each image that was put there, and no other.
    #[test]
    fn all_images_are_found(manifest in manifest()) {
        let (text, scalars) = manifest.text();
        let scan = Scanner::default().scan(&text);
        prop_assert!(scan.errors.is_empty(), "{:?}\n{text}", scan.errors);
        let sites: Vec<_> = scan.occurrences.iter().filter(|o| o.place.is_site()).collect();
        prop_assert_eq!(sites.len(), scalars, "{}", text);
        for site in sites {
            prop_assert!(site.text.edit.is_some(), "cannot be edited: {:?}\n{}", site, text);
        }
    }

    /// Maps that change nothing keep every byte, and so does writing each image anew.
    #[test]
    fn identity_keeps_bytes(manifest in manifest()) {
        let (text, _) = manifest.text();
        let exact: Vec<String> = manifest.documents.iter()
            .flat_map(|document| document.images.iter().map(|(image, _)| format!("[EXACT]{image}::{image}")))
            .collect();
        let options = ParseOptions { lenient: true, ..ParseOptions::default() };
        let maps = Maps::parse(&[MapsText::new("maps", exact.join("\n").as_str())], options).unwrap().maps;
        let engine = engine(maps);
        let plan = engine.plan_alone(&text);
        prop_assert!(plan.changes.is_empty());
        prop_assert_eq!(&rewritten(&text, &plan), &text);

        let images: Vec<Text> =
            engine.scanner.scan(&text).occurrences.into_iter().map(|occurrence| occurrence.text).collect();
        let same = rewritten_to_itself(&text, &images);
        let spelled = |text: &str| text.contains("\\u");
        prop_assert!(same == text || spelled(&text), "{text}\n{same}");
    }

    /// Rewriting twice is rewriting once, whatever the maps.
    #[test]
    fn twice_is_once(manifest in manifest(), maps in maps()) {
        let (text, _) = manifest.text();
        let engine = engine(maps);
        let once = rewritten(&text, &engine.plan_alone(&text));
        let again = engine.plan_alone(&once);
        let left: Vec<_> = again.changes.iter().map(|c| (&c.site.image, &c.to)).collect();
        prop_assert!(left.is_empty(), "{left:?}\n{once}");
        prop_assert_eq!(rewritten(&once, &again), once);
    }

    /// Edits are at scalars that the scanner reports, and bytes elsewhere stay. An independent reader sees the
    /// same events before and after, the images apart.
    #[test]
    fn only_images_change(manifest in manifest(), maps in maps()) {
        let (text, _) = manifest.text();
        let engine = engine(maps);
        let plan = engine.plan_alone(&text);
        let scan = engine.scanner.scan(&text);
        let edits = plan.edits();
        for edit in &edits {
            let site = scan.occurrences.iter().find(|o| o.text.edit == Some(edit.span));
            prop_assert!(site.is_some_and(|o| o.text.span.start <= edit.span.start && edit.span.end <= o.text.span.end));
        }
        let new = rewritten(&text, &plan);
        let (mut at, mut rest) = (0, new.as_str());
        for edit in &edits {
            let outside = &text[at..edit.span.start];
            prop_assert!(rest.starts_with(outside));
            rest = &rest[outside.len()..];
            prop_assert!(rest.starts_with(edit.text.as_str()));
            rest = &rest[edit.text.len()..];
            at = edit.span.end;
        }
        prop_assert_eq!(rest, &text[at..]);

        let images = |text: &str| -> Vec<(String, String)> {
            let occurrences = engine.scanner.scan(text).occurrences;
            occurrences.into_iter().map(|o| (o.path.to_string(), o.text.value)).collect()
        };
        let mut expected = images(&text);
        for change in &plan.changes {
            let path = change.site.path.to_string();
            let found = expected.iter_mut().filter(|(at, value)| *at == path && *value == change.site.image);
            // The same path and image in another document becomes the same.
            found.for_each(|(_, value)| *value = change.to.to_string());
        }
        prop_assert_eq!(images(&new), expected);

        let (old_events, new_events) = (events(&text), events(&new));
        prop_assert_eq!(old_events.len(), new_events.len());
        let differ = old_events.iter().zip(&new_events).filter(|(old, new)| old != new).count();
        prop_assert_eq!(differ, plan.changes.len());
    }

    /// No text makes the engine panic, and what it plans for it can be carried out.
    #[test]
    fn any_text_is_planned(
        text in "([ \\n\\t:,\"'|>&*!#\\[\\]{}?%-]|image|containers|kind: Pod|nginx|\\PC){0,60}",
        maps in maps(),
    ) {
        let engine = engine(maps);
        let plan = engine.plan_alone(&text);
        if plan.errors.is_empty() {
            let once = rewritten(&text, &plan);
            let again = engine.plan_alone(&once);
            prop_assert!(again.changes.is_empty(), "{once}");
        }
    }
}

/// The styles that a generated manifest can have are those of the reader.
#[test]
fn styles_are_those_of_the_reader() {
    let text = "kind: Pod\nspec:\n  containers:\n  - image: a\n  - image: 'a'\n  - image: \"a\"\n  - image: >\n      a\n  - image: |\n      a\n";
    let styles: Vec<_> = Scanner::default().scan(text).occurrences.iter().map(|o| o.text.style).collect();
    assert_eq!(
        styles,
        [
            ScalarStyle::Plain,
            ScalarStyle::SingleQuoted,
            ScalarStyle::DoubleQuoted,
            ScalarStyle::Folded,
            ScalarStyle::Literal
        ]
    );
}
