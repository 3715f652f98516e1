//! The lock file: runs without a connection, renewal, comparison.

use std::fs;
use std::process::Command;

use crate::registry_support::program;
use crate::scene::{Scene, command_in, pod, words};

#[test]
fn the_lock_makes_the_next_run_offline() {
    let Some(scene) = Scene::open() else { return };
    let host = scene.registry.host.clone();
    let (nginx, _) = scene.registry.push_index("hub/nginx", "1.27", false);
    let (redis, _) = scene.registry.push_image("hub/redis", Some("latest"), false, "redis");
    let text = pod(&["nginx:1.27", "docker.io/library/nginx:1.27", "redis"])
        .replace("docker.io/library/", "docker.io/");
    scene.write("tree/pod.yaml", &text);
    // What is only shown writes no lock file.
    scene.fails(1, &["--pin", "--lock", "imageswap.lock", "--check", "tree"]);
    scene.rewrite(&["--pin", "--lock", "imageswap.lock", "--diff", "tree"]);
    assert!(!scene.path("imageswap.lock").exists());
    scene.rewrite(&["--lock", "imageswap.lock", "tree"]);
    let pinned = pod(&[
        &format!("{host}/hub/nginx:1.27@{nginx}"),
        &format!("{host}/hub/nginx:1.27@{nginx}"),
        &format!("{host}/hub/redis@{redis}"),
    ]);
    assert_eq!(scene.read("tree/pod.yaml"), pinned);
    let lock = scene.read("imageswap.lock");
    for line in [
        &format!("- image: {host}/hub/nginx@{nginx}\n"),
        &format!("    imageswap.dev/target: {host}/hub/nginx:1.27\n"),
        "    kbld.carvel.dev/id: nginx:1.27\n",
        "    kbld.carvel.dev/id: docker.io/nginx:1.27\n",
    ] {
        assert!(lock.contains(line), "{line}{lock}");
    }
    scene.write("again/pod.yaml", &text);
    scene.rewrite(&["--lock", "imageswap.lock", "again"]);
    assert_eq!(scene.read("imageswap.lock"), lock, "the same run gives the same lock file");
    if let Some(imgpkg) = program::find("imgpkg") {
        let mut command = Command::new(imgpkg);
        command
            .args(["copy", "--lock", "imageswap.lock", "--to-tar", "images.tar"])
            .current_dir(scene.folder.path());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", words(&output));
    }

    // The registry goes away, and the run with the lock file needs none.
    let map = scene.map();
    let folder = scene.folder;
    drop(scene.registry);
    fs::write(folder.path().join("again/pod.yaml"), &text).unwrap();
    let rewrite = ["rewrite", "--map", &map, "--locked", "again"];
    let output = command_in(folder.path()).args(rewrite).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert_eq!(fs::read_to_string(folder.path().join("again/pod.yaml")).unwrap(), pinned);
}

#[test]
fn what_the_lock_does_not_know_fails() {
    let Some(scene) = Scene::open() else { return };
    scene.registry.push_index("hub/nginx", "1.27", false);
    scene.registry.push_index("hub/nginx", "1.28", false);
    scene.write("pod.yaml", &pod(&["nginx:1.27"]));
    let said = scene.fails(2, &["--locked", "pod.yaml"]);
    assert!(said.contains("cannot read the lock file imageswap.lock: no such file"), "{said}");
    scene.rewrite(&["--lock", "imageswap.lock", "pod.yaml"]);
    let lock = scene.read("imageswap.lock");
    // Missing.
    let text = pod(&["nginx:1.27", "nginx:1.28"]);
    scene.write("pod.yaml", &text);
    let said = scene.fails(2, &["--locked", "pod.yaml"]);
    assert!(said.contains("imageswap.lock has no entry for it"), "{said}");
    assert_eq!(scene.read("pod.yaml"), text);
    // Stale: the maps say something else now, or another platform is wanted.
    let other = ["rewrite", "--map", "docker.io::other.example/hub", "--locked", "pod.yaml"];
    let said = words(&scene.run(&other));
    assert!(said.contains("imageswap.lock is stale: it has nginx:1.27 for"), "{said}");
    let said = scene.fails(2, &["--locked", "--platform", "linux/arm64", "pod.yaml"]);
    assert!(said.contains("is stale"), "{said}");
    // Broken.
    scene.write("imageswap.lock", &lock.replace("kind: ImagesLock", "kind: Lock"));
    let said = scene.fails(2, &["--locked", "pod.yaml"]);
    assert!(said.contains("imageswap.lock:3:7: kind is \"Lock\""), "{said}");
    // A run that fails leaves it as it was.
    scene.write("imageswap.lock", &lock);
    scene.write("pod.yaml", &pod(&["nginx:1.28", "nginx:none"]));
    let said = scene.fails(2, &["--lock", "imageswap.lock", "pod.yaml"]);
    assert!(said.contains("hub/nginx:none: "), "{said}");
    assert_eq!(scene.read("imageswap.lock"), lock);
}

