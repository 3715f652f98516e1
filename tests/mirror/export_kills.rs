//! Exports that are killed at any moment: no torn `index.json`, no half a tar file under its name, and the next run makes
//! it whole.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::registry_support::real::{Kind, sha256};
use crate::run::{Run, Stage, closure, imageswap};

/// How often each kind of export is killed, unless `IMAGESWAP_KILLS` says it.
const KILLS: u64 = 8;

/// The manifest and all below it are in the layout, byte for byte.
fn whole(layout: &Path, digest: &str) {
    let path = layout.join("blobs").join(digest.replace(':', "/"));
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(sha256(&bytes), digest);
    let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let list = |name: &str| value[name].as_array().cloned().unwrap_or_default();
    for part in list("manifests").iter().chain(&list("layers")).chain(value.get("config")) {
        if let Some(digest) = part["digest"].as_str() {
            whole(layout, digest);
        }
    }
}

/// What `index.json` lists is there; says whether there is one.
fn is_listed(layout: &Path) -> bool {
    let Ok(bytes) = fs::read(layout.join("index.json")) else { return false };
    let index: Value = serde_json::from_slice(&bytes).expect("index.json is whole");
    for listed in index["manifests"].as_array().unwrap() {
        whole(layout, listed["digest"].as_str().unwrap());
    }
    true
}

/// The tar file of these parts, unpacked.
fn unpacked(parts: &[PathBuf], folder: &Path) -> PathBuf {
    let (all, layout) = (folder.join("all"), folder.join("unpacked"));
    let _ = fs::remove_dir_all(&layout);
    fs::create_dir(&layout).unwrap();
    fs::write(&all, parts.iter().flat_map(|part| fs::read(part).unwrap()).collect::<Vec<u8>>()).unwrap();
    let tar = Command::new("tar").arg("-xf").arg(&all).current_dir(&layout).output().unwrap();
    assert!(tar.status.success(), "{}", String::from_utf8_lossy(&tar.stderr));
    layout
}

/// The files that are read when the tar file `x.tar` is named.
fn parts(folder: &Path) -> Vec<PathBuf> {
    let name = |number: usize| folder.join(format!("x.tar.{number:02}"));
    let whole = folder.join("x.tar");
    if whole.exists() { vec![whole] } else { (0..).map(name).take_while(|part| part.exists()).collect() }
}

#[test]
fn at_any_moment() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let layer: String = (0..100_000).map(|at| format!("{at} ")).collect();
    stage.source.push_image("app", Some("1"), false, &layer);
    stage.source.push_index("many", "1", false);
    let images = ["app:1", "many:1"].map(|image| format!("{}/{image}\n", stage.source.host));
    fs::write(stage.folder.path().join("list"), images.concat()).unwrap();
    let kills = env::var("IMAGESWAP_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    for (form, to, more) in
        [("folder", "x", &[][..]), ("tar", "x.tar", &[]), ("parts", "x.tar", &["--split", "64KiB"])]
    {
        let run = |folder: &Path| {
            fs::create_dir_all(folder).unwrap();
            let mut command = imageswap(folder);
            command
                .args(["mirror", "--images", "../list", "--maps", "../maps", "--to-layout", to])
                .args(more);
            command.stdout(Stdio::null()).stderr(Stdio::piped());
            command
        };
        let started = Instant::now();
        let first = stage.folder.path().join(format!("{form}0"));
        Run::from(run(&first).output().unwrap()).succeeded();
        let time = started.elapsed();
        let (mut nothing, mut some, mut all) = (0, 0, 0);
        for round in 1..=kills {
            let folder = stage.folder.path().join(format!("{form}{round}"));
            let mut child = run(&folder).spawn().unwrap();
            let part = round.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            // The moment is what this test varies.
            thread::sleep(time.mul_f64(part as f64 / f64::from(1 << 24)).max(Duration::from_micros(100)));
            child.kill().unwrap();
            child.wait().unwrap();
            let there = if form == "folder" {
                is_listed(&folder.join("x"))
            } else {
                let parts = parts(&folder);
                !parts.is_empty() && is_listed(&unpacked(&parts, &folder))
            };
            match (there, fs::read_dir(&folder).unwrap().count()) {
                (true, _) => all += 1,
                (false, 0) => nothing += 1,
                (false, _) => some += 1,
            }
            // A tar file that is there is not written again.
            if !there || form == "folder" {
                Run::from(run(&folder).output().unwrap()).succeeded();
            }
            let left: Vec<PathBuf> = fs::read_dir(&folder)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.to_string_lossy().ends_with(".tmp"))
                .collect();
            assert!(there || left.is_empty(), "{form} {round}: {left:?}");
            let map = format!("{}::{}/{form}{round}", stage.source.host, stage.target.host);
            let mut import = imageswap(&folder);
            import.args(["mirror", "--from-layout", to, "--map", &map]);
            Run::from(import.output().unwrap()).succeeded();
            for (image, count) in [("app", 3), ("many", 10)] {
                let repository = format!("{form}{round}/{image}");
                assert_eq!(closure(&stage.target.host, &repository, "1"), count, "{form} {round}");
            }
        }
        println!("{form}: killed {kills} times: {nothing} with nothing, {some} with some, {all} with all");
    }
}
