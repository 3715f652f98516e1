//! Runs that a signal ends, and images of which a part fails: no upload is left open at the target.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::registry_support::proxy::{Harm, Proxy};
use crate::registry_support::real::Kind;
use crate::run::{Stage, closure, imageswap, manifest};

/// `command`, with the signals that whoever started the tests may have ignored, as shells do for background jobs.
fn hearing_signals(command: &Command) -> Command {
    let mut hearing = Command::new("env");
    hearing.arg("--default-signal=INT,TERM").arg(command.get_program()).args(command.get_args());
    hearing.current_dir(command.get_current_dir().unwrap()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => hearing.env(name, value),
            None => hearing.env_remove(name),
        };
    }
    hearing
}

/// Waits until `wanted`, for as long as `child` runs.
fn wait_for(child: &mut Child, wanted: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !wanted() {
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        assert!(Instant::now() < until, "it never came so far");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_signal_leaves_no_upload_open() {
    let words: String = (0..60_000).map(|at| format!("{at} ")).collect();
    for kind in [Kind::Docker, Kind::Distribution, Kind::Olareg] {
        let Some(stage) = Stage::new(Kind::Docker, kind) else { continue };
        let images = ["one", "two"];
        for image in images {
            stage.source.push_image(image, Some("1"), false, &format!("{image} {words}"));
        }
        let slow = Proxy::start(&stage.source.host, move |seen| {
            let is_blob = seen.is("GET", "/blobs/");
            // Of what was being sent, distribution lets nobody give up the upload.
            let flows = kind == Kind::Olareg;
            Harm { drip: is_blob && flows, stall: is_blob && !flows, ..Harm::default() }
        });
        for signal in [Signal::INT, Signal::TERM] {
            let target = Proxy::start(&stage.target.host, |_| Harm::none());
            stage.list(&images.map(|image| {
                (format!("{}/{image}:1", slow.host), format!("{}/copy/{image}:1", target.host))
            }));
            let mut command = hearing_signals(&imageswap(stage.folder.path()));
            command.args(["mirror", "--images", "list"]).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().unwrap();
            wait_for(&mut child, || {
                target.count("POST", "/uploads/") == 4 && slow.count("GET", "/blobs/") >= 4
            });
            kill_process(Pid::from_child(&child), signal).unwrap();
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.signal(), Some(signal.as_raw()), "{kind:?}: {said}");
            let told = "error: interrupted; 0 of 2 images are done, and the next run goes on from there\n";
            assert_eq!(said, told, "{kind:?}");
            assert_eq!(target.count("DELETE", "/uploads/"), 4, "{kind:?}");
            assert_eq!(target.open_uploads(&stage.target.host), [""; 0], "{kind:?}");
            assert!(manifest(&stage.target.host, "copy/one", "1").is_none(), "{kind:?}");
        }
        stage.list(&images.map(|image| {
            (format!("{}/{image}:1", stage.source.host), format!("{}/copy/{image}:1", stage.target.host))
        }));
        stage.run("mirror", &["--images", "list"]).succeeded();
        for image in images {
            assert_eq!(closure(&stage.target.host, &format!("copy/{image}"), "1"), 3);
        }
    }
}

/// When a part of an image fails, the uploads of its other parts are given up.
#[test]
fn a_part_that_fails() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Olareg) else { return };
    let (digest, _) = stage.source.push_image("app", Some("1"), false, &"layer ".repeat(50_000));
    let (bytes, _) = manifest(&stage.source.host, "app", "1").unwrap();
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let config = value["config"]["digest"].as_str().unwrap().to_owned();
    let source = Proxy::start(&stage.source.host, move |seen| {
        // The configuration cannot be had, while the layer is on its way.
        let lost = seen.is("GET", &config).then_some((404, Vec::new()));
        Harm { drip: lost.is_none() && seen.is("GET", "/blobs/"), reply: lost, ..Harm::default() }
    });
    let target = Proxy::start(&stage.target.host, |_| Harm::none());
    stage.list(&[(format!("{}/app:1", source.host), format!("{}/copy/app:1", target.host))]);
    let run = stage.run("mirror", &["--images", "list", "--format", "json"]);
    assert_eq!(run.code, 2, "{}", run.stdout);
    assert_eq!(target.count("DELETE", "/uploads/"), target.count("POST", "/uploads/"));
    assert_eq!(target.open_uploads(&stage.target.host), [""; 0]);
    assert!(manifest(&stage.target.host, "copy/app", &digest).is_none());
}
