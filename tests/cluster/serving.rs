//! `imageswap serve` beside the control plane, as the service account of the installation, and called through its
//! Service.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::installation::{CONFIGURATION, Installation, NAMESPACE};
use crate::kubectl::Kubectl;
use crate::processes::{Running, wait};

/// The rules of the tests.
pub(crate) const MAPS: &str = "docker.io::mirror.example.com/hub\n";

/// A replica that answers.
pub(crate) struct Serving {
    pub(crate) process: Running,
    pub(crate) port: u16,
    maps: PathBuf,
}

impl Serving {
    /// Starts a replica with the arguments of the Deployment and the environment of its ConfigMap, and sends what is
    /// for the Service to it.
    #[track_caller]
    pub(crate) fn start(plane: &ControlPlane, installation: &Installation, name: &str) -> Self {
        let kubectl = &installation.kubectl;
        let deployment = kubectl.get(&["deployment/imageswap", "--namespace", NAMESPACE]);
        let arguments = deployment["spec"]["template"]["spec"]["containers"][0]["args"].clone();
        let arguments = arguments.as_array().unwrap().iter().map(|argument| argument.as_str().unwrap());
        let arguments = arguments.collect::<Vec<_>>();
        assert_eq!(arguments[0], "serve");
        let data = kubectl.get(&["configmap/imageswap-env", "--namespace", NAMESPACE])["data"].clone();
        let data =
            data.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
        let environment = data.collect::<Vec<_>>();
        let serving = Self::start_alone(plane, installation, name, &arguments[1..], &environment);
        serving.route(installation);
        serving
    }

    /// Starts a replica that is not called yet.
    #[track_caller]
    pub(crate) fn start_alone(
        plane: &ControlPlane,
        installation: &Installation,
        name: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let folder = plane.folder(&format!("serve-{name}"));
        let maps = folder.join("maps");
        fs::create_dir_all(&maps).unwrap();
        mount(&maps, MAPS);
        let mut given = vec![
            "serve".to_owned(),
            "--listen=127.0.0.1:0".to_owned(),
            "--metrics-addr=off".to_owned(),
            "--log-format=json".to_owned(),
            "--lame-duck=0".to_owned(),
            "--reload-interval=0.1".to_owned(),
        ];
        if !environment.iter().any(|(name, _)| *name == "IMAGESWAP_MODE") {
            given.push(format!("--maps={}", maps.join("imageswap-maps.conf").display()));
        }
        given.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        let kubeconfig = installation.account.display().to_string();
        let mut variables = vec![
            ("KUBECONFIG", kubeconfig.as_str()),
            ("IMAGESWAP_NAMESPACE_NAME", NAMESPACE),
            ("IMAGESWAP_POD_NAME", name),
        ];
        variables.extend(environment);
        let program = Path::new(env!("CARGO_BIN_EXE_imageswap"));
        let mut process = Running::start(program, &given, &variables, &folder.join("log"));
        let port = wait("serve listens", 30, || {
            process.assert_running();
            let log = process.log();
            let line = log.lines().find(|line| line.contains("listening")).ok_or_else(|| log.clone())?;
            let (_, rest) = line.split_once("127.0.0.1:").ok_or_else(|| line.to_owned())?;
            rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().map_err(|_| line.to_owned())
        });
        wait("serve is ready", 30, || {
            process.assert_running();
            let asked = std::process::Command::new("curl")
                .args(["--silent", "--show-error", "--fail", "--insecure"])
                .arg(format!("https://127.0.0.1:{port}/readyz"))
                .output()
                .unwrap();
            if asked.status.success() { Ok(()) } else { Err(process.log()) }
        });
        Self { process, port, maps }
    }

    /// Sends what is for the Service here. Nothing routes to a cluster's addresses: a name takes its place.
    #[track_caller]
    pub(crate) fn route(&self, installation: &Installation) {
        let kubectl = &installation.kubectl;
        let service = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": "imageswap", "namespace": NAMESPACE },
            "spec": { "type": "ExternalName", "externalName": "localhost" },
        });
        kubectl.run(&["delete", "--ignore-not-found", "service/imageswap", "--namespace", NAMESPACE]);
        kubectl.apply(&service.to_string());
        let hooks = kubectl.get(&[CONFIGURATION])["webhooks"].as_array().unwrap().len();
        let port = |index| json!({ "op": "replace", "path": format!("/webhooks/{index}/clientConfig/service/port"), "value": self.port });
        let patch = Value::from((0..hooks).map(port).collect::<Vec<_>>()).to_string();
        kubectl.run(&["patch", CONFIGURATION, "--type=json", "--patch", &patch]);
    }

    /// Replaces the maps as kubelet replaces a ConfigMap's files.
    pub(crate) fn set_maps(&self, maps: &str) {
        mount(&self.maps, maps);
    }
}

/// Writes `imageswap-maps.conf` as kubelet does: a link into `..data`, which is a link that is replaced.
fn mount(folder: &Path, maps: &str) {
    let version = (0..).map(|n| format!("..version{n}")).find(|name| !folder.join(name).exists()).unwrap();
    fs::create_dir(folder.join(&version)).unwrap();
    fs::write(folder.join(&version).join("imageswap-maps.conf"), maps).unwrap();
    symlink(&version, folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    if !folder.join("imageswap-maps.conf").is_symlink() {
        symlink("..data/imageswap-maps.conf", folder.join("imageswap-maps.conf")).unwrap();
    }
}

/// A namespace in which pods can be made.
#[track_caller]
pub(crate) fn namespace(kubectl: &Kubectl, name: &str, labels: &[&str]) {
    kubectl.run(&["create", "namespace", name]);
    if !labels.is_empty() {
        kubectl.run(&[&["label", "namespace", name], labels].concat());
    }
    wait("the namespace has a service account", 60, || {
        kubectl.try_run(&["get", "serviceaccount", "default", "--namespace", name])
    });
}

/// Waits until a pod made in the namespace gets this image in place of `nginx`. Nothing is stored.
#[track_caller]
pub(crate) fn wait_for(kubectl: &Kubectl, namespace: &str, image: &str) {
    wait(&format!("nginx is {image} in {namespace}"), 60, || {
        let arguments =
            ["run", "probe", "--image=nginx", "--dry-run=server", "--output=json", "--namespace", namespace];
        let made: Value = serde_json::from_str(&kubectl.try_run(&arguments)?).unwrap();
        let found = made["spec"]["containers"][0]["image"].as_str().unwrap();
        if found == image { Ok(()) } else { Err(found.to_owned()) }
    });
}
