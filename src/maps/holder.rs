//! Maps text held by a manifest: a ConfigMap's `data`, an ImageSwap's `spec.maps`. Lines are the outer file's.
//!
//! ```yaml
//! apiVersion: v1
//! kind: ConfigMap
//! metadata: {name: imageswap-maps}
//! data:
//!   maps: |
//!     docker.io::mirror.example.com/hub
//! ```

use std::borrow::Cow;

use granit_parser::{Event, Parser, ScalarStyle, Span};

use super::text::MapsText;

/// Why a file that is a manifest gives no maps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}:{line}:{column}: {reason}, expected {expected}")]
pub struct HolderError {
    /// The file.
    pub source_name: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
    /// What was expected.
    pub expected: &'static str,
}

const EXPECTED: &str = "a ConfigMap with data.maps (or one key only), or an ImageSwap with spec.maps";

/// The maps text of a file: what a ConfigMap or ImageSwap manifest in it holds, or else the file itself.
///
/// A file is taken for a manifest when a line starts with `kind:` or `apiVersion:`, or its first character is `{`:
/// no maps text has such a line. It may hold other documents as well. A ConfigMap's key is `maps`, or the only one
/// that it has, whatever its name.
///
/// # Errors
/// The file is a manifest, and is no YAML or holds no maps, or more than one.
pub fn held_text<'a>(source: &str, text: &'a str) -> Result<MapsText<'a>, HolderError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !is_manifest(text) {
        return Ok(MapsText::new(source, text));
    }
    let error = |line, column, reason: String, expected| HolderError {
        source_name: source.to_owned(),
        line,
        column,
        reason,
        expected,
    };
    let documents = documents(text).map_err(|(line, column, reason)| {
        error(line, column, format!("not YAML: {reason}"), "a ConfigMap or ImageSwap manifest, or maps")
    })?;
    let (named, alone): (Vec<_>, Vec<_>) =
        documents.into_iter().filter_map(Document::held).partition(|held| held.named);
    let mut found = if named.is_empty() { alone } else { named }.into_iter();
    match (found.next(), found.next()) {
        (None, _) => Err(error(1, 1, "the manifest holds no maps".to_owned(), EXPECTED)),
        (Some(held), None) => Ok(held.scalar.into_text(source)),
        (Some(_), Some(second)) => {
            let reason = "a second document holds maps".to_owned();
            let (line, column) = (second.scalar.line, second.scalar.column + 1);
            Err(error(line, column, reason, "one ConfigMap or ImageSwap with maps in a file"))
        }
    }
}

fn is_manifest(text: &str) -> bool {
    text.trim_start().starts_with('{')
        || text.lines().any(|line| line.starts_with("kind:") || line.starts_with("apiVersion:"))
}

/// A scalar of a manifest and where its text starts: line from 1, column from 0.
struct Scalar<'a> {
    text: Cow<'a, str>,
    style: ScalarStyle,
    line: usize,
    column: usize,
}

impl<'a> Scalar<'a> {
    fn new(text: Cow<'a, str>, style: ScalarStyle, span: Span) -> Self {
        Self { text, style, line: span.start.line(), column: span.start.col() }
    }

    fn into_text(self, source: &str) -> MapsText<'a> {
        match self.style {
            ScalarStyle::Literal => {
                // The span starts at the first line that is not blank; the text at the first line.
                let blank = self.text.bytes().take_while(|b| *b == b'\n').count();
                let first = self.line.saturating_sub(blank).max(1);
                MapsText::new(source, self.text).at(first, self.column)
            }
            // Their lines are not the file's: all of the text stands where the scalar starts.
            ScalarStyle::Plain
            | ScalarStyle::SingleQuoted
            | ScalarStyle::DoubleQuoted
            | ScalarStyle::Folded => {
                let quote =
                    usize::from(matches!(self.style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted));
                let mut text = MapsText::new(source, self.text).at(self.line, self.column + quote);
                text.on_one_line = true;
                text
            }
        }
    }
}

/// What is wanted of one document.
#[derive(Default)]
struct Document<'a> {
    kind: String,
    spec_maps: Option<Scalar<'a>>,
    /// Keys and values under `data`.
    data: Vec<(String, Scalar<'a>)>,
}

struct Held<'a> {
    scalar: Scalar<'a>,
    /// The key says that these are maps.
    named: bool,
}

impl<'a> Document<'a> {
    fn held(mut self) -> Option<Held<'a>> {
        let named = |scalar| Held { scalar, named: true };
        let maps = self.data.iter().position(|(key, _)| key == "maps");
        match self.kind.as_str() {
            "ImageSwap" => match (self.spec_maps, maps) {
                (Some(scalar), _) => Some(named(scalar)),
                (None, Some(index)) => Some(named(self.data.swap_remove(index).1)),
                (None, None) => None,
            },
            "ConfigMap" => match maps {
                Some(index) => Some(named(self.data.swap_remove(index).1)),
                None if self.data.len() == 1 => {
                    self.data.pop().map(|(_, scalar)| Held { scalar, named: false })
                }
                None => None,
            },
            _ => None,
        }
    }

    fn scalar(&mut self, path: &[&str], scalar: Scalar<'a>) {
        match path {
            ["kind"] => self.kind = scalar.text.into_owned(),
            ["spec", "maps"] => self.spec_maps = Some(scalar),
            ["data", key] => self.data.push(((*key).to_owned(), scalar)),
            _ => {}
        }
    }
}

/// An open collection.
enum Open {
    Sequence,
    /// With the key whose value comes next.
    Mapping(Option<String>),
}

