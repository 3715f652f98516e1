//! Every command of the docs on clusters, in the order in which a reader runs them. A stand-in for kubelet says that
//! pods are ready; the API server calls a replica that runs beside it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::control_plane::{ControlPlane, shared};
use crate::installation::{CONFIGURATION, Installation, NAMESPACE};
use crate::kubectl::Kubectl;
use crate::pinning::{LOOPBACK, registry, tried};
use crate::processes::{find, wait};
use crate::serving::{Serving, namespace, wait_for};

/// A reader's shell.
struct Reader<'a> {
    folder: PathBuf,
    installation: &'a Installation,
    serving: &'a Serving,
    /// What the maps make of `nginx`.
    swapped: &'a str,
    /// `$IMAGE`, and what becomes of it in the namespace `team-d`.
    pinned: Option<(String, String)>,
}

impl<'a> Reader<'a> {
    fn new(
        plane: &ControlPlane,
        name: &str,
        installation: &'a Installation,
        serving: &'a Serving,
        swapped: &'a str,
    ) -> Self {
        let folder = plane.folder(&format!("reader-{name}"));
        for name in ["fixtures", "deploy"] {
            symlink(Path::new(env!("CARGO_MANIFEST_DIR")).join(name), folder.join(name)).unwrap();
        }
        fs::create_dir(folder.join("bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_imageswap"), folder.join("bin/imageswap")).unwrap();
        symlink(installation.kubectl.program(), folder.join("bin/kubectl")).unwrap();
        symlink(find("helm3").expect("helm is there with the API server"), folder.join("bin/helm")).unwrap();
        Self { folder, installation, serving, swapped, pinned: None }
    }

    fn shell(&self, line: &str) -> std::process::Output {
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", line]).current_dir(&self.folder).env_clear();
        command.env("PATH", format!("{}:/usr/bin:/bin", self.folder.join("bin").display()));
        command.env("HOME", &self.folder).env("KUBECONFIG", &self.installation.kubectl.kubeconfig);
        command.envs(self.pinned.iter().map(|(image, _)| ("IMAGE", image)));
        command.output().unwrap()
    }

    /// Runs the `shell` blocks of a text; how many commands there were.
    fn read(&self, file: &str) -> usize {
        let text = fs::read_to_string(file).unwrap();
        let (mut block, mut count, mut last) = (None, 0, String::new());
        for line in text.lines() {
            match (block, line) {
                (None, opening) if opening.starts_with("```") => block = Some(&opening[3..]),
                (Some(_), "```") => block = None,
                (Some("shell"), line) => match line.strip_prefix("# prints ") {
                    Some(expected) => assert_eq!(last.trim(), expected, "{file}"),
                    None => {
                        let output = self.shell(line);
                        let error = String::from_utf8_lossy(&output.stderr);
                        assert!(output.status.success(), "{file}: {line}\n{error}");
                        last = String::from_utf8(output.stdout).unwrap();
                        self.after(line);
                        count += 1;
                    }
                },
                (Some("shell kubelet"), line) => {
                    // There is no node to ask; the API server says so, and not that it was asked for nonsense.
                    let output = self.shell(line);
                    let error = String::from_utf8_lossy(&output.stderr);
                    assert!(
                        !output.status.success() && error.contains("does not have a host assigned"),
                        "{line}: {error}"
                    );
                    count += 1;
                }
                _ => {}
            }
        }
        count
    }

    /// Waits as a person does who reads what was printed, and keeps the Service on the replica of the test.
    fn after(&self, line: &str) {
        let kubectl = &self.installation.kubectl;
        if line.contains("kubectl apply")
            && !line.contains("--dry-run=server")
            && !line.contains("create configmap")
        {
            self.serving.route(self.installation);
            wait("the CA is published", 30, || {
                let bundles = self.installation.ca_bundles();
                let ca = self.installation.secret("ca.crt");
                if bundles.iter().all(|bundle| *bundle == ca) { Ok(()) } else { Err(format!("{bundles:?}")) }
            });
            if let Some((image, pinned)) = &self.pinned {
                wait("the image is pinned", 30, || match tried(kubectl, "team-d", image)? {
                    found if found == *pinned => Ok(()),
                    found => Err(found),
                });
            }
        }
        if line.contains("kubectl label namespace") && line.contains("=enabled") {
            let name = line.split_whitespace().nth(3).unwrap();
            wait_for(kubectl, name, self.swapped);
        } else if line.contains("kubectl create namespace") {
            let name = line.split_whitespace().nth(3).unwrap();
            wait("the namespace has a service account", 60, || {
                kubectl.try_run(&["get", "serviceaccount", "default", "--namespace", name])
            });
        }
    }
}

