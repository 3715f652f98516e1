//! Digests that are looked up at the source hold at the target, once the images are there.

use std::fs;

use crate::registry_support::http;
use crate::registry_support::proxy::{Harm, Proxy};
use crate::registry_support::real::Kind;
use crate::run::{Stage, closure, manifest};

#[test]
fn digests_of_the_source_are_those_of_the_filled_target() {
    for (source, target) in [(Kind::Docker, Kind::Docker), (Kind::Distribution, Kind::Docker)] {
        let Some(stage) = Stage::new(source, target) else { continue };
        let (index, children) = stage.source.push_index("team/app", "1.27", false);
        let (list, _) = stage.source.push_index("docker/list", "2", true);
        let (single, _) = stage.source.push_image("single", Some("latest"), true, "one");
        stage.manifest(&["team/app:1.27", "docker/list:2", "single"]);
        let text = fs::read_to_string(stage.folder.path().join("pod.yaml")).unwrap();
        let rewrite = |arguments: &[&str]| {
            let always = ["pod.yaml", "--maps", "maps", "--pin", "--output", "out"];
            stage.run("rewrite", &[&always, arguments].concat())
        };
        let written = || fs::read_to_string(stage.folder.path().join("out/pod.yaml")).unwrap();

        // Nothing is at the target yet, and nobody asks it.
        let run = rewrite(&[]);
        assert_eq!(run.code, 2, "{}", run.stderr);
        rewrite(&["--pin-from", "source", "--lock", "before.lock"]).succeeded();
        let before = written();
        for digest in [&index, &list, &single] {
            assert!(before.contains(digest.as_str()), "{digest}: {before}");
        }
        rewrite(&["--pin-from", "source", "--platform", "linux/amd64"]).succeeded();
        let before_on_amd64 = written();
        assert!(before_on_amd64.contains(&children[0]), "{before_on_amd64}");

        stage.mirror(&[]).succeeded();
        for from in ["source", "target"] {
            rewrite(&["--pin-from", from]).succeeded();
            assert_eq!(written(), before, "{from}");
            rewrite(&["--pin-from", from, "--platform", "linux/amd64"]).succeeded();
            assert_eq!(written(), before_on_amd64, "{from}");
        }
        // What was written and locked before is what is there now.
        let check = ["--maps", "maps", "out/pod.yaml"];
        fs::write(stage.folder.path().join("out/pod.yaml"), &before).unwrap();
        stage.run("verify", &check).succeeded();
        stage.run("verify", &[&["--lock", "before.lock"], &check[..]].concat()).succeeded();
        stage.run("lock", &["diff", "--lock", "before.lock"]).succeeded();
        let run = stage.mirror(&["--lock", "before.lock", "--check"]).succeeded();
        assert_eq!(run.summary()["skipped"], 3, "{}", run.stdout);
        assert_eq!(fs::read_to_string(stage.folder.path().join("pod.yaml")).unwrap(), text);
    }
}

