//! The certificate under which the API server calls: who makes it, where it is, and what happens when several do.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use imageswap::cluster::bootstrap::{Bootstrap, BootstrapOptions, Event, Published};
use imageswap::cluster::client;
use kube::config::{KubeConfigOptions, Kubeconfig};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};

use crate::control_plane::shared;
use crate::installation::{CONFIGURATION, Installation, NAMESPACE, error, imageswap, stdout};
use crate::processes::wait;

/// A replica, as the service account of the installation.
async fn replica(installation: &Installation, options: BootstrapOptions) -> Bootstrap {
    let kubeconfig = Kubeconfig::read_from(&installation.account).unwrap();
    let config =
        kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    let options = BootstrapOptions { namespace: Some(NAMESPACE.to_owned()), ..options };
    Bootstrap::of(client::connect_to(config).unwrap(), options)
}

#[test]
fn init_makes_the_certificate_once_and_publishes_its_ca() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &[]);
    let folder = plane.folder("init");
    let files = folder.display().to_string();
    let said = installation.init(&["--tls-dir", &files]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let certificate = installation.secret("tls.crt");
    assert_eq!(std::fs::read_to_string(folder.join("tls.crt")).unwrap(), certificate);
    assert_eq!(std::fs::read_to_string(folder.join("tls.key")).unwrap(), installation.secret("tls.key"));
    let ca = installation.secret("ca.crt");
    assert!(ca.starts_with("-----BEGIN CERTIFICATE-----"), "{ca}");
    assert_eq!(installation.ca_bundles(), [ca.clone(), ca]);

    // The second run finds everything done, and `openssl` agrees with what was made.
    assert!(installation.init(&[]).status.success());
    assert_eq!(installation.secret("tls.crt"), certificate);
    std::fs::write(folder.join("ca.crt"), installation.secret("ca.crt")).unwrap();
    let verified = std::process::Command::new("openssl")
        .args([
            "verify",
            "-CAfile",
            "ca.crt",
            "-verify_hostname",
            "imageswap.imageswap-system.svc",
            "tls.crt",
        ])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(stdout(verified).contains("OK"));

    // Applying the installation again neither takes the certificate away nor leaves the CA out for long.
    let manifests = stdout(imageswap().arg("manifests").output().unwrap());
    installation.kubectl.apply(&manifests);
    assert_eq!(installation.secret("tls.crt"), certificate);
    assert!(installation.init(&[]).status.success());
    assert!(installation.ca_bundles().iter().all(|bundle| !bundle.is_empty()));
}

#[test]
fn replicas_that_race_end_with_one_ca() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &["--resources", "workloads"]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let issued = runtime.block_on(async {
        let mut replicas = Vec::new();
        for _ in 0..12 {
            replicas.push(replica(&installation, BootstrapOptions::default()).await);
        }
        let running =
            replicas.into_iter().map(|one| tokio::spawn(async move { one.ensure().await.unwrap() }));
        let running = running.collect::<Vec<_>>();
        let mut issued = Vec::new();
        for one in running {
            issued.push(one.await.unwrap());
        }
        issued
    });
    let cas = issued.iter().map(|one| one.ca_pem.as_str()).collect::<BTreeSet<_>>();
    let certificates = issued.iter().map(|one| one.chain_pem.as_str()).collect::<BTreeSet<_>>();
    assert_eq!((cas.len(), certificates.len()), (1, 1));
    assert!(issued.iter().all(|one| one.published == Published::Yes));
    assert_eq!(cas.first().unwrap().matches("BEGIN CERTIFICATE").count(), 1);
    for bundle in installation.ca_bundles() {
        assert_eq!(bundle, *cas.first().unwrap());
    }
}

/// The certificate that a replica serves, and the CAs that were published.
type Served = (String, String);

/// Three CAs follow each other in a minute. Whatever is served at any time is signed by a CA that the API server
/// had been told of before, and every replica follows.
#[test]
fn certificates_and_cas_are_renewed_while_replicas_run() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &[]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let seen: Arc<Mutex<[Vec<Served>; 2]>> = Arc::default();
    let faults: Arc<Mutex<Vec<String>>> = Arc::default();
    let lives = BootstrapOptions {
        authority_life: Duration::from_secs(24),
        serving_life: Duration::from_secs(12),
        ..BootstrapOptions::default()
    };
    for index in 0..2 {
        let replica = runtime.block_on(replica(&installation, lives.clone()));
        let (seen, faults) = (seen.clone(), faults.clone());
        runtime.spawn(async move {
            let tell = |event| match event {
                Event::Issued(issued) => seen.lock().unwrap()[index].push((issued.chain_pem, issued.ca_pem)),
                Event::Failed(error) => faults.lock().unwrap().push(error.to_string()),
            };
            replica.keep(tell).await;
        });
    }
    let newest = |ca: &str| ca.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap().to_owned();
    wait("three CAs", 90, || {
        let seen = seen.lock().unwrap();
        let cas = |index: usize| seen[index].iter().map(|(_, ca)| newest(ca)).collect::<BTreeSet<_>>().len();
        if cas(0) >= 3 && cas(1) >= 3 { Ok(()) } else { Err(format!("{} and {}", cas(0), cas(1))) }
    });
    drop(runtime);
    assert_eq!(*faults.lock().unwrap(), [""; 0]);
    for events in seen.lock().unwrap().iter() {
        for pair in events.windows(2) {
            let [(_, before), (chain, after)] = pair else { unreachable!() };
            // A certificate changes only under CAs that were there before.
            assert!(
                chain == &pair[0].0 || newest(before) == newest(after),
                "the certificate and the CA changed at once"
            );
        }
        assert!(events.iter().any(|(_, ca)| ca.matches("BEGIN").count() == 2), "old and new overlap");
    }
}