/// Says that the pods of the installation are ready until it is dropped.
struct Kubelet {
    done: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Kubelet {
    fn start(kubectl: Kubectl) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let stop = done.clone();
        let thread = thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let list = kubectl.try_run(&["get", "pods", "--namespace", NAMESPACE, "--output=json"]);
                let list: Value = serde_json::from_str(&list.unwrap_or_default()).unwrap_or_default();
                for pod in list["items"].as_array().into_iter().flatten() {
                    if pod["status"]["phase"] == "Pending" {
                        let ready = json!({ "status": {
                            "phase": "Running",
                            "conditions": [{ "type": "Ready", "status": "True" }],
                        } });
                        let name = format!("pod/{}", pod["metadata"]["name"].as_str().unwrap());
                        let patch = format!("--patch={ready}");
                        let arguments =
                            ["patch", &name, "--subresource=status", "--namespace", NAMESPACE, &patch];
                        // It may be gone already.
                        let _ = kubectl.try_run(&arguments);
                    }
                }
                thread::sleep(Duration::from_millis(300));
            }
        });
        Self { done, thread: Some(thread) }
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        // A panic there is no reason for a second one here.
        let _ = self.thread.take().unwrap().join();
    }
}

const FIXTURE: &str = "mirror.example.com/hub/library/nginx";

#[test]
fn the_quickstart_of_the_readme_swaps_an_image() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &[]);
    let serving = Serving::start(plane, &installation, "readme");
    serving.set_maps(&fs::read_to_string("fixtures/imageswap.maps").unwrap());
    let _kubelet = Kubelet::start(installation.kubectl.clone());
    let reader = Reader::new(plane, "readme", &installation, &serving, FIXTURE);
    assert_eq!(reader.read("README.md"), 6);
}

#[test]
fn every_command_of_operations_does_what_it_says() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &[]);
    let serving = Serving::start(plane, &installation, "operations");
    serving.set_maps(&fs::read_to_string("fixtures/imageswap.maps").unwrap());
    let _kubelet = Kubelet::start(installation.kubectl.clone());
    let reader = Reader::new(plane, "operations", &installation, &serving, FIXTURE);
    assert!(reader.read("docs/operations.md") > 30);
    let kubectl = &installation.kubectl;
    let get = |pod: &str| kubectl.get(&[pod, "--namespace=shop"])["spec"]["containers"][0]["image"].clone();
    assert_eq!(get("pod/urgent"), "nginx");
}

#[test]
fn imageswap_webhook_is_replaced_in_its_place() {
    let Some(plane) = shared() else { return };
    let old = |name: &str| fs::read_to_string(format!("tests/cluster/fixtures/{name}.yaml")).unwrap();
    // As its service account has no token yet, it is imageswap's own that serves below.
    plane.kubectl().run(&["delete", "--ignore-not-found", "deployment/imageswap", "--namespace", NAMESPACE]);
    let installation = Installation::of(plane, &[]);
    let kubectl = &installation.kubectl;
    kubectl.run(&[
        "delete",
        "deployment/imageswap",
        "service/imageswap",
        "secret/imageswap-tls",
        CONFIGURATION,
        "--namespace",
        NAMESPACE,
    ]);
    kubectl.apply(&old("imageswap-webhook"));
    kubectl.call(&["create", "--filename=-"], &old("imageswap-webhook-mwc")).unwrap();
    namespace(kubectl, "team-a", &["k8s.twr.io/imageswap=enabled"]);

    let arguments = ["--bootstrap=self-signed"];
    let environment = [("FLASK_ENV", "production"), ("IMAGESWAP_LOG_LEVEL", "INFO")];
    let serving = Serving::start_alone(plane, &installation, "migrated", &arguments, &environment);
    let maps = kubectl.get(&["configmap/imageswap-maps", "--namespace", NAMESPACE])["data"]["maps"].clone();
    serving.set_maps(maps.as_str().unwrap());
    let _kubelet = Kubelet::start(kubectl.clone());
    let reader = Reader::new(plane, "migrated", &installation, &serving, "registry.example.com/hub/nginx");
    assert!(reader.read("docs/migrating-from-imageswap-webhook.md") > 15);

    let pod =
        kubectl.get(&["deployment/imageswap", "--namespace", NAMESPACE])["spec"]["template"]["spec"].clone();
    assert!(pod["initContainers"].is_null() && pod["containers"][0]["command"].is_null(), "{pod}");
    assert_eq!(pod["serviceAccountName"], "imageswap");
    assert_eq!(pod["containers"].as_array().unwrap().len(), 1);
    let env = kubectl.get(&["configmap/imageswap-env", "--namespace", NAMESPACE])["data"].clone();
    assert_eq!((&env["IMAGESWAP_MODE"], &env["IMAGESWAP_LOG_LEVEL"]), (&json!("MAPS"), &json!("info")));
    assert_eq!(installation.secret("cert.pem"), "an old certificate", "for the way back");
    let hooks = kubectl.get(&[CONFIGURATION])["webhooks"].clone();
    assert_eq!(hooks.as_array().unwrap().len(), 2, "the old one is not left beside");
}

