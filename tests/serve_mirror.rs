//! `serve --mirror` with real registries: what is copied, what is answered meanwhile, and what is never written.
#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise and say why")]

mod registry_support;
mod serve_support;

use std::fs;
use std::time::{Duration, Instant};

use base64::Engine as _;
use registry_support::http;
use registry_support::program;
use registry_support::proxy::{Harm, Proxy};
use registry_support::real::{Auth, Kind, Registry};
use rustix::process::Signal;
use serve_support::{Home, Reply, Served, pod_review, until};
use tempfile::TempDir;

const LOOPBACK: &[&str] = &["--allow-addresses", "127.0.0.0/8"];

/// Two registries, and maps from one to the other.
struct Site {
    source: Registry,
    target: Registry,
    home: Home,
    _storage: TempDir,
}

impl Site {
    fn new() -> Option<Self> {
        let storage = TempDir::new().unwrap();
        let registry = |name: &str| Registry::of(Kind::Docker, &storage.path().join(name));
        let (source, target) = (registry("source")?, registry("target")?);
        let home = Home::new(&format!("{}::{}/mirror\n", source.host, target.host));
        Some(Self { source, target, home, _storage: storage })
    }

    fn serve(&self, arguments: &[&str]) -> Served {
        self.home.serve(&[LOOPBACK, arguments].concat())
    }

    fn image(&self, rest: &str) -> String {
        format!("{}/{rest}", self.source.host)
    }

    fn mirrored(&self, rest: &str) -> String {
        format!("{}/mirror/{rest}", self.target.host)
    }

    fn review(&self, served: &Served, image: &str) -> Reply {
        served.review(&self.home, "/mutate", &pod_review("u", image))
    }

    /// The digest that the target has for a tag.
    fn at_target(&self, repository: &str, tag: &str) -> Option<String> {
        let accept = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json";
        let path = format!("/v2/mirror/{repository}/manifests/{tag}");
        let answer = http::request(&self.target.host, "HEAD", &path, &[("Accept", accept)], b"");
        (answer.status == 200).then(|| answer.header("Docker-Content-Digest").unwrap().to_owned())
    }
}

fn allowed(reply: &Reply) -> bool {
    reply.json()["response"]["allowed"].as_bool().unwrap()
}

fn warnings(reply: &Reply) -> String {
    reply.json()["response"]["warnings"].to_string()
}

fn becomes(reply: &Reply, image: &str) -> bool {
    reply.patch().is_some_and(|patch| patch.contains(&format!("\"{image}\"")))
}

#[test]
fn who_waits_gets_pods_that_run_on_the_copies() {
    let Some(site) = Site::new() else { return };
    let (digest, _) = site.source.push_index("team/app", "v1", false);
    let served = site.serve(&["--mirror", "wait", "--mirror-missing", "deny"]);
    let reply = site.review(&served, &site.image("team/app:v1"));
    assert!(allowed(&reply) && becomes(&reply, &site.mirrored("team/app:v1")), "{reply:?}");
    assert_eq!(site.at_target("team/app", "v1"), Some(digest), "all platforms, with the source's digest");
    assert!(site.review(&served, &site.image("team/app:v1")).patch().is_some());
    assert!((served.metric("imageswap_mirror_copies_total") - 1.0).abs() < 1e-9);
    assert!(served.metric("imageswap_mirror_copied_bytes_total") > 0.0);
    assert!((served.metric("imageswap_mirror_images_total{state=\"there\"}") - 2.0).abs() < 1e-9);
    for gauge in ["imageswap_mirror_queue_length 0", "imageswap_mirror_queue_oldest_seconds 0"] {
        assert!(served.plain("/metrics").text.contains(gauge), "{gauge}");
    }
    // An image that no rule moves is nobody's business.
    assert!(allowed(&site.review(&served, "elsewhere.example/x:1")));
}

#[test]
fn what_the_source_does_not_have_is_answered_as_was_asked() {
    let Some(site) = Site::new() else { return };
    let (from, to) = (site.image("team/gone:v1"), site.mirrored("team/gone:v1"));
    for (missing, is_allowed, is_swapped) in
        [("original", true, false), ("target", true, true), ("deny", false, false)]
    {
        let served = site.serve(&["--mirror", "wait", "--mirror-missing", missing]);
        let reply = site.review(&served, &from);
        assert_eq!((allowed(&reply), becomes(&reply, &to)), (is_allowed, is_swapped), "{missing}: {reply:?}");
        let said = if is_allowed { warnings(&reply) } else { reply.text.clone() };
        assert!(said.contains("the source has no such image") && said.contains(&to), "{missing}: {said}");
    }
}