#[test]
fn a_webhook_configuration_that_is_deleted_is_not_made_again_but_served_when_it_is_back() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &[]);
    let manifests = stdout(imageswap().arg("manifests").output().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let replica = runtime.block_on(replica(&installation, BootstrapOptions::default()));
    let events: Arc<Mutex<Vec<Published>>> = Arc::default();
    let telling = events.clone();
    runtime.spawn(async move {
        replica
            .keep(|event| match event {
                Event::Issued(issued) => telling.lock().unwrap().push(issued.published),
                Event::Failed(error) => panic!("{error}"),
            })
            .await;
    });
    let last = |wanted: Published| {
        wait("the replica sees it", 30, || {
            let events = events.lock().unwrap();
            if events.last() == Some(&wanted) { Ok(()) } else { Err(format!("{events:?}")) }
        });
    };
    last(Published::Yes);
    installation.kubectl.run(&["delete", CONFIGURATION]);
    last(Published::NoConfiguration);
    let gone = installation.kubectl.fails(&["get", CONFIGURATION]);
    assert!(gone.contains("not found"), "{gone}");
    installation.kubectl.apply(&manifests);
    last(Published::Yes);
    assert!(installation.ca_bundles().iter().all(|bundle| !bundle.is_empty()));
}

#[test]
fn somebody_elses_webhook_configuration_is_left_alone() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &[]);
    let mut command = imageswap();
    command.env("KUBECONFIG", &installation.account).env("IMAGESWAP_DISABLE_AUTO_MWC", "TRUE");
    let output = command.args(["init", "--namespace", NAMESPACE]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!installation.secret("tls.crt").is_empty());
    assert_eq!(installation.ca_bundles(), ["", ""]);
}

#[test]
fn a_signer_of_the_cluster_signs() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &["--bootstrap", "csr"]);
    let output = installation.init(&["--bootstrap", "csr"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let folder = plane.folder("csr");
    std::fs::write(folder.join("tls.crt"), installation.secret("tls.crt")).unwrap();
    let subject = std::process::Command::new("openssl")
        .args(["x509", "-in", "tls.crt", "-noout", "-subject", "-nameopt", "RFC2253"])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert_eq!(
        stdout(subject).trim(),
        "subject=CN=system:node:imageswap.imageswap-system.svc,O=system:nodes"
    );
    let cluster_ca = std::fs::read_to_string(plane.folder("").join("ca.crt")).unwrap();
    assert_eq!(installation.secret("ca.crt").trim(), cluster_ca.replace("\r\n", "\n").trim());
    assert!(
        installation.ca_bundles().iter().all(|bundle| bundle.trim() == installation.secret("ca.crt").trim())
    );
    assert_eq!(installation.secret("ca.key"), "");

    // The second run asks for nothing.
    let certificate = installation.secret("tls.crt");
    assert!(installation.init(&["--bootstrap", "csr"]).status.success());
    assert_eq!(installation.secret("tls.crt"), certificate);
    let refused = error(&installation.init(&[
        "--bootstrap",
        "csr",
        "--tls-name",
        "other.example",
        "--csr-signer",
        "example.com/none",
    ]));
    assert!(refused.contains("approve CertificateSigningRequest imageswap.imageswap-system-"), "{refused}");
}

/// A CA, and a certificate of it for `name`.
pub(crate) fn brought(name: &str) -> (String, String, String) {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let signed = params.signed_by(&key, &Issuer::from_params(&ca, &ca_key)).unwrap();
    (ca.self_signed(&ca_key).unwrap().pem(), signed.pem(), key.serialize_pem())
}

#[test]
fn a_certificate_that_somebody_brought_is_checked_and_its_ca_published() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &["--bootstrap", "byo"]);
    let kubectl = &installation.kubectl;
    let folder = plane.folder("byo");
    let (good, other, elsewhere) = (
        brought("imageswap.imageswap-system.svc"),
        brought("imageswap.imageswap-system.svc"),
        brought("imageswap.elsewhere.svc"),
    );
    let bring = |(ca, certificate, key): (&str, &str, &str)| {
        for (name, text) in [("rootca.pem", ca), ("cert.pem", certificate), ("key.pem", key)] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let file = |name: &str| folder.join(name).display().to_string();
        let secrets = ["secret/imageswap-tls", "secret/imageswap-tls-ca"];
        kubectl.run(&[&["delete", "--ignore-not-found", "--namespace", NAMESPACE][..], &secrets].concat());
        let (cert, key) = (format!("--cert={}", file("cert.pem")), format!("--key={}", file("key.pem")));
        // kubectl itself refuses a key that does not fit.
        let create = ["create", "secret", "tls", "imageswap-tls", &cert, &key, "--namespace", NAMESPACE];
        if kubectl.try_run(&create).is_err() {
            let (cert, key) = (
                format!("--from-file=tls.crt={}", file("cert.pem")),
                format!("--from-file=tls.key={}", file("key.pem")),
            );
            kubectl.run(&[
                "create",
                "secret",
                "generic",
                "imageswap-tls",
                &cert,
                &key,
                "--namespace",
                NAMESPACE,
            ]);
        }
        let root = format!("--from-file=rootca.pem={}", file("rootca.pem"));
        kubectl.run(&["create", "secret", "generic", "imageswap-tls-ca", &root, "--namespace", NAMESPACE]);
    };

    let missing = error(&installation.init(&["--bootstrap", "byo"]));
    assert!(
        missing.contains("Secret imageswap-tls in namespace imageswap-system cannot be used"),
        "{missing}"
    );
    for (what, (ca, certificate, key), expected) in [
        (
            "another CA",
            (&other.0, &good.1, &good.2),
            "the API server would not accept it for imageswap.imageswap-system.svc",
        ),
        ("another name", (&elsewhere.0, &elsewhere.1, &elsewhere.2), "the API server would not accept it"),
        ("another key", (&good.0, &good.1, &other.2), "the key does not belong to the certificate"),
    ] {
        bring((ca, certificate, key));
        let said = error(&installation.init(&["--bootstrap", "byo"]));
        assert!(said.contains(expected), "{what}: {said}");
        assert_eq!(installation.ca_bundles(), ["", ""], "{what}");
    }
    bring((&good.0, &good.1, &good.2));
    let output = installation.init(&["--bootstrap", "byo"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(installation.ca_bundles().iter().all(|bundle| bundle.trim() == good.0.trim()));
    assert_eq!(installation.secret("tls.crt").trim(), good.1.trim(), "it is only read");

    // cert-manager puts the CA beside the certificate.
    let secrets = ["secret/imageswap-tls", "secret/imageswap-tls-ca"];
    kubectl.run(&[&["delete", "--namespace", NAMESPACE][..], &secrets].concat());
    let secret = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": { "name": "imageswap-tls", "namespace": NAMESPACE },
        "stringData": { "ca.crt": other.0, "tls.crt": other.1, "tls.key": other.2 },
    });
    kubectl.apply(&secret.to_string());
    assert!(installation.init(&["--bootstrap", "byo"]).status.success());
    assert!(installation.ca_bundles().iter().all(|bundle| bundle.trim() == other.0.trim()));
}

