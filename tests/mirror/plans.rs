//! What is planned, what is done, and how it is said.

use std::fs;

use serde_json::Value;

use crate::registry_support::real::Kind;
use crate::run::{Run, Stage, closure};

fn actions(images: &[Value]) -> Vec<&str> {
    images.iter().map(|image| image["action"].as_str().unwrap_or("none")).collect()
}

#[test]
fn trees_are_copied_once() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let (index, children) = stage.source.push_index("team/app", "1.27", false);
    let (single, _) = stage.source.push_image("single", Some("latest"), true, "one");
    let pinned = format!("team/app@{}", children[0]);
    stage.manifest(&["team/app:1.27", "single", &pinned]);
    // Nothing is written before it is asked for.
    for (flag, code) in [("--dry-run", 0), ("--check", 1)] {
        let run = stage.mirror(&[flag]);
        assert_eq!(run.code, code, "{}", run.stderr);
        assert_eq!(actions(&run.images()), ["copy", "copy", "copy"]);
        assert_eq!(stage.at_target("mirror/team/app", "1.27"), None);
    }
    let run = stage.mirror(&[]).succeeded();
    assert_eq!(actions(&run.images()), ["copy", "copy", "copy"]);
    assert_eq!(run.summary()["copied"], 3);
    assert_eq!(stage.at_target("mirror/team/app", "1.27").as_deref(), Some(index.as_str()));
    assert_eq!(stage.at_target("mirror/single", "latest").as_deref(), Some(single.as_str()));
    assert_eq!(closure(&stage.target.host, "mirror/team/app", "1.27"), 1 + 3 * 3);
    assert_eq!(closure(&stage.target.host, "mirror/team/app", &children[0]), 3);
    for (flags, code) in [(&[][..], 0), (&["--check"], 0), (&["--check", "--deep"], 0)] {
        let run = stage.mirror(flags);
        assert_eq!(run.code, code, "{}", run.stderr);
        assert_eq!(actions(&run.images()), ["skip", "skip", "skip"], "{flags:?}");
    }
    let verified = stage.run("verify", &["pod.yaml", "--maps", "maps"]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
}

#[test]
fn tags_are_moved_when_asked() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    stage.source.push_image("app", Some("1"), false, "new");
    stage.source.push_image("other", Some("1"), false, "other");
    let (old, _) = stage.target.push_image("mirror/app", Some("1"), false, "old");
    stage.manifest(&["app:1", "other:1", "gone:1"]);
    let run = stage.mirror(&[]);
    assert_eq!(run.code, 2);
    assert_eq!(actions(&run.images()), ["conflict", "missing", "copy"], "the others are copied");
    assert_eq!(stage.at_target("mirror/app", "1"), Some(old.clone()));
    assert!(stage.at_target("mirror/other", "1").is_some());
    let images = run.images();
    assert_eq!(images[0]["targetDigest"], old);
    assert_eq!(images[1]["error"]["code"], "not-found");
    let run = stage.mirror(&["--overwrite=*/other:*"]);
    assert_eq!(actions(&run.images()), ["conflict", "missing", "skip"]);
    let run = stage.mirror(&["--overwrite=*/mirror/app:*"]);
    assert_eq!(actions(&run.images()), ["copy", "missing", "skip"]);
    let run = stage.mirror(&[]);
    assert_eq!(actions(&run.images()), ["skip", "missing", "skip"]);
}

#[test]
fn a_tag_alone_is_written_where_the_rest_is_there() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let (digest, _) = stage.source.push_image("app", Some("1"), false, "one");
    stage.source.push_image("app", Some("2"), false, "one");
    stage.manifest(&["app:1"]);
    stage.mirror(&[]).succeeded();
    stage.manifest(&["app:2"]);
    let run = stage.mirror(&[]).succeeded();
    assert_eq!(actions(&run.images()), ["tag"]);
    assert_eq!(run.summary()["bytes"]["moved"], 0);
    assert_eq!(stage.at_target("mirror/app", "2"), Some(digest));
}

#[test]
fn what_is_missing_below_a_manifest_is_found_with_deep() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Crane) else { return };
    let (_, _) = stage.source.push_index("app", "1", false);
    stage.manifest(&["app:1"]);
    // This registry takes a manifest whose blobs are missing.
    let (bytes, kind) = crate::run::manifest(&stage.source.host, "app", "1").unwrap();
    let index: Value = serde_json::from_slice(&bytes).unwrap();
    for child in index["manifests"].as_array().unwrap() {
        let digest = child["digest"].as_str().unwrap();
        let (bytes, kind) = crate::run::manifest(&stage.source.host, "app", digest).unwrap();
        stage.target.push_manifest("mirror/app", digest, &kind, &bytes);
    }
    stage.target.push_manifest("mirror/app", "1", &kind, &bytes);
    assert_eq!(actions(&stage.mirror(&["--check"]).succeeded().images()), ["skip"]);
    assert_eq!(stage.mirror(&["--check", "--deep"]).code, 1);
    let run = stage.mirror(&["--deep"]).succeeded();
    assert_eq!(actions(&run.images()), ["copy"]);
    assert_eq!(closure(&stage.target.host, "mirror/app", "1"), 10);
    assert_eq!(actions(&stage.mirror(&["--deep"]).succeeded().images()), ["skip"]);
}

