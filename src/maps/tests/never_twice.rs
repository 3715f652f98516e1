//! Never twice: each sentence of that chapter of `docs/maps.md`, and the property for every text and image.

use std::cmp::Reverse;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::maps::name::NamePrefix;
use crate::maps::rule::KeyFront;
use crate::maps::rule_value::RuleValue;

#[test]
fn targets_and_the_guard() {
    check(&[
        ("default leaves its own target alone", "default::m.io/p", "m.io/p/a", "m.io/p/a"),
        ("a target ends at a slash", "default::m.io/p", "m.io/px/a", "m.io/p/px/a"),
        ("a name that equals a target", "default::d.io\nquay.io::m.io/a", "m.io/a:v1", "m.io/a:v1"),
        ("the same port", "default::d.io\nquay.io::m.io:5000", "m.io:5000/a", "m.io:5000/a"),
        ("no port is another port", "default::d.io\nquay.io::m.io:5000", "m.io/a", "d.io/a"),
        ("a port is not no port", "default::d.io\nquay.io::m.io/x", "m.io:5000/x/a", "d.io/x/a"),
        (
            "host for host keeps the port, and leads to the host with that port",
            "default::d.io\nquay.io::m.io",
            "quay.io:443/a",
            "m.io:443/a",
        ),
        ("registry rules are guarded", "quay.io::m.io\nm.io::z.io", "m.io/a", "m.io/a"),
        ("path rules are guarded", "quay.io::m.io/x\nm.io/x::z.io/y", "m.io/x/a", "m.io/x/a"),
        (
            "a key strictly under the target is not",
            "quay.io::m.io\nm.io/special::z.io/s",
            "m.io/special/a",
            "z.io/s/a",
        ),
        (
            "strictly under with another port is not under",
            "quay.io::m.io:5000\nm.io/special::z.io/s",
            "m.io:5000/special/a",
            "m.io:5000/special/a",
        ),
        (
            "strictly under one target and not under another",
            "quay.io::m.io\nghcr.io::m.io/special/x\nm.io/special::z.io/s",
            "m.io/special/x/a",
            "m.io/special/x/a",
        ),
        ("[EXACT] is not guarded", "default::m.io\n[EXACT]m.io/a::z.io/a", "m.io/a", "z.io/a"),
        ("[REPLACE] is not guarded", "[REPLACE]m.io/*a::z.io\nquay.io::m.io/x", "m.io/x/a", "z.io/a"),
        ("the target of [REPLACE]", "[REPLACE]q*::m.io/r\ndefault::d.io", "m.io/r/a", "m.io/r/a"),
        ("the target of [EXACT]", "[EXACT]a::m.io/a:v1\ndefault::d.io", "m.io/a:v1", "m.io/a:v1"),
        ("is that reference only", "[EXACT]a::m.io/a:v1\ndefault::d.io", "m.io/a:v2", "d.io/a:v2"),
        (
            "braces: the literal front",
            "quay.io::m.io/q/x-{registry}/{path}\ndefault::d.io",
            "m.io/q/y",
            "m.io/q/y",
        ),
        (
            "braces: not beyond the front",
            "quay.io::m.io/q/x-{registry}/{path}\ndefault::d.io",
            "m.io/z",
            "d.io/z",
        ),
        (
            "dash: what starts with it",
            "quay.io::m.io/cache-\ndefault::d.io",
            "m.io/cache-quay.io/a",
            "m.io/cache-quay.io/a",
        ),
        ("dash: and nothing else", "quay.io::m.io/cache-\ndefault::d.io", "m.io/cach/a", "d.io/cach/a"),
        ("dash in the host", "quay.io::m.io-\ndefault::d.io", "m.io-quay.io/a", "m.io-quay.io/a"),
        (
            "a key strictly under a dash target",
            "quay.io::m.io/cache-\nm.io/cache-quay.io/s::z.io",
            "m.io/cache-quay.io/s/a",
            "z.io/a",
        ),
        (
            "a key strictly under a dash target in the host",
            "quay.io::m.io-\nm.io-ghcr.io::z.io",
            "m.io-ghcr.io/a",
            "z.io/a",
        ),
        ("names are compared as meant", "quay.io::docker.io/library\ndefault::d.io", "nginx", "nginx"),
        ("a target without a registry is Docker Hub's", "default::mirror", "mirror/a", "mirror/a"),
        ("empty values lead nowhere", "quay.io::\ndefault::d.io", "ghcr.io/a", "d.io/a"),
        ("a rule that leads to its own key", "docker.io::docker.io", "nginx", "nginx"),
        ("deeper into its own key", "quay.io::quay.io/mirror", "quay.io/a", "quay.io/mirror/a"),
        ("a glob that takes all", "[REPLACE]*::m.io/all", "quay.io/x/a:1", "m.io/all/a:1"),
    ]);
}

