//! `imageswap serve` as a process, over real sockets and TLS.
#![allow(clippy::unwrap_used)]

#[path = "serve_support/mod.rs"]
mod support;

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use support::http2::Http2;
use support::registry::OneImage;
use support::{Home, Served, identity, pod_review, until};

const MAPS: &str = "docker.io::m.io/hub\n";

#[test]
fn swaps_images_at_every_endpoint_for_reviews() {
    let home = Home::new(MAPS);
    let served = home.serve(&[]);
    let body = pod_review("u-1", "nginx:1.27");
    let want = r#"[{"op":"replace","path":"/spec/containers/0/image","value":"m.io/hub/nginx:1.27"}]"#;
    let mut client = served.connect(&home);
    for path in ["/", "/mutate", "/v1/mutate", "/clone-image", "/?timeout=10s"] {
        let reply = client.post(path, body.as_bytes());
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        assert_eq!(reply.patch().as_deref(), Some(want), "{path}");
        assert_eq!(reply.json()["response"]["uid"], "u-1");
    }
    let audited = client.post("/audit", body.as_bytes());
    assert_eq!((audited.status, audited.patch()), (200, None));
    assert!(audited.json()["response"]["warnings"][0].as_str().unwrap().contains("would become"));
    assert_eq!(
        served.metric(
            "imageswap_admission_requests_total{operation=\"CREATE\",kind=\"Pod\",outcome=\"patched\"}"
        ),
        5.0
    );
    assert_eq!(served.metric("imageswap_images_total{rule=\"registry\",outcome=\"changed\"}"), 6.0);
    assert_eq!(served.metric("imageswap_maps_generation"), 1.0);
    assert!(served.metric("imageswap_certificate_expiry_seconds") > 0.0);
}

