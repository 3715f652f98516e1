//! `imageswap mirror` shows no credential, and sends none to a host that a registry only points at.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use crate::registry_support::program;
use crate::registry_support::proxy::{Harm, Proxy};
use crate::registry_support::real::{Auth, Kind, Registry};
use crate::registry_support::token_server::TokenServer;
use crate::run::{Run, imageswap, manifest};

const CANARY: &str = "canary-41d7e9-password";

/// What a registry's token starts with: it is a JSON Web Token.
const TOKEN: &str = "eyJ";

#[test]
fn no_credential_is_shown_or_sent_elsewhere() {
    let (Some(docker), Some(_)) = (program::find("docker-registry"), program::find("htpasswd")) else {
        return;
    };
    let Some(tokens) = TokenServer::start("ann", CANARY, "canary-refresh") else { return };
    let (realm, certificate) = (tokens.realm(), tokens.certificate());
    let storage = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    // The source keeps its blobs elsewhere, as many clouds do: this host needs no credential, and must get none.
    let Some(blobs) = Registry::of(Kind::Docker, storage[0].path()) else { return };
    blobs.push_index("team/app", "1", false);
    let elsewhere = Proxy::start(&blobs.host, |_| Harm::none());
    let source = Registry::start(&docker, storage[0].path(), &Auth::Basic("ann", CANARY), None);
    let to = elsewhere.host.clone();
    let source = Proxy::start(&source.host, move |seen| {
        let is_blob = seen.is("GET", "/blobs/") && seen.header("authorization").is_some();
        let headers = vec![("Location", format!("http://{to}{}", seen.path))];
        Harm { reply: is_blob.then_some((307, headers)), ..Harm::none() }
    });
    // The target has uploads sent to a host that knows nothing of them.
    let target = Registry::start(&docker, storage[1].path(), &Auth::Token(&realm, &certificate), None);
    let foreign = Proxy::start(&blobs.host, |_| Harm::none());
    let to = foreign.host.clone();
    let astray = Proxy::start(&target.host, move |seen| {
        let location = Some(format!("http://{to}/elsewhere?state=1"));
        Harm { set: seen.is("POST", "/uploads/").then_some(("Location", location)), ..Harm::none() }
    });
    let honest = Proxy::start(&target.host, |_| Harm::none());

    let folder = TempDir::new().unwrap();
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  containers:\n  - {{name: a, image: '{}/team/app:1'}}\n",
        source.host
    );
    fs::write(folder.path().join("pod.yaml"), pod).unwrap();
    let mirror = |target: &str, password: &str, arguments: &[&str]| {
        let entry = |host: &str| format!("\"{host}\":{{\"username\":\"ann\",\"password\":\"{password}\"}}");
        let config = format!("{{\"auths\":{{{},{}}}}}", entry(&source.host), entry(target));
        fs::write(folder.path().join("config.json"), config).unwrap();
        let map = format!("{}::{target}/mirror", source.host);
        let output = imageswap(folder.path())
            .args(["mirror", "pod.yaml", "--map", &map])
            .args(arguments)
            .output()
            .unwrap();
        let run = Run::from(output);
        shows_nothing(&run);
        run
    };
    for (target, code) in [(&astray, 2), (&honest, 0)] {
        for arguments in [&["--dry-run"][..], &["--format", "json"], &[]] {
            let run = mirror(&target.host, &format!("{CANARY}-wrong"), arguments);
            assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        }
        for arguments in [&["--format", "json"][..], &[]] {
            let run = mirror(&target.host, CANARY, arguments);
            assert_eq!(run.code, code, "{arguments:?}: {}", run.stderr);
        }
    }
    drop(target);
    let open = Registry::of(Kind::Docker, storage[1].path()).unwrap();
    assert!(manifest(&open.host, "mirror/team/app", "1").is_some(), "it was copied in the end");
    // Both were asked, as the registries said, and both without what is the registries' alone.
    assert!(elsewhere.count("GET", "/blobs/") > 0);
    assert!(foreign.count("PUT", "/elsewhere?state=1&digest=") > 0);
    for seen in elsewhere.seen().iter().chain(&foreign.seen()) {
        assert_eq!(seen.header("authorization"), None, "{seen:?}");
        assert!(!seen.head.contains("canary") && !seen.head.contains(TOKEN), "{seen:?}");
    }
    assert!(source.seen().iter().any(|seen| seen.header("authorization").is_some()));
    assert!(tokens.server.count("GET", "/token") > 0);
}

fn shows_nothing(run: &Run) {
    let said = format!("{}{}", run.stdout, run.stderr);
    let encoded = STANDARD.encode(format!("ann:{CANARY}"));
    for secret in ["canary", &encoded, TOKEN] {
        assert!(!said.contains(secret), "{said}");
    }
}
