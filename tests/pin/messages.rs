//! Every failure of a registry reads differently, and says which image, which registry, which step and what to try: the
//! whole messages stand in `messages.txt`, which `UPDATE_EXAMPLES=1` writes anew. No message holds a secret.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

use crate::registry_support::connect_proxy::Proxy;
use crate::registry_support::hostile::{Act, Asked, Server, reply};
use crate::registry_support::program;
use crate::registry_support::real::{Auth, Certificates, Registry, Tls, sha256};
use crate::scene::{command_in, pod, words};

const CANARY: &str = "canary-c0ffee-4417";

/// What no resolver knows.
const NAME: &str = "registry.test";

/// What a command is told besides the image.
#[derive(Default)]
struct Told<'a> {
    /// Lines of `[client]` in the file of registries.
    client: &'a str,
    /// Tables after that.
    registries: &'a str,
    /// Docker's configuration; by default it has a password for the host.
    docker: Option<&'a str>,
    arguments: &'a [&'a str],
    proxy: Option<&'a str>,
}

/// Where the messages are gathered.
struct Messages {
    folder: TempDir,
    /// What hosts are called in messages.
    names: BTreeMap<String, &'static str>,
    found: Vec<(String, String)>,
}

impl Messages {
    /// What is said of an image of `host`.
    fn of(&mut self, name: &str, host: &str, told: &Told<'_>) {
        let path = |name: &str| self.folder.path().join(name);
        fs::write(path("pod.yaml"), pod(&[&format!("{host}/team/app:1")])).unwrap();
        let client = format!("[client]\ntries = 1\n{}\n{}\n", told.client, told.registries);
        fs::write(path("registries.toml"), client).unwrap();
        let usual =
            format!("{{\"auths\":{{\"{host}\":{{\"username\":\"ann\",\"password\":\"{CANARY}\"}}}}}}");
        fs::write(path("docker.json"), told.docker.unwrap_or(&usual)).unwrap();
        let mut command = command_in(self.folder.path());
        command.args(["rewrite", "--pin", "--map", "nowhere.example::x.example", "pod.yaml"]);
        command.args(["--registries", "registries.toml", "--registry-config", "docker.json"]);
        command
            .args(told.arguments)
            .env("PATH", path("bin"))
            .envs(told.proxy.map(|url| ("HTTPS_PROXY", url)));
        let output = command.output().unwrap();
        let said = words(&output);
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        assert!(!said.contains("canary"), "{name}: {said}");
        let line = said.lines().find(|line| line.starts_with("error: "));
        let line = line.unwrap_or_else(|| panic!("{name}: {said}"));
        // What stands before is for every image the same.
        let mut text = line.split_once(": no digest for ").map_or(line, |(_, rest)| rest).to_owned();
        for (host, name) in &self.names {
            text = text.replace(host, name);
        }
        self.found.push((name.to_owned(), text.replace(self.folder.path().to_str().unwrap(), "FOLDER")));
    }

    /// What is said of a registry that answers like this, after a ping that is open.
    fn answered(&mut self, name: &str, told: &Told<'_>, act: impl Fn(&Asked) -> Act + Send + Sync + 'static) {
        let server =
            Server::start(move |asked, _| if asked.path == "/v2/" { reply(200) } else { act(asked) });
        self.served(name, &server, told);
    }