#[test]
fn outcomes() {
    let text = "\
quay.io::m.io
m.io/special::z.io/s
default::d.io
k.io::
docker.io/library/nginx::k.io
noswap_wildcards::corp
[EXACT]auto::auto
[EXACT]a/b::c/d
[EXACT]c/d::e/f
[EXACT]no/no::
";
    let maps = maps(text);
    let decide = |text: &str| maps.decide(&image(text));
    let line = |decision: &Decision| decision.rule.as_ref().map(|rule| rule.line());

    let changed = decide("quay.io/a");
    assert_eq!((changed.outcome.changed(), line(&changed)), (Some("m.io/a"), Some(1)));
    for (text, rule) in [("k.io/a", 4), ("auto", 7), ("no/no", 10)] {
        let kept = decide(text);
        assert_eq!((&kept.outcome, line(&kept)), (&Outcome::Kept, Some(rule)), "{text}");
    }
    let noswap = decide("x.corp/a");
    assert_eq!((&noswap.outcome, line(&noswap)), (&Outcome::NoSwap, Some(6)));

    let at = decide("m.io/a");
    assert!(matches!(&at.outcome, Outcome::AtTarget(rule) if rule.line() == 1), "{at:?}");
    assert_eq!(at.rule, None);

    // Both rules are named, and the image stays.
    let chained = decide("quay.io/special/a");
    let Outcome::Chained { once, second, twice } = &chained.outcome else { panic!("{chained:?}") };
    assert_eq!((line(&chained), second.line()), (Some(1), 2));
    assert_eq!((once.as_str(), twice.as_str()), ("m.io/special/a", "z.io/s/a"));
    assert_eq!(becomes(&maps, "quay.io/special/a"), "quay.io/special/a");
    assert!(matches!(decide("a/b").outcome, Outcome::Chained { .. }));

    // Nothing is left of the path, and k.io alone is no image.
    let invalid = decide("nginx:1");
    assert!(matches!(
        &invalid.outcome,
        Outcome::Invalid { result, reason: ResultError::RegistryOnly } if result == "k.io:1"
    ));
    assert!(invalid.outcome.is_error());

    let none = Maps::default();
    let unmapped = none.decide(&image("nginx"));
    assert_eq!(unmapped, Decision { outcome: Outcome::Unmapped, rule: None });
    assert!(none.is_empty());
}

/// An error shows in the first run, not when its result is given in again.
#[test]
fn a_result_that_leads_to_an_invalid_one() {
    let maps = maps("quay.io::m.io\nm.io/app::h.io");
    let decision = maps.decide(&image("quay.io/app:v1"));
    assert!(matches!(decision.outcome, Outcome::Invalid { .. }), "{decision:?}");
    assert_eq!(decision.rule.as_ref().map(|rule| rule.line()), Some(2));
}

