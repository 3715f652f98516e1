//! Indexes of which the target has some platforms.

use std::fs;

use crate::registry_support::real::Kind;
use crate::run::{Stage, closure, manifest};

/// What is done with each image.
fn actions(stage: &Stage, platform: &str) -> Vec<String> {
    let run = stage.mirror(&["--platform", platform, "--sparse"]).succeeded();
    run.images().iter().map(|image| image["action"].as_str().unwrap().to_owned()).collect()
}

/// What one platform brought is not taken for all of them.
#[test]
fn another_platform_is_copied_to_an_index_that_is_there() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Lenient) else { return };
    let (index, children) = stage.source.push_index("app", "1", false);
    stage.manifest(&["app:1"]);
    let has = |child: &str| manifest(&stage.target.host, "mirror/app", child).is_some();
    assert_eq!(actions(&stage, "linux/amd64"), ["copy"]);
    assert_eq!(actions(&stage, "linux/amd64"), ["skip"]);
    assert!(!has(&children[1]));
    let check = stage.mirror(&["--platform", "linux/arm64", "--sparse", "--check"]);
    assert_eq!(check.code, 1, "{}", check.stdout);
    assert_eq!(actions(&stage, "linux/arm64"), ["copy"]);
    assert_eq!(closure(&stage.target.host, "mirror/app", &children[1]), 3);
    assert_eq!(actions(&stage, "linux/amd64,linux/arm64"), ["skip"]);
    assert!(!has(&children[2]));
    // Another tag of it, first with what is there and then with what is not.
    let (bytes, kind) = manifest(&stage.source.host, "app", "1").unwrap();
    for (tag, platform, action) in [("2", "linux/arm64", "tag"), ("3", "linux/arm/v7", "copy")] {
        stage.source.push_manifest("app", tag, &kind, &bytes);
        stage.manifest(&[&format!("app:{tag}")]);
        assert_eq!(actions(&stage, platform), [action]);
        assert_eq!(stage.at_target("mirror/app", tag).as_ref(), Some(&index));
    }
    assert_eq!(closure(&stage.target.host, "mirror/app", "1"), 1 + 3 * 3);
}

/// Without `--sparse`, `--deep` fills up what is there in part.
#[test]
fn a_sparse_index_is_filled_up_with_deep() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Lenient) else { return };
    stage.source.push_index("app", "1", false);
    stage.manifest(&["app:1"]);
    assert_eq!(actions(&stage, "linux/amd64"), ["copy"]);
    stage.mirror(&["--deep"]).succeeded();
    assert_eq!(closure(&stage.target.host, "mirror/app", "1"), 1 + 3 * 3);
}

/// Indexes within an index may be there in part, too.
#[test]
fn a_platform_of_an_index_within_an_index() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Lenient) else { return };
    let (inner, children) = stage.source.push_index("app", "inner", false);
    let (bytes, kind) = manifest(&stage.source.host, "app", &inner).unwrap();
    let outer = format!(
        r#"{{"schemaVersion":2,"mediaType":"{kind}","manifests":[{{"mediaType":"{kind}","digest":"{inner}","size":{}}}]}}"#,
        bytes.len()
    );
    stage.source.push_manifest("app", "1", &kind, outer.as_bytes());
    stage.manifest(&["app:1"]);
    assert_eq!(actions(&stage, "linux/amd64"), ["copy"]);
    assert!(manifest(&stage.target.host, "mirror/app", &children[1]).is_none());
    assert_eq!(actions(&stage, "linux/arm64"), ["copy"]);
    assert_eq!(actions(&stage, "linux/amd64,linux/arm64"), ["skip"]);
}

/// That the index lists a digest does not bring it.
#[test]
fn verify_asks_for_the_platform_that_is_pinned() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Lenient) else { return };
    let (_, children) = stage.source.push_index("app", "1", false);
    stage.manifest(&["app:1"]);
    assert_eq!(actions(&stage, "linux/amd64"), ["copy"]);
    let verify = |child: &str, lock: &[&str]| {
        let image = format!("{}/mirror/app:1@{child}", stage.target.host);
        let pod = format!("kind: Pod\nspec: {{containers: [{{image: '{image}'}}]}}\n");
        fs::write(stage.folder.path().join("pinned.yaml"), pod).unwrap();
        let run = stage.run("verify", &[&["--maps", "maps", "pinned.yaml"], lock].concat());
        (run.code, run.stdout)
    };
    let pin = ["pod.yaml", "--maps", "maps", "--output", "out", "--pin", "--lock", "arm.lock"];
    stage.run("rewrite", &[&pin[..], &["--platform", "linux/arm64"]].concat()).succeeded();
    for lock in [&[][..], &["--lock", "arm.lock"]] {
        assert_eq!(verify(&children[0], &[]), (0, String::new()));
        let (code, said) = verify(&children[1], lock);
        assert!(code == 1 && said.starts_with("missing: "), "{lock:?}: {said}");
    }
    assert_eq!(actions(&stage, "linux/arm64"), ["copy"]);
    assert_eq!(verify(&children[1], &["--lock", "arm.lock"]), (0, String::new()));
}
