//! What imageswap-webhook 1.5.3 does and what we do: the table of `docs/maps.md`, its documented examples, and the
//! cases of its own test suite.

use super::*;

/// Its results stand in `docs/maps.md`; here are ours.
#[test]
fn what_imageswap_webhook_does_today_and_what_we_do() {
    let mir = "quay.io::mir.io/quay";
    check(&[
        ("second pass of default", "default::mir.io/proxy", "mir.io/proxy/nginx", "mir.io/proxy/nginx"),
        ("another rule's target", "default::d.io\nquay.io::m.io", "m.io/a", "m.io/a"),
        ("localhost is a registry", "default::m.io", "localhost:5000/img:v1", "m.io/img:v1"),
        ("a port makes a registry", "myreg:5000::m.io\ndefault::", "myreg:5000/a", "m.io/a"),
        ("the key inside the path", mir, "quay.io/mirror/quay.io/x", "mir.io/quay/mirror/quay.io/x"),
        ("a dot is a dot", mir, "quay.io/quayxio/app", "mir.io/quay/quayxio/app"),
        (
            "the key inside a name",
            "docker.io::mir.io/docker",
            "foo/docker.io-tools:1",
            "mir.io/docker/foo/docker.io-tools:1",
        ),
        ("the port goes away", mir, "quay.io:443/x/y", "mir.io/quay/x/y"),
        ("host for host keeps the port", "quay.io::mir.io", "quay.io:443/x/y", "mir.io:443/x/y"),
        ("a port for a port", "reg.io::m.io:30003", "reg.io:5000/a:1", "m.io:30003/a:1"),
        ("dash keeps the path whole", "quay.io::mir.io-", "quay.io:443/x/y:1.0", "mir.io-quay.io/x/y:1.0"),
        ("dash in default", "default::mir.io-", "quay.io/x/y:1", "mir.io-quay.io/x/y:1"),
        ("library alone", "docker.io/library::h.io/library", "tmobile/x", "tmobile/x"),
        (
            "library, written out",
            "docker.io::\ndocker.io/library::h.io/library",
            "docker.io/library/nginx",
            "h.io/library/nginx",
        ),
        ("library", "docker.io::\ndocker.io/library::h.io/library", "nginx", "h.io/library/nginx"),
        ("not library", "docker.io::\ndocker.io/library::h.io/library", "tmobile/magtape", "tmobile/magtape"),
        ("an alias of Docker Hub", "docker.io::m.io", "index.docker.io/a/b", "m.io/a/b"),
        ("no default", "quay.io::m.io", "quay.io/a", "m.io/a"),
        ("a comma at the end", "default::m.io\nnoswap_wildcards::d.io,", "quay.io/a", "m.io/a"),
        ("a path", "quay.io/team::m.io/t", "quay.io/team/a", "m.io/t/a"),
        ("a path ends at a slash", "quay.io/team::m.io/t", "quay.io/teamx/a", "quay.io/teamx/a"),
        ("slash at the end", "quay.io::m.io/", "quay.io/a", "m.io/a"),
        ("a tab round the separator", "\tquay.io\t::\tm.io\t", "quay.io/a", "m.io/a"),
    ]);
}

/// The file of its test suite, with the lines that it skips left out: those are faults here.
const ITS_FILE: &str = "\
# comment
default:default.example.com
docker.io:my.example.com/mirror-
quay.io:quay.example3.com
gitlab.com:registry.example.com/gitlab
#gcr.io: # This is a comment
cool.io:
registry.internal.twr.io:registry.example.com
harbor.geo.pks.twr.io:harbor2.com ###### This is a comment with many symbols
registry.waldo.com:8443::registry.garply.com # Swap map key that includes a port
registry.foo.com::localhost:30003/foo # Swap map value that includes a port
registry.bar.com:8443::registry.baz.com:30003/bar # Swap map key & value that include a port
noswap_wildcards:twr.io, walrus.io
";

