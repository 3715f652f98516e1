//! What is wrong or suspicious in maps texts: faults, deprecated forms, rules that never apply, chains.
//!
//! Nothing is claimed that is not so: chains and invalid results are shown by an image for which [`Maps::decide`]
//! gives them, shadowing only where one rule surely takes all that the other names.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::image::{DOCKER_HUB, ImageReference};

use super::decide::Outcome;
use super::error::{MapsError, MapsNotice, NoticeKind};
use super::finding::{Finding, FindingCode, Severity, finding};
use super::glob::Glob;
use super::parse::MapsReader;
use super::rule::{Rule, RuleKind};
use super::rule_value::{Piece, RuleValue};
use super::rules::Maps;
use super::suspect::suspicions;
use super::text::MapsText;

/// What lint found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LintReport {
    /// Faults that stop the maps from being used, in order.
    pub errors: Vec<MapsError>,
    /// Everything else, in order of texts and lines.
    pub findings: Vec<Finding>,
}

/// How many rules under one target are tried for a chain.
const TRIES_MAX: usize = 16;

/// Checks texts as [`Maps::parse`] reads them. Lines with faults are passed over, the rest is checked without them.
#[must_use]
pub fn lint(texts: &[MapsText<'_>]) -> LintReport {
    let read = MapsReader::read(texts);
    let mut findings: Vec<Finding> = read.notices.iter().filter_map(noticed).collect();
    for (old, number) in &read.overridden {
        let message = format!("overridden by the {}", read.rules[*number]);
        findings.push(finding(old, Severity::Hint, FindingCode::Overridden, message));
    }
    let maps = Maps::from_rules(read.rules, false);
    let keys = Keys::of(&maps);
    for (number, rule) in maps.rules().enumerate() {
        findings.extend(shadowed(&maps, number, rule));
        findings.extend(tried(&maps, &keys, rule));
        findings.extend(same_name(rule));
        findings.extend(library(&maps, rule));
        findings.extend(suspicions(rule));
    }
    findings.sort_by_key(|finding| {
        let text = texts.iter().position(|text| text.source == finding.source);
        (text, finding.line, finding.column, finding.code.as_str())
    });
    LintReport { errors: read.errors, findings }
}

fn noticed(notice: &MapsNotice) -> Option<Finding> {
    let code = match notice.kind() {
        NoticeKind::SingleColon { .. } | NoticeKind::Legacy { .. } => FindingCode::Deprecated,
        NoticeKind::NeverContained { .. } => FindingCode::NeverContained,
        // Faults are reported as such.
        NoticeKind::Lenient(_) => return None,
    };
    Some(Finding {
        severity: Severity::Warning,
        source: notice.source_name().to_owned(),
        line: notice.line(),
        column: notice.column(),
        code,
        message: notice.message(),
    })
}

/// An earlier rule takes every image that this one names.
fn shadowed(maps: &Maps, number: usize, rule: &Rule) -> Option<Finding> {
    let by = |other: &Rule| {
        finding(
            rule,
            Severity::Warning,
            FindingCode::Shadowed,
            format!("never applies: the {other} comes before it"),
        )
    };
    if rule.kind() == RuleKind::Replace
        && let Some(exact) = maps.exact_rule(rule.key())
        && !rule.key().contains(['*', '?', '['])
    {
        return Some(by(&maps.rules[exact]));
    }
    let other = first_to_take_all(maps, rule)?;
    // A glob does not come before itself, nor one behind it.
    if rule.kind() == RuleKind::Replace && other >= number {
        return None;
    }
    Some(by(&maps.rules[other]))
}

/// The first `[REPLACE]` rule whose glob matches every image that a rule names, as far as the ends of a `front*` tell.
fn first_to_take_all(maps: &Maps, rule: &Rule) -> Option<usize> {
    let first_front_of = |text: &str| maps.globs.first_front_of(text);
    match rule.kind() {
        RuleKind::Exact | RuleKind::Legacy => None,
        RuleKind::Replace => match Glob::new(rule.key()) {
            Ok(own) if own.is_literal() => maps.globs.first(rule.key()),
            Ok(own) => first_front_of(&own.literal_front().0),
            Err(_) => None,
        },
        RuleKind::Registry | RuleKind::Path => {
            // Docker Hub's images are written in more than one way, and a key without a port names all ports.
            let name = rule.name().expect("registry and path rules have a name");
            let one_spelling = name.host != DOCKER_HUB && (name.port.is_some() || name.path.is_empty());
            match (one_spelling, name.port) {
                (true, Some(_)) => first_front_of(&format!("{}/", rule.key())),
                (true, None) => first_front_of(name.host),
                (false, _) => first_front_of(""),
            }
        }
        RuleKind::NoSwap | RuleKind::Default => first_front_of(""),
    }
}

/// The keys that a result may run into, as texts in order.
struct Keys {
    /// Canonical.
    names: BTreeSet<String>,
    /// As written.
    exact: BTreeSet<String>,
}

impl Keys {
    fn of(maps: &Maps) -> Self {
        Self {
            names: maps.rules().filter_map(|rule| Some(rule.name()?.canonical())).collect(),
            exact: maps.exact.numbers().map(|number| maps.rules[number].key().to_owned()).collect(),
        }
    }

    /// What stands behind `front/` in the keys that start so.
    fn behind<'k>(keys: &'k BTreeSet<String>, front: &str) -> impl Iterator<Item = &'k str> {
        let front = format!("{front}/");
        let length = front.len();
        keys.range::<str, _>((Bound::Included(front.as_str()), Bound::Unbounded))
            .take_while({
                let front = front.clone();
                move |key| key.starts_with(&front)
            })
            .take(TRIES_MAX)
            .map(move |key| &key[length..])
            .collect::<Vec<_>>()
            .into_iter()
    }
}