#[test]
fn refuses_what_is_no_review() {
    let home = Home::new(MAPS);
    let served = home.serve(&[]);
    let ask = |request: &str| {
        let mut client = served.connect(&home);
        client.send(request.as_bytes()).unwrap();
        client.reply().unwrap()
    };
    let json = "content-type: application/json\r\n";
    for (request, status, text) in [
        (format!("POST / HTTP/1.1\r\nhost: x\r\n{json}content-length: 0\r\n\r\n"), 400, "empty"),
        (
            format!("POST / HTTP/1.1\r\nhost: x\r\n{json}content-length: 2\r\n\r\n{{}}"),
            400,
            "not an AdmissionReview",
        ),
        (
            format!("POST / HTTP/1.1\r\nhost: x\r\n{json}content-length: 7340033\r\n\r\n"),
            413,
            "larger than 7 MiB",
        ),
        (
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\n{}"
                .to_owned(),
            415,
            "application/json",
        ),
        ("GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(), 405, "expected POST"),
        ("PUT /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n".to_owned(), 405, "expected GET"),
        ("GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(), 404, "no such page"),
    ] {
        let reply = ask(&request);
        assert_eq!(reply.status, status, "{request}");
        assert!(reply.text.contains(text), "{request}: {}", reply.text);
    }
    let chunk = "x".repeat(1 << 20);
    let mut client = served.connect(&home);
    client
        .send(format!("POST / HTTP/1.1\r\nhost: x\r\n{json}transfer-encoding: chunked\r\n\r\n").as_bytes())
        .unwrap();
    for _ in 0..8 {
        if client.send(format!("100000\r\n{chunk}\r\n").as_bytes()).is_err() {
            break;
        }
    }
    assert_eq!(client.reply().unwrap().status, 413, "without a length");
}

#[test]
fn answers_probes_as_imageswap_webhook_does() {
    let home = Home::new(MAPS);
    let mut command = home.command();
    command.arg("--maps").arg(home.path("maps")).env("IMAGESWAP_POD_NAME", "imageswap-7d");
    let served = Served::start(command);
    served.until_ready(&home);
    let health = served.connect(&home).get("/healthz").json();
    assert_eq!((&health["health"], &health["pod_name"]), (&"ok".into(), &"imageswap-7d".into()));
    let time = health["date_time"].as_str().unwrap();
    assert!(time.len() == 26 && time.as_bytes()[10] == b' ', "{time}");
    assert_eq!(served.connect(&home).get("/livez").status, 200);
    assert_eq!(served.plain("/readyz").status, 200);
    assert_eq!(served.plain("/").status, 404);
}

#[test]
fn is_ready_only_with_rules_and_certificate() {
    let home = Home::new("no rule\n");
    std::fs::remove_file(home.path("tls.key")).unwrap();
    let mut command = home.command();
    command.arg("--maps").arg(home.path("maps"));
    let served = Served::start(command);
    let reason = || served.plain("/readyz").text;
    assert!(reason().contains("the maps are not loaded"), "{}", reason());
    assert_eq!(served.plain("/livez").status, 200);
    home.write("maps", MAPS);
    until("the maps loaded", || reason().contains("the certificate is not loaded"));
    assert!(served.try_connect(&home).is_err(), "no certificate, no handshake");
    home.write("tls.key", &home.identity.key);
    until("ready", || served.plain("/readyz").status == 200);
    assert!(served.metric("imageswap_maps_reload_total{outcome=\"failure\"}") >= 1.0);
    assert!(served.metric("imageswap_certificate_reload_total{outcome=\"failure\"}") >= 1.0);
}

#[test]
fn reloads_maps_and_keeps_the_last_good_ones() {
    let home = Home::new(MAPS);
    let served = home.serve(&[]);
    let mut client = served.connect(&home);
    let mut swapped = |want: &str| {
        let reply = client.post("/", pod_review("u", "nginx").as_bytes());
        (reply.patch().is_some_and(|patch| patch.contains(want)), reply.json())
    };
    assert!(swapped("m.io/hub/nginx").0);
    home.write("maps", "docker.io::other.io/hub\n");
    until("reloaded", || swapped("other.io/hub/nginx").0);
    home.write("maps", "docker.io\n");
    let line = served.line("maps cannot be loaded");
    assert!(line.contains("the last good ones stay in use"), "{line}");
    let (same, json) = swapped("other.io/hub/nginx");
    assert!(same);
    let digest = json["response"]["auditAnnotations"]["maps-digest"].as_str().unwrap();
    let has_digest = |served: &Served| served.metric(&format!("imageswap_maps{{digest=\"{digest}\"}}")) > 0.0;
    assert!(has_digest(&served), "{}", served.plain("/metrics").text);
    home.write("maps", "# The same rules, in another replica.\ndocker.io::other.io/hub\n");
    assert!(has_digest(&home.serve(&[])));
    assert_eq!(served.metric("imageswap_maps_reload_total{outcome=\"failure\"}"), 1.0);
    assert!(served.metric("imageswap_maps_generation") >= 2.0);
}

#[test]
fn reloads_the_certificate_and_keeps_the_last_good_one() {
    let mut home = Home::new(MAPS);
    let served = home.serve(&[]);
    let mut early = served.connect(&home);
    home.write("tls.crt", "garbage");
    let line = served.line("certificate cannot be loaded");
    assert!(line.contains("the last good one stays in use"), "{line}");
    assert_eq!(served.connect(&home).get("/readyz").status, 200);
    let next = identity(&["localhost"]);
    home.write("tls.key", &next.key);
    home.write("tls.crt", &next.chain);
    let before = std::mem::replace(&mut home.identity, next);
    until("served with the new one", || served.try_connect(&home).is_ok());
    assert_eq!(early.get("/readyz").status, 200, "old connections stay");
    home.identity = before;
    assert!(served.try_connect(&home).is_err(), "the old CA is no longer served");
}

#[test]
fn goes_without_losing_a_request() {
    let home = Home::new(MAPS);
    let mut served = home.serve(&[]);
    let mut client = served.connect(&home);
    let body = pod_review("u", "nginx");
    let whole = format!(
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (first, rest) = whole.split_at(whole.len() - 10);
    client.send(first.as_bytes()).unwrap();
    served.signal(Signal::TERM);
    served.line("shutting down");
    let mut late = served.connect(&home);
    let reply = late.get("/readyz");
    assert_eq!(reply.status, 503);
    assert!(reply.head.to_ascii_lowercase().contains("connection: close"), "{}", reply.head);
    assert_eq!(served.review(&home, "/", &body).status, 200, "still serving");
    client.send(rest.as_bytes()).unwrap();
    assert_eq!(client.reply().unwrap().status, 200, "under way when the signal came");
    assert!(served.wait().success());
}

#[test]
fn cuts_slow_heads_and_goes_on_answering() {
    let home = Home::new(MAPS);
    let served = home.serve(&["--head-timeout", "0.2"]);
    let mut slow = served.connect(&home);
    slow.send(b"POST / HTTP/1.1\r\nhost:").unwrap();
    let started = Instant::now();
    let mut rest = Vec::new();
    let _ = slow.stream.read_to_end(&mut rest);
    assert!(started.elapsed() < Duration::from_secs(10) && rest.is_empty());
    assert_eq!(served.review(&home, "/", &pod_review("u", "nginx")).status, 200);
}

#[test]
fn makes_room_for_new_connections() {
    let home = Home::new(MAPS);
    let served = home.serve(&["--max-connections", "4"]);
    let mut useful = served.connect(&home);
    assert_eq!(useful.post("/", pod_review("u", "nginx").as_bytes()).status, 200);
    let idle: Vec<_> = (0..20).map(|_| std::net::TcpStream::connect(&served.address).unwrap()).collect();
    let _silent: Vec<_> = (0..5).map(|_| served.connect(&home)).collect();
    assert_eq!(useful.post("/", pod_review("u", "nginx").as_bytes()).status, 200, "it was of use, and stays");
    assert_eq!(served.review(&home, "/", &pod_review("u", "nginx")).status, 200);
    drop(idle);
}

#[test]
fn legacy_mode_and_other_names_of_imageswap_webhook() {
    let home = Home::new("");
    let mut command = home.command();
    command.env("IMAGESWAP_MODE", "LEGACY").env("IMAGE_PREFIX", "m.io/old");
    command.env("IMAGESWAP_DISABLE_LABEL", "example.com/swap");
    let served = Served::start(command);
    served.until_ready(&home);
    let reply = served.review(&home, "/", &pod_review("u", "quay.io/a/b:1"));
    assert!(reply.patch().unwrap().contains("m.io/old/b:1"), "{:?}", reply.patch());
    let disabled = pod_review("u", "nginx")
        .replace("\"generateName\"", "\"labels\":{\"example.com/swap\":\"disabled\"},\"generateName\"");
    assert_eq!(served.review(&home, "/", &disabled).patch(), None);
    drop(served);
    let mut command = home.command();
    command.env("IMAGESWAP_MAPS_FILE", home.path("maps")).env("IMAGESWAP_LOG_LEVEL", "INFO");
    home.write("maps", "docker.io::m.io\n");
    let served = Served::start(command);
    served.until_ready(&home);
    assert!(served.review(&home, "/", &pod_review("u", "nginx")).patch().is_some());
}

#[test]
fn says_whether_api_servers_will_take_the_certificate() {
    let mut home = Home::new(MAPS);
    home.identity = identity(&["localhost", "imageswap.shop.svc"]);
    home.write("tls.crt", &home.identity.chain);
    home.write("tls.key", &home.identity.key);
    home.write("rootca.pem", &home.identity.ca.pem());
    let start = || {
        let mut command = home.command();
        command.arg("--maps").arg(home.path("maps")).args(["--namespace", "shop"]);
        Served::start(command)
    };
    let said = |text: &str| {
        let served = start();
        let log = served.log.lock().unwrap().join("\n");
        assert!(log.contains(text), "{text} in\n{log}");
    };
    said("the CA signed the certificate, which fits the name");
    home.write("rootca.pem", &identity(&["x"]).ca.pem());
    said("API servers will refuse the certificate");
}

#[test]
fn pins_images_and_asks_for_each_once() {
    const AT_ONCE: usize = 20;
    let registry = OneImage::start();
    let (host, digest) = (&registry.host, &registry.digest);
    let home = Home::new(&format!("docker.io::{host}\n"));
    let served = home.serve(&["--pin", "--allow-addresses", "127.0.0.0/8"]);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let reply = served.review(&home, "/?timeout=10s", &pod_review("u", "app:1"));
                let patch = reply.patch().unwrap_or_else(|| panic!("{reply:?}"));
                assert!(patch.contains(&format!("{host}/app:1@{digest}")), "{patch}");
            });
        }
    });
    assert!(registry.asked() <= 2, "one HEAD and one GET, not {}", registry.asked());
    assert_eq!(served.metric("imageswap_cache_hits_total"), (AT_ONCE - 1) as f64);
    let requests = format!("imageswap_registry_requests_total{{registry=\"{host}\",outcome=");
    assert_eq!(served.metric(&format!("{requests}\"success\"}}")), 1.0);
    let missing = served.review(&home, "/?timeout=2s", &pod_review("u", "other:1"));
    assert_eq!(missing.json()["response"]["allowed"], false, "{missing:?}");
    assert!(missing.text.contains("no digest of"), "{missing:?}");
    assert_eq!(served.metric(&format!("{requests}\"not_found\"}}")), 1.0);
    drop(served);
    let guarded = home.serve(&["--pin", "--ignore-errors"]);
    let reply = guarded.review(&home, "/?timeout=2s", &pod_review("u", "app:1"));
    assert!(reply.patch().unwrap().contains("/app:1\""), "swapped without a digest");
    assert!(reply.text.contains("no digest of"), "a private address is not connected to: {reply:?}");
}

