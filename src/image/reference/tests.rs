//! Tables of references, and the property that parts and text are the same thing.

use proptest::prelude::*;

use super::*;
use crate::image::{DigestError, Part};

const SHA: &str = "sha256:15d3b5c4f521a84896ed1ead1b14e4774d02202d5c65ab68f30eeaf310a3b1a7";

/// registry, path, tag, digest, canonical
type Parts<'a> = (Option<&'a str>, &'a str, Option<&'a str>, Option<&'a str>, &'a str);

#[test]
fn parts() {
    let table: &[(&str, &str, Parts<'_>)] = &[
        ("single name", "nginx", (None, "nginx", None, None, "docker.io/library/nginx:latest")),
        ("tag", "nginx:1.27", (None, "nginx", Some("1.27"), None, "docker.io/library/nginx:1.27")),
        ("organisation", "a/b", (None, "a/b", None, None, "docker.io/a/b:latest")),
        (
            "localhost is a registry",
            "localhost/a",
            (Some("localhost"), "a", None, None, "localhost/a:latest"),
        ),
        (
            "a port makes a registry",
            "myreg:5000/a",
            (Some("myreg:5000"), "a", None, None, "myreg:5000/a:latest"),
        ),
        (
            "a colon without a slash is a tag",
            "localhost:5000",
            (None, "localhost", Some("5000"), None, "docker.io/library/localhost:5000"),
        ),
        (
            "a dot without a slash is a name",
            "example.com",
            (None, "example.com", None, None, "docker.io/library/example.com:latest"),
        ),
        ("upper-case host", "Reg/a", (Some("Reg"), "a", None, None, "Reg/a:latest")),
        (
            "Docker Hub, named",
            "docker.io/nginx",
            (Some("docker.io"), "nginx", None, None, "docker.io/library/nginx:latest"),
        ),
        (
            "Docker Hub's index",
            "index.docker.io/a/b",
            (Some("index.docker.io"), "a/b", None, None, "docker.io/a/b:latest"),
        ),
        (
            "Docker Hub's registry",
            "registry-1.docker.io/nginx:1",
            (Some("registry-1.docker.io"), "nginx", Some("1"), None, "docker.io/library/nginx:1"),
        ),
        ("IPv6 with port", "[::1]:5000/a:v", (Some("[::1]:5000"), "a", Some("v"), None, "[::1]:5000/a:v")),
        ("IPv6 without port", "[fe80::1]/a", (Some("[fe80::1]"), "a", None, None, "[fe80::1]/a:latest")),
        ("IPv4", "10.0.0.1:80/a", (Some("10.0.0.1:80"), "a", None, None, "10.0.0.1:80/a:latest")),
        (
            "punycode",
            "xn--bcher-kva.example/a",
            (Some("xn--bcher-kva.example"), "a", None, None, "xn--bcher-kva.example/a:latest"),
        ),
        (
            "separators in the path",
            "quay.io/a__b/c---d.e_f",
            (Some("quay.io"), "a__b/c---d.e_f", None, None, "quay.io/a__b/c---d.e_f:latest"),
        ),
        (
            "64 digits behind a registry",
            "quay.io/15d3b5c4f521a84896ed1ead1b14e4774d02202d5c65ab68f30eeaf310a3b1a7",
            (
                Some("quay.io"),
                "15d3b5c4f521a84896ed1ead1b14e4774d02202d5c65ab68f30eeaf310a3b1a7",
                None,
                None,
                "quay.io/15d3b5c4f521a84896ed1ead1b14e4774d02202d5c65ab68f30eeaf310a3b1a7:latest",
            ),
        ),
        ("tag in upper case", "a:V_1.-", (None, "a", Some("V_1.-"), None, "docker.io/library/a:V_1.-")),
    ];
    for (name, text, (registry, path, tag, digest, canonical)) in table {
        let image = ImageReference::parse(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(image.registry(), *registry, "{name}: registry");
        assert_eq!(image.path(), *path, "{name}: path");
        assert_eq!(image.tag(), *tag, "{name}: tag");
        assert_eq!(image.digest().map(DigestRef::as_str), *digest, "{name}: digest");
        assert_eq!(image.canonical(), *canonical, "{name}: canonical");
        assert_eq!(image.to_string(), *text, "{name}: text");
    }
}

#[test]
fn digests_and_the_smaller_parts() {
    let text = format!("quay.io:443/team/app:v1@{SHA}");
    let image = ImageReference::parse(&text).unwrap();
    assert_eq!(image.host(), Some("quay.io"));
    assert_eq!(image.port(), Some("443"));
    assert_eq!(image.name(), "quay.io:443/team/app");
    assert_eq!(image.suffix(), format!(":v1@{SHA}"));
    assert_eq!(image.tag(), Some("v1"));
    assert_eq!(image.digest().unwrap().as_str(), SHA);
    assert_eq!(image.last_part(), "app");
    assert_eq!(image.canonical_registry(), "quay.io");
    assert_eq!(image.canonical(), text);

    let text = format!("a@{SHA}");
    let image = ImageReference::parse(&text).unwrap();
    assert_eq!((image.tag(), image.port(), image.host()), (None, None, None));
    assert_eq!(image.suffix(), format!("@{SHA}"));
    assert_eq!(image.canonical(), format!("docker.io/library/a@{SHA}"));

    let image = ImageReference::parse("[::1]:5000/a").unwrap();
    assert_eq!((image.host(), image.port()), (Some("[::1]"), Some("5000")));
    let image = ImageReference::parse("docker.io:443/nginx").unwrap();
    assert_eq!(image.canonical(), "docker.io:443/library/nginx:latest");
}

#[test]
fn refusals() {
    let long_tag = format!("a:{}", "t".repeat(129));
    let long_path = format!("quay.io/{}", "p".repeat(256));
    let long_hub = "p".repeat(248);
    let short_digest = "a@sha256:abc".to_owned();
    let scheme = |text| ReferenceError::Scheme { scheme: Scheme::of(text).unwrap() };
    let character = |found, part, at| ReferenceError::Character { found, part, at };
    let separator = |found, part, at| ReferenceError::Separator { found, part, at };
    let table: Vec<(&str, &str, ReferenceError)> = vec![
        ("empty", "", ReferenceError::Empty),
        ("image ID", &SHA[7..], ReferenceError::ImageId),
        ("upper case in the name", "Nginx", ReferenceError::UpperCase { found: 'N', at: 0 }),
        ("upper case in the path", "quay.io/Team/a", ReferenceError::UpperCase { found: 'T', at: 8 }),
        ("tag without a name", ":v1", ReferenceError::NoName { at: 0 }),
        ("registry without a name", "quay.io/:v1", ReferenceError::NoName { at: 8 }),
        ("registry alone", "quay.io/", ReferenceError::NoName { at: 8 }),
        ("leading slash", "/a", ReferenceError::EmptyComponent { at: 0 }),
        ("two slashes", "a//b", ReferenceError::EmptyComponent { at: 2 }),
        ("trailing slash", "a/", ReferenceError::EmptyComponent { at: 2 }),
        ("empty tag", "a:", ReferenceError::EmptyPart { part: Part::Tag, at: 2 }),
        ("empty port", "reg:/a", ReferenceError::EmptyPart { part: Part::Port, at: 4 }),
        ("empty host", ":80/a", ReferenceError::EmptyPart { part: Part::Registry, at: 0 }),
        ("letters for a port", "reg:8o/a", character('o', Part::Port, 5)),
        ("a slash behind the tag", "a/b:v/c", character('/', Part::Tag, 5)),
        ("tag with a bad start", "a:-v", separator('-', Part::Tag, 2)),
        ("white space", "a b", character(' ', Part::Path, 1)),
        ("a line break", "a\n", character('\n', Part::Path, 1)),
        ("beyond ASCII", "nginx:ü", character('ü', Part::Tag, 6)),
        ("a template", "{{ .Values.image }}", character('{', Part::Path, 0)),
        ("scheme", "https://quay.io/a", scheme("https://quay.io/a")),
        ("scheme of ko", "ko://example.com/cmd", scheme("ko://")),
        ("no scheme", "a b://x", character(' ', Part::Registry, 1)),
        ("underscore in the host", "a_b.io/c", character('_', Part::Registry, 1)),
        ("host ends in a dot", "a.io./c", separator('.', Part::Registry, 4)),
        ("host component ends in a dash", "a-.io/c", separator('-', Part::Registry, 1)),
        ("host starts with a dash", "-a.io/c", separator('-', Part::Registry, 0)),
        ("open IPv6", "[::1/a", character('[', Part::Registry, 0)),
        ("IPv6 zone", "[::1%eth0]:5/a", character('%', Part::Registry, 4)),
        ("text behind IPv6", "[::1]x.y/a", character('x', Part::Registry, 5)),
        ("leading dash", "-a", separator('-', Part::Path, 0)),
        ("trailing dash", "a-:v", separator('-', Part::Path, 1)),
        ("two dots", "a..b", separator('.', Part::Path, 2)),
        ("three underscores", "a___b", separator('_', Part::Path, 3)),
        ("mixed separators", "a_-b", separator('-', Part::Path, 2)),
        ("long tag", &long_tag, ReferenceError::TagTooLong { length: 129, at: 2 }),
        ("long path", &long_path, ReferenceError::PathTooLong { length: 256 }),
        ("long once library/ is filled in", &long_hub, ReferenceError::PathTooLong { length: 256 }),
        (
            "short digest",
            &short_digest,
            ReferenceError::Digest {
                reason: DigestError::Length { found: 3, expected: "64 for sha256" },
                at: 2,
            },
        ),
        ("empty digest", "a@", ReferenceError::Digest { reason: DigestError::NoSeparator, at: 2 }),
    ];
    for (name, text, want) in table {
        let error = ImageReference::parse(text).expect_err(name);
        assert_eq!(error, want, "{name}");
        assert!(error.offset() <= text.len(), "{name}");
        assert!(error.to_string().starts_with(&error.reason()), "{name}");
        assert!(!error.reason().is_empty() && !error.reason().contains("at character"), "{name}");
    }
}

#[test]
fn limits_that_still_fit() {
    for text in [format!("a:{}", "t".repeat(128)), format!("quay.io/{}", "p".repeat(255)), "p".repeat(247)] {
        assert!(ImageReference::parse(&text).is_ok(), "{text}");
    }
}

proptest! {
    /// Parse and display are the identity, and the parts are the text.
    #[test]
    fn parts_are_the_text(
        text in "((([a-zA-Z0-9][a-zA-Z0-9-]{0,3}\\.){1,2}[a-z]{2}|localhost|\\[::[0-9a-f]{1,3}\\]|[A-Z]{1,3})(:[0-9]{1,5})?/)?[a-z0-9]{1,4}([._]|__|-{1,3}|/)[a-z0-9]{1,4}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,6})?(@sha256:[0-9a-f]{64})?"
    ) {
        // A component may still end in `-` before a dot: those are refused, and that is another test.
        if let Ok(image) = ImageReference::parse(&text) {
            prop_assert_eq!(image.to_string(), text.clone());
            let mut again = String::new();
            if let Some(host) = image.host() {
                again += host;
                if let Some(port) = image.port() {
                    again = again + ":" + port;
                }
                prop_assert_eq!(Some(again.as_str()), image.registry());
                again += "/";
            }
            again += image.path();
            prop_assert_eq!(again.as_str(), image.name());
            let mut suffix = String::new();
            if let Some(tag) = image.tag() {
                suffix = suffix + ":" + tag;
            }
            if let Some(digest) = image.digest() {
                suffix = suffix + "@" + digest.as_str();
            }
            prop_assert_eq!(suffix.as_str(), image.suffix());
            prop_assert_eq!(again + &suffix, text.clone());
            prop_assert!(image.path().ends_with(image.last_part()));
            let canonical = image.canonical();
            let twice = ImageReference::parse(&canonical).expect("the canonical spelling is well formed");
            prop_assert_eq!(twice.canonical(), canonical.clone());
        } else {
            prop_assert!(text.contains("-."), "refused: {}", text);
        }
    }

    /// No text makes the parser panic, and an error points into it.
    #[test]
    fn any_text(text in "\\PC{0,40}|[a-zA-Z:/@.\\[\\]_-]{0,24}") {
        if let Err(error) = ImageReference::parse(&text) {
            prop_assert!(error.offset() <= text.len());
            prop_assert!(text.is_char_boundary(error.offset()));
        }
    }
}
