//! What a file of rules holds: maps, or a manifest with maps in it. Lines are the file's.
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

use crate::manifest::event::Scalar;
use crate::manifest::tree::{self, Node, Tree};
use crate::manifest::{Lines, Position, ScalarStyle};
use crate::maps::MapsText;

use super::config_error::ConfigErrors;
use super::function_config::{FunctionConfig, KEYS};
use super::rules::is_rule_key;

/// What a file of rules holds.
#[derive(Debug)]
pub enum Held<'a> {
    /// Rules alone: the file itself, or the text of a ConfigMap.
    Maps(MapsText<'a>),
    /// A configuration, which may say more than rules: an ImageSwap, or a ConfigMap that is written as one.
    Config(Box<FunctionConfig>),
}

/// Why a file that is a manifest gives no rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HolderError {
    /// It is no YAML, or holds no maps, or more than one.
    #[error("{source_name}:{}:{}: {reason}, expected {expected}", position.line, position.column)]
    Manifest {
        /// The file.
        source_name: String,
        /// Where in it.
        position: Position,
        /// What is wrong.
        reason: String,
        /// What was expected.
        expected: &'static str,
    },
    /// Its configuration has faults.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
}

const EXPECTED: &str = "a ConfigMap with data.maps (or one key only), or an ImageSwap with spec.maps";

/// What a file called `source` holds: the maps or configuration of the one ConfigMap or ImageSwap in it, or else the
/// file is maps itself.
///
/// A file is taken for a manifest when a line starts with the key `kind` or `apiVersion`, or its first character is
/// `{`: no maps text has such a line. It may hold other documents as well. A ConfigMap's key is `maps`, or the only
/// one that it has, whatever its name.
///
/// # Errors
/// The file is a manifest, and is no YAML or holds no maps, or more than one, or a configuration with faults.
pub fn held<'a>(source: &str, text: &'a str) -> Result<Held<'a>, HolderError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !is_manifest(text) {
        return Ok(Held::Maps(MapsText::new(source, text)));
    }
    let mut lines = Lines::new(text);
    let error = |position, reason: String, expected| HolderError::Manifest {
        source_name: source.to_owned(),
        position,
        reason,
        expected,
    };
    let trees = tree::read(text).map_err(|fault| {
        let expected = "a ConfigMap or ImageSwap manifest, or maps";
        error(lines.position(fault.offset), format!("not YAML: {}", fault.message), expected)
    })?;
    let holders: Vec<Holder<'_, '_>> = trees.iter().filter_map(Holder::of).collect();
    let named = holders.iter().any(|holder| holder.named);
    let mut wanted = holders.iter().filter(|holder| holder.named == named);
    match (wanted.next(), wanted.next()) {
        (None, _) => {
            Err(error(Position { line: 1, column: 1 }, "the manifest holds no maps".to_owned(), EXPECTED))
        }
        (Some(holder), None) => match holder.what {
            What::Maps(scalar) => {
                let MapsText { source, text, first_line, indent, on_one_line } =
                    located(source, scalar, &mut lines);
                let text = Cow::Owned(text.into_owned());
                Ok(Held::Maps(MapsText { source, text, first_line, indent, on_one_line }))
            }
            What::Config(root) => Ok(Held::Config(Box::new(FunctionConfig::from_file(source, text, root)?))),
        },
        (Some(_), Some(second)) => {
            let expected = "one ConfigMap or ImageSwap with maps in a file";
            let position = lines.position(second.start());
            Err(error(position, "a second document holds maps".to_owned(), expected))
        }
    }
}

/// Whether `text` is a manifest and not maps: `kind:5000::m.io` is a rule, `kind: Pod` is none.
fn is_manifest(text: &str) -> bool {
    let is_key = |line: &str| {
        let rest = line.strip_prefix("kind:").or_else(|| line.strip_prefix("apiVersion:"));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
    };
    text.trim_start().starts_with('{') || text.lines().any(is_key)
}

/// The text of `scalar`, which stands in the file called `source`, with the lines that it has there.
pub(super) fn located<'s>(source: &str, scalar: &'s Scalar<'_>, lines: &mut Lines<'_>) -> MapsText<'s> {
    let text = MapsText::new(source, Cow::Borrowed(&*scalar.value));
    match scalar.style {
        ScalarStyle::Literal => {
            // The text starts behind its header's line; its span starts at the first line that is not blank.
            let first_line = lines.position(scalar.start).line + 1;
            text.at(first_line, lines.position(scalar.span.start).column - 1)
        }
        // Their lines are not the file's: all of the text stands where the scalar starts.
        ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted | ScalarStyle::Folded => {
            let quote =
                usize::from(matches!(scalar.style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted));
            let Position { line, column } = lines.position(scalar.span.start);
            let mut text = text.at(line, column - 1 + quote);
            text.on_one_line = true;
            text
        }
    }
}

/// A document that holds rules.
struct Holder<'n, 'a> {
    what: What<'n, 'a>,
    /// It says that these are maps.
    named: bool,
}

enum What<'n, 'a> {
    Maps(&'n Scalar<'a>),
    Config(&'n Node<'a>),
}

