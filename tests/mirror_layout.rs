//! `imageswap mirror` through image layouts: what travels, what is left out, and what is said when something is missing.
#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise and say why")]

mod registry_support;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use registry_support::http;
use registry_support::program;
use registry_support::real::{Kind, Registry, sha256};
use tempfile::TempDir;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A place outside, one inside, and a folder between them.
struct Site {
    outside: Registry,
    inside: Registry,
    folder: TempDir,
}

impl Site {
    fn new(kind: Kind) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let registry = |kind, name: &str| Registry::of(kind, &folder.path().join(name));
        let (outside, inside) = (registry(Kind::Docker, "outside")?, registry(kind, "inside")?);
        let site = Self { outside, inside, folder };
        site.write("rules.maps", &format!("{}::{}/mirror\n", site.outside.host, site.inside.host));
        Some(site)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Lists these images of the outside.
    fn list(&self, images: &[&str]) {
        let lines = images.iter().map(|image| format!("{}/{image}\n", self.outside.host));
        self.write("list", &lines.collect::<String>());
    }

    /// Runs `imageswap mirror`; its code and what it says.
    fn mirror(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_imageswap"));
        command.args(["mirror", "--maps", "rules.maps"]).args(arguments).current_dir(self.folder.path());
        let output = command.env("HOME", "/nonexistent").env_remove("DOCKER_CONFIG").output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(said).unwrap())
    }

    #[track_caller]
    fn good(&self, arguments: &[&str]) -> String {
        let (code, said) = self.mirror(arguments);
        assert_eq!(code, 0, "{arguments:?}: {said}");
        said
    }

    /// The digest that the inside has for a tag or digest.
    fn arrived(&self, repository: &str, reference: &str) -> Option<String> {
        let accept = format!("{MANIFEST}, application/vnd.oci.image.index.v1+json");
        let path = format!("/v2/mirror/{repository}/manifests/{reference}");
        let answer = http::request(&self.inside.host, "GET", &path, &[("Accept", &accept)], b"");
        (answer.status == 200).then(|| sha256(&answer.body))
    }
}

#[test]
fn signatures_and_referrers_travel() {
    for kind in [Kind::Docker, Kind::Olareg] {
        let Some(site) = Site::new(kind) else { return };
        let (digest, _) = site.outside.push_index("team/app", "v1", false);
        let cosign = format!("{}.sig", digest.replace(':', "-"));
        let signature = site.outside.push_layers("team/app", &cosign, &["signed"], "");
        let raw = http::request(
            &site.outside.host,
            "GET",
            "/v2/team/app/manifests/v1",
            &[("Accept", "application/vnd.oci.image.index.v1+json")],
            b"",
        );
        let subject = format!(
            r#","subject":{{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"{digest}","size":{}}}"#,
            raw.body.len()
        );
        let sbom = site.outside.push_layers("team/app", "sbom", &["an SBOM"], &subject);
        let listed = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{"mediaType":"{MANIFEST}","digest":"{sbom}","size":{}}}]}}"#,
            http::request(
                &site.outside.host,
                "GET",
                "/v2/team/app/manifests/sbom",
                &[("Accept", MANIFEST)],
                b""
            )
            .body
            .len()
        );
        let fallback = digest.replace(':', "-");
        let index = "application/vnd.oci.image.index.v1+json";
        site.outside.push_manifest("team/app", &fallback, index, listed.as_bytes());
        site.list(&["team/app:v1"]);
        site.good(&["--images", "list", "--to-layout", "x.tar"]);
        site.outside.pause();
        site.good(&["--from-layout", "x.tar"]);
        site.outside.resume();
        assert_eq!(site.arrived("team/app", "v1"), Some(digest), "{kind:?}");
        assert_eq!(site.arrived("team/app", &cosign), Some(signature), "{kind:?}");
        assert_eq!(site.arrived("team/app", &sbom), Some(sbom), "{kind:?}");
    }
}