#[test]
fn invalid_results_leave_the_image_alone() {
    let long = format!("quay.io/{}", "p".repeat(250));
    for (name, text, from) in [
        ("the path gets too long", "quay.io::m.io/mirror", long.as_str()),
        ("upper case from a host", "default::m.io/{registry}/{path}", "REG.io/a"),
        ("brackets from a host", "default::m.io/cache-", "[::1]:80/a"),
        (
            "a registry alone",
            "quay.io/app::m.io",
            "quay.io/app@sha256:15d3b5c4f521a84896ed1ead1b14e4774d02202d5c65ab68f30eeaf310a3b1a7",
        ),
        ("a host and port alone, which looks like a tag", "quay.io/app::m:5000", "quay.io/app"),
        ("localhost alone", "quay.io/app::localhost", "quay.io/app:v1"),
    ] {
        let maps = maps(text);
        let decision = maps.decide(&image(from));
        assert!(matches!(decision.outcome, Outcome::Invalid { .. }), "{name}: {decision:?}");
        assert_eq!(becomes(&maps, from), from, "{name}");
        assert!(maps.explain(&image(from)).reason().contains("not a valid image reference"), "{name}");
    }
}

fn followed(text: &str) -> Maps {
    let options = ParseOptions { allow_chained: true, ..ParseOptions::default() };
    Maps::parse(&[MapsText::new("maps", text)], options).unwrap().maps
}

#[test]
fn allow_chained() {
    let chain =
        |length: usize| (0..length).map(|i| format!("[EXACT]a/n{i}::a/n{}\n", i + 1)).collect::<String>();
    assert_eq!(becomes(&followed(&chain(2)), "a/n0"), "a/n2");
    assert_eq!(becomes(&followed(&chain(8)), "a/n0"), "a/n8", "8 steps are allowed");
    let nine = followed(&chain(9));
    let decision = nine.decide(&image("a/n0"));
    assert!(matches!(&decision.outcome, Outcome::Cycle { steps } if steps.len() == 10), "{decision:?}");
    assert_eq!(becomes(&nine, "a/n0"), "a/n0");
    assert_eq!(becomes(&nine, "a/n1"), "a/n9");

    let cycle = followed("[EXACT]a/x::a/y\n[EXACT]a/y::a/x");
    let decision = cycle.decide(&image("a/x"));
    assert!(
        matches!(&decision.outcome, Outcome::Cycle { steps } if *steps == ["a/x", "a/y", "a/x"]),
        "{decision:?}"
    );
    assert!(cycle.explain(&image("a/x")).reason().contains("a/x → a/y → a/x"));
    let growing = followed("[REPLACE]*::m.io/x/{path}");
    assert!(matches!(growing.decide(&image("a/b")).outcome, Outcome::Cycle { .. }));
}

#[test]
fn maps_are_shared_between_threads() {
    fn shared<T: Send + Sync + std::fmt::Debug + Default>() {}
    shared::<Maps>();
}

// The property.

const HOSTS: &[&str] = &[
    "a.io",
    "m.io",
    "docker.io",
    "index.docker.io",
    "localhost",
    "m.io:5000",
    "a.io:443",
    "m.io-a.io",
    "[::1]:80",
    "R",
];
const PATHS: &[&str] = &[
    "team",
    "team/app",
    "library",
    "library/nginx",
    "nginx",
    "hub",
    "hub/team",
    "c-a.io/nginx",
    "c-docker.io",
    "m.io",
];
const SUFFIXES: &[&str] =
    &["", ":v1", ":5000", "@sha256:15d3b5c4f521a84896ed1ead1b14e4774d02202d5c65ab68f30eeaf310a3b1a7"];
const VALUES: &[&str] = &[
    "",
    "hub",
    "m.io/c-",
    "m.io-",
    "c-",
    "hub/",
    "m.io/{path}",
    "m.io/hub/{name}",
    "{registry}/hub/{path}",
    "m.io/c-{registry}/{path}",
    "{registry}/{path}",
    "hub/{name}",
    "m.io:5000/{registry}/{name}",
    "{name}",
    "m.io/hub-{name}",
];
const GLOBS: &[&str] =
    &["*", "m.io/*", "*nginx*", "?.io/[a-t]*", "team*", "*:v1", "*/hub/*", "[!m]*", "a.io:443/*", "nginx"];
const WILDCARDS: &[&str] = &["m.io", "team", "", "5000", "hub/", "nginx, , a.io"];

