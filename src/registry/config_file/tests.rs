//! What configuration files say, and what is said about those that are wrong.

use std::path::Path;
use std::time::Duration;

use super::*;

fn read(text: &str) -> Result<RegistryOptions, ConfigError> {
    let mut options = RegistryOptions::default();
    options.read_config(text, Path::new("/etc/imageswap")).map(|()| options)
}

#[test]
fn the_example_of_the_docs() {
    let docs = include_str!("../../../docs/registries.md");
    let example = docs.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let options = read(example).unwrap();
    assert_eq!((options.concurrency, options.lookups_per_host, options.tries), (32, 8, 4));
    assert_eq!(options.read_timeout, Duration::from_secs(20));
    assert_eq!(options.ca_files, [Path::new("/etc/imageswap/corporate-ca.pem")]);
    assert_eq!(options.proxies.https.unwrap().expose(), "http://proxy.example.com:3128");
    assert_eq!(options.proxies.except.as_deref(), Some("registry.example.com,10.0.0.0/8"));
    let host = &options.hosts["registry.example.com:8443"];
    assert_eq!(host.ca.as_deref(), Some(Path::new("/etc/imageswap/ca.pem")));
    assert_eq!(host.client.as_ref().unwrap().key, Path::new("/etc/imageswap/client.key"));
    assert!(options.hosts["build.lan:5000"].plain_http);
    let rule = |prefix: &str| options.rules.iter().find(|rule| rule.prefix == prefix).unwrap();
    assert_eq!(rule("docker.io").mirrors, ["mirror.example.com/hub"]);
    assert_eq!(rule("quay.io/team").location.as_deref(), Some("registry.example.com:8443/team"));
    assert!(rule("*.untrusted.example").blocked);
}

/// What the docs say of the defaults is what they are.
#[test]
fn the_defaults_of_the_docs() {
    let docs = include_str!("../../../docs/registries.md");
    let table = docs.split("## `[client]`").nth(1).unwrap().split("## ").next().unwrap();
    let default = |key: &str| -> u64 {
        let row = table.lines().find(|line| line.starts_with(&format!("| `{key}` |"))).unwrap();
        row.split('|').nth(2).unwrap().trim().parse().unwrap()
    };
    let options = RegistryOptions::default();
    for (key, want) in [
        ("concurrency", options.concurrency as u64),
        ("lookups-per-registry", options.lookups_per_host as u64),
        ("blobs-per-registry", options.blobs_per_host as u64),
        ("connect-timeout", options.connect_timeout.as_secs()),
        ("read-timeout", options.read_timeout.as_secs()),
        ("answer-timeout", options.answer_timeout.as_secs()),
        ("longest-wait", options.longest_wait.as_secs()),
        ("tries", options.tries.into()),
    ] {
        assert_eq!(default(key), want, "{key}");
    }
}

#[test]
fn nothing_said_changes_nothing() {
    assert_eq!(format!("{:?}", read("").unwrap()), format!("{:?}", RegistryOptions::default()));
}

#[test]
fn every_key() {
    let options = read(
        "client = {concurrency = 1, lookups-per-registry = 2, blobs-per-registry = 3, connect-timeout = 4,
          read-timeout = 5, answer-timeout = 6, longest-wait = 7, tries = 8, https-proxy = 'http://a:1',
          http-proxy = 'https://b:2', no-proxy = ['c', 'd'], ca = ['/e']}
         registry = [{prefix = 'f.io', location = 'g.io/h', blocked = false, ca = 'i', client-cert = 'j',
          client-key = 'k', plain-http = false, mirror = [
            {location = 'l.io:80', plain-http = true},
            {location = 'm.io:443', plain-http = false, ca = 'n', client-cert = 'o', client-key = 'p'}]}]",
    )
    .unwrap();
    assert_eq!((options.concurrency, options.lookups_per_host, options.blobs_per_host), (1, 2, 3));
    let times = [options.connect_timeout, options.read_timeout, options.answer_timeout, options.longest_wait];
    assert_eq!(times.map(|time| time.as_secs()), [4, 5, 6, 7]);
    assert_eq!(options.tries, 8);
    assert_eq!(options.proxies.http.unwrap().expose(), "https://b:2");
    assert_eq!(options.ca_files, [Path::new("/e")]);
    let hosts: Vec<&str> = options.hosts.keys().map(String::as_str).collect();
    // The port that a URL leaves out is no other host.
    assert_eq!(hosts, ["g.io", "l.io", "l.io:80", "m.io", "m.io:443"]);
    assert_eq!(options.hosts["m.io"].ca.as_deref(), Some(Path::new("/etc/imageswap/n")));
}

