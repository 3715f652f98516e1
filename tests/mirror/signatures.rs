//! Signatures, attestations and SBOMs travel along, and the tag comes after them.

use serde_json::{Value, json};

use crate::registry_support::http;
use crate::registry_support::real::{Kind, Registry, sha256};
use crate::run::{Stage, closure, manifest};

const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Puts an artifact that refers to `subject`, and lists it under the fallback tag where the registry needs that.
pub(crate) fn refer(
    registry: &Registry,
    repository: &str,
    subject: &str,
    size: usize,
    kind: &str,
    by_tag: bool,
) -> String {
    let config = registry.push_blob(repository, b"{}");
    let layer = registry.push_blob(repository, kind.as_bytes());
    let bytes = json!({
        "schemaVersion": 2, "mediaType": OCI, "artifactType": kind,
        "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2 },
        "layers": [{ "mediaType": "text/plain", "digest": layer, "size": kind.len() }],
        "subject": { "mediaType": INDEX, "digest": subject, "size": size },
        "annotations": { "about": kind },
    });
    let bytes = serde_json::to_vec(&bytes).unwrap();
    let digest = sha256(&bytes);
    registry.push_manifest(repository, &digest, OCI, &bytes);
    if by_tag {
        let tag = subject.replace(':', "-");
        let mut index = match manifest(&registry.host, repository, &tag) {
            Some((bytes, _)) => serde_json::from_slice(&bytes).unwrap(),
            None => json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] }),
        };
        let descriptor =
            json!({ "mediaType": OCI, "digest": digest, "size": bytes.len(), "artifactType": kind });
        index["manifests"].as_array_mut().unwrap().push(descriptor);
        registry.push_manifest(repository, &tag, INDEX, &serde_json::to_vec(&index).unwrap());
    }
    digest
}

/// What the registry lists as referring to `subject`.
pub(crate) fn referrers(registry: &Registry, repository: &str, subject: &str) -> Vec<String> {
    let path = format!("/v2/{repository}/referrers/{subject}");
    let reply = http::request(&registry.host, "GET", &path, &[], b"");
    let bytes = if reply.status == 200 {
        reply.body
    } else {
        match manifest(&registry.host, repository, &subject.replace(':', "-")) {
            Some((bytes, _)) => bytes,
            None => return Vec::new(),
        }
    };
    let index: Value = serde_json::from_slice(&bytes).unwrap();
    let all = index["manifests"].as_array().unwrap().iter();
    let mut all: Vec<String> = all.map(|entry| entry["digest"].as_str().unwrap().to_owned()).collect();
    all.sort();
    all
}

#[test]
fn they_travel_between_all_registries() {
    for from in Kind::all() {
        for to in Kind::all() {
            let Some(stage) = Stage::new(from, to) else { continue };
            let by_tag = from != Kind::Olareg;
            let (index, children) = stage.source.push_index("app", "1", false);
            let (bytes, _) = manifest(&stage.source.host, "app", "1").unwrap();
            let source = &stage.source;
            let sbom = refer(source, "app", &index, bytes.len(), "application/spdx+json", by_tag);
            let of_child = refer(source, "app", &children[0], 1, "application/vnd.example.scan", by_tag);
            // A signature of the SBOM.
            let signature = refer(source, "app", &sbom, 1, "application/vnd.cncf.notary.signature", by_tag);
            let (cosign, _) =
                source.push_image("app", Some(&format!("{}.sig", index.replace(':', "-"))), false, "s");
            stage.manifest(&["app:1"]);
            let run = stage.mirror(&[]).succeeded();
            assert_eq!(run.images()[0]["referrers"], 4, "{from:?} to {to:?}");
            let target = &stage.target;
            for (subject, want) in [(&index, &sbom), (&children[0], &of_child), (&sbom, &signature)] {
                assert_eq!(
                    referrers(target, "mirror/app", subject),
                    std::slice::from_ref(want),
                    "{from:?} to {to:?}"
                );
                closure(&target.host, "mirror/app", want);
            }
            let tag = format!("{}.sig", index.replace(':', "-"));
            assert_eq!(stage.at_target("mirror/app", &tag), Some(cosign), "{from:?} to {to:?}");
            closure(&target.host, "mirror/app", &tag);
        }
    }
}