fn name() -> impl Strategy<Value = String> {
    (select(HOSTS), prop::option::of(select(PATHS)), any::<bool>()).prop_map(|(host, path, hub)| match path {
        Some(path) if hub => path.to_owned(),
        Some(path) => format!("{host}/{path}"),
        None => host.to_owned(),
    })
}

fn reference() -> impl Strategy<Value = String> {
    (select(HOSTS), select(PATHS), select(PATHS), select(SUFFIXES), 0..4u8).prop_map(
        |(host, path, more, suffix, form)| match form {
            0 => format!("{path}{suffix}"),
            1 => format!("{host}/{path}/{more}{suffix}"),
            _ => format!("{host}/{path}{suffix}"),
        },
    )
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![3 => name(), 2 => select(VALUES).prop_map(str::to_owned)]
}

fn rule_line() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (name(), value()).prop_map(|(key, value)| format!("{key}::{value}")),
        2 => value().prop_map(|value| format!("default::{value}")),
        2 => (reference(), reference()).prop_map(|(key, value)| format!("[EXACT]{key}::{value}")),
        1 => reference().prop_map(|key| format!("[EXACT]{key}::")),
        2 => (select(GLOBS), value()).prop_map(|(key, value)| format!("[REPLACE]{key}::{value}")),
        1 => select(WILDCARDS).prop_map(|entries| format!("noswap_wildcards::{entries}")),
    ]
}

/// Two texts, the later one overriding, read as leniently as there is.
fn any_maps(lines: &[String], cut: Index, allow_chained: bool) -> Maps {
    let (first, second) = lines.split_at(cut.index(lines.len() + 1));
    let texts = [MapsText::new("first", first.join("\n")), MapsText::new("second", second.join("\r\n"))];
    Maps::parse(&texts, ParseOptions { lenient: true, allow_chained })
        .expect("lenient reading has no errors")
        .maps
}

/// The rule for a name as the language has it, without any table: the longest key, a port before none.
fn found_by_looking(maps: &Maps, image: ImageReference<'_>) -> Option<usize> {
    let path = image.canonical_path();
    let matches = |name: &NamePrefix<'_>| {
        name.host == image.canonical_registry()
            && (name.port.is_none() || name.port == image.port())
            && (name.path.is_empty() || *path == *name.path || path.starts_with(&format!("{}/", name.path)))
    };
    maps.rules
        .iter()
        .enumerate()
        // Of two keys for one name the one that is written out wins, and of two images the first.
        .flat_map(|(number, rule)| {
            let written = rule.name().map(|name| (number, name, name.path.to_owned(), true));
            let image = rule.name().filter(|name| name.names_official_image());
            let image = image.map(|name| (number, name, name.official_path(), false));
            written.into_iter().chain(image)
        })
        .filter(|(_, name, path, _)| matches(&NamePrefix { path, ..*name }))
        .max_by_key(|(number, name, path, written)| {
            (path.len(), name.port.is_some(), *written, Reverse(*number))
        })
        .map(|(number, ..)| number)
}