#[test]
fn docker_hub_is_where_its_api_is() {
    let options = read("[[registry]]\nprefix = 'docker.io'\nca = 'a.pem'").unwrap();
    assert_eq!(options.hosts["registry-1.docker.io"], options.hosts["docker.io"]);
}

#[test]
fn mistakes() {
    for (name, text, want) in [
        ("a typo", "[client]\n\nconcurency = 3", "3: unknown key 'concurency', did you mean 'concurrency'?"),
        ("a table's typo", "[clients]\ntries = 3", "1: unknown key 'clients', did you mean 'client'?"),
        (
            "a mirror's typo",
            "registry = [{prefix = 'a.io',\n mirror = [{locaton = 'b.io'}]}]",
            "2: unknown key 'locaton', did",
        ),
        ("the first of two", "[[registry]]\nzzz = 1\naaa = 1", "2: unknown key 'zzz'"),
        (
            "insecure",
            "[[registry]]\nprefix = 'a.io'\ninsecure = true",
            "3: unknown key 'insecure', expected one of prefix",
        ),
        ("no TOML", "\n[client", "2: "),
        ("a text", "[client]\ntries = 'four'", "2: invalid type: string"),
        ("none at all", "[client]\nconcurrency = 0", "2: 0 is out of range, expected 1 to 256"),
        ("for ever", "[client]\nread-timeout = 9999", "2: 9999 is out of range, expected 1 to 3600"),
        ("too often", "[client]\ntries = 100", "2: 100 is out of range, expected 1 to 10"),
        ("a URL", "[[registry]]\nprefix = 'https://a.io'", "2: \"https://a.io\" is no registry"),
        (
            "an image",
            "[[registry]]\nprefix = 'nginx'",
            "2: \"nginx\" is not how a registry is named here, expected \"docker.io/nginx\"",
        ),
        ("old names", "[[registry]]\nprefix = 'index.docker.io'", "expected \"docker.io\""),
        (
            "a pattern elsewhere",
            "[[registry]]\nprefix = 'a.io'\nlocation = '*.b.io'",
            "3: \"*.b.io\" is no registry",
        ),
        ("no prefix", "\n[[registry]]\nblocked = true", "2: a [[registry]] without prefix"),
        (
            "no location",
            "[[registry]]\nprefix = 'a.io'\n[[registry.mirror]]\nca = 'x'",
            "3: missing field `location`",
        ),
        (
            "half a certificate",
            "[[registry]]\nprefix = 'a.io'\nclient-cert = 'x'",
            "3: client-cert and client-key go together",
        ),
        (
            "both",
            "[[registry]]\nprefix = 'a.io'\nca = 'x'\nplain-http = true",
            "2: a.io has plain-http and a certificate",
        ),
        (
            "a pattern's",
            "[[registry]]\nprefix = '*.a.io'\nca = 'x'",
            "2: plain-http, ca, client-cert and client-key belong to one host",
        ),
        (
            "twice",
            "[[registry]]\nprefix = 'a.io'\n[[registry]]\nprefix = 'a.io'",
            "4: a second [[registry]] for a.io",
        ),
        (
            "two minds",
            "[[registry]]\nprefix = 'a.io/x'\nca = 'x'\n[[registry]]\nprefix = 'a.io/y'\nca = 'y'",
            "5: a.io stands here with other certificates",
        ),
    ] {
        let error = read(text).expect_err(name).to_string();
        assert!(error.contains(want), "{name}: {error}");
    }
}

/// What is wrong with a proxy is said without its password.
#[test]
fn passwords_of_proxies_are_not_shown() {
    for text in [
        "[client]\nhttps-proxy = 'ftp://user:hunter2@a'",
        "[client]\nhttps-proxy = 'user:hunter2@a:3128'",
        "[client]\nhttps-proxy = 'http://user:hunter2@a' x",
        "[client]\nhttps-proxy = ['http://user:hunter2@a']",
        "[client]\nhttp-proxy = 'http://user:hunter2@a:99999'",
    ] {
        let error = read(text).unwrap_err();
        assert_eq!(error.line, 2);
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
    let good = read("[client]\nhttps-proxy = 'http://user:hunter2@a:3128'").unwrap();
    assert!(!format!("{good:?}").contains("hunter2"));
}
