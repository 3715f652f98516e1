//! Every command that asks registries reaches them alike: private authorities, client certificates, proxies.

use std::fs;
use std::io::Write;
use std::process::{Output, Stdio};

use tempfile::TempDir;

use crate::registry_support::connect_proxy::Proxy;
use crate::registry_support::program;
use crate::registry_support::real::{Auth, Certificates, Registry, Tls};
use crate::scene::{Scene, pod, words};

/// What the certificate of the registry is for, besides loopback. No resolver knows it.
const NAME: &str = "registry.test";

/// A registry with TLS, and a folder to work in.
struct Secure {
    scene: Scene,
    certificates: Certificates,
    tls: Registry,
    digest: String,
}

impl Secure {
    fn start(wants_clients: bool) -> Option<Self> {
        let scene = Scene::open()?;
        let (digest, _) = scene.registry.push_index("team/app", "v1", false);
        let certificates = Certificates::new();
        let paths = ["server.pem", "server.key", "ca.pem"].map(|name| certificates.path(name));
        let tls = Tls { certificate: &paths[0], key: &paths[1], clients: wants_clients.then_some(&paths[2]) };
        let program = program::find("docker-registry")?;
        let tls = Registry::start_tls(&program, scene.storage.path(), &Auth::Open, tls);
        Some(Self { scene, certificates, tls, digest })
    }

    fn port(&self) -> &str {
        self.tls.host.rsplit_once(':').unwrap().1
    }

    fn image(&self, host: &str) -> String {
        format!("{host}:{}/team/app:v1", self.port())
    }

    fn ca(&self) -> String {
        self.certificates.path("ca.pem").display().to_string()
    }

    /// Every command must be answered.
    #[track_caller]
    fn works(&self, image: &str, arguments: &[&str], variables: &[(&str, &str)]) {
        for (command, output) in every_command(&self.scene, image, &self.digest, arguments, variables) {
            let said = words(&output);
            assert_eq!(output.status.code(), Some(0), "{command} {arguments:?} {variables:?}: {said}");
            match command {
                "rewrite" | "fn" | "explain" => assert!(said.contains(&self.digest), "{command}: {said}"),
                "auth check" => assert!(said.contains("\n  works"), "{said}"),
                _ => {}
            }
        }
    }

    /// No command is answered, and all say these words.
    #[track_caller]
    fn fails(&self, image: &str, arguments: &[&str], variables: &[(&str, &str)], want: &[&str]) {
        for (command, output) in every_command(&self.scene, image, &self.digest, arguments, variables) {
            let said = words(&output);
            assert_eq!(output.status.code(), Some(2), "{command} {arguments:?} {variables:?}: {said}");
            for want in want {
                assert!(said.contains(want), "{command} {arguments:?} {variables:?} lacks {want}: {said}");
            }
        }
    }
}

