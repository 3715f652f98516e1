//! The registry client against servers that lie, stall, break and pry (R1 to R6). Each case says what the server
//! does, what the client makes of it, and how many requests that took. The canary is a password that must be
//! found nowhere but where it belongs.
#![allow(clippy::type_complexity, clippy::unwrap_used)]

mod registry_support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use imageswap::image::ImageReference;
use imageswap::registry::{
    AddressGuard, Anonymous, Client, Credential, Fixed, HostOptions, Reason, RegistryError, RegistryOptions,
    RegistryRule, ResolveOptions, Resolved, Resolver, Secret,
};
use registry_support::hostile::{Act, Asked, Server, reply};
use registry_support::real::{Certificates, sha256};
use registry_support::{options, resolve, runtime};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

const CANARY: &str = "canary-5f2e-password";
const TOKEN: &str = "canary-token-91aa";
const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}"#;

fn manifest() -> Act {
    reply(200)
        .with("Content-Type", "application/vnd.oci.image.manifest.v1+json")
        .with("Docker-Content-Digest", sha256(MANIFEST.as_bytes()))
        .body(MANIFEST)
}

/// A server without logins: the ping is answered, `handler` has the rest.
fn open(handler: impl Fn(&Asked, usize) -> Act + Send + Sync + 'static) -> Server {
    Server::start(move |asked, at| if asked.path == "/v2/" { reply(200) } else { handler(asked, at) })
}

fn keychain(host: &str) -> Fixed {
    Fixed::new().with(host, Credential::Basic { user: "somebody".into(), password: Secret::new(CANARY) })
}

type Outcome = Result<Resolved, RegistryError>;

/// Resolves `app:1` at a server, with the canary as password, and looks for the canary in what is said.
fn ask(server: &Server) -> Outcome {
    ask_with(server, options(&[&server.host]), ResolveOptions::default())
}

fn ask_with(server: &Server, options: RegistryOptions, how: ResolveOptions) -> Outcome {
    let outcome = resolve(&format!("{}/app:1", server.host), options, keychain(&server.host), how);
    let said = match &outcome {
        Ok(resolved) => format!("{resolved:?}"),
        Err(error) => format!("{error} {error:?} {:?} {}", error.hint(), error.reason),
    };
    no_secret(&said);
    outcome
}

fn no_secret(text: &str) {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("somebody:{CANARY}"));
    for secret in [CANARY, TOKEN, &encoded] {
        assert!(!text.contains(secret), "{text}");
    }
}

fn reason(outcome: Outcome) -> Reason {
    *outcome.unwrap_err().reason
}

fn fine(outcome: Outcome) {
    let found = outcome.unwrap();
    assert_eq!((found.digest.as_str(), found.verified), (sha256(MANIFEST.as_bytes()).as_str(), true));
}

#[test]
fn one_ping_one_head_one_get() {
    let server = open(|_, _| manifest());
    fine(ask(&server));
    let asked: Vec<String> =
        server.asked().iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect();
    let by_digest = format!("GET /v2/app/manifests/{}", sha256(MANIFEST.as_bytes()));
    assert_eq!(asked, ["GET /v2/", "HEAD /v2/app/manifests/1", &by_digest]);
    let accept = server.asked()[1].header("accept").unwrap().to_owned();
    assert_eq!(accept.split(", ").count(), 4, "{accept}");
    assert_eq!(server.asked()[2].header("accept-encoding"), Some("identity"));
    assert!(!server.heard().contains("authorization"), "an open registry gets no credential");
}

#[test]
fn the_same_image_is_asked_for_once() {
    let server = open(|_, _| manifest());
    let texts: Vec<String> = (0..100).map(|at| format!("{}/app:{}", server.host, at % 5)).collect();
    let images: Vec<_> = texts.iter().map(|text| ImageReference::parse(text).unwrap()).collect();
    let resolver = Resolver::new(Client::new(options(&[&server.host]), Anonymous), ResolveOptions::default());
    let mut seen = Vec::new();
    let found = runtime().block_on(resolver.resolve_all(&images, |done, total| seen.push((done, total))));
    assert!(found.iter().all(Result::is_ok));
    assert_eq!(seen, [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]);
    assert_eq!(
        (server.count("HEAD", ""), server.count("GET", "/manifests/"), server.asked().len()),
        (5, 5, 11)
    );
}

