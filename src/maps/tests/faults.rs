//! Faults and notices: each located, all of a text together, and what lenient reading makes of them.

use proptest::prelude::*;

use super::*;

fn faults(text: &str) -> Vec<MapsError> {
    match Maps::parse(&[MapsText::new("maps", text)], ParseOptions::default()) {
        Ok(parsed) => panic!("no fault in {text:?}: {parsed:?}"),
        Err(errors) => errors.into_vec(),
    }
}

#[test]
fn located() {
    for (name, line, column, message) in [
        ("no rule", "docker.io", 1, "no rule in `docker.io`, expected KEY::VALUE"),
        ("another separator", "a.io;b.io", 1, "no rule"),
        ("a port with the old separator", "a.io:b.io:5000/x", 10, "ambiguous `:`"),
        ("reserved", "[REGEX]a.*::b.io", 1, "[REGEX] is reserved"),
        ("unknown form", " [FOO]a::b.io", 2, "unknown form [FOO]"),
        ("no key", "::b.io", 1, "empty key"),
        ("a mistyped keyword", "defualt::m.io", 1, "default (did you mean that?)"),
        ("no registry", "mirror::m.io", 1, "docker.io/mirror for Docker Hub's mirror"),
        ("a glob without [REPLACE]", "quay.io/a*::m.io", 10, "[REPLACE]quay.io/a*, for a glob"),
        ("a tag in a key", "quay.io/a:v1::m.io/a", 10, "[EXACT]quay.io/a:v1 for this one image"),
        ("upper case in a key", "quay.io/Team::m.io", 9, "upper-case letter 'T'"),
        ("a slash at a key's end", "quay.io/::m.io", 9, "empty part of the path"),
        ("a key of [EXACT]", "[EXACT]a b::c", 9, "expected a whole image reference"),
        ("a value of [EXACT]", "[EXACT]a::m.io/{path}", 16, "'{' is not allowed in the path"),
        ("an open set", "[REPLACE]a[b::m.io", 11, "`[` is not closed"),
        ("an open set and no separator", "[REPLACE]a[b", 11, "`[` is not closed"),
        ("white space in a value", "quay.io::m .io", 11, "character ' ' is not allowed"),
        ("a comment without white space", "quay.io::m.io#no", 14, "character '#'"),
        ("a tag in a value", "quay.io::m.io/a:v1", 10, "it has a tag or a digest"),
        ("a URL", "quay.io::https://m.io", 10, "it is a URL"),
        ("two slashes", "quay.io::m.io//", 15, "empty part of the path"),
        ("only a slash", "quay.io::/", 10, "nothing but a `/`"),
        ("upper case in a value", "quay.io::m.io/Hub", 15, "upper-case letter 'H'"),
        ("a second separator", "a.io::b.io::c", 12, "character ':' is not allowed in the port"),
        ("an unknown part", "default::m.io/{tag}", 15, "unknown part {tag}, in"),
        ("an open brace", "default::m.io/{path", 15, "`{` is not closed"),
        ("a closing brace", "default::m.io/path}", 19, "`}` without `{`"),
        ("braces that set a tag", "default::m.io/a:{name}", 10, "would change tag or digest"),
        ("braces that leave a registry", "default::{registry}", 10, "only a registry is left"),
        ("a dash behind a brace", "default::m.io/{registry}-", 10, "'-' cannot stand there"),
        ("a dash in [REPLACE]", "[REPLACE]a*::m.io/x-", 20, "'-' cannot stand there"),
        ("a dash alone", "default::-", 10, "'-' cannot stand there"),
        ("a dash behind a port", "default::m.io:5000-", 10, "would become m.io:5000-docker.io/a/x"),
        ("brackets in a path", "[::1]:80::m.io/{registry}/{path}", 11, "'[' is not allowed"),
    ] {
        let text = format!("# first\n{line} # why\n");
        let [fault] = faults(&text).try_into().unwrap_or_else(|all| panic!("{name}: {all:?}"));
        assert_eq!((fault.line(), fault.column()), (2, column), "{name}: {fault}");
        assert!(fault.to_string().contains(message.trim_end_matches(", in")), "{name}: {fault}");
        assert!(fault.to_string().starts_with(&format!("maps:2:{column}: ")), "{name}: {fault}");
        assert!(fault.text().starts_with(line.trim()), "{name}");
        assert!(!fault.expected().is_empty(), "{name}");
    }
    assert_eq!(faults("a.io:b.io:5000")[0].hint().as_deref(), Some("use :: between key and value"));
    assert_eq!(faults("a.io=b.io")[0].hint().as_deref(), Some("did you mean a.io::b.io?"));
}

