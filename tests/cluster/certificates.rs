//! Pods that are made while certificates and maps change, and the other ways to a certificate.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::bootstrap::brought;
use crate::control_plane::shared;
use crate::installation::{CONFIGURATION, Installation, NAMESPACE};
use crate::kubectl::Kubectl;
use crate::processes::wait;
use crate::serving::{Serving, namespace, wait_for};

const SWAPPED: &str = "mirror.example.com/hub/nginx";

/// The image that a pod got which was made now.
fn image(kubectl: &Kubectl, namespace: &str, pod: &str) -> Result<String, String> {
    let run = ["run", pod, "--image=nginx", "--namespace", namespace, "--output=json"];
    let made: Value = serde_json::from_str(&kubectl.try_run(&run)?).unwrap();
    Ok(made["spec"]["containers"][0]["image"].as_str().unwrap().to_owned())
}

#[test]
fn no_pod_is_missed_while_certificates_and_maps_change() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &[]);
    let kubectl = &installation.kubectl;
    let serving = Serving::start(plane, &installation, "rotation");
    let name = "rotation";
    namespace(kubectl, name, &["k8s.twr.io/imageswap=enabled"]);
    wait_for(kubectl, name, SWAPPED);
    let secret = |patch: &Value| {
        let patch = format!("--patch={patch}");
        kubectl.run(&["patch", "secret/imageswap-tls", "--namespace", NAMESPACE, "--type=json", &patch]);
    };
    let remove = |key: &str| json!([{ "op": "remove", "path": format!("/data/{key}") }]);
    let certificate_after = |before: &str| {
        wait("a new certificate", 30, || match installation.secret("tls.crt") {
            now if now.is_empty() || now == before => Err(now),
            now => Ok(now),
        })
    };

    let done = AtomicBool::new(false);
    let made = thread::scope(|scope| {
        let making = scope.spawn(|| {
            let mut made = Vec::new();
            while !done.load(Ordering::Relaxed) {
                made.push(image(kubectl, name, &format!("pod-{}", made.len())));
            }
            made
        });
        let mut certificate = installation.secret("tls.crt");
        for round in 0..3 {
            secret(&remove("tls.crt"));
            certificate = certificate_after(&certificate);
            serving.set_maps(&format!("docker.io::mirror.example.com/round{round}\n"));
            wait_for(kubectl, name, &format!("mirror.example.com/round{round}/nginx"));
        }
        // A broken file changes nothing, and neither does a new CA beside the old one.
        serving.set_maps("no rule at all\n");
        secret(&remove("ca.key"));
        wait("old and new CA are published", 30, || {
            let bundles = installation.ca_bundles();
            let both = |bundle: &String| bundle.matches("BEGIN CERTIFICATE").count() == 2;
            if bundles.iter().all(both) { Ok(()) } else { Err(format!("{bundles:?}")) }
        });
        wait_for(kubectl, name, "mirror.example.com/round2/nginx");
        done.store(true, Ordering::Relaxed);
        making.join().unwrap()
    });
    assert!(made.len() > 10, "{made:?}");
    let images = made.into_iter().map(|made| made.unwrap()).collect::<BTreeSet<_>>();
    for image in &images {
        let expected = image == SWAPPED || image.starts_with("mirror.example.com/round");
        assert!(expected, "{images:?}");
    }
    assert!(images.len() >= 3, "{images:?}");
}

#[test]
fn serve_is_called_by_url_where_it_is_outside_of_the_cluster() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &[]);
    let kubectl = &installation.kubectl;
    let arguments = ["--bootstrap=self-signed", "--tls-name=localhost", "--disable-auto-mwc"];
    let serving = Serving::start_alone(plane, &installation, "url", &arguments, &[]);
    let client = json!({
        "url": format!("https://localhost:{}/mutate", serving.port),
        "caBundle": STANDARD.encode(installation.secret("ca.crt")),
    });
    let patch = json!([{ "op": "replace", "path": "/webhooks/0/clientConfig", "value": client }]);
    kubectl.run(&["patch", CONFIGURATION, "--type=json", &format!("--patch={patch}")]);
    namespace(kubectl, "url", &["k8s.twr.io/imageswap=enabled"]);
    wait_for(kubectl, "url", SWAPPED);
}

#[test]
fn serve_runs_on_a_certificate_of_the_clusters_signer() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &["--bootstrap=csr"]);
    let kubectl = &installation.kubectl;
    let _serving = Serving::start(plane, &installation, "csr");
    namespace(kubectl, "csr", &["k8s.twr.io/imageswap=enabled"]);
    wait_for(kubectl, "csr", SWAPPED);
}

/// LEGACY mode of imageswap-webhook, as the overlay sets it.
#[test]
fn the_legacy_mode_puts_a_prefix_before_images() {
    let Some(plane) = shared() else { return };
    let overlay = plane.kubectl().run(&["kustomize", "deploy/overlays/legacy"]);
    let installation = Installation::apply(plane, &overlay);
    let kubectl = &installation.kubectl;
    let _serving = Serving::start(plane, &installation, "legacy");
    namespace(kubectl, "legacy", &["k8s.twr.io/imageswap=enabled"]);
    wait_for(kubectl, "legacy", "registry.example.com/nginx");
}

/// A certificate of somebody else's is taken from the Secret while serve runs, and so is the next one, of another CA.
#[test]
fn serve_follows_a_certificate_that_somebody_renews() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &["--bootstrap=byo"]);
    let kubectl = &installation.kubectl;
    let bring = || {
        let (ca, certificate, key) = brought("imageswap.imageswap-system.svc");
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": { "name": "imageswap-tls", "namespace": NAMESPACE },
            "stringData": { "ca.crt": ca, "tls.crt": certificate, "tls.key": key },
        });
        kubectl.apply(&secret.to_string());
        ca
    };
    bring();
    let _serving = Serving::start(plane, &installation, "byo");
    namespace(kubectl, "byo", &["k8s.twr.io/imageswap=enabled"]);
    wait_for(kubectl, "byo", SWAPPED);
    let ca = bring();
    wait("the new CA is published", 30, || {
        let bundles = installation.ca_bundles();
        if bundles.iter().all(|bundle| bundle.trim() == ca.trim()) {
            Ok(())
        } else {
            Err(format!("{bundles:?}"))
        }
    });
    wait_for(kubectl, "byo", SWAPPED);
}
