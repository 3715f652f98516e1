//! The forms, the order, and the parts of a reference: each sentence of those chapters of `docs/maps.md`.

use super::*;

const SHA: &str = "@sha256:15d3b5c4f521a84896ed1ead1b14e4774d02202d5c65ab68f30eeaf310a3b1a7";

/// The example that opens the chapter on the grammar.
const EVERY_FORM: &str = "\
# comment
default::mirror.example.com
docker.io::mirror.example.com/hub
docker.io/library::mirror.example.com/library
quay.io/team::mirror.example.com/team
reg.example.com:8443::mirror:5000/x
gitlab.com::
noswap_wildcards::corp.example, internal
[EXACT]ghcr.io/a/b:v1::mirror/patched:v2
[REPLACE]ghcr.io/public*::mirror/base
";

#[test]
fn every_form() {
    check(&[
        ("default", EVERY_FORM, "other.io/a:1", "mirror.example.com/a:1"),
        ("registry", EVERY_FORM, "a/b", "mirror.example.com/hub/a/b"),
        ("library", EVERY_FORM, "nginx", "mirror.example.com/library/nginx"),
        ("path", EVERY_FORM, "quay.io/team/a/b", "mirror.example.com/team/a/b"),
        ("path, not matched", EVERY_FORM, "quay.io/other/a", "mirror.example.com/other/a"),
        ("ports", EVERY_FORM, "reg.example.com:8443/a:1", "mirror:5000/x/a:1"),
        ("another port", EVERY_FORM, "reg.example.com:80/a:1", "mirror.example.com/a:1"),
        ("empty", EVERY_FORM, "gitlab.com/a", "gitlab.com/a"),
        ("noswap", EVERY_FORM, "x.corp.example/a", "x.corp.example/a"),
        ("noswap anywhere", EVERY_FORM, "x.io/a:internal", "x.io/a:internal"),
        ("exact", EVERY_FORM, "ghcr.io/a/b:v1", "mirror/patched:v2"),
        ("replace", EVERY_FORM, "ghcr.io/public/a/b:1", "mirror/base/b:1"),
        ("dash", "docker.io::m.io/cache-", "index.docker.io/a/b", "m.io/cache-docker.io/a/b"),
        ("dash without port", "quay.io::m.io/cache-", "quay.io:443/a", "m.io/cache-quay.io/a"),
        ("dash keeps the path as written", "docker.io::m.io/cache-", "nginx", "m.io/cache-docker.io/nginx"),
        ("dash with a path key", "quay.io/t::m.io/cache-", "quay.io/t/a", "m.io/cache-quay.io/t/a"),
        ("braces", "default::m.io/{registry}/{path}", "nginx:1", "m.io/docker.io/library/nginx:1"),
        ("braces without port", "default::m.io/{registry}/{path}", "r.io:80/a", "m.io/r.io/a"),
        (
            "braces, Docker Hub",
            "docker.io::harbor.example.com/hub/{path}",
            "nginx",
            "harbor.example.com/hub/library/nginx",
        ),
        ("braces, last part", "default::m.io/{name}", "r.io/a/b/c:1", "m.io/c:1"),
        ("braces with a path key: the whole path", "quay.io/t::m.io/x/{path}", "quay.io/t/a", "m.io/x/t/a"),
        ("braces in [REPLACE]", "[REPLACE]q*::m.io/x-{name}", "quay.io/t/a:1", "m.io/x-a:1"),
        ("a name without a registry", "quay.io::mirror", "quay.io/a", "mirror/a"),
        ("which keeps no port", "quay.io::mirror", "quay.io:80/a", "mirror/a"),
        ("an empty [EXACT]", "[EXACT]a/b::\ndefault::m.io", "a/b", "a/b"),
        ("an empty [REPLACE]", "[REPLACE]a/*::\ndefault::m.io", "a/b", "a/b"),
        ("an empty path in a registry", "quay.io::m.io\nquay.io/team::", "quay.io/team/a", "quay.io/team/a"),
        ("empty default", "default::", "a/b", "a/b"),
        ("CRLF and BOM", "\u{feff}quay.io::m.io\r\nghcr.io::n.io\r\n", "quay.io/a", "m.io/a"),
        ("CRLF, last line", "\u{feff}quay.io::m.io\r\nghcr.io::n.io\r", "ghcr.io/a", "n.io/a"),
        ("a key on Docker Hub", "bitnami/redis::m.io/r", "docker.io/bitnami/redis:1", "m.io/r:1"),
        ("a whole image", "docker.io/library/nginx::m.io/web", "nginx:1", "m.io/web:1"),
        ("an image without library/", "docker.io/nginx::m.io/web", "nginx", "m.io/web"),
        ("its second spelling", "docker.io/nginx::m.io/web", "docker.io/nginx:1", "m.io/web:1"),
        ("its third spelling", "docker.io/nginx::m.io/web", "index.docker.io/library/nginx:1", "m.io/web:1"),
        ("and the organisation", "docker.io/nginx::m.io/web", "nginx/ingress:2", "m.io/web/ingress:2"),
        ("but no other image", "docker.io/nginx::m.io/web", "nginx-debug", "nginx-debug"),
        ("with braces", "docker.io/nginx::m.io/{path}", "nginx", "m.io/library/nginx"),
        ("before library", "docker.io/library::m.io/l\ndocker.io/nginx::m.io/web", "nginx", "m.io/web"),
        (
            "after its full name",
            "docker.io/nginx::m.io/a\ndocker.io/library/nginx::m.io/b",
            "nginx",
            "m.io/b",
        ),
        ("library is no image", "docker.io/library::m.io/l", "library", "m.io/l/library"),
        ("nothing deeper", "docker.io/nginx::m.io/web", "docker.io/library/nginx/x", "m.io/web/x"),
        ("IPv6", "[::1]:5000::[fe80::1]:80/x", "[::1]:5000/a", "[fe80::1]:80/x/a"),
        ("a host in upper case", "REG::m.io", "REG/a", "m.io/a"),
    ]);
}

