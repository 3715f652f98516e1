//! Images of one run that have a tag, a digest or a repository in common.

use crate::registry_support::real::Kind;
use crate::run::{Stage, closure};

/// A tag whose image was pushed anew: gives the digests that it stands for now, and stood for before.
fn moved_tag(stage: &Stage) -> (String, String) {
    let (before, _) = stage.source.push_image("app", Some("1"), false, "before");
    let (now, _) = stage.source.push_image("app", Some("1"), false, "now");
    (now, before)
}

#[test]
fn the_tag_goes_to_the_image_that_is_named_by_it_alone() {
    for target in Kind::all() {
        let Some(stage) = Stage::new(Kind::Docker, target) else { continue };
        let (now, before) = moved_tag(&stage);
        stage.manifest(&["app:1", &format!("app:1@{before}")]);
        for flags in [&[][..], &["--overwrite"], &[]] {
            let run = stage.mirror(flags).succeeded();
            assert_eq!(run.summary()["images"], 2, "{target:?}: {}", run.stdout);
            assert_eq!(stage.at_target("mirror/app", "1").as_ref(), Some(&now), "{target:?}");
            closure(&stage.target.host, "mirror/app", &before);
        }
        stage.run("verify", &["pod.yaml", "--maps", "maps"]);
    }
}

#[test]
fn a_layout_holds_both() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let (now, before) = moved_tag(&stage);
    stage.manifest(&["app:1", &format!("app:1@{before}")]);
    stage.mirror(&["--to-layout", "site.tar"]).succeeded();
    stage.mirror(&["--from-layout", "site.tar"]).succeeded();
    assert_eq!(stage.at_target("mirror/app", "1"), Some(now));
    closure(&stage.target.host, "mirror/app", &before);
}

#[test]
fn many_tags_of_one_digest() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let (digest, _) = stage.source.push_index("app", "v0", false);
    let (bytes, kind) = crate::run::manifest(&stage.source.host, "app", "v0").unwrap();
    let tags: Vec<String> = (0..12).map(|at| format!("v{at}")).collect();
    for tag in &tags {
        stage.source.push_manifest("app", tag, &kind, &bytes);
    }
    for round in 0..5 {
        let pair = |tag: &String| {
            let (from, to) = (&stage.source.host, &stage.target.host);
            (format!("{from}/app:{tag}"), format!("{to}/round{round}/app:{tag}"))
        };
        stage.list(&tags.iter().map(pair).collect::<Vec<_>>());
        stage.run("mirror", &["--images", "list", "--format", "json"]).succeeded();
        for tag in &tags {
            assert_eq!(stage.at_target(&format!("round{round}/app"), tag).as_ref(), Some(&digest));
        }
    }
}