#[test]
fn its_test_suite() {
    let sha = "@sha256:15d3b5c4f521a84896ed1ead1b14e4774d02202d5c65ab68f30eeaf310a3b1a7";
    let digest: &'static str = format!("kindest/node{sha}").leak();
    let digested: &'static str = format!("my.example.com/mirror-docker.io/kindest/node{sha}").leak();
    check(&[
        (
            "default",
            ITS_FILE,
            "default.io/paulbower/hello-kubernetes:1.5",
            "default.example.com/paulbower/hello-kubernetes:1.5",
        ),
        (
            "trailing dash",
            ITS_FILE,
            "docker.io/tmobile/magtape:latest",
            "my.example.com/mirror-docker.io/tmobile/magtape:latest",
        ),
        (
            "path suffix",
            ITS_FILE,
            "gitlab.com/tmobile/pie/proxyman:latest",
            "registry.example.com/gitlab/tmobile/pie/proxyman:latest",
        ),
        ("no value", ITS_FILE, "cool.io:443/istio/istiod:latest", "cool.io:443/istio/istiod:latest"),
        (
            "noswap_wildcards",
            ITS_FILE,
            "registry.external.twr.io:443/istio/istiod:latest",
            "registry.external.twr.io:443/istio/istiod:latest",
        ),
        (
            "noswap_wildcards behind a blank",
            ITS_FILE,
            "walrus.io/test/test:latest",
            "walrus.io/test/test:latest",
        ),
        ("image only", ITS_FILE, "alpine", "my.example.com/mirror-docker.io/alpine"),
        ("image and tag", ITS_FILE, "nginx:latest", "my.example.com/mirror-docker.io/nginx:latest"),
        ("project", ITS_FILE, "ubuntu/ubuntu", "my.example.com/mirror-docker.io/ubuntu/ubuntu"),
        ("registry", ITS_FILE, "quay.io/solo/gloo:v1.0", "quay.example3.com/solo/gloo:v1.0"),
        (
            "registry with a port, default",
            ITS_FILE,
            "gcr.io:443/istio/istiod:latest",
            "default.example.com/istio/istiod:latest",
        ),
        (
            "nested project",
            ITS_FILE,
            "some/random/test/without/registry-or-tag:latest",
            "my.example.com/mirror-docker.io/some/random/test/without/registry-or-tag:latest",
        ),
        (
            "many levels of a domain",
            ITS_FILE,
            "harbor.geo.k8s.twr.io/stuff/magtape:latest",
            "harbor.geo.k8s.twr.io/stuff/magtape:latest",
        ),
        ("digest", ITS_FILE, digest, digested),
        ("port in the key", ITS_FILE, "registry.waldo.com:8443/a/b", "registry.garply.com/a/b"),
        ("port in the value", ITS_FILE, "registry.foo.com/a/b", "localhost:30003/foo/a/b"),
        ("ports in both", ITS_FILE, "registry.bar.com:8443/a", "registry.baz.com:30003/bar/a"),
        (
            "a rule of its own beats noswap_wildcards, and host for host keeps the port",
            ITS_FILE,
            "registry.internal.twr.io:443/istio/istiod:latest",
            "registry.example.com:443/istio/istiod:latest",
        ),
        ("no default, no rule", "quay.io:q.io", "default.io/a", "default.io/a"),
        ("empty default", "default:", "john.io/paulbower/a:1.5", "john.io/paulbower/a:1.5"),
    ]);
}