#[test]
fn the_annotation_of_imageswap_webhook_makes_a_secret_somebody_elses() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &[]);
    let kubectl = &installation.kubectl;
    kubectl.run(&["annotate", "secret/imageswap-tls", "imageswap-byoc=", "--namespace", NAMESPACE]);
    let said = error(&installation.init(&[]));
    assert!(said.contains("tls.crt or tls.key is missing or empty"), "{said}");
    assert_eq!(installation.secret("ca.key"), "", "nothing is made");
}

/// What the service account may do: what it needs, and nothing beside it.
#[test]
fn the_rights_are_one_secret_and_one_webhook_configuration() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &[]);
    assert!(installation.init(&[]).status.success());
    let account = plane.kubectl_with(&installation.account);
    let may = |arguments: &[&str]| {
        let asked = account.try_run(&[&["auth", "can-i"], arguments].concat());
        asked.is_ok_and(|answer| answer.trim() == "yes")
    };
    let here = ["--namespace", NAMESPACE];
    for verb in ["get", "watch", "update"] {
        assert!(may(&[&[verb, "secret/imageswap-tls"], &here[..]].concat()), "{verb}");
    }
    for verb in ["get", "watch", "patch"] {
        assert!(may(&[verb, CONFIGURATION]), "{verb}");
    }
    for refused in [
        &["get", "secret/other", "--namespace", NAMESPACE][..],
        &["list", "secrets", "--namespace", NAMESPACE],
        &["create", "secrets", "--namespace", NAMESPACE],
        &["delete", "secret/imageswap-tls", "--namespace", NAMESPACE],
        &["get", "secret/imageswap-tls", "--namespace", "default"],
        &["get", "mutatingwebhookconfiguration/other"],
        &["delete", CONFIGURATION],
        &["create", "mutatingwebhookconfigurations"],
        &["list", "mutatingwebhookconfigurations"],
        &["create", "certificatesigningrequests"],
        &["approve", "signers/kubernetes.io/kubelet-serving"],
        &["get", "pods", "--all-namespaces"],
        &["get", "configmaps", "--namespace", NAMESPACE],
    ] {
        assert!(!may(refused), "{refused:?}");
    }

    installation.kubectl.run(&["delete", "secret/imageswap-tls", "--namespace", NAMESPACE]);
    let said = error(&installation.init(&[]));
    assert!(said.contains("there is no Secret imageswap-tls in namespace imageswap-system"), "{said}");
}