#[test]
fn lists() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let (one, _) = stage.source.push_image("one", Some("1"), false, "one");
    let (two, _) = stage.source.push_image("two", Some("2"), false, "two");
    let (source, target) = (&stage.source.host, &stage.target.host);
    let list = format!("# both forms\n{source}/one:1 {target}/elsewhere:x\n{source}/two:2 # by the maps\n\n");
    fs::write(stage.folder.path().join("list"), &list).unwrap();
    stage.run("mirror", &["--images", "list", "--maps", "maps"]).succeeded();
    assert_eq!(stage.at_target("elsewhere", "x"), Some(one.clone()));
    assert_eq!(stage.at_target("mirror/two", "2"), Some(two));
    // What the inventory prints is such a list.
    stage.manifest(&["one:1"]);
    let printed = stage.run("images", &["--unique", "--maps", "maps", "pod.yaml"]).succeeded().stdout;
    fs::write(stage.folder.path().join("list"), printed).unwrap();
    stage.run("mirror", &["--images", "list"]).succeeded();
    assert_eq!(stage.at_target("mirror/one", "1"), Some(one));
    // Two for one place, and what is no image.
    let list = format!("{source}/one:1 {target}/x:1\n{source}/two:2\t{target}/x:1\nA::B x\na b c\n");
    fs::write(stage.folder.path().join("list"), &list).unwrap();
    let run = stage.run("mirror", &["--images", "list"]);
    assert_eq!(run.code, 2);
    assert_eq!(stage.at_target("x", "1"), None);
    for part in ["share the target", "list:3: \"A::B\" is no image", "list:4: expected SOURCE TARGET"] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
}

#[test]
fn locks() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let (index, _) = stage.source.push_index("app", "1", false);
    stage.manifest(&["app:1"]);
    let run = stage.mirror(&["--locked"]);
    assert_eq!(run.code, 2, "there is no lock file");
    stage.mirror(&["--lock", "images.lock"]).succeeded();
    let lock = fs::read_to_string(stage.folder.path().join("images.lock")).unwrap();
    assert!(lock.contains(&index), "{lock}");
    // The same digests as those that `rewrite` pins, before and after.
    fs::copy(stage.folder.path().join("pod.yaml"), stage.folder.path().join("before.yaml")).unwrap();
    for flags in [
        &["--pin", "--pin-from", "source"][..],
        &["--pin", "--pin-from", "target"],
        &["--lock", "images.lock", "--locked"],
    ] {
        let run = stage.run("rewrite", &[&["--maps", "maps", "--output", "-", "pod.yaml"], flags].concat());
        let run = run.succeeded();
        assert!(run.stdout.contains(&format!("mirror/app:1@{index}")), "{flags:?}: {}", run.stdout);
    }
    // The tag moves on at the source, and the lock stays.
    stage.source.push_index("app", "2", false);
    let (bytes, kind) = crate::run::manifest(&stage.source.host, "app", "2").unwrap();
    stage.source.push_manifest("app", "1", &kind, &bytes);
    let run = stage.mirror(&["--lock", "images.lock", "--locked"]).succeeded();
    assert_eq!(actions(&run.images()), ["skip"]);
    assert_eq!(stage.mirror(&["--dry-run"]).code, 2, "without the lock it is a conflict");
    // Another target: what is copied is what the lock has.
    let Some(other) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let lock = lock.replace(&stage.target.host, &other.target.host);
    fs::write(stage.folder.path().join("other.lock"), lock).unwrap();
    let run = stage.run("mirror", &["--lock", "other.lock", "--format", "json"]).succeeded();
    assert_eq!(actions(&run.images()), ["copy"]);
    assert_eq!(other.at_target("mirror/app", "1"), Some(index));
}