#[test]
fn all_together() {
    let text =
        "quay.io\n\n[REGEX]x::y\nquay.io::m.io\nquay.io::n.io\nindex.docker.io::a.io\ndocker.io::b.io\n";
    let errors = Maps::parse(
        &[MapsText::new("one", text), MapsText::new("two", "oops").at(7, 4)],
        ParseOptions::default(),
    )
    .unwrap_err();
    let places: Vec<_> =
        errors.iter().map(|e| format!("{}:{}:{}", e.source_name(), e.line(), e.column())).collect();
    assert_eq!(places, ["one:1:1", "one:3:1", "one:5:1", "one:7:1", "two:7:5"]);
    assert_eq!(errors.to_string().lines().count(), 5);
    assert!(errors.to_string().contains("duplicate key (the first is on line 4)"));
    assert!(
        errors.to_string().contains("duplicate key (the first is on line 6)"),
        "an alias is the same key"
    );
}

#[test]
fn duplicates_of_every_form() {
    for line in [
        "default::a.io",
        "noswap_wildcards::a",
        "[EXACT]a::b",
        "[REPLACE]a*::b",
        "quay.io/x::a.io",
        "quay.io:80::a.io",
    ] {
        let faults = faults(&format!("{line}\n{line}\n"));
        assert!(
            matches!(faults.as_slice(), [fault] if *fault.kind() == MapsErrorKind::Duplicate { first: 1 }),
            "{line}"
        );
    }
    // Forms have keys of their own.
    maps("[EXACT]a/b::c/d\n[REPLACE]a/b::c\na/b::c.io/x\nquay.io::m.io\nquay.io:80::m.io");
}

#[test]
fn lenient() {
    let text =
        "quay.io::m.io\noops\nquay.io::n.io\nregistry2.bar.com:registry2.baz.com:30003/bar\ndefault::d.io\n";
    let options = ParseOptions { lenient: true, ..ParseOptions::default() };
    let Parsed { maps, warnings } = Maps::parse(&[MapsText::new("maps", text)], options).unwrap();
    let shown: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "maps:2:1: line skipped: no rule in `oops`, expected KEY::VALUE",
            "maps:3:1: duplicate key (the first is on line 1), the last one wins",
            "maps:4:36: line skipped: ambiguous `:` in `registry2.bar.com:registry2.baz.com:30003/bar`, expected KEY::VALUE",
        ]
    );
    assert_eq!(becomes(&maps, "quay.io/a"), "n.io/a");
    assert_eq!(becomes(&maps, "registry2.bar.com/a"), "d.io/a");
}

#[test]
fn notices() {
    let Parsed { warnings, .. } =
        parsed(" quay.io:m.io # old\ndefault:\nnoswap_wildcards:a, *.b, c d\n[EXACT]a:b\n");
    let shown: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "maps:1:9: the single `:` separator is deprecated, write `quay.io::m.io`",
            "maps:2:8: the single `:` separator is deprecated, write `default::`",
            "maps:3:17: the single `:` separator is deprecated, write `noswap_wildcards::a, *.b, c d`",
            "maps:3:21: no image contains \"*.b\": noswap_wildcards are plain substrings, separated by commas",
            "maps:3:26: no image contains \"c d\": noswap_wildcards are plain substrings, separated by commas",
            "maps:4:9: the single `:` separator is deprecated, write `[EXACT]a::b`",
        ]
    );
    // A `/` at the end of a substring says something.
    assert_eq!(becomes(&maps("default::m.io\nnoswap_wildcards::corp/"), "x.corp.io/a"), "m.io/a");
}

proptest! {
    /// No text makes the reader panic; every fault points into its line; lenient reading has no errors; and what
    /// was read is free of faults when it is written again.
    #[test]
    fn any_text(text in "((\\[EXACT\\]|\\[REPLACE\\]|default|noswap_wildcards|quay\\.io|[a-zA-Z0-9.:/\\[\\]{}#*?!@ \t_-]{0,12}|\\PC{0,3})::?[a-z0-9.:/\\[\\]{}#@_-]{0,12}\r?\n?){0,4}") {
        let texts = [MapsText::new("maps", text.as_str())];
        let lines: Vec<&str> = text.lines().collect();
        if let Err(errors) = Maps::parse(&texts, ParseOptions::default()) {
            for error in errors.iter() {
                let line = lines[error.line() - 1];
                prop_assert!(error.column() >= 1 && error.column() <= line.chars().count() + 1, "{}", error);
            }
        }
        let options = ParseOptions { lenient: true, ..ParseOptions::default() };
        let lenient = Maps::parse(&texts, options);
        prop_assert!(lenient.is_ok());
        let maps = lenient.expect("just asserted").maps;
        let again: String = maps.rules().map(|rule| rule.to_line() + "\n").collect();
        let again = Maps::parse(&[MapsText::new("maps", again)], ParseOptions::default());
        prop_assert!(again.is_ok(), "{:?}", again);
        let _ = lint(&texts);
    }
}
