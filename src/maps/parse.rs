//! From texts to rules: each line read, keys made unique, every fault located.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;

use crate::image::ImageReference;

use super::error::{LinePlace, MapsError, MapsErrorKind, MapsErrors, MapsNotice, NoticeKind};
use super::glob::{self, Glob};
use super::line::{self, Form, MapsLine};
use super::name::{NameEnds, NamePrefix};
use super::rule::{Rule, RuleKind, RuleSides};
use super::rule_value::{RuleValue, ValueError};
use super::rules::Maps;
use super::suspect::keyword;
use super::text::MapsText;

/// How maps are read and followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParseOptions {
    /// Faults become warnings: such a line is skipped, and of duplicates the last wins, as in imageswap-webhook.
    pub lenient: bool,
    /// Rules are followed to where nothing changes any more, at most 8 steps, instead of reporting a chain.
    pub allow_chained: bool,
}

/// What reading gave.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The rules.
    pub maps: Maps,
    /// Deprecated forms, and what lenient reading passed over.
    pub warnings: Vec<MapsNotice>,
}

impl Maps {
    /// Reads texts in order. Of two rules with the same key the later text's wins, and keeps the place of the first.
    ///
    /// # Errors
    /// All faults of all texts together. With [`ParseOptions::lenient`] there are none: they are warnings.
    pub fn parse(texts: &[MapsText<'_>], options: ParseOptions) -> Result<Parsed, MapsErrors> {
        let read = MapsReader::read(texts);
        let mut warnings = read.notices;
        if options.lenient {
            warnings.extend(read.errors.into_iter().map(MapsNotice::lenient));
            warnings.sort_by_key(|notice| {
                let text = texts.iter().position(|text| text.source == notice.source_name());
                (text, notice.line(), notice.column())
            });
        } else {
            MapsErrors::unless_empty(read.errors)?;
        }
        Ok(Parsed { maps: Maps::from_rules(read.rules, options.allow_chained), warnings })
    }
}

/// What makes two rules the same one. Aliases of Docker Hub are the same registry.
#[derive(PartialEq, Eq, Hash)]
enum Key<'a> {
    Text(RuleKind, &'a str),
    Name(NamePrefix<'a>),
}

impl<'a> Key<'a> {
    fn of(rule: &'a Rule) -> Self {
        match rule.name() {
            // Two spellings of one registry are one key.
            Some(name) => Self::Name(NamePrefix { has_registry: true, ..name }),
            None => Self::Text(rule.kind, rule.key()),
        }
    }
}

/// A rule by its number, and the number of the text that gave it.
struct Given {
    rule: usize,
    text: usize,
}

/// Texts being read.
#[derive(Default)]
pub(super) struct MapsReader {
    pub(super) rules: Vec<Arc<Rule>>,
    pub(super) errors: Vec<MapsError>,
    pub(super) notices: Vec<MapsNotice>,
    /// Rules that a later text replaced, each with the number of the rule that did.
    pub(super) overridden: Vec<(Arc<Rule>, usize)>,
    /// The rules by their keys.
    keys: HashTable<Given>,
}

impl MapsReader {
    /// Reads all texts as lenient reading does, and keeps the faults.
    pub(super) fn read(texts: &[MapsText<'_>]) -> Self {
        let mut reader = Self::default();
        for (number, text) in texts.iter().enumerate() {
            let source: Arc<str> = text.source.as_str().into();
            for (line, content) in text.lines() {
                let shown = line::without_comment(content).trim();
                let place = LinePlace { source: &source, line, indent: text.indent, text: shown };
                match line::read(content) {
                    None => {}
                    Some(Ok(read)) => {
                        if let Err(error) = reader.rule(&read, &place, number) {
                            reader.errors.push(error);
                        }
                    }
                    Some(Err((column, kind, expected))) => {
                        reader.errors.push(MapsError::new(&place, column, kind, expected));
                    }
                }
            }
        }
        reader
    }

    fn rule(&mut self, line: &MapsLine<'_>, place: &LinePlace<'_>, text: usize) -> Result<(), MapsError> {
        let (kind, name) = read_key(line, place)?;
        // The entries of noswap_wildcards are substrings, where a `/` at the end says something.
        let value = if kind == RuleKind::NoSwap { line.value } else { without_slash(line, place)? };
        let read = match kind {
            RuleKind::Exact => RuleValue::of_exact(value),
            RuleKind::Replace => RuleValue::of_name(value, false),
            RuleKind::NoSwap => Ok(RuleValue::of_noswap(value)),
            RuleKind::Registry | RuleKind::Path | RuleKind::Default | RuleKind::Legacy => {
                RuleValue::of_name(value, true)
            }
        }
        .map_err(|error| value_error(line, place, error))?;
        let sides = RuleSides { key: line.key, name, value, parsed: read };
        let rule = Rule::new(kind, sides, place.source, place.line, place.indent + line.key_column);
        check_results(&rule).map_err(|error| value_error(line, place, error))?;
        self.notice(line, place, &rule);
        self.insert(rule.into(), line, place, text);
        Ok(())
    }

    fn notice(&mut self, line: &MapsLine<'_>, place: &LinePlace<'_>, rule: &Rule) {
        if line.single_colon {
            let kind = NoticeKind::SingleColon { instead: rule.to_line() };
            // The separator stands right behind the key.
            let column = line.key_column + line.key.chars().count();
            self.notices.push(MapsNotice::new(place, column, kind));
        }
        if let RuleValue::Substrings(entries) = &rule.parsed {
            for entry in entries {
                let fits = |c: char| c.is_ascii_alphanumeric() || "._-:/@[]+".contains(c);
                if !entry.chars().all(fits) {
                    let at = line.value.find(entry.as_str()).unwrap_or(0);
                    let column = line.value_column + line.value[..at].chars().count();
                    let kind = NoticeKind::NeverContained { entry: entry.clone() };
                    self.notices.push(MapsNotice::new(place, column, kind));
                }
            }
        }
    }

    fn insert(&mut self, rule: Arc<Rule>, line: &MapsLine<'_>, place: &LinePlace<'_>, text: usize) {
        let Self { rules, keys, .. } = self;
        let key = Key::of(&rule);
        let found = keys.entry(
            FxBuildHasher.hash_one(&key),
            |given| Key::of(&rules[given.rule]) == key,
            |given| FxBuildHasher.hash_one(Key::of(&rules[given.rule])),
        );
        match found {
            Entry::Vacant(entry) => {
                entry.insert(Given { rule: rules.len(), text });
                rules.push(rule);
            }
            Entry::Occupied(entry) => {
                let given = entry.into_mut();
                let old = std::mem::replace(&mut rules[given.rule], rule);
                if given.text == text {
                    let kind = MapsErrorKind::Duplicate { first: old.line };
                    let expected = "each key once in a text";
                    self.errors.push(MapsError::new(place, line.key_column, kind, expected));
                } else {
                    self.overridden.push((old, given.rule));
                }
                given.text = text;
            }
        }
    }
}

/// The kind of a rule, and of what has one its name.
fn read_key(line: &MapsLine<'_>, place: &LinePlace<'_>) -> Result<(RuleKind, Option<NameEnds>), MapsError> {
    let key = line.key;
    let error = |at: usize, kind, expected: String| {
        let column = line.key_column + key[..at.min(key.len())].chars().count();
        MapsError::new(place, column, kind, expected)
    };
    match line.form {
        Form::Exact => match ImageReference::parse(key) {
            Ok(_) => Ok((RuleKind::Exact, None)),
            Err(fault) => Err(error(
                fault.offset(),
                MapsErrorKind::key(&fault),
                "a whole image reference, such as ghcr.io/a/b:v1".to_owned(),
            )),
        },
        Form::Replace => match Glob::new(key) {
            Ok(_) => Ok((RuleKind::Replace, None)),
            Err(at) => Err(error(
                at,
                MapsErrorKind::Glob { reason: glob::UNCLOSED },
                "a `]` that closes it".to_owned(),
            )),
        },
        Form::Plain if key == "default" => Ok((RuleKind::Default, None)),
        Form::Plain if key == "noswap_wildcards" => Ok((RuleKind::NoSwap, None)),
        Form::Plain => {
            let fault = |reason: &str| MapsErrorKind::Key { reason: reason.to_owned() };
            if let Some(at) = key.find(['*', '?']) {
                let expected = format!("[REPLACE]{key}, for a glob");
                return Err(error(at, fault("a glob without [REPLACE]"), expected));
            }
            let ends = NameEnds::parse(key).map_err(|reason| match ImageReference::parse(key) {
                Ok(image) if !image.suffix().is_empty() => {
                    let expected = format!("a registry or path, or [EXACT]{key} for this one image");
                    error(image.name().len(), fault("it has a tag or a digest"), expected)
                }
                Ok(_) | Err(_) => error(
                    reason.offset(),
                    MapsErrorKind::key(&reason),
                    "a registry such as quay.io or a path such as quay.io/team".to_owned(),
                ),
            })?;
            let name = ends.of(key);
            // A single word is more often a slip (`defualt`) than an organisation on Docker Hub.
            if !name.has_registry && !key.contains('/') {
                let reason = fault("no registry: it has no `.`, no `:` and is not localhost");
                let expected = match keyword(key) {
                    Some(word) => format!("{word} (did you mean that?), or a registry"),
                    None => {
                        format!(
                            "a registry, default or noswap_wildcards; docker.io/{key} for Docker Hub's {key}"
                        )
                    }
                };
                return Err(error(0, reason, expected));
            }
            let kind = if name.path.is_empty() { RuleKind::Registry } else { RuleKind::Path };
            Ok((kind, Some(ends)))
        }
    }
}

/// One `/` at the end of a value is dropped.
fn without_slash<'l>(line: &MapsLine<'l>, place: &LinePlace<'_>) -> Result<&'l str, MapsError> {
    match line.value.strip_suffix('/') {
        None => Ok(line.value),
        Some("") => {
            let kind = MapsErrorKind::Value { reason: "nothing but a `/`".to_owned() };
            Err(MapsError::new(place, line.value_column, kind, "a name, or nothing to leave images alone"))
        }
        Some(value) => Ok(value),
    }
}

fn value_error(line: &MapsLine<'_>, place: &LinePlace<'_>, error: ValueError) -> MapsError {
    let column = line.value_column + line.value[..error.at.min(line.value.len())].chars().count();
    MapsError::new(place, column, MapsErrorKind::Value { reason: error.reason }, error.expected)
}

/// Refuses a value that can yield no valid image: one that fails for images that the key surely matches.
pub(super) fn check_results(rule: &Rule) -> Result<(), ValueError> {
    let samples = match (rule.kind, &rule.parsed) {
        (RuleKind::Exact | RuleKind::NoSwap, _) | (_, RuleValue::Empty) => return Ok(()),
        (RuleKind::Registry, _) => vec![format!("{}/a/x", rule.key())],
        (RuleKind::Path, _) => vec![format!("{}/x", rule.key()), rule.key().to_owned()],
        (RuleKind::Default | RuleKind::Replace | RuleKind::Legacy, _) => vec!["docker.io/a/x".to_owned()],
    };
    let mut first = None;
    for sample in &samples {
        let Ok(image) = ImageReference::parse(sample) else { continue };
        match rule.result(image) {
            Ok(_) => return Ok(()),
            Err((text, reason)) => {
                first.get_or_insert_with(|| format!("{sample} would become {text}: {reason}"));
            }
        }
    }
    match first {
        None => Ok(()),
        Some(reason) => {
            Err(ValueError { at: 0, reason, expected: "a value that makes a valid image reference" })
        }
    }
}