#[test]
fn who_does_not_wait_keeps_the_original_until_there_is_a_copy() {
    let Some(site) = Site::new() else { return };
    site.source.push_index("team/app", "v1", false);
    let served = site.serve(&["--mirror", "enqueue"]);
    let (from, to) = (site.image("team/app:v1"), site.mirrored("team/app:v1"));
    let first = site.review(&served, &from);
    assert!(allowed(&first) && first.patch().is_none(), "{first:?}");
    assert!(warnings(&first).contains("it is being copied"), "{first:?}");
    until("copied", || becomes(&site.review(&served, &from), &to));
    assert!(site.at_target("team/app", "v1").is_some());
}

#[test]
fn a_dry_run_writes_nothing() {
    let Some(site) = Site::new() else { return };
    site.source.push_index("team/app", "v1", false);
    let served = site.serve(&["--mirror", "wait", "--mirror-missing", "deny"]);
    for (name, is_allowed) in [("team/app:v1", true), ("team/gone:v1", false)] {
        let review = pod_review("u", &site.image(name)).replace("\"dryRun\":false", "\"dryRun\":true");
        let reply = served.review(&site.home, "/mutate", &review);
        assert_eq!(allowed(&reply), is_allowed, "as without dry run: {reply:?}");
    }
    assert_eq!(site.at_target("team/app", "v1"), None);
    let catalog = http::request(&site.target.host, "GET", "/v2/_catalog", &[], b"");
    assert_eq!(String::from_utf8(catalog.body).unwrap().trim(), r#"{"repositories":[]}"#);
}

#[test]
fn a_target_that_cannot_be_asked_is_not_missing() {
    let Some(site) = Site::new() else { return };
    site.source.push_index("team/app", "v1", false);
    let (from, to) = (site.image("team/app:v1"), site.mirrored("team/app:v1"));
    // Private addresses are not connected to unless they are allowed.
    let guarded = site.home.serve(&["--mirror", "wait"]);
    let reply = site.review(&guarded, &from);
    assert!(allowed(&reply) && becomes(&reply, &to), "{reply:?}");
    assert!(warnings(&reply).contains("refused to connect"), "{reply:?}");
    let strict = site.home.serve(&["--mirror", "wait", "--mirror-missing", "deny"]);
    let reply = site.review(&strict, &from);
    assert!(!allowed(&reply) && reply.text.contains("refused to connect"), "{reply:?}");
    assert_eq!(site.at_target("team/app", "v1"), None);
}

#[test]
fn two_tags_of_one_image_are_copied_once() {
    let Some(site) = Site::new() else { return };
    let layer = "a layer that takes its time ".repeat(200_000);
    let digest = site.source.push_layers("team/app", "v1", &[&layer], "");
    assert_eq!(site.source.push_layers("team/app", "stable", &[&layer], ""), digest);
    let served = site.serve(&["--mirror", "wait", "--mirror-missing", "deny"]);
    let both = |image: &str| {
        let other = image.replace(":v1", ":stable");
        let one = format!(r#"{{"name":"web","image":"{image}"}}"#);
        let review = pod_review("u", image);
        assert!(review.contains(&one), "{review}");
        review.replace(&one, &format!(r#"{one},{{"name":"log","image":"{other}"}}"#))
    };
    let reply = served.review(&site.home, "/mutate", &both(&site.image("team/app:v1")));
    assert!(allowed(&reply) && becomes(&reply, &site.mirrored("team/app:v1")), "{reply:?}");
    assert!(becomes(&reply, &site.mirrored("team/app:stable")), "{reply:?}");
    for tag in ["v1", "stable"] {
        assert_eq!(site.at_target("team/app", tag).as_ref(), Some(&digest), "{tag}");
    }
    let read = served.metric("imageswap_mirror_copied_bytes_total");
    let size = layer.len() as f64;
    assert!(read >= size && read < 1.5 * size, "{read} bytes were read of {size}");
}

#[test]
fn copies_under_way_leave_no_upload_open_when_it_ends() {
    for kind in [Kind::Docker, Kind::Olareg] {
        let storage = TempDir::new().unwrap();
        let registry = |kind: Kind, name: &str| Registry::of(kind, &storage.path().join(name));
        let (Some(source), Some(target)) = (registry(Kind::Docker, "source"), registry(kind, "target"))
        else {
            continue;
        };
        source.push_layers("team/app", "v1", &["a layer that never comes"], "");
        let slow =
            Proxy::start(&source.host, |seen| Harm { stall: seen.is("GET", "/blobs/"), ..Harm::default() });
        let watched = Proxy::start(&target.host, |_| Harm::none());
        let home = Home::new(&format!("{}::{}/mirror\n", slow.host, watched.host));
        let mut served = home.serve(&[LOOPBACK, &["--mirror", "enqueue", "--drain", "2"]].concat());
        served.review(&home, "/mutate", &pod_review("u", &format!("{}/team/app:v1", slow.host)));
        until("uploads", || watched.count("POST", "/uploads/") == 2 && slow.count("GET", "/blobs/") >= 2);
        let asked_to_end = Instant::now();
        served.signal(Signal::TERM);
        assert!(served.wait().success(), "{kind:?}");
        assert!(asked_to_end.elapsed() < Duration::from_secs(10), "{kind:?}");
        assert_eq!(watched.count("DELETE", "/uploads/"), 2, "{kind:?}");
        assert_eq!(watched.open_uploads(&target.host), [""; 0], "{kind:?}");
        served.line("copies are called off");
    }
}

#[test]
fn private_registries_are_logged_in_to() {
    let (Some(program), Some(_)) = (program::find("docker-registry"), program::find("htpasswd")) else {
        return;
    };
    let storage = TempDir::new().unwrap();
    let start = |name: &str, auth: &Auth| {
        let folder = storage.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        Registry::start(&program, &folder, auth, None)
    };
    let open = start("source", &Auth::Open);
    open.push_index("team/app", "v1", false);
    drop(open);
    let source = start("source", &Auth::Basic("reader", "read"));
    let target = start("target", &Auth::Basic("writer", "write"));
    let home = Home::new(&format!("{}::{}/mirror\n", source.host, target.host));
    let login = |user: &str, password: &str| {
        base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"))
    };
    let config = serde_json::json!({"auths": {
        &source.host: {"auth": login("reader", "read")},
        &target.host: {"auth": login("writer", "write")},
    }});
    home.write("config.json", &config.to_string());
    let mut command = home.command();
    command.env("DOCKER_CONFIG", home.folder.path()).arg("--maps").arg(home.path("maps"));
    command.args(LOOPBACK).args(["--mirror", "wait", "--mirror-missing", "deny"]);
    let served = Served::start(command);
    served.until_ready(&home);
    let reply = served.review(&home, "/mutate", &pod_review("u", &format!("{}/team/app:v1", source.host)));
    assert!(becomes(&reply, &format!("{}/mirror/team/app:v1", target.host)), "{reply:?}");
    let log = served.log.lock().unwrap().join("\n");
    assert!(!log.contains(&login("writer", "write")) && !log.contains("\"write\""), "{log}");
}

#[test]
fn what_image_cloner_was_told_is_enough() {
    let Some(site) = Site::new() else { return };
    let (digest, _) = site.source.push_index("team/app", "v1", false);
    let mut command = site.home.command();
    command.args(LOOPBACK).env("REGISTRY", format!("{}/mirror", site.target.host));
    let served = Served::start(command);
    served.until_ready(&site.home);
    let reply = served.review(&site.home, "/clone-image", &pod_review("u", &site.image("team/app:v1")));
    let copy = site.mirrored("127.0.0.1/team/app:v1");
    assert!(becomes(&reply, &copy), "{reply:?}");
    assert_eq!(site.at_target("127.0.0.1/team/app", "v1"), Some(digest));
    // image-cloner's promise: what cannot be copied does not run.
    let reply = served.review(&site.home, "/clone-image", &pod_review("u", &site.image("team/gone:v1")));
    assert!(!allowed(&reply), "{reply:?}");
    // What is on the backup registry stays.
    let reply = served.review(&site.home, "/clone-image", &pod_review("u", &copy));
    assert!(allowed(&reply) && reply.patch().is_none(), "{reply:?}");
}
