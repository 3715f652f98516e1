//! From a tree to a configuration: which form it has, and what its keys say. All faults are gathered.

use crate::manifest::event::Scalar;
use crate::manifest::{FieldPath, Lines, Segment};
use crate::maps::MapsText;
use crate::nearest::nearest;

use super::config_error::{ConfigError, ConfigErrors, unknown_key};
use super::fields;
use super::function_config::{API_VERSION, FunctionConfig, KEYS, OnUnmapped};
use super::holder::located;
use super::outline::Outline;
use super::rules::{RULE_WORDS, is_rule_key, rule_text};
use super::skip;
use crate::manifest::tree::Node;

impl FunctionConfig {
    /// Reads a configuration that is a file of its own, called `source` in errors.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn read(source: &str, text: &str) -> Result<Self, ConfigErrors> {
        let error =
            |line, message| ConfigErrors(vec![ConfigError { source_name: source.to_owned(), line, message }]);
        let outline = Outline::read(text, None).map_err(|parse| {
            let position = Lines::new(text).position(parse.offset);
            error(position.line, format!("no YAML: {}", parse.message))
        })?;
        if let Some(fault) = outline.fault {
            return Err(error(0, format!("cannot be read: {fault}")));
        }
        match &outline.tree {
            Some(node) if outline.documents == 1 => Self::from_node(source, text, node),
            Some(_) | None => Err(error(0, "expected one document, an ImageSwap or a ConfigMap".to_owned())),
        }
    }

    /// Reads a configuration that is a part of `text`.
    pub(super) fn from_node(source: &str, text: &str, node: &Node<'_>) -> Result<Self, ConfigErrors> {
        ConfigReader::new(source, text, false).read(node)
    }

    /// Reads a configuration that is a document of the file `source`.
    pub(super) fn from_file(source: &str, text: &str, node: &Node<'_>) -> Result<Self, ConfigErrors> {
        ConfigReader::new(source, text, true).read(node)
    }
}

/// Where the settings stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `spec`: settings, and nothing else.
    Spec,
    /// `data`: settings and rules side by side.
    Data,
}

impl Form {
    fn key(self) -> &'static str {
        match self {
            Self::Spec => "spec",
            Self::Data => "data",
        }
    }
}

pub(super) struct ConfigReader<'t> {
    source: &'t str,
    /// The configuration is a file of its own, whose lines say where something stands.
    is_file: bool,
    lines: Lines<'t>,
    errors: Vec<ConfigError>,
    config: FunctionConfig,
    rules: Vec<MapsText<'static>>,
}

impl<'t> ConfigReader<'t> {
    /// A reader of a configuration that is called `source` and stands in `text`: a file, or a part of something.
    pub(super) fn new(source: &'t str, text: &'t str, is_file: bool) -> Self {
        let (errors, rules) = (Vec::new(), Vec::new());
        Self { source, is_file, lines: Lines::new(text), errors, config: FunctionConfig::default(), rules }
    }

    /// Reads `node`.
    pub(super) fn read(mut self, node: &Node<'_>) -> Result<FunctionConfig, ConfigErrors> {
        match node {
            Node::Mapping(pairs) => self.top(pairs),
            Node::Scalar(_) | Node::Sequence(_) => {
                self.error(None, format!("is {}, expected an ImageSwap or a ConfigMap", node.what()));
            }
        }
        if !self.errors.is_empty() {
            return Err(ConfigErrors(self.errors));
        }
        // Rules of their own come behind the maps text, wherever they stand.
        self.config.rules.append(&mut self.rules);
        Ok(self.config)
    }

    fn error(&mut self, at: Option<&Scalar<'_>>, message: String) {
        let line = at.map_or(0, |at| self.lines.position(at.start).line);
        let (source_name, line) = match line {
            1.. if self.is_file => (format!("{}:{line}", self.source), 0),
            _ => (self.source.to_owned(), line),
        };
        self.errors.push(ConfigError { source_name, line, message });
    }

    fn top(&mut self, pairs: &[(Scalar<'_>, Node<'_>)]) {
        let find = |key: &str| pairs.iter().find(|(k, _)| k.value == key);
        let word = |key: &str| find(key).and_then(|(_, node)| node.text()).unwrap_or_default();
        let Some(form) = self.form(word("apiVersion"), word("kind"), find("kind").map(|(key, _)| key)) else {
            return;
        };
        let known = ["apiVersion", "kind", "metadata", form.key(), "argsOneLiner", "argsFromFile"];
        self.unique(pairs);
        for (key, node) in pairs {
            match &*key.value {
                "apiVersion" | "kind" | "metadata" | "argsOneLiner" | "argsFromFile" => {}
                "immutable" if form == Form::Data => {}
                name if name == form.key() => self.settings(form, key, node),
                name => {
                    let other = matches!(name, "spec" | "data");
                    let message = if other {
                        format!("unknown key '{name}', did you mean '{}'?", form.key())
                    } else if KEYS.contains(&name) {
                        format!("'{name}' stands at the top, expected it under '{}'", form.key())
                    } else {
                        unknown_key(name, &known)
                    };
                    self.error(Some(key), message);
                }
            }
        }
    }

    fn form(&mut self, api_version: &str, kind: &str, at: Option<&Scalar<'_>>) -> Option<Form> {
        match (kind, api_version) {
            ("ImageSwap", API_VERSION) => Some(Form::Spec),
            ("ConfigMap" | "ImageSwap", "v1") => Some(Form::Data),
            ("ConfigMap", _) => {
                self.error(at, format!("a ConfigMap of apiVersion '{api_version}', expected v1"));
                None
            }
            ("ImageSwap", _) => {
                let expected = format!("expected {API_VERSION} (with spec) or v1 (with data)");
                self.error(at, format!("an ImageSwap of apiVersion '{api_version}', {expected}"));
                None
            }
            _ => {
                let message = match nearest(kind, &["ImageSwap", "ConfigMap"]) {
                    _ if kind.is_empty() => "has no kind, expected ImageSwap or ConfigMap".to_owned(),
                    Some(near) => format!("unknown kind '{kind}', did you mean '{near}'?"),
                    None => format!("unknown kind '{kind}', expected ImageSwap or ConfigMap"),
                };
                self.error(at, message);
                None
            }
        }
    }