impl Open {
    /// A node inside has ended that is no scalar.
    fn node(&mut self) {
        match self {
            Self::Sequence => {}
            Self::Mapping(key) => *key = if key.is_none() { Some(String::new()) } else { None },
        }
    }
}

fn documents(text: &str) -> Result<Vec<Document<'_>>, (usize, usize, String)> {
    let mut documents: Vec<Document<'_>> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| (error.marker().line(), error.marker().col() + 1, error.info()))?;
        match event {
            Event::DocumentStart(..) => {
                open.clear();
                documents.push(Document::default());
            }
            Event::Scalar(value, style, ..) => {
                if let Some(Open::Mapping(key @ None)) = open.last_mut() {
                    *key = Some(value.into_owned());
                    continue;
                }
                let path: Option<Vec<&str>> = open
                    .iter()
                    .map(|open| match open {
                        Open::Sequence => None,
                        Open::Mapping(key) => key.as_deref(),
                    })
                    .collect();
                if let (Some(path), Some(document)) = (path, documents.last_mut()) {
                    document.scalar(&path, Scalar::new(value, style, span));
                }
                if let Some(parent) = open.last_mut() {
                    parent.node();
                }
            }
            Event::Alias(_) => {
                if let Some(parent) = open.last_mut() {
                    parent.node();
                }
            }
            Event::SequenceStart(..) => open.push(Open::Sequence),
            Event::MappingStart(..) => open.push(Open::Mapping(None)),
            Event::SequenceEnd | Event::MappingEnd => {
                open.pop();
                if let Some(parent) = open.last_mut() {
                    parent.node();
                }
            }
            // Stream and document ends, and presentation details that are not asked for.
            _ => {}
        }
    }
    Ok(documents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maps::{Maps, ParseOptions};

    /// Where the fault stands that the text has, by the outer file.
    fn fault(text: &str) -> (usize, usize) {
        let held = held_text("cm.yaml", text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let errors = Maps::parse(&[held], ParseOptions::default()).expect_err(text);
        let error = errors.iter().next().expect("never empty");
        assert_eq!(error.source_name(), "cm.yaml");
        (error.line(), error.column())
    }

    #[test]
    fn lines_are_the_files() {
        for (name, text, want) in [
            ("a maps file", "a.io::b.io\nfault\n", (2, 1)),
            (
                "ConfigMap",
                "apiVersion: v1\nkind: ConfigMap\ndata:\n  maps: |\n    a.io::b.io\n    fault\n",
                (6, 5),
            ),
            ("blank lines first", "kind: ConfigMap\ndata:\n  maps: |\n\n\n    fault\n", (6, 5)),
            ("indentation indicator", "kind: ConfigMap\ndata:\n  maps: |2-\n      fault\n", (4, 7)),
            ("only key", "kind: ConfigMap\ndata:\n  x.conf: |\n    fault\n", (4, 5)),
            ("CRLF and BOM", "\u{feff}kind: ConfigMap\r\ndata:\r\n  maps: |\r\n    fault\r\n", (4, 5)),
            ("kind behind data", "data:\n  maps: |\n    fault\nkind: ConfigMap\n", (3, 5)),
            ("ImageSwap", "kind: ImageSwap\nspec:\n  pin: true\n  maps: |\n   fault\n", (5, 4)),
            ("ImageSwap with data", "kind: ImageSwap\ndata:\n  maps: |\n    fault\n", (4, 5)),
            ("quoted", "kind: ConfigMap\ndata:\n  maps: \"fault\\n\"\n", (3, 10)),
            ("quoted, all on one line", "kind: ConfigMap\ndata:\n  maps: \"a.io::b.io\\nfault\"\n", (3, 10)),
            ("JSON", "{\"kind\":\"ConfigMap\",\"data\":{\"maps\":\"fault\"}}", (1, 37)),
            (
                "another document before it",
                "kind: ConfigMap\ndata: {a: x, b: y}\n---\nkind: ConfigMap\ndata:\n  maps: |\n    fault\n",
                (7, 5),
            ),
            (
                "the named key before a key alone",
                "kind: ConfigMap\ndata: {a: x}\n---\nkind: ConfigMap\ndata:\n  maps: |\n    fault\n  b: |\n    other\n",
                (7, 5),
            ),
            (
                "keys of the same name elsewhere",
                "kind: ConfigMap\nmetadata:\n  annotations: {maps: no}\n  x: [{maps: no}]\n? {c: d}\n: [e]\ndata:\n  maps: |\n    fault\n",
                (9, 5),
            ),
        ] {
            assert_eq!(fault(text), want, "{name}");
        }
    }

    #[test]
    fn nothing_held() {
        for (name, text, line, reason) in [
            ("another kind", "kind: Deployment\nspec: {}\n", 1, "holds no maps"),
            ("no data", "kind: ConfigMap\n", 1, "holds no maps"),
            ("two keys, neither maps", "kind: ConfigMap\ndata: {a: x, b: y}\n", 1, "holds no maps"),
            ("maps is no text", "kind: ConfigMap\ndata: {maps: [a]}\n", 1, "holds no maps"),
            (
                "two",
                "kind: ConfigMap\ndata: {maps: a}\n---\nkind: ImageSwap\nspec: {maps: b}\n",
                5,
                "a second document",
            ),
            ("no YAML", "kind: ConfigMap\ndata: {maps\n", 2, "not YAML"),
        ] {
            let error = held_text("cm.yaml", text).expect_err(name);
            assert_eq!(error.line, line, "{name}: {error}");
            assert!(error.to_string().contains(reason), "{name}: {error}");
        }
    }
}
