//! Digests in a cluster: what `imageswap manifests --pin` prints is started as it is printed, beside a registry.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

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

/// Passes on what a program and the API server say to each other, until it is told to swallow it.
struct Relay {
    /// The kubeconfig of who is to go through it.
    kubeconfig: PathBuf,
    is_silent: Arc<AtomicBool>,
}

impl Relay {
    /// A relay to the API server of a kubeconfig.
    fn start(kubeconfig: &Path) -> Self {
        let text = fs::read_to_string(kubeconfig).unwrap();
        let server = text.split_once("https://").unwrap().1.split_once('"').unwrap().0.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().to_string();
        let relayed = kubeconfig.with_extension("relayed");
        fs::write(&relayed, text.replace(&server, &own)).unwrap();
        let is_silent = Arc::new(AtomicBool::new(false));
        let silent = Arc::clone(&is_silent);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(api) = TcpStream::connect(&server) else { continue };
                for (from, to) in [(&client, &api), (&api, &client)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let silent = Arc::clone(&silent);
                    thread::spawn(move || pass_on(from, to, &silent));
                }
            }
        });
        Self { kubeconfig: relayed, is_silent }
    }

    fn fall_silent(&self) {
        self.is_silent.store(true, Ordering::SeqCst);
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, silent: &AtomicBool) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if !silent.load(Ordering::SeqCst) && to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    // It may be closed already.
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn a_review_is_answered_in_time_whoever_is_silent() {
    let Some(plane) = shared() else { return };
    let storage = tempfile::TempDir::new().unwrap();
    let Some((_registry, image, digest)) = registry(storage.path()) else { return };
    // A registry that takes connections, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let of_silent = format!("{}/team/web:1", silent.local_addr().unwrap());
    // The API server refuses what is not answered within 6 seconds, in words of its own.
    let manifests = ["--pin", "--pull-secrets", "--failure-policy=Fail", "--timeout-seconds=6", LOOPBACK];
    let mut installation = Installation::of(plane, &manifests);
    let kubectl = installation.kubectl.clone();
    let direct = installation.account.clone();
    let relay = Relay::start(&direct);
    installation.account.clone_from(&relay.kubeconfig);
    let serving = Serving::start(plane, &installation, "late");
    for name in ["late-new", "late-known"] {
        namespace(&kubectl, name, &["k8s.twr.io/imageswap=enabled"]);
    }
    let pinned = format!("{image}@{digest}");
    wait("the image is pinned", 60, || match tried(&kubectl, "late-known", &image) {
        Ok(found) if found == pinned => Ok(()),
        other => Err(format!("{other:?}\n{}", serving.process.log())),
    });

    let refused = |namespace: &str| {
        let refused = tried(&kubectl, namespace, &of_silent).unwrap_err();
        assert!(refused.contains("no digest of") && refused.contains("time"), "{namespace}: {refused}");
        assert!(!refused.contains("failed calling webhook"), "{namespace}: {refused}");
    };
    // The registry is silent; then the API server is, whose Secrets are needed; then both.
    refused("late-known");
    relay.fall_silent();
    let found = tried(&kubectl, "late-new", &image);
    assert_eq!(found.as_ref(), Ok(&pinned), "asked without secrets: {}", serving.process.log());
    assert!(serving.process.log().contains("the pull secrets did not come in time"));
    refused("late-new");

    // Where errors are to be allowed, the pod keeps its image.
    drop(serving);
    installation.account = direct;
    let arguments = ["--bootstrap=self-signed", "--pin", "--offline=false", "--ignore-errors"];
    let environment = [("IMAGESWAP_ALLOW_ADDRESSES", "127.0.0.0/8"), ("IMAGESWAP_LOG_LEVEL", "debug")];
    let lenient = Serving::start_alone(plane, &installation, "late-lenient", &arguments, &environment);
    lenient.route(&installation);
    wait("the lenient replica is called", 60, || match tried(&kubectl, "late-known", &of_silent) {
        Ok(found) if found == of_silent => Ok(()),
        other => Err(format!("{other:?}\n{}", lenient.process.log())),
    });
    wait("the review is in the log", 60, || match lenient.process.log() {
        log if log.contains(r#""outcome":"unchanged","warnings":1"#) => Ok(()),
        log => Err(log),
    });
}