    fn unique(&mut self, pairs: &[(Scalar<'_>, Node<'_>)]) {
        let mut seen = rustc_hash::FxHashSet::default();
        for (key, _) in pairs {
            if !seen.insert(&*key.value) {
                self.error(Some(key), format!("duplicate key '{}'", key.value));
            }
        }
    }

    fn settings(&mut self, form: Form, at: &Scalar<'_>, node: &Node<'_>) {
        let pairs = match node {
            Node::Mapping(pairs) => pairs,
            _ if node.is_null() => return,
            Node::Scalar(_) | Node::Sequence(_) => {
                let message = format!("{} is {}, expected a mapping", form.key(), node.what());
                return self.error(Some(at), message);
            }
        };
        self.unique(pairs);
        for (key, node) in pairs {
            let name = &*key.value;
            let read = if KEYS.contains(&name) {
                self.setting(form, name, node)
            } else if form == Form::Data && is_rule_key(name) {
                self.rule(name, node)
            } else if form == Form::Data {
                let known: Vec<&str> = KEYS.iter().chain(&RULE_WORDS).copied().collect();
                Err(match nearest(name, &known) {
                    Some(_) => unknown_key(name, &known),
                    None => format!(
                        "unknown key '{name}', expected a registry or path such as docker.io, or one of {}",
                        known.join(", ")
                    ),
                })
            } else {
                Err(match is_rule_key(name) {
                    true => format!("unknown key '{name}'; a rule goes into maps, as {name}::VALUE"),
                    false => unknown_key(name, &KEYS),
                })
            };
            if let Err(message) = read {
                self.error(Some(key), message);
            }
        }
    }

    fn rule(&mut self, key: &str, node: &Node<'_>) -> Result<(), String> {
        let value = match node {
            Node::Scalar(_) => node
                .text()
                .ok_or_else(|| format!("{key} has no value; write \"\" to leave its images alone"))?,
            Node::Sequence(_) | Node::Mapping(_) => {
                return Err(format!("{key} is {}, expected a text", node.what()));
            }
        };
        let text = rule_text(self.name_of(Form::Data, key), key, value)
            .map_err(|message| format!("'{key}': {message}"))?;
        self.rules.push(text);
        Ok(())
    }

    /// What messages call the text under `key`.
    fn name_of(&self, form: Form, key: &str) -> String {
        let path: FieldPath = [form.key(), key].map(Segment::Key).into_iter().collect();
        format!("{} {path}", self.source)
    }

    fn setting(&mut self, form: Form, name: &str, node: &Node<'_>) -> Result<(), String> {
        if node.is_null() {
            return Ok(());
        }
        let expected = |what: &str| format!("{name} is {}, expected {what}", node.what());
        let words = || node.text().ok_or_else(|| expected("a text"));
        match name {
            "maps" => {
                let maps = match node {
                    Node::Scalar(scalar) if self.is_file => located(self.source, scalar, &mut self.lines),
                    _ => MapsText::new(self.name_of(form, name), words()?),
                };
                let MapsText { source, text, first_line, indent, on_one_line } = maps;
                let text = text.into_owned().into();
                self.config.rules.push(MapsText { source, text, first_line, indent, on_one_line });
            }
            "mapsFile" => {
                let file = words()?;
                if file.is_empty() {
                    return Err("mapsFile is empty, expected the name of a file".to_owned());
                }
                self.config.maps_file = Some(file.to_owned());
            }
            "pin" => self.config.pin = truth(name, node)?,
            "lock" => self.config.lock = Some(words()?.to_owned()).filter(|file| !file.is_empty()),
            "fields" => {
                let fields = match node {
                    Node::Sequence(nodes) => nodes
                        .iter()
                        .map(|node| node.text().map(str::to_owned).ok_or("a field is no text".to_owned()))
                        .collect::<Result<Vec<_>, _>>()?,
                    Node::Scalar(_) | Node::Mapping(_) => {
                        let separators = |c: char| c.is_whitespace() || c == ',';
                        let words = node.text().ok_or_else(|| expected("a text or a list"))?;
                        words.split(separators).filter(|w| !w.is_empty()).map(str::to_owned).collect()
                    }
                };
                self.config.fields = Some(fields::table(&fields).map_err(|e| format!("fields: {e}"))?);
            }
            "skip" => self.config.skip = skip::rules(node).map_err(|e| format!("skip: {e}"))?,
            "onUnmapped" => {
                self.config.on_unmapped = match words()? {
                    "ignore" => OnUnmapped::Ignore,
                    "warn" => OnUnmapped::Warn,
                    "error" => OnUnmapped::Error,
                    other => {
                        return Err(format!("onUnmapped is '{other}', expected ignore, warn or error"));
                    }
                }
            }
            "validate" => self.config.validate = truth(name, node)?,
            _ => return Err(unknown_key(name, &KEYS)),
        }
        Ok(())
    }
}

/// A boolean, or its word in quotes: hosts send every value of a ConfigMap as a text.
fn truth(name: &str, node: &Node<'_>) -> Result<bool, String> {
    match node.text() {
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(other) => Err(format!("{name} is '{other}', expected true or false")),
        None => Err(format!("{name} is {}, expected true or false", node.what())),
    }
}
