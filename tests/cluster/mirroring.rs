//! What users of image-cloner do, on a real API server, with imageswap in its place: a webhook configuration for
//! `/clone-image`, the variable `REGISTRY`, and workloads that run on the backup registry alone from then on.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use serde_json::{Value, json};

use crate::control_plane::shared;
use crate::installation::{Installation, NAMESPACE};
use crate::kubectl::Kubectl;
use crate::pinning::{LOOPBACK, tried};
use crate::processes::{Running, wait};
use crate::pull_secrets::{CANARY, Private, docker_secret};
use crate::registry_support::http;
use crate::registry_support::real::{Certificates, Kind, Registry};
use crate::serving::{Serving, namespace};

const CONFIGURATION: &str = "mutatingwebhookconfiguration/image-cloner";

/// image-cloner's webhook configuration, which other tests must not be called by.
struct Configured<'a>(&'a Kubectl);

impl<'a> Configured<'a> {
    fn new(kubectl: &'a Kubectl, port: u16, authority: &[u8]) -> Self {
        let configuration = json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingWebhookConfiguration",
            "metadata": { "name": "image-cloner" },
            "webhooks": [{
                "name": "image-cloner.default.svc.cluster.local",
                "admissionReviewVersions": ["v1"],
                "timeoutSeconds": 30,
                "failurePolicy": "Fail",
                "sideEffects": "NoneOnDryRun",
                "reinvocationPolicy": "IfNeeded",
                "namespaceSelector": { "matchLabels": { "image-cloner": "enabled" } },
                "rules": [{
                    "operations": ["CREATE", "UPDATE"],
                    "apiGroups": ["apps"],
                    "apiVersions": ["v1"],
                    "resources": ["deployments", "daemonsets"],
                    "scope": "Namespaced",
                }],
                "clientConfig": {
                    "url": format!("https://127.0.0.1:{port}/clone-image"),
                    "caBundle": base64::engine::general_purpose::STANDARD.encode(authority),
                },
            }],
        });
        kubectl.apply(&configuration.to_string());
        Self(kubectl)
    }
}

impl Drop for Configured<'_> {
    fn drop(&mut self) {
        let _ = self.0.try_run(&["delete", "--ignore-not-found", CONFIGURATION]);
    }
}

fn workload(kind: &str, name: &str, image: &str) -> String {
    json!({
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": { "name": name, "namespace": "cloned" },
        "spec": {
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": { "containers": [{ "name": "web", "image": image }] },
            },
        },
    })
    .to_string()
}