#[test]
fn what_the_other_side_lacks_is_named_before_anything_is_pushed() {
    let Some(site) = Site::new(Kind::Docker) else { return };
    let base = "x".repeat(200_000);
    site.outside.push_layers("team/app", "v1", &[&base, "one"], "");
    site.outside.push_layers("team/app", "v2", &[&base, "two"], "");
    site.list(&["team/app:v1"]);
    site.good(&["--images", "list", "--to-layout", "old", "--lock", "old.lock"]);
    site.list(&["team/app:v2"]);
    site.good(&["--images", "list", "--to-layout", "new.tar", "--since-lock", "old.lock"]);
    assert!(fs::metadata(site.path("new.tar")).unwrap().len() < 50_000);

    let (code, said) = site.mirror(&["--from-layout", "new.tar"]);
    assert_eq!(code, 2, "{said}");
    let blob = sha256(base.as_bytes());
    assert!(
        said.contains(&blob) && said.contains("team/app:v2") && said.contains("nothing was pushed"),
        "{said}"
    );
    let catalog = http::request(&site.inside.host, "GET", "/v2/_catalog", &[], b"");
    assert_eq!(String::from_utf8(catalog.body).unwrap().trim(), r#"{"repositories":[]}"#);

    site.good(&["--from-layout", "old"]);
    site.good(&["--from-layout", "new.tar"]);
    assert!(site.arrived("team/app", "v2").is_some());
}

#[test]
fn a_blob_of_another_repository_is_taken_from_there() {
    // One that mounts, and one that does not.
    for kind in [Kind::Docker, Kind::Crane] {
        let Some(site) = Site::new(kind) else { return };
        let base = "x".repeat(200_000);
        site.outside.push_layers("team/one", "v1", &[&base], "");
        let two = site.outside.push_layers("team/two", "v1", &[&base, "two"], "");
        site.list(&["team/one:v1"]);
        site.good(&["--images", "list", "--to-layout", "old", "--lock", "old.lock"]);
        site.good(&["--from-layout", "old"]);
        site.list(&["team/two:v1"]);
        site.good(&["--images", "list", "--to-layout", "new", "--since-lock", "old.lock"]);
        site.good(&["--from-layout", "new"]);
        assert_eq!(site.arrived("team/two", "v1"), Some(two), "{kind:?}");
    }
}

#[test]
fn what_cannot_be_read_leaves_no_tar_and_the_next_run_goes_on() {
    let Some(site) = Site::new(Kind::Docker) else { return };
    site.outside.push_layers("team/app", "v1", &["one"], "");
    site.list(&["team/app:v1", "team/gone:v1"]);
    let export = ["--images", "list", "--to-layout", "x.tar", "--split", "64KiB"];
    let (code, said) = site.mirror(&export);
    assert!(code == 2 && said.contains("x.tar is not written"), "{said}");
    assert!(!site.path("x.tar.00").exists() && site.path("x.tar.unfinished/index.json").metadata().is_err());
    site.outside.push_layers("team/gone", "v1", &["two", &"y".repeat(100_000)], "");
    site.good(&export);
    assert!(site.path("x.tar.01").exists() && !site.path("x.tar.unfinished").exists());
    site.good(&["--from-layout", "x.tar"]);
    assert!(site.arrived("team/app", "v1").is_some() && site.arrived("team/gone", "v1").is_some());
    let said = site.good(&["--from-layout", "x.tar.00", "--check"]);
    assert!(said.contains("skip"), "{said}");
}

#[test]
fn the_lock_in_the_layout_says_where_images_go() {
    let Some(site) = Site::new(Kind::Docker) else { return };
    let digest = site.outside.push_layers("team/app", "v1", &["one"], "");
    site.list(&["team/app:v1"]);
    site.good(&["--images", "list", "--to-layout", "x.tar"]);
    let elsewhere = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_imageswap"));
    command.args(["mirror", "--from-layout"]).arg(site.path("x.tar")).current_dir(elsewhere.path());
    let output = command.env("HOME", "/nonexistent").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(site.arrived("team/app", "v1"), Some(digest));
}

#[test]
fn what_skopeo_writes_is_copied_by_the_maps() {
    let (Some(skopeo), Some(site)) = (program::find("skopeo"), Site::new(Kind::Docker)) else { return };
    let (digest, _) = site.outside.push_index("team/app", "v1", false);
    let image = format!("{}/team/app:v1", site.outside.host);
    let to = format!("oci-archive:{}:{image}", site.path("theirs.tar").display());
    let copied = Command::new(skopeo)
        .args([
            "--insecure-policy",
            "copy",
            "--all",
            "--preserve-digests",
            "--src-tls-verify=false",
            &format!("docker://{image}"),
            &to,
        ])
        .output()
        .unwrap();
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    site.good(&["--from-layout", "theirs.tar"]);
    assert_eq!(site.arrived("team/app", "v1"), Some(digest));
}

/// The source does not have the digest of a smaller index, whichever way it came.
#[test]
fn a_smaller_index_is_remembered_as_the_targets() {
    let Some(site) = Site::new(Kind::Docker) else { return };
    site.outside.push_index("team/app", "v1", false);
    site.list(&["team/app:v1"]);
    site.good(&["--images", "list", "--platform", "linux/amd64", "--to-layout", "x.tar"]);
    site.good(&["--images", "list", "--from-layout", "x.tar", "--lock", "in.lock"]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_imageswap"));
    command.args(["lock", "diff", "--lock", "in.lock"]).current_dir(site.folder.path());
    let output = command.env("HOME", "/nonexistent").env_remove("DOCKER_CONFIG").output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

/// A run that was killed while it named the parts: those without the first are worth nothing, and the next run replaces
/// them. Parts that somebody else left are not touched.
#[test]
fn parts_without_the_first_are_replaced_when_they_are_of_a_killed_run() {
    let Some(site) = Site::new(Kind::Docker) else { return };
    site.outside.push_layers("team/app", "v1", &[&"y".repeat(150_000)], "");
    site.list(&["team/app:v1", "team/gone:v1"]);
    let export = ["--images", "list", "--to-layout", "x.tar", "--split", "64KiB"];
    assert_eq!(site.mirror(&export).0, 2);
    site.outside.push_layers("team/gone", "v1", &["two"], "");
    for part in ["x.tar.01", "x.tar.07", ".x.tar.09.imageswap.tmp"] {
        site.write(part, "half");
    }
    let (code, said) = site.mirror(&export);
    assert!(code == 2 && said.contains("x.tar.01"), "{said}");
    site.write("x.tar.unfinished/.imageswap-naming", "");
    site.good(&export);
    assert!(!site.path("x.tar.07").exists() && !site.path(".x.tar.09.imageswap.tmp").exists());
    site.good(&["--from-layout", "x.tar"]);
    assert!(site.arrived("team/app", "v1").is_some() && site.arrived("team/gone", "v1").is_some());
}
