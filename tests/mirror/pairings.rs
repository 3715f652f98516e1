//! Every registry as source and as target, and the tools of others as judges.

use std::process::Command;

use crate::registry_support::program;
use crate::registry_support::real::Kind;
use crate::run::{Stage, closure, manifest};

/// What a tool prints, when it is there.
fn judge(name: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program::find(name)?).args(arguments).output().unwrap();
    assert!(output.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

#[test]
fn all_pairs_of_registries() {
    for from in Kind::all() {
        for to in Kind::all() {
            let Some(stage) = Stage::new(from, to) else { continue };
            let (index, _) = stage.source.push_index("team/app", "1", false);
            let (list, _) = stage.source.push_index("team/docker", "1", true);
            stage.manifest(&["team/app:1", "team/docker:1"]);
            stage.mirror(&[]).succeeded();
            let check = stage.mirror(&["--check", "--deep"]).succeeded();
            assert_eq!(check.summary()["skipped"], 2, "{from:?} to {to:?}: {}", check.stdout);
            stage.run("verify", &["--maps", "maps", "pod.yaml"]).succeeded();
            for (repository, digest) in [("team/app", &index), ("team/docker", &list)] {
                let copy = format!("mirror/{repository}");
                assert_eq!(stage.at_target(&copy, "1").as_ref(), Some(digest), "{from:?} to {to:?}");
                assert_eq!(closure(&stage.target.host, &copy, "1"), 10, "{from:?} to {to:?}");
                let of = |host: &str, repository: &str| manifest(host, repository, "1").unwrap();
                assert_eq!(
                    of(&stage.source.host, repository),
                    of(&stage.target.host, &copy),
                    "{from:?} to {to:?}"
                );
                let image = format!("{}/{copy}:1", stage.target.host);
                let found = judge("crane", &["digest", "--insecure", &image]);
                assert_eq!(found.as_ref().unwrap_or(digest), digest);
                let found = judge("regctl", &["image", "digest", "--host", &plain(&stage), &image]);
                assert_eq!(found.as_ref().unwrap_or(digest), digest);
                let found = judge("oras", &["resolve", "--plain-http", &image]);
                assert_eq!(found.as_ref().unwrap_or(digest), digest);
            }
        }
    }
}

fn plain(stage: &Stage) -> String {
    format!("reg={},tls=disabled", stage.target.host)
}

#[test]
fn skopeo_sees_the_same_bytes() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Distribution) else { return };
    stage.source.push_index("app", "1", true);
    stage.manifest(&["app:1"]);
    stage.mirror(&[]).succeeded();
    let raw = |host: &str, repository: &str| {
        judge(
            "skopeo",
            &["inspect", "--raw", "--tls-verify=false", &format!("docker://{host}/{repository}:1")],
        )
    };
    assert_eq!(raw(&stage.source.host, "app"), raw(&stage.target.host, "mirror/app"));
}

/// One layer in many repositories is read once.
#[test]
fn shared_blobs_are_fetched_once() {
    for to in Kind::all() {
        let Some(stage) = Stage::new(Kind::Docker, to) else { continue };
        let shared = "shared".repeat(50_000);
        for at in 0..5 {
            stage.source.push_image(&format!("app{at}"), Some("1"), false, &shared);
        }
        stage.manifest(&["app0:1", "app1:1", "app2:1", "app3:1", "app4:1"]);
        let run = stage.mirror(&["--referrers", "none"]).succeeded();
        let bytes = &run.summary()["bytes"];
        let moved = bytes["moved"].as_u64().unwrap();
        // crane's registry has one store for all and says so to a HEAD that comes later; it does not mount.
        if to != Kind::Crane {
            assert!(moved < 3 * shared.len() as u64, "{to:?}: {bytes}");
            assert!(bytes["mounted"].as_u64().unwrap() >= 4 * shared.len() as u64, "{to:?}: {bytes}");
        }
        for at in 0..5 {
            assert_eq!(closure(&stage.target.host, &format!("mirror/app{at}"), "1"), 3, "{to:?}");
        }
    }
}