#[test]
fn k8s_digester_is_replaced_beside_it() {
    let Some(plane) = shared() else { return };
    let storage = tempfile::TempDir::new().unwrap();
    let Some((_registry, image, digest)) = registry(storage.path()) else { return };
    let installation = Installation::of(plane, &["--pin", LOOPBACK]);
    let kubectl = &installation.kubectl;
    kubectl.apply(&fs::read_to_string("tests/cluster/fixtures/k8s-digester.yaml").unwrap());
    namespace(kubectl, "team-d", &["digest-resolution=enabled"]);
    let serving = Serving::start(plane, &installation, "digester");
    let _kubelet = Kubelet::start(kubectl.clone());
    let mut reader = Reader::new(plane, "digester", &installation, &serving, FIXTURE);
    let pinned = format!("{image}@{digest}");
    reader.pinned = Some((image, pinned));
    assert!(reader.read("docs/migrating-from-k8s-digester.md") >= 10);
    let env = kubectl.get(&["configmap/imageswap-env", "--namespace", NAMESPACE])["data"].clone();
    assert_eq!(env["SKIP_PREFIXES"], "gcr.io/private:quay.io/private");
    for gone in [
        "mutatingwebhookconfiguration/digester-mutating-webhook-configuration",
        "clusterrole/digester-manager-role",
    ] {
        kubectl.fails(&["get", gone]);
    }
}

/// `tests/air_gap.rs` runs what comes before.
#[test]
fn the_site_of_the_air_gap_page_swaps_images() {
    let Some(plane) = shared() else { return };
    let page = fs::read_to_string("docs/air-gap.md").unwrap();
    let command = |start: &str| page.lines().find(|line| line.starts_with(start)).unwrap();
    let (maps, manifests) = (command("echo '"), command("imageswap manifests "));
    let installation = Installation::of(plane, &[]);
    let serving = Serving::start(plane, &installation, "air-gap");
    let _kubelet = Kubelet::start(installation.kubectl.clone());
    // What has no rule stays.
    let reader = Reader::new(plane, "air-gap", &installation, &serving, "nginx");
    let output = reader.shell(&format!("mkdir site; {maps}; {manifests}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let maps = fs::read_to_string(reader.folder.join("site/imageswap.maps")).unwrap();
    serving.set_maps(&maps);
    assert_eq!(reader.read("docs/air-gap.md"), 4);
    let kubectl = &installation.kubectl;
    let map = kubectl.get(&["configmap/imageswap-maps", "--namespace", NAMESPACE]);
    assert_eq!(map["data"]["maps"], maps.as_str());
    wait("an image of the outside comes from the site", 60, || {
        match tried(kubectl, "site", "registry.example.com/shop/web:2.1")? {
            found if found == "registry.site.example/mirror/shop/web:2.1" => Ok(()),
            found => Err(found),
        }
    });
}

/// Dashboard and alerts ask for metrics that there are.
#[test]
fn what_is_watched_is_measured() {
    let source = ["src/webhook/metrics.rs", "src/webhook/mirroring/metrics.rs"]
        .map(|path| fs::read_to_string(path).unwrap());
    let dashboard = fs::read_to_string("docs/monitoring/dashboard.json").unwrap();
    let alerts = fs::read_to_string("docs/monitoring/alerts.yaml").unwrap();
    let operations = fs::read_to_string("docs/operations.md").unwrap();
    let panels: Value = serde_json::from_str(&dashboard).unwrap();
    assert_eq!(panels["panels"].as_array().unwrap().len(), 8);
    let rules: Value = serde_saphyr::from_str(&alerts).unwrap();
    for rule in rules["groups"][0]["rules"].as_array().unwrap() {
        let name = rule["alert"].as_str().unwrap();
        assert!(operations.contains(&format!("`{name}`")), "{name} is not explained");
    }
    let mut names = BTreeSet::new();
    for text in [&dashboard, &alerts, &operations] {
        for (at, _) in text.match_indices("imageswap_") {
            let name: String =
                text[at + 10..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            names.insert(name);
        }
    }
    assert!(names.len() >= 10, "{names:?}");
    for name in names {
        let mut base = name.as_str();
        for suffix in ["_bucket", "_info", "_total", "_seconds", "_bytes"] {
            base = base.strip_suffix(suffix).unwrap_or(base);
        }
        let quoted = format!("\"{base}\"");
        assert!(source.iter().any(|text| text.contains(&quoted)), "imageswap_{name} is not measured");
    }
}
