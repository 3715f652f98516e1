//! Runs that are killed at any moment: no tag without all that it stands for, and the next run sends what is missing.

use std::env;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::registry_support::http;
use crate::registry_support::real::Kind;
use crate::run::{Run, Stage, closure, imageswap, manifest};
use crate::signatures::{refer, referrers};

/// How often, unless `IMAGESWAP_KILLS` says it.
const KILLS: u64 = 12;

/// The blobs below a manifest of the source, with their sizes.
fn blobs(host: &str, repository: &str, reference: &str, all: &mut Vec<(String, u64)>) {
    let (bytes, _) = manifest(host, repository, reference).unwrap();
    let value: Value = serde_json::from_slice(&bytes).unwrap();
    let list = |name: &str| value[name].as_array().cloned().unwrap_or_default();
    for child in list("manifests") {
        blobs(host, repository, child["digest"].as_str().unwrap(), all);
    }
    for blob in list("layers").iter().chain(value.get("config")) {
        let entry = (blob["digest"].as_str().unwrap().to_owned(), blob["size"].as_u64().unwrap());
        if !all.contains(&entry) {
            all.push(entry);
        }
    }
}

#[test]
fn at_any_moment() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let (index, _) = stage.source.push_index("app", "1", false);
    let (bytes, _) = manifest(&stage.source.host, "app", "1").unwrap();
    let sbom = refer(&stage.source, "app", &index, bytes.len(), "application/spdx+json", true);
    let signature = format!("{}.sig", index.replace(':', "-"));
    stage.source.push_image("app", Some(&signature), false, "signature");
    stage.manifest(&["app:1"]);
    let mut all = Vec::new();
    for reference in ["1", &sbom, &signature] {
        blobs(&stage.source.host, "app", reference, &mut all);
    }
    let total: u64 = all.iter().map(|(_, size)| size).sum();
    // Each round has a registry's folder of its own.
    let start = |round: u64| {
        let map = format!("{}::{}/round{round}", stage.source.host, stage.target.host);
        let mut command = imageswap(stage.folder.path());
        command.args(["mirror", "pod.yaml", "--map", &map, "--format", "json"]);
        command
    };
    let started = Instant::now();
    Run::from(start(0).output().unwrap()).succeeded();
    let whole = started.elapsed();
    let kills = env::var("IMAGESWAP_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let (mut with_tag, mut with_some, mut with_nothing) = (0, 0, 0);
    for round in 1..=kills {
        let mut child = start(round).stdout(std::process::Stdio::null()).spawn().unwrap();
        // Spread over the time of a run, and not in any order.
        let part = round.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        thread::sleep(whole.mul_f64(part as f64 / f64::from(1 << 24)).max(Duration::from_micros(100)));
        child.kill().unwrap();
        child.wait().unwrap();
        let (host, repository) = (&stage.target.host, format!("round{round}/app"));
        let has = |digest: &str| {
            http::request(host, "HEAD", &format!("/v2/{repository}/blobs/{digest}"), &[], b"").status == 200
        };
        // What a registry knows in one repository is asked for where it would be pulled.
        let present: u64 = all.iter().filter(|(digest, _)| has(digest)).map(|(_, size)| size).sum();
        match manifest(host, &repository, "1") {
            Some(_) => {
                with_tag += 1;
                assert_eq!(closure(host, &repository, "1"), 10, "round {round}");
                closure(host, &repository, &signature);
                assert_eq!(
                    referrers(&stage.target, &repository, &index),
                    std::slice::from_ref(&sbom),
                    "round {round}"
                );
                closure(host, &repository, &sbom);
            }
            None if present > 0 => with_some += 1,
            None => with_nothing += 1,
        }
        if manifest(host, &repository, &index).is_some() {
            assert_eq!(closure(host, &repository, &index), 10, "round {round}");
        }
        let run = Run::from(start(round).output().unwrap()).succeeded();
        let moved = run.summary()["bytes"]["moved"].as_u64().unwrap();
        // What was on its way may have arrived since.
        assert!(moved <= total - present, "round {round}: {moved} of {total} with {present} there");
        assert_eq!(closure(host, &repository, "1"), 10, "round {round}");
        assert_eq!(
            referrers(&stage.target, &repository, &index),
            std::slice::from_ref(&sbom),
            "round {round}"
        );
    }
    println!(
        "killed {kills} times: {with_nothing} with nothing there, {with_some} with some, {with_tag} with all"
    );
}