impl<'n, 'a> Holder<'n, 'a> {
    fn of(tree: &'n Tree<'a>) -> Option<Self> {
        let root = tree.root.as_ref()?;
        let config = Self { what: What::Config(root), named: true };
        match root.get("kind").and_then(Node::text)? {
            "ImageSwap" => Some(config),
            "ConfigMap" => {
                let Some(Node::Mapping(data)) = root.get("data") else { return None };
                let is_setting = |key: &str| KEYS.contains(&key);
                let is_one_rule = |node: &Node<'_>| {
                    let is_block = matches!(node, Node::Scalar(s) if s.style == ScalarStyle::Literal);
                    !is_block && node.text().is_some_and(|text| !text.contains("::") && !text.contains('\n'))
                };
                let is_config = |(key, node): &(Scalar<'_>, Node<'_>)| {
                    is_setting(&key.value) || (is_rule_key(&key.value) && is_one_rule(node))
                };
                let maps = data.iter().find(|(key, _)| key.value == "maps").map(|(_, node)| node);
                match (maps, &data[..]) {
                    (Some(Node::Scalar(scalar)), _)
                        if !data.iter().any(|(key, _)| key.value != "maps" && is_setting(&key.value)) =>
                    {
                        Some(Self { what: What::Maps(scalar), named: true })
                    }
                    (Some(Node::Sequence(_) | Node::Mapping(_)), _) => None,
                    (_, pairs) if !pairs.is_empty() && pairs.iter().all(is_config) => Some(config),
                    (Some(Node::Scalar(scalar)), _) => Some(Self { what: What::Maps(scalar), named: true }),
                    (None, [(_, Node::Scalar(scalar))]) => {
                        Some(Self { what: What::Maps(scalar), named: false })
                    }
                    (None, _) => None,
                }
            }
            _ => None,
        }
    }

    /// Where it starts.
    fn start(&self) -> usize {
        match self.what {
            What::Maps(scalar) => scalar.span.start,
            What::Config(root) => {
                let settings = root.get("spec").or_else(|| root.get("data"));
                let pairs = match (settings, root) {
                    (Some(Node::Mapping(pairs)), _) | (_, Node::Mapping(pairs)) => pairs.as_slice(),
                    (_, Node::Scalar(_) | Node::Sequence(_)) => &[],
                };
                pairs.first().map_or(0, |(key, _)| key.start)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maps::{Maps, ParseOptions};

    /// The texts of rules that a file holds.
    fn texts(text: &str) -> Vec<MapsText<'_>> {
        match held("cm.yaml", text).unwrap_or_else(|error| panic!("{error}\n{text}")) {
            Held::Maps(text) => vec![text],
            Held::Config(config) => config.rules,
        }
    }

    /// Where the fault stands that the text has, by the outer file.
    fn fault(text: &str) -> (usize, usize) {
        let errors = Maps::parse(&texts(text), ParseOptions::default()).expect_err(text);
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
            (
                "ImageSwap",
                "apiVersion: imageswap.dev/v1alpha1\nkind: ImageSwap\nspec:\n  validate: true\n  maps: |\n   fault\n",
                (6, 4),
            ),
            ("ImageSwap with data", "apiVersion: v1\nkind: ImageSwap\ndata:\n  maps: |\n    fault\n", (5, 5)),
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
            let error = held("cm.yaml", text).expect_err(name);
            assert!(error.to_string().contains(reason), "{name}: {error}");
            let HolderError::Manifest { position, .. } = error else { panic!("{name}: {error}") };
            assert_eq!(position.line, line, "{name}");
        }
    }

    #[test]
    fn tells_manifests_from_maps() {
        for (text, manifest) in [
            ("kind:5000::m.io", false),
            ("kind::m.io", false),
            ("apiVersion:5000/a::m.io", false),
            ("kind: ConfigMap", true),
            ("a.io::b.io\napiVersion:\r\n", true),
            ("kind:\tConfigMap", true),
            ("\n {\"kind\": \"ConfigMap\"}", true),
        ] {
            assert_eq!(is_manifest(text), manifest, "{text:?}");
        }
        assert_eq!(texts("kind:5000::m.io")[0].text, "kind:5000::m.io");
    }

    #[test]
    fn follows_aliases_and_merges() {
        let text = "kind: ConfigMap\nmetadata:\n  annotations:\n    a: &m |\n      fault\ndata: {maps: *m}\n";
        assert_eq!(fault(text), (5, 7));
        let text = "kind: ConfigMap\nx: &x\n  maps: |\n    fault\ndata:\n  <<: *x\n";
        assert_eq!(fault(text), (4, 5));
    }

    #[test]
    fn reads_a_configuration_as_the_function_does() {
        for text in [
            "kind: ConfigMap\napiVersion: v1\ndata: {docker.io: m.io, onUnmapped: warn}",
            "kind: ConfigMap\napiVersion: v1\ndata: {maps: 'docker.io::m.io', onUnmapped: warn}",
            "kind: ImageSwap\napiVersion: v1\ndata: {docker.io: m.io, onUnmapped: warn}",
            "kind: ImageSwap\napiVersion: imageswap.dev/v1alpha1\nspec: {maps: 'docker.io::m.io', onUnmapped: warn}",
        ] {
            let Held::Config(config) = held("c.yaml", text).unwrap() else { panic!("{text}") };
            assert_eq!(config.on_unmapped, super::super::OnUnmapped::Warn, "{text}");
            assert_eq!(config.rules[0].text, "docker.io::m.io", "{text}");
        }
        let typo = "apiVersion: imageswap.dev/v1alpha1\nkind: ImageSwap\nspec:\n  mpas: x\n";
        let error = held("c.yaml", typo).unwrap_err().to_string();
        assert_eq!(error, "c.yaml:4: unknown key 'mpas', did you mean 'maps'?");
    }
}