#[test]
fn what_the_target_has_is_kept() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let (index, _) = stage.source.push_index("app", "1", false);
    let (bytes, _) = manifest(&stage.source.host, "app", "1").unwrap();
    let theirs = refer(&stage.source, "app", &index, bytes.len(), "application/their-sbom", true);
    // Of the same subject, at the target alone.
    let ours = refer(&stage.target, "mirror/app", &index, bytes.len(), "application/our-scan", true);
    stage.manifest(&["app:1"]);
    stage.mirror(&[]).succeeded();
    let mut want = [theirs, ours];
    want.sort();
    assert_eq!(referrers(&stage.target, "mirror/app", &index), want);
    // A tag of cosign that stands for something else is not moved unasked, and the image's own does not come before it.
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let (index, _) = stage.source.push_index("app", "1", false);
    let tag = format!("{}.sig", index.replace(':', "-"));
    stage.source.push_image("app", Some(&tag), false, "their signature");
    let (ours, _) = stage.target.push_image("mirror/app", Some(&tag), false, "our signature");
    stage.manifest(&["app:1"]);
    let run = stage.mirror(&[]);
    assert_eq!((run.code, &run.images()[0]["error"]["code"]), (2, &Value::from("conflict")));
    assert_eq!(stage.at_target("mirror/app", &tag), Some(ours));
    assert_eq!(stage.at_target("mirror/app", "1"), None);
    stage.mirror(&["--overwrite"]).succeeded();
    assert_eq!(stage.at_target("mirror/app", "1"), Some(index));
}

#[test]
fn what_comes_along_is_chosen() {
    for (which, want) in [("none", 0), ("signatures", 2), ("all", 3)] {
        let Some(stage) = Stage::new(Kind::Olareg, Kind::Olareg) else { return };
        let (index, _) = stage.source.push_index("app", "1", false);
        let (bytes, _) = manifest(&stage.source.host, "app", "1").unwrap();
        for kind in ["application/spdx+json", "application/vnd.cncf.notary.signature"] {
            refer(&stage.source, "app", &index, bytes.len(), kind, false);
        }
        stage.source.push_image("app", Some(&format!("{}.sig", index.replace(':', "-"))), false, "signature");
        stage.manifest(&["app:1"]);
        let run = stage.mirror(&["--referrers", which]).succeeded();
        assert_eq!(run.images()[0]["referrers"], want, "{which}");
    }
}

#[test]
fn signed_images_are_not_made_smaller() {
    let Some(stage) = Stage::new(Kind::Olareg, Kind::Crane) else { return };
    let (index, _) = stage.source.push_index("app", "1", false);
    let (bytes, _) = manifest(&stage.source.host, "app", "1").unwrap();
    refer(&stage.source, "app", &index, bytes.len(), "application/vnd.cncf.notary.signature", false);
    stage.manifest(&["app:1"]);
    let run = stage.mirror(&["--platform", "linux/amd64"]);
    assert_eq!((run.code, &run.images()[0]["error"]["code"]), (2, &Value::from("keeps-digest")));
    stage.mirror(&["--platform", "linux/amd64", "--referrers", "none"]).succeeded();
}

/// Whoever may write a tag may list anything under it.
#[test]
fn what_does_not_refer_to_it_stays_behind() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let (index, _) = stage.source.push_index("app", "1", false);
    let (other, size) = stage.source.push_image("app", None, false, "somebody else's");
    let tag = index.replace(':', "-");
    let listed = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [{ "mediaType": OCI, "digest": other, "size": size }] });
    stage.source.push_manifest("app", &tag, INDEX, &serde_json::to_vec(&listed).unwrap());
    stage.manifest(&["app:1"]);
    let run = stage.mirror(&[]).succeeded();
    assert_eq!(run.images()[0]["referrers"], 0);
    assert_eq!(stage.at_target("mirror/app", &tag), None);
}