#[test]
fn platforms() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Crane) else { return };
    let (index, _) = stage.source.push_index("app", "1", false);
    stage.manifest(&["app:1"]);
    let run = stage.mirror(&["--platform", "linux/amd64,linux/arm/v7"]).succeeded();
    let smaller = run.images()[0]["digest"].as_str().unwrap().to_owned();
    assert_ne!(smaller, index);
    assert_eq!(stage.at_target("mirror/app", "1"), Some(smaller));
    assert_eq!(closure(&stage.target.host, "mirror/app", "1"), 1 + 2 * 3);
    let again = stage.mirror(&["--platform", "linux/amd64,linux/arm/v7"]).succeeded();
    assert_eq!(actions(&again.images()), ["skip"]);
    let run = stage.mirror(&["--platform", "linux/s390x", "--overwrite"]);
    assert_eq!((run.code, &run.images()[0]["error"]["code"]), (2, &Value::from("no-platform")));
    let says = |run: &Run, part: &str| {
        let images = run.images();
        let message = images[0]["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("{}/app{part}", stage.source.host)), "{message}");
    };
    says(&run, ":1: there is no linux/s390x in the index, ");
    // A digest that somebody relies on stays.
    stage.manifest(&[&format!("app@{index}")]);
    let run = stage.mirror(&["--platform", "linux/amd64"]);
    assert_eq!((run.code, &run.images()[0]["error"]["code"]), (2, &Value::from("keeps-digest")));
    says(&run, &format!("@{index}: an index of some platforms has another digest, "));
    // Most registries want all of an index.
    let run = stage.mirror(&["--platform", "linux/amd64", "--sparse"]);
    assert_eq!((run.code, &run.images()[0]["error"]["code"]), (2, &Value::from("not-sparse")));
    let Some(stage) = Stage::new(Kind::Docker, Kind::Lenient) else { return };
    let (index, children) = stage.source.push_index("app", "1", false);
    stage.manifest(&["app:1"]);
    let run = stage.mirror(&["--platform", "linux/amd64", "--sparse"]).succeeded();
    assert_eq!(run.images()[0]["digest"], index);
    assert_eq!(stage.at_target("mirror/app", "1"), Some(index));
    assert_eq!(closure(&stage.target.host, "mirror/app", &children[0]), 3);
    assert!(crate::run::manifest(&stage.target.host, "mirror/app", &children[1]).is_none());
}

#[test]
fn limits() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    stage.source.push_image("small", Some("1"), false, "small");
    stage.source.push_image("large", Some("1"), false, &"large".repeat(10_000));
    stage.manifest(&["large:1", "small:1"]);
    let run = stage.mirror(&["--max-size", "10kB"]);
    assert_eq!(run.code, 2);
    assert_eq!(run.images()[0]["error"]["code"], "too-large");
    assert_eq!((&run.summary()["failed"], &run.summary()["copied"]), (&Value::from(1), &Value::from(1)));
    assert_eq!(stage.at_target("mirror/large", "1"), None);
    // One is copied while the next is looked up, so some may be copied before the failure is known, but not all.
    let others: Vec<String> = (0..10).map(|at| format!("other{at}:1")).collect();
    for at in 0..10 {
        stage.source.push_image(&format!("other{at}"), Some("1"), false, &at.to_string());
    }
    let images: Vec<&str> = std::iter::once("gone:1").chain(others.iter().map(String::as_str)).collect();
    stage.manifest(&images);
    let run = stage.mirror(&["--fail-fast", "--jobs", "1"]);
    let summary = run.summary();
    assert_eq!((run.code, &summary["missing"]), (2, &Value::from(1)), "{summary}");
    assert!(summary["notTried"].as_u64() >= Some(1), "{summary}");
}

/// A reader that goes away (`| head -1`) neither stops the copying nor hides that something failed.
#[test]
fn who_reads_may_go() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let images: Vec<String> = (0..5).map(|at| format!("app{at}:1")).collect();
    for at in 0..5 {
        stage.source.push_image(&format!("app{at}"), Some("1"), false, &at.to_string());
    }
    let mut named: Vec<&str> = images.iter().map(String::as_str).collect();
    named.push("gone:1");
    stage.manifest(&named);
    let mut command = crate::run::imageswap(stage.folder.path());
    command.args(["mirror", "pod.yaml", "--maps", "maps", "--jobs", "1"]);
    let mut child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(2), "one is missing");
    for at in 0..5 {
        assert!(stage.at_target(&format!("mirror/app{at}"), "1").is_some(), "app{at}");
    }
}

/// The commands of docs/mirroring.md, one after the other.
#[test]
fn the_commands_of_the_docs() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let (index, _) = stage.source.push_index("app", "1", false);
    stage.manifest(&["app:1"]);
    let folder = stage.folder.path();
    fs::create_dir(folder.join("k8s")).unwrap();
    fs::rename(folder.join("pod.yaml"), folder.join("k8s/pod.yaml")).unwrap();
    fs::rename(folder.join("maps"), folder.join("imageswap.maps")).unwrap();
    let docs = fs::read_to_string("docs/mirroring.md").unwrap();
    let block = docs.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let mut ran = 0;
    for line in block.lines() {
        let line = line.split(" # ").next().unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[0], "imageswap", "{line}");
        stage.run(words[1], &words[2..]).succeeded();
        ran += 1;
    }
    assert_eq!(ran, 4);
    let rewritten = fs::read_to_string(folder.join("k8s/pod.yaml")).unwrap();
    assert!(rewritten.contains(&format!("{}/mirror/app:1@{index}", stage.target.host)), "{rewritten}");
}