/// Asks about images that the rule names, and reports what comes of it.
fn tried(maps: &Maps, keys: &Keys, rule: &Rule) -> Option<Finding> {
    if rule.is_empty_value() || rule.kind() == RuleKind::NoSwap {
        return None;
    }
    let samples = samples(keys, rule);
    let mut doubtful = None;
    for text in &samples {
        let Ok(image) = ImageReference::parse(text) else { continue };
        let decision = maps.decide(&image);
        match &decision.outcome {
            Outcome::Chained { once, second, twice } if decision.rule.as_deref() == Some(rule) => {
                let message = format!(
                    "chained: {text} would become {once}, and that {twice} by the {second}; such images are left alone"
                );
                return Some(finding(rule, Severity::Error, FindingCode::Chained, message));
            }
            Outcome::Invalid { result, reason } if decision.rule.as_deref() == Some(rule) => {
                let message = format!("{text} would become {result}: {reason}; such images are left alone");
                doubtful.get_or_insert((FindingCode::InvalidResult, message));
            }
            Outcome::AtTarget(target) if Some(text) == samples.first() && names(rule) => {
                let message = format!("changes nothing: what its key names is the target of the {target}");
                doubtful.get_or_insert((FindingCode::AtTarget, message));
            }
            Outcome::Changed(_)
            | Outcome::Kept
            | Outcome::NoSwap
            | Outcome::AtTarget(_)
            | Outcome::Unmapped
            | Outcome::Chained { .. }
            | Outcome::Cycle { .. }
            | Outcome::Invalid { .. } => {}
        }
    }
    doubtful.map(|(code, message)| finding(rule, Severity::Warning, code, message))
}

fn names(rule: &Rule) -> bool {
    matches!(rule.kind(), RuleKind::Registry | RuleKind::Path)
}

/// Images that the rule names: a plain one, and those whose results other keys name.
fn samples(keys: &Keys, rule: &Rule) -> Vec<String> {
    let key = rule.key();
    let front = match rule.kind() {
        RuleKind::Exact => return vec![key.to_owned()],
        RuleKind::Replace => {
            let Ok(glob) = Glob::new(key) else { return Vec::new() };
            return ["", "x", "x/x", "x.example/x"].iter().filter_map(|star| glob.example(star)).collect();
        }
        RuleKind::Registry | RuleKind::Path => key,
        RuleKind::Default => "other.example",
        RuleKind::NoSwap | RuleKind::Legacy => return Vec::new(),
    };
    let mut samples = vec![format!("{front}/team/app")];
    if rule.kind() == RuleKind::Path {
        samples.push(front.to_owned());
    }
    if let (RuleValue::Name { .. }, Some(target)) = (&rule.parsed, rule.target()) {
        samples.extend(
            Keys::behind(&keys.names, &target.canonical())
                .flat_map(|behind| [format!("{front}/{behind}/app"), format!("{front}/{behind}")]),
        );
        samples.extend(Keys::behind(&keys.exact, rule.value()).map(|behind| format!("{front}/{behind}")));
    }
    samples
}