#[test]
fn renews_what_is_ours() {
    let Some(scene) = Scene::open() else { return };
    let host = scene.registry.host.clone();
    let (old, _) = scene.registry.push_image("hub/nginx", Some("1.27"), false, "old");
    scene.write("pod.yaml", &pod(&["nginx:1.27"]));
    scene.rewrite(&["--lock", "l.lock", "pod.yaml"]);
    let (new, _) = scene.registry.push_image("hub/nginx", Some("1.27"), false, "new");
    let by_user = format!("{host}/hub/nginx:1.28@sha256:{}", "5".repeat(64));
    let ours = |digest: &str| format!("{host}/hub/nginx:1.27@{digest}");
    scene.write("pod.yaml", &pod(&[&ours(&old), &by_user]));
    scene.rewrite(&["--lock", "l.lock", "pod.yaml"]);
    assert_eq!(scene.read("pod.yaml"), pod(&[&ours(&old), &by_user]), "nothing is renewed unasked");
    scene.rewrite(&["--lock", "l.lock", "--repin", "pod.yaml"]);
    assert_eq!(scene.read("pod.yaml"), pod(&[&ours(&new), &by_user]));
    let lock = scene.read("l.lock");
    assert!(lock.contains(&format!("imageswap.dev/previous: {old}")) && lock.contains(&new), "{lock}");
    // A tree that has the old one follows the lock file without a connection.
    scene.write("late.yaml", &pod(&[&ours(&old)]));
    scene.rewrite(&["--lock", "l.lock", "--locked", "late.yaml"]);
    assert_eq!(scene.read("late.yaml"), pod(&[&ours(&new)]));
    // Somebody changed the tag alone.
    let torn = pod(&[&ours(&new).replace("1.27", "1.29")]);
    scene.write("late.yaml", &torn);
    let said = scene.fails(2, &["--lock", "l.lock", "--locked", "--check", "late.yaml"]);
    assert!(said.contains("do not belong together: l.lock has"), "{said}");
    let said = scene.rewrite(&["--lock", "l.lock", "--locked", "late.yaml"]);
    assert!(said.contains("warning: late.yaml:7:12:"), "{said}");
}

#[test]
fn the_lock_is_compared_and_updated() {
    let Some(scene) = Scene::open() else { return };
    let host = scene.registry.host.clone();
    let (old, _) = scene.registry.push_image("hub/nginx", Some("1.27"), false, "old");
    scene.registry.push_image("hub/redis", Some("7"), false, "redis");
    scene.write("pod.yaml", &pod(&["nginx:1.27", "redis:7"]));
    scene.rewrite(&["--lock", "imageswap.lock", "pod.yaml"]);
    let output = scene.run(&["lock", "diff"]);
    assert_eq!((output.status.code(), words(&output).as_str()), (Some(0), ""));
    let (new, _) = scene.registry.push_image("hub/nginx", Some("1.27"), false, "new");
    let line = format!("{host}/hub/nginx:1.27: {old} -> {new}\n");
    let lock = scene.read("imageswap.lock");
    let output = scene.run(&["lock", "diff"]);
    assert_eq!((output.status.code(), words(&output)), (Some(1), line.clone()));
    assert_eq!(scene.read("imageswap.lock"), lock);
    let output = scene.run(&["lock", "update", "--only", "redis"]);
    assert_eq!(words(&output), "imageswap.lock: 0 of 1 image changed\n");
    let output = scene.run(&["lock", "update", "--only", "nowhere"]);
    assert_eq!((output.status.code(), scene.read("imageswap.lock")), (Some(2), lock.clone()));
    let output = scene.run(&["lock", "update"]);
    assert_eq!(words(&output), format!("{line}imageswap.lock: 1 of 2 images changed\n"));
    assert!(scene.read("imageswap.lock").contains(&format!("imageswap.dev/previous: {old}")));
    // The tree follows without a connection.
    scene.rewrite(&["--locked", "pod.yaml"]);
    assert!(scene.read("pod.yaml").contains(&format!("nginx:1.27@{new}")));
    // One that fails leaves the lock file as it was.
    let lock = scene.read("imageswap.lock");
    scene.write("imageswap.lock", &lock.replace("redis:7", "redis:8"));
    let output = scene.run(&["lock", "update"]);
    assert_eq!(output.status.code(), Some(2), "{}", words(&output));
    assert!(words(&output).contains("imageswap.lock stays as it is"), "{}", words(&output));
    assert_eq!(scene.read("imageswap.lock"), lock.replace("redis:7", "redis:8"));
}
