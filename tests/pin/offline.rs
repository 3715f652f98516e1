//! Runs that ask no registry do not prepare to ask one: no socket, no event loop, no thread for it. strace sees all three.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::registry_support::program;
use crate::scene::{Scene, pod, words};

/// What strace is asked for: everything about sockets, what a runtime waits with, and threads.
const CALLS: &str = "trace=%network,epoll_create,epoll_create1,eventfd2,io_uring_setup,clone,clone3";

/// How often a run made each system call.
type Counts = BTreeMap<String, usize>;

/// What `imageswap ARGUMENTS` asks of the system, with `input` on its standard input.
fn trace(strace: &Path, scene: &Scene, arguments: &[&str], input: &str, codes: &[i32]) -> Counts {
    scene.write("input", input);
    let log = scene.path("log");
    let mut command = Command::new(strace);
    command.args(["-f", "-qq", "-e", CALLS, "-o"]).arg(&log).arg(env!("CARGO_BIN_EXE_imageswap"));
    command.args(arguments).env_clear().env("HOME", scene.folder.path()).current_dir(scene.folder.path());
    command.stdin(Stdio::from(fs::File::open(scene.path("input")).unwrap()));
    let output = command.output().unwrap();
    assert!(codes.contains(&output.status.code().unwrap_or(-1)), "{arguments:?}: {}", words(&output));
    let mut counts = Counts::new();
    for line in fs::read_to_string(&log).unwrap().lines() {
        let (_, call) = line.split_once(' ').unwrap();
        let name = call.trim_start().split('(').next().unwrap();
        // A call that another thread interrupts has a second line.
        if !name.starts_with('<') {
            *counts.entry(name.replace("clone3", "clone")).or_default() += 1;
        }
    }
    counts
}

#[test]
fn runs_that_ask_no_registry_do_not_prepare_to() {
    let Some(strace) = program::find("strace") else { return };
    let Some(scene) = Scene::open() else { return };
    scene.registry.push_index("hub/nginx", "1.27", false);
    let (text, map) = (pod(&["nginx:1.27"]), scene.map());
    scene.write("pod.yaml", &text);
    let counts = |arguments: &[&str], codes: &[i32]| trace(&strace, &scene, arguments, &text, codes);
    let list = format!(
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- {}\n",
        text.trim_end().replace('\n', "\n  ")
    );

    // A small file is read without a thread for it, too.
    let none = Counts::new();
    let plain = ["rewrite", "--map", &map];
    let with = |more: &[&'static str]| [&plain[..], more].concat();
    for more in [&["--check", "pod.yaml"][..], &["--diff", "pod.yaml"]] {
        assert_eq!(counts(&with(more), &[0, 1]), none, "{more:?}");
    }
    assert_eq!(counts(&["images", "pod.yaml"], &[0]), none);
    assert_eq!(counts(&["explain", "--map", &map, "nginx:1.27"], &[0]), none);
    assert_eq!(counts(&with(&["-"]), &[0]), none);
    assert_eq!(trace(&strace, &scene, &["fn", "--map", &map], &list, &[0]), none);

    // What looks a digest up is seen, so the others would be.
    let asking = counts(&with(&["--pin", "--lock", "imageswap.lock", "pod.yaml"]), &[0]);
    for call in ["socket", "connect", "epoll_create1"] {
        assert!(asking.contains_key(call), "{call}: {asking:?}");
    }
    let pinned = scene.read("pod.yaml");
    assert!(pinned.contains("@sha256:"), "{pinned}");
    // Everything has its digest: there is nothing to ask, also where asking is allowed.
    let pinning = counts(&with(&["--pin", "--check", "pod.yaml"]), &[0]);
    assert_eq!(pinning, none);
    // The lock file has all that is needed.
    scene.write("pod.yaml", &text);
    for more in [&["--locked", "--check", "pod.yaml"][..], &["--locked", "pod.yaml"]] {
        assert_eq!(counts(&with(more), &[0, 1]), none, "{more:?}");
    }
    assert_eq!(scene.read("pod.yaml"), pinned);
    assert_eq!(counts(&with(&["--locked", "-"]), &[0]), none);
    assert_eq!(trace(&strace, &scene, &["fn", "--map", &map, "--locked"], &list, &[0]), none);
}