/// A value with braces that has no part of the path makes one name of many images.
fn same_name(rule: &Rule) -> Option<Finding> {
    let RuleValue::Template { pieces, .. } = &rule.parsed else { return None };
    if pieces.contains(&Piece::Path) {
        return None;
    }
    if pieces.contains(&Piece::Name) {
        // Of one path all images may well have names of their own.
        let many = matches!(rule.kind(), RuleKind::Default | RuleKind::Registry);
        let message = "a/app and b/app get the same name: the value has {name} and not {path}".to_owned();
        return many.then(|| finding(rule, Severity::Warning, FindingCode::SameName, message));
    }
    let message = "every image gets the same name: the value has neither {path} nor {name}".to_owned();
    Some(finding(rule, Severity::Warning, FindingCode::SameName, message))
}

/// Proxy caches of Docker Hub want `library/nginx` for `nginx`, and a registry rule keeps the path as written.
fn library(maps: &Maps, rule: &Rule) -> Option<Finding> {
    let name = rule.name()?;
    if name.host != DOCKER_HUB || !name.path.is_empty() || name.port.is_some() {
        return None;
    }
    let fill = match &rule.parsed {
        RuleValue::Name { .. } => format!("{}::{}/{{path}}", rule.key(), rule.value()),
        RuleValue::Dash => format!("{}::{}{{registry}}/{{path}}", rule.key(), rule.value()),
        RuleValue::Template { .. } | RuleValue::Empty | RuleValue::Reference | RuleValue::Substrings(_) => {
            return None;
        }
    };
    let has_library = maps.names.longest(DOCKER_HUB, None, "library").is_some_and(|(length, _)| length > 0);
    if has_library {
        return None;
    }
    let message = format!(
        "nginx keeps its path as written and becomes {}; where the mirror wants library/, as proxy caches do, write {fill} or add a docker.io/library rule",
        rule.result(ImageReference::parse("nginx").ok()?).ok()?
    );
    Some(finding(rule, Severity::Hint, FindingCode::Library, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// line, code, and words of the message
    fn found(text: &str) -> Vec<(usize, &'static str, String)> {
        let report = lint(&[MapsText::new("maps", text)]);
        assert_eq!(report.errors, [], "{text}");
        report.findings.into_iter().map(|f| (f.line, f.code.as_str(), f.message)).collect()
    }

    #[test]
    fn findings() {
        for (name, text, want) in [
            ("nothing to say", "quay.io::m.io/q\ndefault::m.io/{registry}/{path}", vec![]),
            ("deprecated", "quay.io:m.io", vec![(1, "deprecated", "write `quay.io::m.io`")]),
            ("a star", "noswap_wildcards::*.corp", vec![(1, "never-contained", "plain substrings")]),
            ("library", "docker.io::m.io/hub", vec![(1, "library", "docker.io::m.io/hub/{path}")]),
            (
                "library, dash",
                "docker.io::m.io/c-",
                vec![(1, "library", "docker.io::m.io/c-{registry}/{path}")],
            ),
            ("library is there", "docker.io::m.io/hub\ndocker.io/library::m.io/hub/library", vec![]),
            ("library is left alone", "docker.io::m.io/hub\ndocker.io/library::", vec![]),
            ("library by braces", "docker.io::m.io/hub/{path}", vec![]),
            (
                "chained, literal",
                "quay.io::m.io\nm.io/special::z.io/s",
                vec![(
                    1,
                    "chained",
                    "quay.io/special/app would become m.io/special/app, and that z.io/s/app",
                )],
            ),
            (
                "chained from default",
                "default::m.io/p\nm.io/p/x/y::z.io",
                vec![
                    (1, "chained", "other.example/x/y/app would become m.io/p/x/y/app"),
                    (2, "invalid-result", "only a registry"),
                ],
            ),
            (
                "chained by [EXACT]",
                "quay.io::m.io\n[EXACT]m.io/a/b:v1::z.io/b",
                vec![(1, "chained", "quay.io/a/b:v1 would become m.io/a/b:v1")],
            ),
            (
                "[EXACT] chained",
                "[EXACT]a/b::c/d\n[EXACT]c/d::e/f",
                vec![(1, "chained", "a/b would become c/d, and that e/f")],
            ),
            (
                "chained by a glob",
                "quay.io::m.io/q\n[REPLACE]m.io/q/*::z.io",
                vec![(1, "chained", "quay.io/team/app would become m.io/q/team/app")],
            ),
            ("a glob that grows", "[REPLACE]*::m.io/x/{path}", vec![(1, "chained", "m.io/x/x")]),
            (
                "a key that is a target",
                "quay.io::m.io\nm.io::z.io",
                vec![(2, "at-target", "target of the registry rule quay.io::m.io (maps:1)")],
            ),
            ("its own target", "quay.io::quay.io", vec![(1, "at-target", "changes nothing")]),
            ("an empty value at a target", "quay.io::m.io\nm.io::", vec![]),
            (
                "shadowed by a glob",
                "[REPLACE]quay.io*::m.io\nquay.io::n.io\nquay.io/a::o.io/a\n[REPLACE]quay.io/b*::p.io",
                vec![(2, "shadowed", "[REPLACE]quay.io*::m.io"), (4, "shadowed", "maps:1")],
            ),
            (
                "shadowed by everything",
                "[REPLACE]*::m.io\ndefault::n.io\nnoswap_wildcards::x\ndocker.io::o.io/{path}",
                vec![(2, "shadowed", ""), (3, "shadowed", ""), (4, "shadowed", "")],
            ),
            ("not all ports", "[REPLACE]quay.io/*::m.io\nquay.io::n.io/x", vec![]),
            (
                "a literal glob behind [EXACT]",
                "[EXACT]a/b::c.io/d\n[REPLACE]a/b::e.io",
                vec![(2, "shadowed", "[EXACT]a/b")],
            ),
            ("same name", "default::m.io/{registry}/x", vec![(1, "same-name", "{path}")]),
            (
                "nothing left of the path",
                "quay.io/app::m.io",
                vec![(1, "invalid-result", "quay.io/app would become m.io")],
            ),
        ] {
            let found = found(text);
            let brief: Vec<_> = found.iter().map(|(line, code, _)| (*line, *code)).collect();
            let expected: Vec<_> = want.iter().map(|(line, code, _)| (*line, *code)).collect();
            assert_eq!(brief, expected, "{name}: {found:?}");
            for ((.., message), (.., words)) in found.iter().zip(want) {
                assert!(message.contains(words), "{name}: {message}");
            }
        }
    }

    #[test]
    fn several_texts_and_faults() {
        let texts = [
            MapsText::new("a", "quay.io::m.io/a\nfault\nquay.io::m.io/b"),
            MapsText::new("b", "quay.io::m.io/c"),
        ];
        let report = lint(&texts);
        assert_eq!(report.errors.iter().map(MapsError::line).collect::<Vec<_>>(), [2, 3]);
        let [finding] = report.findings.as_slice() else { panic!("{report:?}") };
        assert_eq!((finding.source.as_str(), finding.line, finding.code.as_str()), ("a", 3, "overridden"));
        assert_eq!(finding.severity, Severity::Hint);
        assert!(finding.message.contains("(b:1)"), "{}", finding.message);
    }

    #[test]
    fn many_rules_take_no_square_of_the_time() {
        let text: String = (0..10_000).map(|i| format!("r{i}.io::m.io\nm.io/x{i}::\n")).collect();
        assert_eq!(lint(&[MapsText::new("maps", text)]), LintReport::default());
        let text: String = (0..10_000).map(|i| format!("[REPLACE]r{i}.io/*::m.io/{i}\n")).collect();
        let before = Glob::times_asked();
        assert_eq!(lint(&[MapsText::new("maps", text)]), LintReport::default());
        // Four images of each rule, and what becomes of them, are asked of few globs each.
        let asked = Glob::times_asked() - before;
        assert!(asked <= 10 * 10_000, "globs were asked {asked} times");
    }
}