/// Digests of one platform stay what was pinned, and their tags what all platforms are pulled by: every command agrees.
#[test]
fn a_lock_of_some_platforms() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let (index, children) = stage.source.push_index("team/app", "1.27", false);
    stage.source.push_image("single", Some("latest"), true, "one");
    stage.manifest(&["team/app:1.27", "single"]);
    let rewrite = |arguments: &[&str]| {
        let always = ["pod.yaml", "--maps", "maps", "--output", "out"];
        stage.run("rewrite", &[&always, arguments].concat())
    };
    let pin = |platform: &str, lock: &str| {
        let pin = ["--pin", "--pin-from", "source", "--lock", lock, "--platform", platform];
        rewrite(&pin).succeeded();
    };
    let agrees = |lock: &str| {
        let check = ["--maps", "maps", "out/pod.yaml"];
        stage.run("verify", &check).succeeded();
        stage.run("verify", &[&["--lock", lock], &check[..]].concat()).succeeded();
        stage.run("lock", &["diff", "--lock", lock]).succeeded();
        let run = stage.mirror(&["--lock", lock, "--check"]).succeeded();
        let summary = run.summary();
        assert_eq!(summary["skipped"], summary["images"], "{}", run.stdout);
    };
    let text = || fs::read_to_string(stage.folder.path().join("out/pod.yaml")).unwrap();

    // With one platform, that one is meant where none is named. The target has nothing yet, so it gets the tag, too.
    pin("linux/amd64", "one.lock");
    rewrite(&["--locked", "--lock", "one.lock"]).succeeded();
    assert!(text().contains(&children[0]), "{}", text());
    stage.mirror(&["--lock", "one.lock"]).succeeded();
    assert_eq!(stage.at_target("mirror/team/app", "1.27").as_ref(), Some(&children[0]));
    agrees("one.lock");

    // Where the tag stands for all platforms, it stays.
    stage.mirror(&["--overwrite"]).succeeded();
    assert_eq!(stage.at_target("mirror/team/app", "1.27").as_ref(), Some(&index));
    agrees("one.lock");
    assert_eq!(stage.at_target("mirror/team/app", "1.27").as_ref(), Some(&index));

    // Of two platforms, one must be named, and both are copied.
    pin("linux/amd64", "two.lock");
    pin("linux/arm64", "two.lock");
    let run = rewrite(&["--locked", "--lock", "two.lock"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(
        run.stderr.contains("two.lock has it for linux/amd64 and for linux/arm64: name one with --platform")
    );
    rewrite(&["--locked", "--lock", "two.lock", "--platform", "linux/arm64"]).succeeded();
    assert!(text().contains(&children[1]), "{}", text());
    agrees("two.lock");
    let maps = format!("{}::{}/elsewhere\n", stage.source.host, stage.target.host);
    fs::write(stage.folder.path().join("maps"), maps).unwrap();
    pin("linux/amd64", "new.lock");
    pin("linux/arm64", "new.lock");
    stage.mirror(&["--lock", "new.lock"]).succeeded();
    for child in &children[..2] {
        assert_eq!(stage.at_target("elsewhere/team/app", child).as_ref(), Some(child));
    }
    // The tag stands for neither of them.
    assert_eq!(stage.at_target("elsewhere/team/app", "1.27"), None);
    agrees("new.lock");

    // A digest that is none of the tag's platforms has drifted; one that nobody has, with a tag that nobody has, is missing.
    let none = format!("sha256:{}", "b".repeat(64));
    for (repository, verdict) in [("mirror", "drift: "), ("elsewhere", "missing: ")] {
        let image = format!("{}/{repository}/team/app:1.27@{none}", stage.target.host);
        let pod = format!("kind: Pod\nspec: {{containers: [{{image: '{image}'}}]}}\n");
        fs::write(stage.folder.path().join("out/pod.yaml"), pod).unwrap();
        let run = stage.run("verify", &["--maps", "maps", "out/pod.yaml"]);
        assert!(run.code == 1 && run.stdout.contains(verdict), "{}{}", run.stdout, run.stderr);
    }
}

/// Where somebody else sets the tag while an image of one platform is copied, the tag stays, and the image is there by its
/// digest.
#[test]
fn a_tag_that_comes_meanwhile_stays() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let (_, children) = stage.source.push_index("team/app", "1.27", false);
    stage.manifest(&["team/app:1.27"]);
    let (theirs, _) = stage.target.push_image("mirror/team/app", Some("theirs"), false, "theirs");
    let (bytes, kind) = manifest(&stage.target.host, "mirror/team/app", "theirs").unwrap();
    let host = stage.target.host.clone();
    let proxy = Proxy::start(&stage.target.host, move |seen| {
        if seen.is("PUT", "/blobs/") {
            let path = "/v2/mirror/team/app/manifests/1.27";
            let put = http::request(&host, "PUT", path, &[("Content-Type", &kind)], &bytes);
            assert_eq!(put.status, 201);
        }
        Harm::none()
    });
    let maps = format!("{}::{}/mirror\n", stage.source.host, proxy.host);
    fs::write(stage.folder.path().join("maps"), maps).unwrap();
    let pin = ["--pin", "--pin-from", "source", "--lock", "lock", "--platform", "linux/amd64"];
    stage
        .run("rewrite", &[&["pod.yaml", "--maps", "maps", "--output", "out"], &pin[..]].concat())
        .succeeded();
    stage.mirror(&["--lock", "lock"]).succeeded();
    assert_eq!(stage.at_target("mirror/team/app", "1.27").as_ref(), Some(&theirs));
    closure(&stage.target.host, "mirror/team/app", &children[0]);
}

/// An index of some platforms has a digest of its own, which the source does not have: it is looked up at the target.
#[test]
fn a_lock_of_smaller_indexes() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let (index, children) = stage.source.push_index("team/app", "1.27", false);
    stage.source.push_image("single", Some("latest"), true, "one");
    stage.manifest(&["team/app:1.27", "single"]);
    let copy = ["--platform", "linux/amd64", "--lock", "small.lock"];
    stage.mirror(&copy).succeeded();
    let smaller = stage.at_target("mirror/team/app", "1.27").unwrap();
    assert!(smaller != index && !children.contains(&smaller), "{smaller}");
    let lock = || fs::read_to_string(stage.folder.path().join("small.lock")).unwrap();
    let written = lock();
    assert!(written.contains(&smaller) && !written.contains(&index), "{written}");

    stage.run("lock", &["diff", "--lock", "small.lock"]).succeeded();
    let rewrite = ["pod.yaml", "--maps", "maps", "--output", "out", "--locked", "--lock", "small.lock"];
    stage.run("rewrite", &rewrite).succeeded();
    let text = fs::read_to_string(stage.folder.path().join("out/pod.yaml")).unwrap();
    assert!(text.contains(&smaller), "{text}");
    stage.run("verify", &["--lock", "small.lock", "--maps", "maps", "out/pod.yaml"]).succeeded();
    for again in [&copy[..], &copy[2..]] {
        let run = stage.mirror(&[again, &["--check"]].concat()).succeeded();
        assert_eq!(run.summary()["skipped"], 2, "{}", run.stdout);
    }
    stage.run("lock", &["update", "--lock", "small.lock"]).succeeded();
    assert_eq!(lock(), written);
}