#[test]
fn digests_that_are_missing_wrong_or_evil() {
    let wrong = sha256(b"something else");
    // No digest in the HEAD: the bytes say it.
    let server = open(|_, _| reply(200).body(MANIFEST));
    fine(ask(&server));
    assert_eq!((server.count("HEAD", ""), server.count("GET", "/manifests/1")), (1, 1));
    // HEAD is not spoken.
    for status in [405, 501, 400] {
        let server = open(move |asked, _| if asked.method == "HEAD" { reply(status) } else { manifest() });
        fine(ask(&server));
    }
    // The HEAD lies, the GET lies, both lie alike.
    let other = wrong.clone();
    let server =
        open(move |asked, _| if asked.method == "HEAD" { manifest_named(other.clone()) } else { manifest() });
    assert!(matches!(reason(ask(&server)), Reason::Mismatch { .. }));
    let other = wrong.clone();
    let server =
        open(move |asked, _| if asked.method == "GET" { manifest_named(other.clone()) } else { manifest() });
    assert!(matches!(reason(ask(&server)), Reason::Mismatch { .. }));
    let other = wrong.clone();
    let server = open(move |_, _| manifest_named(other.clone()));
    assert!(matches!(reason(ask(&server)), Reason::Mismatch { .. }));
    // Without a digest in the HEAD, one in the GET that is wrong.
    let server =
        open(move |asked, _| if asked.method == "HEAD" { reply(200) } else { manifest_named(wrong.clone()) });
    assert!(matches!(reason(ask(&server)), Reason::Mismatch { .. }));
    // Texts that are no digest.
    let long = format!("sha256:{}", "a".repeat(65));
    for evil in [
        "sha256:deadbeef\"; rm -rf",
        "sha256:",
        "deadbeef",
        "../../etc/passwd",
        "sha256:../..",
        &long,
        &sha256(b"x").to_uppercase(),
        "sha256:\u{e9}",
    ] {
        let act = evil.to_owned();
        let server = open(move |_, _| manifest_named(act.clone()));
        assert!(matches!(reason(ask(&server)), Reason::BadDigest { .. }), "{evil}");
        assert_eq!(server.count("GET", "/manifests/"), 0, "{evil}");
    }
    // Two digests that differ.
    let server = open(|_, _| manifest().with("Docker-Content-Digest", sha256(b"2")));
    assert!(matches!(reason(ask(&server)), Reason::BadDigest { .. }));
}

fn manifest_named(digest: String) -> Act {
    reply(200)
        .with("Content-Type", "application/vnd.oci.image.manifest.v1+json")
        .with("Docker-Content-Digest", digest)
        .body(MANIFEST)
}

#[test]
fn bodies_without_end() {
    for head in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"] {
        let server =
            open(move |asked, _| if asked.method == "GET" { Act::Endless(head, b' ') } else { reply(200) });
        assert_eq!(reason(ask(&server)), Reason::TooLarge { limit: 4 * 1024 * 1024 });
    }
    // Chunks, without a length.
    let server = open(|asked, _| match asked.method.as_str() {
        "GET" => Act::Raw(chunks(5 * 1024)),
        _ => reply(200),
    });
    assert_eq!(reason(ask(&server)), Reason::TooLarge { limit: 4 * 1024 * 1024 });
    // A bomb: gzip is not asked for, and not unpacked.
    let server = open(|asked, _| match asked.method.as_str() {
        "GET" => reply(200).with("Content-Encoding", "gzip").body(vec![0x1f, 0x8b, 8, 0]),
        _ => reply(200),
    });
    assert!(matches!(reason(ask(&server)), Reason::Encoded { .. }));
    // An endless refusal is not read on.
    let server = open(|_, _| Act::Endless("HTTP/1.1 403 No\r\n\r\n", b'x'));
    assert!(matches!(reason(ask(&server)), Reason::Forbidden { .. }));
    // Headers without end.
    let server = open(|_, _| Act::Endless("HTTP/1.1 200 OK\r\nX: ", b'x'));
    assert!(matches!(reason(ask_once(&server)), Reason::Broken { .. } | Reason::TimedOut { .. }));
}