#[test]
fn its_documented_examples() {
    let replace = "\
default:default.example.com
nvcr.io:harbor.example.com

[EXACT]redis::myownrepo.example.com/base/public-image-cache:redis
[EXACT]auto::auto
[REPLACE]hello-*::myownrepo.example.com/base/public-image-cache
[REPLACE]ubut*18.04::myownrepo.example.com/base
[REPLACE]*mysql-server:5.6::myownrepo.example.com/base/public-image-cache
[REPLACE]*nvidia:k8s-device-plugin_*::myownrepo.example.com/base/
[REPLACE]hello:v1.?::myownrepo.example.com/base/public-image-cache
";
    let readme = "\
default::default.example.com
ghcr.io::g.example.com
[EXACT]ghcr.io/fantasy/coolstuff:v1.0::my-local-registry.com/patched-coolstuff:latest
[REPLACE]ghcr.io/public*::my-local-registry.com
";
    let wild = "default::harbor.internal.example.com\nnoswap_wildcards::example.com";
    let but = "\
default:harbor.internal.example.com
external.example.com:harbor.internal.example.com
noswap_wildcards:example.com
";
    let library = "default::\ndocker.io::\ndocker.io/library::harbor.example.com/library";
    check(&[
        ("default", replace, "any-image", "default.example.com/any-image"),
        ("host", replace, "nvcr.io/any-image", "harbor.example.com/any-image"),
        ("exact", replace, "redis", "myownrepo.example.com/base/public-image-cache:redis"),
        (
            "glob with a front",
            replace,
            "hello-world",
            "myownrepo.example.com/base/public-image-cache/hello-world",
        ),
        ("front and back", replace, "ubutun:18.04", "myownrepo.example.com/base/ubutun:18.04"),
        (
            "back",
            replace,
            "mysql/mysql-server:5.6",
            "myownrepo.example.com/base/public-image-cache/mysql-server:5.6",
        ),
        (
            "inside",
            replace,
            "nvcr.io/nvidia:k8s-device-plugin_v0.9.0",
            "myownrepo.example.com/base/nvidia:k8s-device-plugin_v0.9.0",
        ),
        ("one character", replace, "hello:v1.1", "myownrepo.example.com/base/public-image-cache/hello:v1.1"),
        ("matched and unchanged", replace, "auto", "auto"),
        (
            "exact may change the tag",
            readme,
            "ghcr.io/fantasy/coolstuff:v1.0",
            "my-local-registry.com/patched-coolstuff:latest",
        ),
        ("exact is exact", readme, "ghcr.io/fantasy/coolstuff:v1", "g.example.com/fantasy/coolstuff:v1"),
        ("replace before registry", readme, "ghcr.io/public/a:1", "my-local-registry.com/a:1"),
        ("all but one, one", "default:\ngcr.io::h.io", "gcr.io/a", "h.io/a"),
        ("all but one, another", "default:\ngcr.io::h.io", "quay.io/a", "quay.io/a"),
        ("one not, one", "default::h.io\ngcr.io::", "gcr.io/a", "gcr.io/a"),
        ("one not, another", "default::h.io\ngcr.io::", "quay.io/a", "h.io/a"),
        ("noswap, a domain", wild, "edge.example.com/image:latest", "edge.example.com/image:latest"),
        ("noswap, another", wild, "quay.io/image:v1", "harbor.internal.example.com/image:v1"),
        ("noswap but", but, "external.example.com/image:latest", "harbor.internal.example.com/image:latest"),
        ("noswap still", but, "edge.example.com/image:latest", "edge.example.com/image:latest"),
        ("library", library, "nginx:latest", "harbor.example.com/library/nginx:latest"),
    ]);
    let maps = maps(replace);
    let auto = maps.explain(&image("auto"));
    assert_eq!((auto.matched(), auto.changed()), (true, false), "counts as a match that changes nothing");
}

#[test]
fn legacy_mode() {
    for (name, prefix, from, to) in [
        ("single name", "m.io/hub", "nginx:1", "m.io/hub/nginx:1"),
        ("last part only", "m.io/hub", "quay.io/a/b/c:1", "m.io/hub/c:1"),
        ("contains the prefix", "m.io/hub", "x.com/m.io/hub/a", "x.com/m.io/hub/a"),
        ("dash, before the whole", "m.io/x-", "quay.io/a/b", "m.io/x-quay.io/a/b"),
        ("dash, as written", "m.io/x-", "nginx", "m.io/x-nginx"),
        ("a slash at the end", "m.io/", "nginx", "m.io/nginx"),
        ("empty", "", "nginx", "nginx"),
    ] {
        let Parsed { maps, warnings } = Maps::legacy(prefix).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(becomes(&maps, from), to, "{name}");
        assert_eq!(becomes(&maps, to), to, "{name}, twice");
        assert_eq!(warnings.len(), 1, "{name}: it is deprecated");
    }
    // What the warning says is the same.
    let Parsed { maps: legacy, warnings } = Maps::legacy("m.io/hub").unwrap();
    let NoticeKind::Legacy { instead: Some(instead) } = warnings[0].kind() else {
        panic!("{:?}", warnings[0]);
    };
    let same = maps(instead);
    for text in ["nginx:1", "quay.io/a/b/c", "x.com/m.io/hub/a", "m.io/hub/a", "localhost:5/a"] {
        assert_eq!(becomes(&legacy, text), becomes(&same, text), "{text}");
    }
    for prefix in ["m.io/hub:v1", "-", "m.io/{name}", "M IO", "m.io//x"] {
        assert!(Maps::legacy(prefix).is_err(), "{prefix}");
    }
    let dash = Maps::legacy("m.io/x-").unwrap().maps;
    let invalid = dash.decide(&image("localhost:5000/a"));
    assert!(matches!(invalid.outcome, Outcome::Invalid { .. }), "{invalid:?}");
}