/// The guard as the language has it, without any table, on canonical texts.
fn guarded_by_looking(maps: &Maps, image: ImageReference<'_>, key: Option<KeyFront<'_>>) -> bool {
    let canonical = |host: &str, port: Option<&str>, path: &str| {
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{host}{port}/{path}")
    };
    let (host, port) = (image.canonical_registry(), image.port());
    let path = image.canonical_path();
    let name = canonical(host, port, &path);
    let key_text = key.map(|key| canonical(host, key.port, &path[..key.path_length]));
    let strictly_under = |target: &str, dash: bool| {
        let target = if dash || target.ends_with('/') { target.to_owned() } else { format!("{target}/") };
        key_text.as_ref().is_some_and(|key| key.starts_with(&target) && key.len() > target.len())
    };
    let under =
        |target: &str| name == target || name.starts_with(&format!("{}/", target.trim_end_matches('/')));
    maps.rules.iter().any(|rule| match &rule.parsed {
        RuleValue::Empty | RuleValue::Substrings(_) | RuleValue::Template { target: None, .. } => false,
        RuleValue::Reference => image.as_str() == rule.value(),
        RuleValue::Name { target, .. } if rule.keeps_port() => {
            target.of(rule.value()).host == host
                && key.is_none_or(|key| key.path_length == 0 || key.port != port && port.is_none())
        }
        RuleValue::Name { target, .. } | RuleValue::Template { target: Some(target), .. } => {
            let target = target.of(rule.value());
            let target = canonical(target.host, target.port, target.path);
            under(&target) && !strictly_under(&target, false)
        }
        RuleValue::Dash => {
            let completed = format!("{}x", rule.value());
            let hub = NamePrefix::parse(&completed).expect("a value that was read");
            let as_path = canonical(hub.host, hub.port, hub.path);
            let as_path = as_path.strip_suffix('x').filter(|_| !hub.path.is_empty());
            as_path.is_some_and(|target| name.starts_with(target) && !strictly_under(target, true))
                || (!rule.value().contains('/') && host.starts_with(rule.value()) && key.is_none())
        }
    })
}

fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(20_000);
    ProptestConfig { cases, max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    /// f(f(x)) = f(x), and what comes out is an image whose tag and digest no rule but an [EXACT] one touched.
    #[test]
    fn twice_is_once(
        lines in prop::collection::vec(rule_line(), 0..7),
        cut in any::<Index>(),
        allow_chained in any::<bool>(),
        images in prop::collection::vec(reference(), 3),
    ) {
        let maps = any_maps(&lines, cut, allow_chained);
        for text in &images {
            let Ok(before) = ImageReference::parse(text) else { continue };
            let explained = maps.explain(&before);
            let once = explained.result().to_owned();
            let after = ImageReference::parse(&once);
            prop_assert!(after.is_ok(), "{} became {}: {:?}", text, once, after);
            let after = after.expect("just asserted");
            let again = maps.decide(&after);
            prop_assert_eq!(again.outcome.changed(), None, "{} became {} by {:?}", text, once, explained);
            if explained.changed() {
                prop_assert!(!again.outcome.is_error(), "{} became {}, then {:?}", text, once, again);
                prop_assert!(&once != text);
            } else {
                prop_assert_eq!(&once, text);
            }
            let exact = maps.rules().any(|rule| rule.kind() == RuleKind::Exact);
            prop_assert!(exact || after.suffix() == before.suffix());
            prop_assert_eq!(explained.matched(), explained.decision.rule.is_some());
            prop_assert!(!explained.reason().is_empty());
        }
    }

    /// The tables find what looking at every rule finds.
    #[test]
    fn tables_agree_with_looking(
        lines in prop::collection::vec(rule_line(), 0..9),
        cut in any::<Index>(),
        key in name(),
        images in prop::collection::vec(reference(), 3),
    ) {
        let maps = any_maps(&lines, cut, false);
        for text in &images {
            let Ok(image) = ImageReference::parse(text) else { continue };
            let path = image.canonical_path();
            let found = maps.names.most_specific(image.canonical_registry(), image.port(), &path);
            prop_assert_eq!(found, found_by_looking(&maps, image));
            let guards = maps.targets.guards(&maps.rules, image, None).is_some();
            prop_assert_eq!(guards, guarded_by_looking(&maps, image, None), "default, {}", text);
            // A key that matches the image: that of a rule, or one made from its own front.
            let own = found.and_then(|number| maps.rules[number].key_for(image));
            let made = NamePrefix::parse(&key).ok().filter(|key| {
                key.host == image.canonical_registry()
                    && (key.port.is_none() || key.port == image.port())
                    && (key.path.is_empty() || *path == *key.path || path.starts_with(&format!("{}/", key.path)))
            });
            for key in own.into_iter().chain(made.map(KeyFront::from)) {
                let guards = maps.targets.guards(&maps.rules, image, Some(key)).is_some();
                prop_assert_eq!(guards, guarded_by_looking(&maps, image, Some(key)), "{:?}, {}", key, text);
            }
        }
    }
}