/// Runs every command that asks registries, about one image.
fn every_command(
    scene: &Scene,
    image: &str,
    digest: &str,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Vec<(&'static str, Output)> {
    let (name, _) = image.rsplit_once(':').unwrap();
    scene.write("pod.yaml", &pod(&[image]));
    scene.write(
        "imageswap.lock",
        &format!(
            "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\nimages:\n- image: {name}@{digest}\n  annotations:\n    \
             imageswap.dev/target: {image}\n    kbld.carvel.dev/id: {image}\n"
        ),
    );
    let item = pod(&[image]).trim_end().replace('\n', "\n  ");
    let list = format!("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- {item}\n");
    let map = ["--map", "nowhere.example::x.example"];
    let commands: [(&str, &[&str]); 7] = [
        ("rewrite", &["rewrite", "--pin", "--diff", "pod.yaml", map[0], map[1]]),
        ("fn", &["fn", "--pin", map[0], map[1]]),
        ("explain", &["explain", "--pin", image, map[0], map[1]]),
        ("lock diff", &["lock", "diff"]),
        ("lock update", &["lock", "update"]),
        ("verify", &["verify", "pod.yaml", map[0], map[1]]),
        ("auth check", &["auth", "check", image]),
    ];
    let run = |command: &[&str]| {
        let mut command = scene.command(&[command, arguments].concat());
        command.envs(variables.iter().copied());
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Only one of them reads it.
        let _ = child.stdin.take().unwrap().write_all(list.as_bytes());
        child.wait_with_output().unwrap()
    };
    commands.map(|(name, command)| (name, run(command))).into()
}

#[test]
fn a_private_authority() {
    let Some(secure) = Secure::start(false) else { return };
    let (image, ca) = (secure.image("localhost"), secure.ca());
    let unknown = ["TLS: ", "UnknownIssuer", "--registry-ca"];
    secure.fails(&image, &[], &[], &unknown);
    secure.works(&image, &["--registry-ca", &ca], &[]);
    let folder = TempDir::new().unwrap();
    fs::copy(&ca, folder.path().join("corporate.pem")).unwrap();
    secure.works(&image, &[], &[("SSL_CERT_FILE", &ca)]);
    secure.works(&image, &[], &[("SSL_CERT_DIR", folder.path().to_str().unwrap())]);
    let host = image.split('/').next().unwrap();
    secure.scene.write("client.toml", &format!("[client]\nca = ['{ca}']\n"));
    secure.scene.write("registry.toml", &format!("[[registry]]\nprefix = '{host}'\nca = '{ca}'\n"));
    secure.scene.write("other.toml", &format!("[[registry]]\nprefix = 'quay.io'\nca = '{ca}'\n"));
    secure.works(&image, &["--registries", "client.toml"], &[]);
    secure.works(&image, &[], &[("IMAGESWAP_REGISTRIES", "registry.toml")]);
    secure.fails(&image, &["--registries", "other.toml"], &[], &unknown);
}

#[test]
fn client_certificates() {
    let Some(secure) = Secure::start(true) else { return };
    let (image, ca) = (secure.image("localhost"), secure.ca());
    let host = image.split('/').next().unwrap();
    let [certificate, key] =
        ["client.pem", "client.key"].map(|name| secure.certificates.path(name).display().to_string());
    let registry = format!("[[registry]]\nprefix = '{host}'\nca = '{ca}'\n");
    secure.scene.write("without.toml", &registry);
    secure
        .scene
        .write("with.toml", &format!("{registry}client-cert = '{certificate}'\nclient-key = '{key}'\n"));
    secure
        .scene
        .write("odd.toml", &format!("{registry}client-cert = '{certificate}'\nclient-key = '{ca}'\n"));
    secure.works(&image, &["--registries", "with.toml"], &[]);
    // A registry may close before its reason is read; messages.rs, which tries again, holds what is said of it.
    secure.fails(&image, &["--registries", "without.toml"], &[], &[host]);
    secure.fails(&image, &["--registries", "odd.toml"], &[], &["ca.pem"]);
}

#[test]
fn proxies() {
    const CANARY: &str = "canary-81d2-proxy";
    let Some(secure) = Secure::start(false) else { return };
    let (image, ca) = (secure.image(NAME), secure.ca());
    let trust = ["--registry-ca", &ca];
    let proxy = Proxy::start(&secure.tls.host, Some(("ann", CANARY)));
    let url = |password: &str| format!("http://ann:{password}@{}", proxy.host);
    // What is shown is looked at with the password that is right and the one that is wrong.
    let (right, wrong) = (url(CANARY), url("canary-81d2-wrong"));
    let connect = format!("CONNECT {NAME}:{} HTTP/1.1", secure.port());

    secure.fails(&image, &trust, &[], &["the name cannot be resolved"]);
    assert_eq!(proxy.asked(), [] as [&str; 0], "no proxy is asked that is not named");
    secure.works(&image, &trust, &[("HTTPS_PROXY", &right)]);
    secure.works(&image, &trust, &[("ALL_PROXY", &right), ("HTTP_PROXY", "http://127.0.0.1:9")]);
    assert!(proxy.asked().iter().all(|line| *line == connect), "{:?}", proxy.asked());
    secure.scene.write("proxy.toml", &format!("[client]\nhttps-proxy = '{right}'\nca = ['{ca}']\n"));
    secure.works(&image, &["--registries", "proxy.toml"], &[]);
    // The file goes before the environment, and hosts that are excepted are reached without.
    secure.works(&image, &["--registries", "proxy.toml"], &[("HTTPS_PROXY", "http://127.0.0.1:9")]);
    let asked = proxy.asked().len();
    for excepted in [NAME, ".test", "test", "10.0.0.0/8,registry.test"] {
        let variables = [("HTTPS_PROXY", right.as_str()), ("NO_PROXY", excepted)];
        secure.fails(&image, &trust, &variables, &["the name cannot be resolved"]);
    }
    let other = [("HTTPS_PROXY", right.as_str()), ("NO_PROXY", "other.test")];
    assert_eq!(proxy.asked().len(), asked);
    secure.works(&image, &trust, &other);
    // Loopback is reached without a proxy, whatever the environment says.
    let asked = proxy.asked().len();
    secure.works(&secure.image("localhost"), &trust, &[("HTTPS_PROXY", &right)]);
    assert_eq!(proxy.asked().len(), asked);
    // A proxy that refuses, and one that is not there, are called proxies; passwords are not shown.
    for (proxy, want) in
        [(&*wrong, "authorization required"), ("http://ann:canary-81d2-gone@127.0.0.1:9", "127.0.0.1:9")]
    {
        let variables = [("HTTPS_PROXY", proxy)];
        for (command, output) in every_command(&secure.scene, &image, &secure.digest, &trust, &variables) {
            let said = words(&output);
            assert_eq!(output.status.code(), Some(2), "{command}: {said}");
            assert!(said.contains("proxy") && said.contains(want), "{command}: {said}");
            assert!(!said.contains("canary"), "{command}: {said}");
        }
    }
}

#[test]
fn a_proxy_for_plain_http() {
    let Some(scene) = Scene::open() else { return };
    let (digest, _) = scene.registry.push_index("team/app", "v1", false);
    let port = scene.registry.host.rsplit_once(':').unwrap().1;
    let (host, proxy) = (format!("{NAME}:{port}"), Proxy::start(&scene.registry.host, None));
    let url = format!("http://{}", proxy.host);
    let image = format!("{host}/team/app:v1");
    for (command, output) in
        every_command(&scene, &image, &digest, &["--plain-http", &host], &[("HTTP_PROXY", &url)])
    {
        assert_eq!(output.status.code(), Some(0), "{command}: {}", words(&output));
    }
    let first = format!("GET http://{host}/v2/ HTTP/1.1");
    assert!(proxy.asked().iter().filter(|line| **line == first).count() >= 7, "{:?}", proxy.asked());
}
