//! Indexes within indexes: what an index names is there before it, at every depth, also where two depths share it.

use std::fs;

use serde_json::Value;

use crate::registry_support::proxy::{Harm, Proxy};
use crate::registry_support::real::Kind;
use crate::run::{Stage, closure, manifest};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Puts an index of these (media type, digest).
fn push_index(stage: &Stage, reference: Option<&str>, words: &str, of: &[(&str, &str)]) -> String {
    let entries: Vec<String> = of
        .iter()
        .map(|(kind, digest)| {
            let (bytes, _) = manifest(&stage.source.host, "app", digest).unwrap();
            format!(r#"{{"mediaType":"{kind}","digest":"{digest}","size":{}}}"#, bytes.len())
        })
        .collect();
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}],"annotations":{{"words":"{words}"}}}}"#,
        entries.join(",")
    );
    let digest = crate::registry_support::real::sha256(text.as_bytes());
    stage.source.push_manifest("app", reference.unwrap_or(&digest), INDEX, text.as_bytes())
}

/// `app:1` of the source: an index of an image, of an index of it and another, and of an index of that one.
fn push_nested(stage: &Stage) -> String {
    let image = |words: &str| stage.source.push_image("app", None, false, words).0;
    let (shared, other) = (image("shared"), image("other"));
    let inner = push_index(stage, None, "inner", &[(MANIFEST, &other), (MANIFEST, &shared)]);
    let middle = push_index(stage, None, "middle", &[(INDEX, &inner), (MANIFEST, &shared)]);
    push_index(stage, Some("1"), "outer", &[(MANIFEST, &shared), (INDEX, &inner), (INDEX, &middle)])
}

#[test]
fn children_come_before_their_parents() {
    for kind in Kind::all() {
        let Some(stage) = Stage::new(Kind::Docker, kind) else { continue };
        let digest = push_nested(&stage);
        let target = Proxy::start(&stage.target.host, |_| Harm::none());
        stage.list(&[(format!("{}/app:1", stage.source.host), format!("{}/copy/app:1", target.host))]);
        stage.run("mirror", &["--images", "list"]).succeeded();
        // Each of three paths to the shared image, and two to what is inside.
        assert_eq!(closure(&stage.target.host, "copy/app", &digest), 22, "{kind:?}");
        assert_eq!(stage.at_target("copy/app", "1").as_deref(), Some(&*digest), "{kind:?}");
        let mut written: Vec<String> = Vec::new();
        for seen in target.seen().iter().filter(|seen| seen.is("PUT", "/manifests/")) {
            let reference = seen.path.rsplit('/').next().unwrap();
            let (bytes, _) = manifest(&stage.source.host, "app", reference).unwrap();
            let value: Value = serde_json::from_slice(&bytes).unwrap();
            for child in value["manifests"].as_array().into_iter().flatten() {
                let child = child["digest"].as_str().unwrap();
                assert!(written.iter().any(|before| before == child), "{kind:?}: {child} is late");
            }
            written.push(crate::registry_support::real::sha256(&bytes));
        }
        assert_eq!(written.len(), 5, "{kind:?}: each is written once");
    }
}

#[test]
fn a_nested_index_is_locked_as_it_is() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let digest = push_nested(&stage);
    stage.manifest(&["app:1"]);
    let pin =
        ["--maps", "maps", "--pin", "--pin-from", "source", "--lock", "imageswap.lock", "--output", "out"];
    stage.run("rewrite", &[&pin[..], &["pod.yaml"]].concat()).succeeded();
    stage.run("lock", &["update"]).succeeded();
    let lock = fs::read_to_string(stage.folder.path().join("imageswap.lock")).unwrap();
    assert!(lock.contains(&digest), "{lock}");
    // The tag moves; the lock does not.
    stage.source.push_image("app", Some("1"), false, "somebody's");
    stage.mirror(&["--lock", "imageswap.lock", "--locked"]).succeeded();
    assert_eq!(stage.at_target("mirror/app", "1").as_deref(), Some(&*digest));
    assert_eq!(closure(&stage.target.host, "mirror/app", &digest), 22);
    stage.run("verify", &["pod.yaml", "--maps", "maps", "--lock", "imageswap.lock"]).succeeded();
}