#[test]
fn the_order() {
    let text = "\
default::d.io
noswap_wildcards::swap
quay.io::r.io
quay.io/team::p.io
quay.io/team/deep::q.io
quay.io:80::port.io
[REPLACE]quay.io/glob*::first.io
[REPLACE]quay.io/glob/b*::second.io
[EXACT]quay.io/glob/exact::e.io/x
";
    check(&[
        ("exact first", text, "quay.io/glob/exact", "e.io/x"),
        ("the first glob in file order", text, "quay.io/glob/b", "first.io/b"),
        ("then the longest path", text, "quay.io/team/deep/a", "q.io/a"),
        ("a shorter one", text, "quay.io/team/a", "p.io/a"),
        ("the registry", text, "quay.io/a", "r.io/a"),
        ("a key with a port beats the same without", text, "quay.io:80/a", "port.io/a"),
        ("without that port", text, "quay.io:81/a", "r.io:81/a"),
        ("a longer path beats a port", text, "quay.io:80/team/a", "p.io/a"),
        ("a rule of its own beats noswap", text, "quay.io/swap", "r.io/swap"),
        ("noswap before default", text, "x.io/swap", "x.io/swap"),
        ("default", text, "x.io/a", "d.io/a"),
        ("[EXACT] infers no tag", text, "quay.io/glob/exact:latest", "first.io/exact:latest"),
    ]);
}

#[test]
fn exact_in_another_spelling() {
    let maps = maps("[EXACT]nginx::m.io/web\n[EXACT]docker.io/a/b:v1::m.io/b\ndocker.io::h.io");
    for (text, rule) in [
        ("nginx", None),
        ("nginx:latest", Some(1)),
        ("docker.io/nginx", Some(1)),
        ("index.docker.io/library/nginx:latest", Some(1)),
        ("nginx:1", None),
        ("a/b:v1", Some(2)),
        ("a/b", None),
    ] {
        let image = image(text);
        assert_eq!(maps.exact_in_other_spelling(&image).map(|rule| rule.line()), rule, "{text}");
        let explained = maps.explain(&image);
        assert_eq!(explained.other_spelling.map(|rule| rule.line()), rule, "{text}");
        assert_eq!(explained.candidates.iter().any(|c| c.why.contains("another spelling")), rule.is_some());
    }
    assert!(maps.names_exactly("nginx"));
    assert!(!maps.names_exactly("docker.io/nginx"));
}

#[test]
fn the_reference_and_its_parts() {
    let digest: &'static str = format!("quay.io/a:v1{SHA}").leak();
    let digested: &'static str = format!("m.io/q/a:v1{SHA}").leak();
    check(&[
        ("localhost is a registry", "localhost::m.io/l", "localhost/a", "m.io/l/a"),
        ("no registry is docker.io", "docker.io::m.io/l", "a/b", "m.io/l/a/b"),
        ("index.docker.io", "docker.io/library::m.io/l", "index.docker.io/nginx", "m.io/l/nginx"),
        ("registry-1.docker.io", "docker.io::m.io/l", "registry-1.docker.io/nginx", "m.io/l/nginx"),
        ("an alias as a key", "registry-1.docker.io::m.io/l", "nginx", "m.io/l/nginx"),
        ("a dot is a dot", "quay.io::m.io", "quayxio.com/a", "quayxio.com/a"),
        ("never inside the path", "quay.io::m.io/q", "m.io/x/quay.io/a", "m.io/x/quay.io/a"),
        ("never in the tag", "quay.io::m.io/q", "a:quay.io", "a:quay.io"),
        ("not the front of a host", "quay.io::m.io/q", "quay.io.example/a", "quay.io.example/a"),
        ("any port", "quay.io/t::m.io/q", "quay.io:444/t/a", "m.io/q/a"),
        ("the port goes away with its host", "quay.io::m.io/q", "quay.io:444/t/a", "m.io/q/t/a"),
        ("the value's port", "quay.io::m.io:1", "quay.io:444/t/a", "m.io:1/t/a"),
        ("a key's port goes away", "quay.io:444::m.io", "quay.io:444/t/a", "m.io/t/a"),
        ("host for host keeps it", "quay.io::m.io", "quay.io:444/t/a", "m.io:444/t/a"),
        ("default is no registry rule", "default::m.io", "quay.io:444/t/a", "m.io/t/a"),
        ("tag and digest stay", "quay.io::m.io/q", digest, digested),
        (
            "an image no rule changes stays",
            "quay.io::m.io/q",
            "index.docker.io/nginx",
            "index.docker.io/nginx",
        ),
        ("Docker Hub's path stays as written", "docker.io::m.io/hub", "nginx", "m.io/hub/nginx"),
        ("written out as well", "docker.io::m.io/hub", "docker.io/library/nginx", "m.io/hub/library/nginx"),
        ("library rule, written out", "docker.io/library::m.io/l", "docker.io/library/nginx", "m.io/l/nginx"),
        ("library rule", "docker.io/library::m.io/l", "nginx", "m.io/l/nginx"),
        ("which takes no organisation", "docker.io/library::m.io/l", "a/nginx", "a/nginx"),
    ]);
}