#[test]
fn pins_one_platform_from_where_the_file_of_registries_says() {
    let registry = OneImage::start();
    let home = Home::new("docker.io::images.example.com/hub\n");
    home.write(
        "registries.toml",
        &format!("[[registry]]\nprefix = \"images.example.com/hub\"\nlocation = \"{}\"\n", registry.host),
    );
    let registries = home.path("registries.toml");
    let served = home.serve(&[
        "--pin",
        "--platform=linux/arm64",
        "--allow-addresses=127.0.0.0/8",
        "--registries",
        registries.to_str().unwrap(),
    ]);
    let reply = served.review(&home, "/", &pod_review("u", "app:1"));
    let want = format!("images.example.com/hub/app:1@{}", registry.arm64);
    assert!(reply.patch().is_some_and(|patch| patch.contains(&want)), "{reply:?}");
    drop(served);
    home.write("registries.toml", "[client]\nconcurency = 1\n");
    let mut command = home.command();
    let output = command.args(["--pin", "--registries"]).arg(&registries).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("registries.toml:2"), "{said}");
}

#[test]
fn a_configuration_says_what_is_refused() {
    let config = |settings: &str| {
        format!(
            "apiVersion: imageswap.dev/v1alpha1\nkind: ImageSwap\nmetadata: {{name: m}}\nspec:\n  \
             maps: docker.io::m.io/hub\n{settings}"
        )
    };
    let home = Home::new(&config(""));
    let served = home.serve(&[]);
    let mut client = served.connect(&home);
    let mut answered = |image: &str| client.post("/", pod_review("u", image).as_bytes()).text;
    assert!(answered("nginx").contains("\"patch\":"));
    home.write("maps", &config("  validate: true\n  onUnmapped: error\n"));
    until("nothing is changed", || answered("nginx").contains("nginx must be m.io/hub/nginx"));
    assert!(answered("quay.io/a").contains("no rule of imageswap covers quay.io/a"));
    assert!(answered("m.io/hub/nginx").contains("\"allowed\":true"));
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_clients_are_told_to_go_elsewhere_and_lose_nothing() {
    let home = Home::new(MAPS);
    let mut served = home.serve(&[]);
    let config = home.identity.client(&[b"h2"]);
    let connection = Http2::connect(&served.address, Arc::clone(&config)).await;
    let body = pod_review("u", "nginx");
    let requests = (0..50).map(|_| connection.post(&body));
    for answer in futures_util::future::join_all(requests).await {
        let (status, text) = answer.unwrap();
        assert!(status == 200 && text.contains("\"patch\":"), "{text}");
    }
    served.signal(Signal::TERM);
    // What is sent until the server says GOAWAY is answered, and what comes later is refused without being taken.
    let refused = loop {
        match connection.post(&body).await {
            Ok((status, _)) => assert_eq!(status, 200),
            Err(error) => break error,
        }
    };
    assert!(refused.is_canceled() || refused.is_closed(), "{refused:?}");
    assert!(connection.connection.await.unwrap().is_ok(), "it ends in good order");
    let other = Http2::connect(&served.address, config).await;
    assert_eq!(other.post(&body).await.unwrap().0, 200, "still serving");
    drop(other);
    assert!(served.wait().success());
}