    fn served(&mut self, name: &str, server: &Server, told: &Told<'_>) {
        self.names.insert(server.host.clone(), "HOST");
        self.of(name, &server.host, told);
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.folder.path().join("bin").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn with_words(status: u16, code: &str, message: &str) -> Act {
    reply(status).body(format!(r#"{{"errors":[{{"code":"{code}","message":"{message}"}}]}}"#))
}

fn tls(certificate: &Path, key: &Path) -> Arc<rustls::ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let chain = vec![CertificateDer::from_pem_file(certificate).unwrap()];
    let key = PrivateKeyDer::from_pem_file(key).unwrap();
    Arc::new(config.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap())
}

#[test]
fn every_failure_reads_differently() {
    let Some(registry) = program::find("docker-registry") else { return };
    let mut all = Messages { folder: TempDir::new().unwrap(), names: BTreeMap::new(), found: Vec::new() };
    let none = Some("{}");
    logins(&mut all, none);
    statuses(&mut all);
    answers(&mut all);
    connections(&mut all, &registry);
    credentials(&mut all);

    let mut text = String::new();
    for (name, message) in &all.found {
        let _ = writeln!(text, "{name}\n  {message}\n");
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pin/messages.txt");
    if std::env::var_os("UPDATE_EXAMPLES").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap();
    let blocks = |text: &str| text.split("\n\n").map(str::to_owned).collect::<Vec<_>>();
    for (found, expected) in blocks(&text).iter().zip(blocks(&expected)) {
        assert_eq!(*found, expected);
    }
    assert_eq!(text, expected);
    let distinct: std::collections::BTreeSet<&String> =
        all.found.iter().map(|(_, message)| message).collect();
    assert_eq!(distinct.len(), all.found.len(), "two failures read alike");
}

fn logins(all: &mut Messages, none: Option<&str>) {
    let basic = |_: &Asked| {
        with_words(401, "UNAUTHORIZED", "authentication required")
            .with("WWW-Authenticate", "Basic realm=\"r\"")
    };
    all.answered("401, without a credential", &Told { docker: none, ..Told::default() }, basic);
    all.answered("401, the password is refused", &Told::default(), basic);
    let tokens = Server::start(|_, _| with_words(401, "UNAUTHORIZED", "no"));
    all.names.insert(tokens.host.clone(), "TOKENS");
    let bearer = |realm: String| {
        move |_: &Asked| {
            reply(401).with("WWW-Authenticate", format!("Bearer realm=\"{realm}\",service=\"s\""))
        }
    };
    let realm = format!("http://{}/token", tokens.host);
    all.answered("401 of the token server", &Told::default(), bearer(realm));
    let tokens = Server::start(|_, _| reply(200).body("{}"));
    all.names.insert(tokens.host.clone(), "TOKENS");
    let realm = format!("http://{}/token", tokens.host);
    all.answered("a token server without a token", &Told::default(), bearer(realm));
    all.answered("a realm over plain http", &Told::default(), bearer("http://evil.example/token".to_owned()));
}

fn statuses(all: &mut Messages) {
    let told = Told::default();
    all.answered("403", &told, |_| with_words(403, "DENIED", "requested access to the resource is denied"));
    all.answered("404", &told, |_| with_words(404, "MANIFEST_UNKNOWN", "manifest unknown"));
    all.answered("429, for hours", &told, |_| reply(429).with("Retry-After", "21600"));
    all.answered("429", &told, |_| reply(429));
    all.answered("503", &told, |_| reply(503));
    all.answered("a status that nobody expects", &told, |_| reply(418));
}

fn answers(all: &mut Messages) {
    const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}"#;
    let told = Told::default();
    let get = |act: fn() -> Act| move |asked: &Asked| if asked.method == "GET" { act() } else { reply(200) };
    all.answered("an endless manifest", &told, get(|| Act::Endless("HTTP/1.1 200 OK\r\n\r\n", b' ')));
    all.answered(
        "a manifest that is compressed",
        &told,
        get(|| reply(200).with("Content-Encoding", "gzip").body("x")),
    );
    all.answered("no digest", &told, |_| reply(200).with("Docker-Content-Digest", "sha256:beef"));
    let lie = sha256(b"something else");
    all.answered("a lie", &told, move |_| {
        reply(200).with("Docker-Content-Digest", lie.clone()).body(MANIFEST)
    });
    all.answered("schema 1", &told, get(|| reply(200).body(r#"{"schemaVersion":1}"#)));
    all.answered("no manifest at all", &told, get(|| reply(200).body("<html>")));
    let index = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
        {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","size":1,
         "platform":{"os":"linux","architecture":"amd64"}}]}"#;
    let told = Told { arguments: &["--platform", "linux/s390x"], ..told };
    all.answered("a platform that is not there", &told, move |_| {
        let kind = "application/vnd.oci.image.index.v1+json";
        reply(200).with("Content-Type", kind).body(index)
    });
    let told = Told::default();
    all.answered("a redirect out of the web", &told, |_| {
        reply(307).with("Location", format!("ftp://evil.example/?sig={CANARY}"))
    });
}

fn connections(all: &mut Messages, registry: &Path) {
    let told = Told::default();
    let certificates = Certificates::new();
    let path = |name: &str| certificates.path(name);
    let server = Server::start_tls(tls(&path("server.pem"), &path("server.key")), |_, _| reply(200));
    all.served("TLS, an unknown authority", &server, &told);
    let ca = format!("ca = ['{}']", path("ca.pem").display());
    let trusting = Told { client: &ca, ..Told::default() };
    let server = Server::start_tls(tls(&path("client.pem"), &path("client.key")), |_, _| reply(200));
    all.served("TLS, another name", &server, &trusting);
    let storage = TempDir::new().unwrap();
    let [certificate, key, clients] = ["server.pem", "server.key", "ca.pem"].map(path);
    let wants = Tls { certificate: &certificate, key: &key, clients: Some(&clients) };
    let secure = Registry::start_tls(registry, storage.path(), &Auth::Open, wants);
    all.names.insert(secure.host.clone(), "HOST");
    // The registry says so and closes the connection: once in a while the end is heard and the words are not.
    for _ in 0..10 {
        all.of("TLS, a client certificate is wanted", &secure.host, &trusting);
        if all.found.last().is_some_and(|(_, message)| message.contains("refuses")) {
            break;
        }
        all.found.pop();
    }
    let gone = Told { client: "ca = ['/nowhere/ca.pem']", ..Told::default() };
    all.of("a certificate that is not there", &secure.host, &gone);

    // A host that is not of this machine is not spoken to without TLS.
    let open = Registry::start(registry, storage.path(), &Auth::Open, None);
    let port = open.host.rsplit_once(':').unwrap().1;
    let (named, proxy) = (format!("{NAME}:{port}"), Proxy::start(&open.host, Some(("ann", "right"))));
    all.names.extend([(named.clone(), "HOST"), (proxy.host.clone(), "PROXY")]);
    let url = format!("http://ann:right@{}", proxy.host);
    all.of("no TLS", &named, &Told { proxy: Some(&url), ..Told::default() });
    let url = format!("http://ann:{CANARY}@{}", proxy.host);
    all.of("a proxy that refuses", &named, &Told { proxy: Some(&url), ..Told::default() });
    let closed = closed_port();
    all.names.insert(closed.clone(), "CLOSED");
    let url = format!("http://ann:{CANARY}@{closed}");
    all.of("a proxy that is not there", &named, &Told { proxy: Some(&url), ..Told::default() });
    all.of("nobody listens", &closed, &told);
    let unknown = "no-such-registry.invalid";
    all.of("DNS", unknown, &told);
    // The words of the system differ from machine to machine.
    let (_, message) = all.found.last_mut().unwrap();
    let (start, rest) = message.split_once("cannot be resolved: ").unwrap_or_else(|| panic!("{message}"));
    let (_, end) = rest.split_once(" (").unwrap();
    *message = format!("{start}cannot be resolved: … ({end}");

    all.answered("nothing is said", &Told { client: "read-timeout = 1", ..Told::default() }, |_| Act::Hang);
    all.answered("the connection is closed", &told, |_| Act::Close);
}

fn closed_port() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn credentials(all: &mut Messages) {
    let server = Server::start(|_, _| reply(401).with("WWW-Authenticate", "Basic realm=\"r\""));
    let blocked = format!("[[registry]]\nprefix = '{}'\nblocked = true\n", server.host);
    all.served("a registry that is blocked", &server, &Told { registries: &blocked, ..Told::default() });
    let helper = format!("{{\"credHelpers\":{{\"{}\":\"test\"}}}}", server.host);
    let with_helper = Told { docker: Some(&helper), ..Told::default() };
    all.served("a helper that is not installed", &server, &with_helper);
    all.program(
        "docker-credential-test",
        &format!("echo '{{\"Secret\":\"{CANARY}\"'; echo {CANARY} >&2; exit 1"),
    );
    all.served("a helper that fails with an answer", &server, &with_helper);
    let script = format!("echo no access with {CANARY}; echo {CANARY} >&2; exit 3");
    all.program("docker-credential-test", &script);
    all.served("a helper that fails", &server, &with_helper);
    all.program("docker-credential-test", &format!("echo {CANARY}"));
    all.served("a helper that answers something else", &server, &with_helper);
    let broken = format!("{{\"auths\":{{\"{}\":{{\"password\":\"{CANARY}\"", server.host);
    all.served("a configuration that is broken", &server, &Told { docker: Some(&broken), ..Told::default() });
    let no_base64 = format!("{{\"auths\":{{\"{}\":{{\"auth\":\"{CANARY}!\"}}}}}}", server.host);
    all.served(
        "an entry that cannot be read",
        &server,
        &Told { docker: Some(&no_base64), ..Told::default() },
    );
    let proxy = format!("https-proxy = 'ann:{CANARY}@proxy'");
    all.served("a proxy that is none", &server, &Told { client: &proxy, ..Told::default() });
    let open = format!("https-proxy = \"http://ann:{CANARY}@proxy");
    all.served("a file of registries that is broken", &server, &Told { client: &open, ..Told::default() });
    let prefix = format!("[[registry]]\nprefix = 'ann:{CANARY}@quay.io'\n");
    all.served("a user in the name of a registry", &server, &Told { registries: &prefix, ..Told::default() });
}
