//! Digests in a cluster: what `imageswap manifests --pin` prints is started as it is printed, beside a registry.

use std::path::Path;

use crate::control_plane::shared;
use crate::installation::Installation;
use crate::kubectl::Kubectl;
use crate::processes::wait;
use crate::pull_secrets::{CANARY, Private, docker_secret};
use crate::registry_support::program;
use crate::registry_support::real::{Auth, Registry};
use crate::serving::{Serving, namespace};

/// What the registry of a test may be called by.
pub(crate) const LOOPBACK: &str = "--env=IMAGESWAP_ALLOW_ADDRESSES=127.0.0.0/8";

/// A registry on loopback with one image: itself, the image, and its digest.
pub(crate) fn registry(storage: &Path) -> Option<(Registry, String, String)> {
    let program = program::find("docker-registry")?;
    let registry = Registry::start(&program, storage, &Auth::Open, None);
    let (digest, _) = registry.push_image("team/web", Some("1"), false, "a layer");
    let image = format!("{}/team/web:1", registry.host);
    Some((registry, image, digest))
}

/// The image that a pod made in the namespace gets in place of `image`. Nothing is stored.
pub(crate) fn tried(kubectl: &Kubectl, namespace: &str, image: &str) -> Result<String, String> {
    let image = format!("--image={image}");
    let output = "--output=jsonpath={.spec.containers[0].image}";
    kubectl.try_run(&["run", "probe", &image, "--dry-run=server", output, "--namespace", namespace])
}

#[test]
fn a_pod_gets_its_digest_from_what_manifests_print() {
    let Some(plane) = shared() else { return };
    let storage = tempfile::TempDir::new().unwrap();
    let Some((_registry, image, digest)) = registry(storage.path()) else { return };
    let installation = Installation::of(plane, &["--pin", LOOPBACK]);
    let kubectl = &installation.kubectl;
    let serving = Serving::start(plane, &installation, "pinned");
    let pinned = format!("{image}@{digest}");
    for (name, label) in
        [("pin-digester", "digest-resolution=enabled"), ("pin-own", "k8s.twr.io/imageswap=enabled")]
    {
        namespace(kubectl, name, &[label]);
        wait("the image is pinned", 60, || match tried(kubectl, name, &image)? {
            found if found == pinned => Ok(()),
            found => Err(format!("{found}\n{}", serving.process.log())),
        });
        kubectl.run(&["run", "web", &format!("--image={image}"), "--namespace", name]);
        let stored = kubectl.get(&["pod/web", "--namespace", name]);
        assert_eq!(stored["spec"]["containers"][0]["image"], pinned.as_str(), "{name}");
    }
    // A registry that does not have it refuses the pod; one that is not labelled is not asked about.
    let refused = tried(kubectl, "pin-own", &image.replace("web:1", "gone:1")).unwrap_err();
    assert!(refused.contains("no digest of"), "{refused}");
    namespace(kubectl, "pin-none", &[]);
    assert_eq!(tried(kubectl, "pin-none", &image).unwrap(), image);
}

#[test]
fn the_pull_secrets_of_a_pod_open_its_registry_for_it_alone() {
    let Some(plane) = shared() else { return };
    let Some(private) = Private::start(&["of-team"]) else { return };
    let installation = Installation::of(plane, &["--pin", "--pull-secrets", LOOPBACK]);
    let kubectl = &installation.kubectl;
    let serving = Serving::start(plane, &installation, "pull-secrets");
    for name in ["pull-own", "pull-none"] {
        namespace(kubectl, name, &["k8s.twr.io/imageswap=enabled"]);
    }
    docker_secret(kubectl, "pull-own", "regcred", private.host(0), "of-team");
    let account = "--patch={\"imagePullSecrets\": [{\"name\": \"regcred\"}]}";
    kubectl.run(&["patch", "serviceaccount", "default", "--namespace=pull-own", account]);
    let image = format!("{}/team/app:v1", private.host(0));
    let pinned = format!("{image}@{}", private.digest);
    wait("the image is pinned", 60, || match tried(kubectl, "pull-own", &image) {
        Ok(found) if found == pinned => Ok(()),
        other => Err(format!("{other:?}\n{}", serving.process.log())),
    });
    // Who may not pull it does not learn its digest, though it is remembered.
    let refused = tried(kubectl, "pull-none", &image).unwrap_err();
    assert!(refused.contains("no digest of"), "{refused}");
    let log = serving.process.log();
    assert!(!log.contains(CANARY) && !log.contains("cannot be read"), "{log}");
}
