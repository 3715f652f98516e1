//! Configurations: which file, which entry, which form.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

fn auth(text: &str) -> String {
    format!("{{\"auth\":\"{}\"}}", STANDARD.encode(text))
}

fn auths(entries: &[(&str, String)]) -> String {
    let entries: Vec<String> = entries.iter().map(|(key, entry)| format!("\"{key}\":{entry}")).collect();
    format!("{{\"auths\":{{{}}}}}", entries.join(","))
}

#[test]
fn the_longest_path_first() {
    let machine = Machine::new().file(
        "home/.docker/config.json",
        &auths(&[
            ("ghcr.io", auth("host:a")),
            ("ghcr.io/owner/private", auth("path:b")),
            ("https://index.docker.io/v1/", auth("hub:c")),
            ("*.example.com", auth("pattern:d")),
            ("a.example.com", auth("named:e")),
        ]),
    );
    for (registry, repository, want) in [
        ("ghcr.io", "owner/private/sub", "path:b"),
        ("ghcr.io", "owner/private", "path:b"),
        ("ghcr.io", "owner/privateer", "host:a"),
        ("ghcr.io", "", "host:a"),
        ("docker.io", "library/nginx", "hub:c"),
        ("a.example.com", "x", "named:e"),
        ("b.example.com", "x", "pattern:d"),
        ("quay.io", "x", "anonymous"),
        ("ghcr.io:443", "owner", "anonymous"),
    ] {
        assert_eq!(machine.finds(registry, repository), want, "{registry}/{repository}");
    }
    let found = machine.search("ghcr.io", "owner/private/sub").found.unwrap().unwrap();
    assert!(found.origin.ends_with("config.json (entry for ghcr.io/owner/private)"), "{}", found.origin);
}

#[test]
fn every_form_of_an_entry() {
    for (name, entry, want) in [
        ("auth", auth(&format!("u:{CANARY}")), format!("u:{CANARY}")),
        ("auth with a colon in the password", auth("u:a:b"), "u:a:b".to_owned()),
        ("auth without padding", "{\"auth\":\"dTpw\"}".to_owned(), "u:p".to_owned()),
        ("auth filled up with NUL", auth("u:p\0\0"), "u:p".to_owned()),
        ("<token> in auth", auth(&format!("<token>:{CANARY}")), format!("identity {CANARY}")),
        ("username and password", "{\"username\":\"u\",\"password\":\"p\"}".to_owned(), "u:p".to_owned()),
        (
            "identitytoken before auth",
            format!("{{\"auth\":\"{}\",\"identitytoken\":\"{CANARY}\"}}", STANDARD.encode("u:p")),
            format!("identity {CANARY}"),
        ),
        ("registrytoken", format!("{{\"registrytoken\":\"{CANARY}\"}}"), format!("bearer {CANARY}")),
        ("nothing", "{}".to_owned(), "anonymous".to_owned()),
        ("null", "null".to_owned(), "anonymous".to_owned()),
        ("what others add", "{\"auth\":\"dTpw\",\"email\":\"x@y\"}".to_owned(), "u:p".to_owned()),
    ] {
        let machine = Machine::new().file("home/.docker/config.json", &auths(&[("quay.io", entry)]));
        assert_eq!(machine.finds("quay.io", "a"), want, "{name}");
    }
}

#[test]
fn which_files() {
    let config = |user: &str| auths(&[("quay.io", auth(&format!("{user}:p")))]);
    let home = || Machine::new().file("home/.docker/config.json", &config("home"));
    assert_eq!(home().finds("quay.io", "a"), "home:p");

    let machine = home().file("docker/config.json", &config("docker"));
    let folder = machine.path("docker").display().to_string();
    assert_eq!(machine.variable("DOCKER_CONFIG", folder).finds("quay.io", "a"), "docker:p");

    let machine = Machine::new().file("auth.json", &config("podman"));
    let file = machine.path("auth.json").display().to_string();
    assert_eq!(machine.variable("REGISTRY_AUTH_FILE", file).finds("quay.io", "a"), "podman:p");

    let machine = Machine::new().file("run/containers/auth.json", &config("run"));
    let folder = machine.path("run").display().to_string();
    assert_eq!(machine.variable("XDG_RUNTIME_DIR", folder).finds("quay.io", "a"), "run:p");

    // One that is given is the only one, and must be there.
    let machine = home().file("own.json", &config("own"));
    let given = |name| MachineKeychain::new(machine.surroundings(), &[machine.path(name)]);
    let found = given("own.json").search("quay.io", "a").found.unwrap().unwrap();
    assert_eq!(short(&found.credential), "own:p");
    let error = given("missing.json").search("quay.io", "a").found.unwrap_err();
    assert!(error.to_string().contains("missing.json: cannot be read"), "{error}");

    assert_eq!(Machine::new().finds("quay.io", "a"), "anonymous");
}

#[test]
fn says_what_is_wrong_and_shows_no_value() {
    for (name, text, want) in [
        ("no JSON", format!("{{\"auths\": {{\"quay.io\": {{\"auth\": {CANARY}}}}}}}"), "is no JSON"),
        ("a string for a mapping", format!("{{\"auths\": \"{CANARY}\"}}"), "config.json:1:"),
        (
            "a string for an entry",
            format!("{{\"auths\": {{\"quay.io\": \"{CANARY}\"}}}}"),
            "holds something else",
        ),
        ("no base64", auths(&[("quay.io", format!("{{\"auth\":\"{CANARY}\"}}"))]), "its auth is no base64"),
        ("no colon", auths(&[("quay.io", auth(CANARY))]), "its auth has no ':'"),
        (
            "no password",
            auths(&[("quay.io", "{\"username\":\"u\"}".to_owned())]),
            "the entry for quay.io cannot be read: it has a username and no password",
        ),
    ] {
        let machine = Machine::new().file("home/.docker/config.json", &text);
        let found = machine.finds("quay.io", "a");
        assert!(found.starts_with("error: ") && found.contains(want), "{name}: {found}");
    }
}

#[test]
fn pull_secrets_run_no_program() {
    let machine = Machine::new().program("docker-credential-evil", &answers("u", "p"));
    let text = format!(
        "{{\"auths\":{{\"quay.io/team\":{}}},\"credHelpers\":{{\"quay.io\":\"evil\"}},\"credsStore\":\"evil\"}}",
        auth("u:p")
    );
    let secret = DockerConfig::parse("secret team/pull", &text).unwrap();
    let legacy =
        DockerConfig::parse_legacy("secret old", &format!("{{\"old.io\":{}}}", auth("old:p"))).unwrap();
    let configs = Configs::new([secret, legacy]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let find = |registry, repository| runtime.block_on(configs.find(registry, repository)).unwrap();
    assert_eq!(short(&find("quay.io", "team/app").unwrap().credential), "u:p");
    assert_eq!(short(&find("old.io", "x").unwrap().credential), "old:p");
    assert_eq!(find("quay.io", "other"), None);
    assert_eq!(machine.calls(), 0);
}