/// Later texts win on the same key, whatever its spelling, and what they do not name stays.
#[test]
fn several_texts() {
    let texts = [
        MapsText::new("a", "docker.io::a.io\nquay.io::a.io/q\n[REPLACE]x*::a.io\n[REPLACE]xy*::a.io/y"),
        MapsText::new("b", "index.docker.io::b.io/{path}\ndefault::b.io"),
        MapsText::new("--map", "[REPLACE]x*::c.io"),
        MapsText::new("--map", "default::c.io/d"),
    ];
    let Parsed { maps, warnings } = Maps::parse(&texts, ParseOptions::default()).unwrap();
    assert_eq!(warnings, []);
    for (from, to) in [
        ("nginx", "b.io/library/nginx"),
        ("quay.io/a", "a.io/q/a"),
        ("xy/a", "c.io/a"),
        ("gcr.io/a", "c.io/d/a"),
    ] {
        assert_eq!(becomes(&maps, from), to);
    }
    let places: Vec<String> =
        maps.rules().map(|rule| format!("{}:{}", rule.source_name(), rule.line())).collect();
    assert_eq!(places, ["b:1", "a:2", "--map:1", "a:4", "--map:1"]);
}

#[test]
fn rules_show_themselves() {
    let maps = maps(EVERY_FORM);
    let shown: Vec<String> = maps.rules().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "default rule default::mirror.example.com (maps:2)",
            "registry rule docker.io::mirror.example.com/hub (maps:3)",
            "path rule docker.io/library::mirror.example.com/library (maps:4)",
            "path rule quay.io/team::mirror.example.com/team (maps:5)",
            "registry rule reg.example.com:8443::mirror:5000/x (maps:6)",
            "registry rule gitlab.com:: (maps:7)",
            "noswap rule noswap_wildcards::corp.example, internal (maps:8)",
            "exact rule [EXACT]ghcr.io/a/b:v1::mirror/patched:v2 (maps:9)",
            "replace rule [REPLACE]ghcr.io/public*::mirror/base (maps:10)",
        ]
    );
    let legacy = Maps::legacy("m.io/x").unwrap().maps;
    assert_eq!(legacy.rules().next().unwrap().to_string(), "legacy rule m.io/x (IMAGE_PREFIX)");
}

#[test]
fn explanations() {
    let maps = maps(
        "quay.io::m.io\nquay.io/team::m.io/t\nquay.io:80/team::p.io\n[REPLACE]x*::y.io\nnoswap_wildcards::corp\ndefault::d.io\nm.io/k::",
    );
    for (text, matched, changed, rule, reason, candidates) in [
        ("quay.io/team/a", true, true, Some(2), "the path rule quay.io/team::m.io/t", vec![4, 1, 3]),
        ("quay.io/a", true, true, Some(1), "the registry rule quay.io::m.io", vec![4, 2, 3]),
        ("ghcr.io/a", true, true, Some(6), "the default rule", vec![4, 5]),
        ("corp.io/a", true, false, Some(5), "keeps it from default", vec![4]),
        ("m.io/k/a", true, false, Some(7), "empty value", vec![4]),
        (
            "m.io/b",
            false,
            false,
            None,
            "target of the registry rule quay.io::m.io (maps:1)",
            vec![4, 7, 5, 6],
        ),
        ("xyz", true, true, Some(4), "the replace rule", vec![]),
    ] {
        let explained = maps.explain(&image(text));
        assert_eq!((explained.matched(), explained.changed()), (matched, changed), "{text}");
        assert_eq!(explained.decision.rule.as_ref().map(|rule| rule.line()), rule, "{text}");
        assert!(explained.reason().contains(reason), "{text}: {}", explained.reason());
        let lines: Vec<_> = explained.candidates.iter().map(|c| c.rule.line()).collect();
        assert_eq!(lines, candidates, "{text}: {:?}", explained.candidates);
    }
    let explained = Maps::default();
    let explained = explained.explain(&image("nginx"));
    assert_eq!((explained.reason().as_str(), explained.result()), ("no rule applies", "nginx"));
}