fn chunks(kibibytes: usize) -> Vec<u8> {
    let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..kibibytes {
        bytes.extend_from_slice(b"400\r\n");
        bytes.resize(bytes.len() + 1024, b' ');
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

fn ask_once(server: &Server) -> Outcome {
    let options = RegistryOptions { tries: 1, ..options(&[&server.host]) };
    ask_with(server, options, ResolveOptions::default())
}

#[test]
fn slow_servers() {
    let cases: [(&str, fn() -> Act); 4] = [
        ("nothing", || Act::Hang),
        ("a head, byte by byte", || {
            Act::Drip(b"HTTP/1.1 200 OK\r\nX: y".to_vec(), Duration::from_millis(50))
        }),
        ("a body, byte by byte", || {
            Act::Drip(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n ".to_vec(), Duration::from_millis(10))
        }),
        ("half a body", || {
            Act::Drip(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n".to_vec(), Duration::from_secs(60))
        }),
    ];
    for (name, act) in cases {
        let server = open(move |asked, _| if asked.method == "HEAD" { reply(200) } else { act() });
        let start = Instant::now();
        assert!(matches!(reason(ask_once(&server)), Reason::TimedOut { .. }), "{name}");
        assert!(start.elapsed() < Duration::from_secs(10), "{name}");
    }
    // The ping, too.
    let server = Server::start(|_, _| Act::Hang);
    assert!(matches!(reason(ask_once(&server)), Reason::TimedOut { .. }));
}

#[test]
fn busy_servers() {
    // 429 with seconds: all wait, then go on.
    let server = open(|_, at| if at == 1 { reply(429).with("Retry-After", "1") } else { manifest() });
    let start = Instant::now();
    fine(ask(&server));
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.count("HEAD", ""), 2, "a HEAD is not turned into a GET");
    // A date.
    let server = open(|_, at| {
        if at == 1 { reply(429).with("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT") } else { manifest() }
    });
    fine(ask(&server));
    // Longer than anyone waits.
    let server = open(|_, _| reply(429).with("Retry-After", "21600"));
    let error = ask(&server).unwrap_err();
    assert_eq!(*error.reason, Reason::RateLimited { retry_after: Some(Duration::from_secs(21600)) });
    assert_eq!(server.count("HEAD", ""), 1);
    assert!(error.hint().unwrap().contains("log in"));
    // For ever: four tries.
    let server = open(|_, _| reply(429));
    assert!(matches!(reason(ask(&server)), Reason::RateLimited { .. }));
    assert_eq!(server.count("HEAD", ""), 4);
    // Failures that pass.
    for status in [500, 502, 503, 504, 408] {
        let server = open(move |_, at| if at < 3 { reply(status) } else { manifest() });
        fine(ask(&server));
        assert_eq!(server.count("HEAD", ""), 3, "{status}");
    }
    let server = open(|_, _| reply(503));
    assert!(matches!(reason(ask(&server)), Reason::Status { status: 503, .. }));
    assert_eq!(server.count("HEAD", ""), 4);
    // A connection that breaks, before and amid the answer.
    for act in [|| Act::Close, || Act::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec())] {
        let server = open(move |asked, at| match asked.method.as_str() {
            "GET" if at < 4 => act(),
            _ => manifest(),
        });
        fine(ask(&server));
    }
    // A busy ping.
    let server = Server::start(|_, at| if at == 0 { reply(503) } else { manifest() });
    fine(ask(&server));
    // What will not pass is not tried again.
    for (status, count) in [(403, 1), (404, 1), (410, 1), (418, 1)] {
        let server = open(move |_, _| reply(status));
        assert!(ask(&server).is_err());
        assert_eq!(server.count("HEAD", ""), count, "{status}");
    }
}

#[test]
fn redirects() {
    // Within the registry, the credential goes along; elsewhere, it does not.
    let other = Arc::new(open(|_, _| manifest()));
    let to = format!("http://{}/elsewhere", other.host);
    let server = Server::start(move |asked, _| match asked.header("authorization") {
        None => reply(401).with("WWW-Authenticate", "Basic realm=\"r\""),
        Some(_) if asked.path.contains("/within") || asked.method == "HEAD" => {
            if asked.path.contains("/within") { manifest() } else { reply(307).with("Location", "/within") }
        }
        Some(_) => reply(307).with("Location", to.clone()),
    });
    fine(ask_with(&server, options(&[&server.host, &other.host]), ResolveOptions::default()));
    assert_eq!(other.asked().len(), 1);
    no_secret(&other.heard());
    assert!(!other.heard().to_lowercase().contains("authorization"));
    assert!(
        server.asked().iter().any(|asked| asked.path == "/within" && asked.header("authorization").is_some())
    );
    for (name, location) in [
        ("to itself", "/v2/app/manifests/1"),
        ("to a file", "file:///etc/passwd"),
        ("to nowhere", "http://"),
        ("to plain http", "http://registry.example.com/"),
    ] {
        let server = open(move |_, _| reply(307).with("Location", location));
        assert!(matches!(reason(ask_once(&server)), Reason::Redirect { .. }), "{name}");
        assert!(server.asked().len() <= 7, "{name}");
    }
    let server = open(|_, _| reply(307));
    assert!(matches!(reason(ask_once(&server)), Reason::Redirect { .. }), "without Location");
    // A secret in the query of a redirect is not shown.
    let server = open(|_, _| reply(307).with("Location", format!("ftp://x.example/{}?sig={CANARY}", "a")));
    assert!(matches!(reason(ask_once(&server)), Reason::Redirect { .. }));
    // A ping that leads elsewhere: its challenge is not believed.
    let pry = Server::start(|_, _| reply(401).with("WWW-Authenticate", "Basic realm=\"r\""));
    let to = format!("http://{}/v2/", pry.host);
    let server = Server::start(move |asked, _| {
        if asked.path == "/v2/" { reply(307).with("Location", to.clone()) } else { manifest() }
    });
    fine(ask_with(&server, options(&[&server.host, &pry.host]), ResolveOptions::default()));
    no_secret(&pry.heard());
}

/// A registry that asks for tokens of `realm`, and takes [`TOKEN`].
fn with_tokens(realm: impl Fn() -> String + Send + Sync + 'static) -> Server {
    Server::start(move |asked, _| {
        if asked.header("authorization") == Some(&format!("Bearer {TOKEN}")) {
            return manifest();
        }
        reply(401).with("WWW-Authenticate", format!("Bearer realm=\"{}\",service=\"s\"", realm()))
    })
}

fn token_reply() -> Act {
    reply(200).body(format!(r#"{{"token":"{TOKEN}","expires_in":300}}"#))
}

#[test]
fn tokens_are_asked_for_once() {
    let tokens = Arc::new(Server::start(|_, _| {
        std::thread::sleep(Duration::from_millis(30));
        token_reply()
    }));
    let realm = format!("http://{}/token", tokens.host);
    let server = with_tokens(move || realm.clone());
    let texts: Vec<String> = (0..100).map(|at| format!("{}/app:{at}", server.host)).collect();
    let images: Vec<_> = texts.iter().map(|text| ImageReference::parse(text).unwrap()).collect();
    let client = Client::new(options(&[&server.host]), keychain(&server.host));
    let resolver = Resolver::new(client, ResolveOptions::default());
    let found = runtime().block_on(resolver.resolve_all(&images, |_, _| {}));
    assert!(found.iter().all(Result::is_ok));
    assert_eq!(tokens.asked().len(), 1);
    assert_eq!(tokens.asked()[0].path, "/token?service=s&scope=repository%3Aapp%3Apull");
    assert_eq!(server.asked().len(), 1 + 2 * 100);
    assert!(!server.heard().contains("Basic "), "the password goes to the token server alone");
}

#[test]
fn token_servers_that_fail() {
    let cases: Vec<(&str, fn() -> Act, fn(&Reason) -> bool)> = vec![
        ("no JSON", || reply(200).body("<html>"), |reason| matches!(reason, Reason::BadToken { .. })),
        ("no token", || reply(200).body("{}"), |reason| matches!(reason, Reason::BadToken { .. })),
        (
            "a token with a line break",
            || reply(200).body(r#"{"token":"a\r\nX: y"}"#),
            |reason| matches!(reason, Reason::BadToken { .. }),
        ),
        (
            "endless",
            || Act::Endless("HTTP/1.1 200 OK\r\n\r\n", b' '),
            |reason| *reason == Reason::TooLarge { limit: 1024 * 1024 },
        ),
        (
            "compressed",
            || reply(200).with("Content-Encoding", "gzip").body("x"),
            |reason| matches!(reason, Reason::Encoded { .. }),
        ),
        ("401", || reply(401), |reason| matches!(reason, Reason::Unauthorized { origin: Some(_), .. })),
        ("403", || reply(403), |reason| matches!(reason, Reason::Forbidden { .. })),
        (
            "says the password back",
            || reply(403).body(format!(r#"{{"errors":[{{"code":"{CANARY}","message":"{CANARY}"}}]}}"#)),
            |reason| matches!(reason, Reason::Forbidden { .. }),
        ),
        ("hangs", || Act::Hang, |reason| matches!(reason, Reason::TimedOut { .. })),
        ("closes", || Act::Close, |reason| matches!(reason, Reason::Broken { .. })),
    ];
    for (name, act, fits) in cases {
        let tokens = Server::start(move |_, _| act());
        let realm = format!("http://{}/token", tokens.host);
        let server = with_tokens(move || realm.clone());
        let error = ask_once(&server).unwrap_err();
        assert!(fits(&error.reason), "{name}: {error:?}");
        assert_eq!(error.registry, tokens.host, "{name}");
        assert_eq!(server.count("HEAD", ""), 0, "{name}");
    }
    // One that is busy for a moment.
    let tokens = Server::start(|_, at| if at == 0 { reply(503) } else { token_reply() });
    let realm = format!("http://{}/token", tokens.host);
    let server = with_tokens(move || realm.clone());
    fine(ask(&server));
    // One that leads elsewhere gets no password there.
    let pry = Arc::new(Server::start(|_, _| token_reply()));
    let to = format!("http://{}/", pry.host);
    let tokens = Server::start(move |_, _| reply(307).with("Location", to.clone()));
    let realm = format!("http://{}/token", tokens.host);
    let server = with_tokens(move || realm.clone());
    fine(ask_with(&server, options(&[&server.host, &pry.host]), ResolveOptions::default()));
    no_secret(&pry.heard());
}

#[test]
fn realms_that_must_not_be_asked() {
    for realm in [
        "http://evil.example.com/token",
        "ftp://evil.example.com/",
        "https://user:word@evil.example.com/",
        "not a URL",
        "file:///etc/passwd",
        "",
    ] {
        let server = with_tokens(|| realm.to_owned());
        let error = ask_once(&server).unwrap_err();
        assert!(matches!(*error.reason, Reason::Realm { .. }), "{realm}: {error:?}");
        assert_eq!(server.asked().len(), 1, "{realm}");
    }
}

#[test]
fn challenges_that_come_late() {
    // The ping is open, the image is not.
    let server = Server::start(|asked, _| match (asked.path.as_str(), asked.header("authorization")) {
        ("/v2/", _) => reply(200),
        (_, Some(_)) => manifest(),
        (_, None) => reply(401).with("WWW-Authenticate", "Basic realm=\"r\""),
    });
    fine(ask(&server));
    assert_eq!(server.count("HEAD", ""), 2);
    // The challenge stands in a second header.
    let server = Server::start(|asked, _| match asked.header("authorization") {
        Some(_) => manifest(),
        None => {
            reply(401).with("WWW-Authenticate", "Negotiate").with("WWW-Authenticate", "Basic realm=\"r\"")
        }
    });
    fine(ask(&server));
    // A token that is good no longer is renewed once.
    let tokens = Server::start(|_, at| {
        let token = if at == 0 { "canary-token-old" } else { TOKEN };
        reply(200).body(format!(r#"{{"token":"{token}"}}"#))
    });
    let realm = format!("http://{}/token", tokens.host);
    let server = with_tokens(move || realm.clone());
    fine(ask(&server));
    assert_eq!(tokens.asked().len(), 2);
    // A registry that is never content: one more login, no more.
    let server = Server::start(|_, _| reply(401).with("WWW-Authenticate", "Basic realm=\"r\""));
    assert!(matches!(reason(ask(&server)), Reason::Unauthorized { origin: Some(_), .. }));
    assert!(server.count("HEAD", "") <= 2);
    // One that says the password back in its refusal, plain and encoded.
    let server = Server::start(|asked, _| match asked.header("authorization") {
        None => reply(401).with("WWW-Authenticate", "Basic realm=\"r\""),
        Some(sent) => {
            reply(403).body(format!(r#"{{"errors":[{{"code":"{CANARY}","message":"{sent} {CANARY}"}}]}}"#))
        }
    });
    assert!(matches!(reason(ask(&server)), Reason::Forbidden { .. }));
}

#[test]
fn tokens_expire() {
    let tokens = Server::start(|_, _| reply(200).body(format!(r#"{{"token":"{TOKEN}","expires_in":0}}"#)));
    let realm = format!("http://{}/token", tokens.host);
    let server = with_tokens(move || realm.clone());
    fine(ask(&server));
    assert_eq!(tokens.asked().len(), 2, "one for the HEAD, one for the GET");
}

#[test]
fn addresses() {
    let server = open(|_, _| manifest());
    let port = server.host.rsplit_once(':').unwrap().1.to_owned();
    let guarded = |allow: &[&str]| RegistryOptions {
        guard: AddressGuard::Public { allow: allow.iter().map(|range| range.parse().unwrap()).collect() },
        ..options(&[&server.host, &format!("localhost:{port}")])
    };
    for host in [server.host.clone(), format!("localhost:{port}")] {
        let image = format!("{host}/app:1");
        let outcome = resolve(&image, guarded(&[]), Anonymous, ResolveOptions::default());
        let error = outcome.unwrap_err();
        assert!(matches!(*error.reason, Reason::Address { .. }), "{error:?}");
        assert_eq!(server.asked().len(), 0, "{host}");
    }
    fine(ask_with(&server, guarded(&["127.0.0.0/8"]), ResolveOptions::default()));
    // A redirect to the cloud's metadata service.
    let server = open(|_, _| reply(307).with("Location", "https://169.254.169.254/latest/meta-data"));
    let options = RegistryOptions {
        guard: AddressGuard::Public { allow: vec!["127.0.0.0/8".parse().unwrap()] },
        tries: 1,
        ..options(&[&server.host])
    };
    assert!(matches!(reason(ask_with(&server, options, ResolveOptions::default())), Reason::Address { .. }));
}

fn tls_config(certificates: &Certificates) -> Arc<rustls::ServerConfig> {
    let certificate = CertificateDer::from_pem_file(certificates.path("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(certificates.path("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Arc::new(builder.unwrap().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap())
}

#[test]
fn tls() {
    let certificates = Certificates::new();
    let trusting = |server: &Server, more: &[&str]| {
        let mut options = RegistryOptions { tries: 1, ..options(more) };
        let ca = Some(certificates.path("ca.pem"));
        options.hosts.insert(server.host.clone(), HostOptions { ca, ..HostOptions::default() });
        options
    };
    // Plain http beside an https registry: neither as realm nor as redirect, even where it is named.
    let pry = Arc::new(Server::start(|_, _| token_reply()));
    let realm = format!("http://{}/token", pry.host);
    let server = Server::start_tls(tls_config(&certificates), move |_, _| {
        reply(401).with("WWW-Authenticate", format!("Bearer realm=\"{realm}\""))
    });
    let outcome = ask_with(&server, trusting(&server, &[&pry.host]), ResolveOptions::default());
    assert!(matches!(reason(outcome), Reason::Realm { .. }));
    let to = format!("http://{}/", pry.host);
    let server = Server::start_tls(tls_config(&certificates), move |asked, _| {
        if asked.path == "/v2/" { reply(200) } else { reply(307).with("Location", to.clone()) }
    });
    let outcome = ask_with(&server, trusting(&server, &[&pry.host]), ResolveOptions::default());
    assert!(matches!(reason(outcome), Reason::Redirect { .. }));
    assert!(pry.asked().is_empty());
    // An authority that is not known.
    let server = Server::start_tls(tls_config(&certificates), |_, _| manifest());
    let mut unknown = RegistryOptions { tries: 1, ..options(&[]) };
    // The name is no loopback address to the client, so that it does not fall back to plain http.
    unknown.hosts.clear();
    let error = ask_with(&server, unknown, ResolveOptions::default()).unwrap_err();
    assert!(server.asked().is_empty(), "{error:?}");
    fine(ask_with(&server, trusting(&server, &[]), ResolveOptions::default()));
}

#[test]
fn mirrors() {
    let mirror = Arc::new(open(|_, _| reply(404)));
    let server = open(|_, _| manifest());
    let mut options = options(&[&server.host, &mirror.host]);
    options.rules = vec![RegistryRule {
        prefix: server.host.clone(),
        mirrors: vec![format!("{}/hub", mirror.host)],
        ..RegistryRule::default()
    }];
    fine(ask_with(&server, options.clone(), ResolveOptions::default()));
    assert_eq!(mirror.asked()[1].path, "/v2/hub/app/manifests/1");
    no_secret(&mirror.heard());
    // A mirror that lies is not passed over in silence.
    let liar = Arc::new(open(|_, _| manifest_named(sha256(b"lie"))));
    options.rules[0].mirrors = vec![liar.host.clone()];
    options.hosts.insert(liar.host.clone(), HostOptions { plain_http: true, ..HostOptions::default() });
    assert!(matches!(reason(ask_with(&server, options, ResolveOptions::default())), Reason::Mismatch { .. }));
}

#[test]
fn names_that_lead_nowhere() {
    let start = Instant::now();
    let outcome =
        resolve("no-such-registry.invalid/app:1", options(&[]), Anonymous, ResolveOptions::default());
    assert!(matches!(reason(outcome), Reason::Dns { .. }));
    assert!(start.elapsed() < Duration::from_secs(60));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let options = RegistryOptions { tries: 2, ..options(&[&closed]) };
    let outcome = resolve(&format!("{closed}/app:1"), options, Anonymous, ResolveOptions::default());
    assert!(matches!(reason(outcome), Reason::Connect { .. }));
}

#[test]
fn a_deadline_is_kept() {
    let server = open(|_, _| Act::Hang);
    let resolver = Resolver::new(Client::new(options(&[&server.host]), Anonymous), ResolveOptions::default());
    let image = format!("{}/app:1", server.host);
    let image = ImageReference::parse(&image).unwrap();
    let deadline = Duration::from_millis(100);
    let start = Instant::now();
    let outcome = runtime().block_on(resolver.resolve_within(image, deadline)).found;
    assert_eq!(reason(outcome), Reason::TimedOut { after: deadline });
    assert!(start.elapsed() < Duration::from_millis(650));
}