fn image_of(object: &Value) -> &str {
    object["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap()
}

#[test]
fn workloads_run_on_the_backup_registry_alone() {
    let Some(plane) = shared() else { return };
    let folder = plane.folder("image-cloner");
    let registry = |name: &str| Registry::of(Kind::Docker, &folder.join(name));
    let (Some(source), Some(backup)) = (registry("source"), registry("backup")) else { return };
    let (digest, _) = source.push_index("team/web", "1", false);
    let certificates = Certificates::new();
    let file = |name: &str| certificates.path(name).display().to_string();
    let arguments = [
        "serve",
        "--listen=127.0.0.1:0",
        "--metrics-addr=off",
        "--log-format=json",
        "--allow-addresses=127.0.0.0/8",
        &format!("--tls-cert={}", file("server.pem")),
        &format!("--tls-key={}", file("server.key")),
    ]
    .map(str::to_owned);
    let program = Path::new(env!("CARGO_BIN_EXE_imageswap"));
    let mut serve = Running::start(program, &arguments, &[("REGISTRY", &backup.host)], &folder.join("log"));
    let port: u16 = wait("serve listens", 30, || {
        serve.assert_running();
        let log = serve.log();
        let line = log.lines().find(|line| line.contains("listening")).ok_or_else(|| log.clone())?;
        let (_, rest) = line.split_once("127.0.0.1:").ok_or_else(|| line.to_owned())?;
        rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().map_err(|_| line.to_owned())
    });
    let kubectl = plane.kubectl();
    let _configured = Configured::new(&kubectl, port, &fs::read(certificates.path("ca.pem")).unwrap());
    namespace(&kubectl, "cloned", &["image-cloner=enabled"]);

    let original = format!("{}/team/web:1", source.host);
    let copy = format!("{}/127.0.0.1/team/web:1", backup.host);
    for (kind, name) in [("Deployment", "shop"), ("DaemonSet", "agent")] {
        // The API server may not know of the webhook yet.
        wait("the image is the copy", 60, || {
            let made = kubectl.call(
                &["create", "--dry-run=server", "--output=json", "-f", "-"],
                &workload(kind, name, &original),
            )?;
            let made: Value = serde_json::from_str(&made).unwrap();
            if image_of(&made) == copy { Ok(()) } else { Err(image_of(&made).to_owned()) }
        });
        kubectl.apply(&workload(kind, name, &original));
        let stored = kubectl.get(&[&format!("{kind}/{name}"), "--namespace=cloned"]);
        assert_eq!(image_of(&stored), copy, "{kind}");
    }
    let accept = [("Accept", "application/vnd.oci.image.index.v1+json")];
    let answer = http::request(&backup.host, "HEAD", "/v2/127.0.0.1/team/web/manifests/1", &accept, b"");
    assert_eq!(
        answer.header("Docker-Content-Digest"),
        Some(&*digest),
        "all platforms, under the same digest"
    );
    let images = wait("the Deployment has pods", 60, || {
        let pods = kubectl.get(&["pods", "--namespace=cloned", "--selector=app=shop"]);
        let pods = pods["items"].as_array().unwrap().clone();
        if pods.is_empty() { Err("none yet".to_owned()) } else { Ok(pods) }
    });
    assert!(images.iter().all(|pod| pod["spec"]["containers"][0]["image"] == copy.as_str()), "{images:?}");

    // What cannot be copied does not run; what was copied runs without its source.
    let gone = kubectl
        .call(&["create", "-f", "-"], &workload("Deployment", "gone", &original.replace("web", "gone")));
    assert!(gone.as_ref().is_err_and(|said| said.contains("the source has no such image")), "{gone:?}");
    drop(source);
    kubectl.apply(&workload("Deployment", "again", &original));
    let stored = kubectl.get(&["Deployment/again", "--namespace=cloned"]);
    assert_eq!(image_of(&stored), copy);
}

#[test]
fn pull_secrets_bring_images_to_the_place_of_their_namespace_alone() {
    let Some(plane) = shared() else { return };
    let Some(private) = Private::start(&["of-team"]) else { return };
    let storage = plane.folder("tenants");
    let Some(target) = Registry::of(Kind::Docker, &storage) else { return };
    let place = format!("{}/tenants/{{namespace}}", target.host);
    let environment = [
        "--env=IMAGESWAP_MIRROR=wait".to_owned(),
        "--env=IMAGESWAP_MIRROR_MISSING=deny".to_owned(),
        format!("--env=IMAGESWAP_MIRROR_POD_CREDENTIALS={place}"),
    ];
    let arguments: Vec<&str> = environment.iter().map(String::as_str).chain([LOOPBACK]).collect();
    let installation = Installation::of(plane, &arguments);
    let kubectl = &installation.kubectl;
    let may = ["auth", "can-i", "get", "secrets", "--all-namespaces", "--as"];
    let account = format!("system:serviceaccount:{NAMESPACE}:imageswap");
    assert_eq!(kubectl.run(&[&may[..], &[&account]].concat()).trim(), "yes");

    let serving = Serving::start(plane, &installation, "tenants");
    let tenant = |name: &str| format!("{}/tenants/{name}", target.host);
    serving.set_maps(&format!("{}/team::{}\n", private.host(0), tenant("mirrors-own")));
    for name in ["mirrors-other", "mirrors-own"] {
        namespace(kubectl, name, &["k8s.twr.io/imageswap=enabled"]);
        docker_secret(kubectl, name, "regcred", private.host(0), "of-team");
        let secrets = "--patch={\"imagePullSecrets\": [{\"name\": \"regcred\"}]}";
        kubectl.run(&["patch", "serviceaccount", "default", "--namespace", name, secrets]);
    }
    let image = format!("{}/team/app:v1", private.host(0));
    // It may pull the image, but its secrets do not put it where another namespace has its images.
    let refused =
        wait("the other namespace is refused", 60, || match tried(kubectl, "mirrors-other", &image) {
            Err(refused) if refused.contains("401") => Ok(refused),
            other => Err(format!("{other:?}\n{}", serving.process.log())),
        });
    assert!(refused.contains("is not there"), "{refused}");

    let copy = format!("{}/app:v1", tenant("mirrors-own"));
    // A dry run copies nothing, and finds that it could.
    assert_eq!(tried(kubectl, "mirrors-own", &image).as_ref(), Ok(&copy), "{}", serving.process.log());
    let at_target = || {
        let accept = [("Accept", "application/vnd.oci.image.index.v1+json")];
        let path = "/v2/tenants/mirrors-own/app/manifests/v1";
        let answer = http::request(&target.host, "HEAD", path, &accept, b"");
        answer.header("Docker-Content-Digest").map(str::to_owned)
    };
    assert_eq!(at_target(), None);
    kubectl.run(&["run", "web", &format!("--image={image}"), "--namespace=mirrors-own"]);
    let stored = kubectl.get(&["pod/web", "--namespace=mirrors-own"]);
    assert_eq!(stored["spec"]["containers"][0]["image"], copy.as_str());
    assert_eq!(at_target().as_ref(), Some(&private.digest));
    let log = serving.process.log();
    assert!(!log.contains(CANARY) && !log.contains("cannot be read"), "{log}");
}
