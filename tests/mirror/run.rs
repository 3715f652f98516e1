//! Running the program, and registries as source and target.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::registry_support::http;
use crate::registry_support::real::{Kind, Registry, sha256};

/// A run that has ended.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// The lines of JSON about images.
    pub(crate) fn images(&self) -> Vec<Value> {
        let lines = self.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|value| value["type"] == "image").collect()
    }

    /// The summary.
    pub(crate) fn summary(&self) -> Value {
        let last = self.stdout.lines().last().unwrap_or_else(|| panic!("{}", self.stderr));
        let value: Value = serde_json::from_str(last).unwrap();
        assert_eq!(value["type"], "summary");
        value
    }

    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
        self
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The program, with nothing of this machine's configuration.
pub(crate) fn imageswap(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imageswap"));
    command.current_dir(folder).env("HOME", folder).env("DOCKER_CONFIG", folder).stdin(Stdio::null());
    for name in
        ["IMAGESWAP_MAPS_FILE", "IMAGESWAP_REGISTRIES", "IMAGESWAP_REGISTRY_CONFIG", "XDG_RUNTIME_DIR"]
    {
        command.env_remove(name);
    }
    command
}

/// A source, a target, and a folder with manifests and maps between them.
pub(crate) struct Stage {
    pub(crate) source: Registry,
    pub(crate) target: Registry,
    pub(crate) folder: TempDir,
    _storage: [TempDir; 2],
}

impl Stage {
    /// `None` when a program is not there.
    pub(crate) fn new(source: Kind, target: Kind) -> Option<Self> {
        let storage = [TempDir::new().unwrap(), TempDir::new().unwrap()];
        let (source, target) =
            (Registry::of(source, storage[0].path())?, Registry::of(target, storage[1].path())?);
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("maps"), format!("{}::{}/mirror\n", source.host, target.host)).unwrap();
        Some(Self { source, target, folder, _storage: storage })
    }

    /// A manifest that uses these images of the source.
    pub(crate) fn manifest(&self, images: &[&str]) {
        let containers: String = images
            .iter()
            .enumerate()
            .map(|(at, image)| format!("  - {{name: c{at}, image: '{}/{image}'}}\n", self.source.host))
            .collect();
        let text =
            format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  containers:\n{containers}");
        fs::write(self.folder.path().join("pod.yaml"), text).unwrap();
    }

    /// Writes the file `list` of sources and targets.
    pub(crate) fn list(&self, pairs: &[(String, String)]) {
        let lines: String = pairs.iter().map(|(from, to)| format!("{from} {to}\n")).collect();
        fs::write(self.folder.path().join("list"), lines).unwrap();
    }

    /// `imageswap mirror pod.yaml --maps maps --format json`
    pub(crate) fn mirror(&self, arguments: &[&str]) -> Run {
        self.run("mirror", &[&["pod.yaml", "--maps", "maps", "--format", "json"], arguments].concat())
    }

    pub(crate) fn run(&self, command: &str, arguments: &[&str]) -> Run {
        imageswap(self.folder.path()).arg(command).args(arguments).output().unwrap().into()
    }

    /// The digest of a tag at the target.
    pub(crate) fn at_target(&self, repository: &str, tag: &str) -> Option<String> {
        manifest(&self.target.host, repository, tag).map(|(bytes, _)| sha256(&bytes))
    }
}

/// All media types of manifests.
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// A manifest and its media type, as a registry has it.
pub(crate) fn manifest(host: &str, repository: &str, reference: &str) -> Option<(Vec<u8>, String)> {
    let path = format!("/v2/{repository}/manifests/{reference}");
    let reply = http::request(host, "GET", &path, &[("Accept", ACCEPT)], b"");
    let kind = reply.header("Content-Type").unwrap_or_default().to_owned();
    (reply.status == 200).then_some((reply.body, kind))
}

/// Everything that a manifest is made of is at the registry, byte for byte. Gives the number of blobs and manifests.
pub(crate) fn closure(host: &str, repository: &str, reference: &str) -> usize {
    let (bytes, _) = manifest(host, repository, reference)
        .unwrap_or_else(|| panic!("{host}/{repository}: {reference} is missing"));
    if reference.starts_with("sha256:") {
        assert_eq!(sha256(&bytes), reference);
    }
    let value: Value = serde_json::from_slice(&bytes).unwrap();
    let list = |name: &str| value[name].as_array().cloned().unwrap_or_default();
    let mut count = 1;
    for child in list("manifests") {
        count += closure(host, repository, child["digest"].as_str().unwrap());
    }
    for blob in list("layers").iter().chain(value.get("config")) {
        let digest = blob["digest"].as_str().unwrap();
        let reply = http::request(host, "GET", &format!("/v2/{repository}/blobs/{digest}"), &[], b"");
        assert_eq!(reply.status, 200, "{host}/{repository}: the blob {digest} is missing");
        assert_eq!(sha256(&reply.body), digest);
        count += 1;
    }
    count
}
