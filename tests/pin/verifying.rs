//! `verify`.

use crate::scene::{Scene, pod, words};

#[test]
fn verify_says_what_drifted_and_what_is_missing() {
    let Some(scene) = Scene::open() else { return };
    let host = scene.registry.host.clone();
    let image = |repository: &str, tag: &str, words: &str| {
        scene.registry.push_image(repository, Some(tag), false, words).0
    };
    let (same, drifted) = (image("from/same", "1", "same"), image("from/other", "1", "one"));
    image("to/same", "1", "same");
    let now = image("to/other", "1", "two");
    let pinned = image("to/pinned", "1", "pinned");
    image("from/gone", "1", "gone");
    let images = ["from/same:1", "from/other:1", "from/gone:1"].map(|image| format!("{host}/{image}"));
    let images: Vec<&str> = images.iter().map(String::as_str).collect();
    let with_pin = format!("{host}/to/pinned:1@{pinned}");
    scene.write("tree/pod.yaml", &pod(&[&images[..], &[&with_pin]].concat()));
    let map = format!("{host}/from::{host}/to");
    let verify = |more: &[&str]| {
        let output = scene.run(&[&["verify", "tree", "--map", &map], more].concat());
        (output.status.code(), words(&output))
    };
    let (code, said) = verify(&[]);
    assert_eq!(code, Some(1), "{said}");
    let want = [
        format!("missing: {host}/to/gone:1 (for {host}/from/gone:1)"),
        format!("drift: {host}/to/other:1: {now}, expected {drifted} ({host}/from/other:1)"),
        "verified 4 images: 2 drifted or missing".to_owned(),
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), want);
    // The tag of a pinned image moves.
    let moved = image("to/pinned", "1", "moved");
    let (_, said) = verify(&[]);
    assert!(
        said.contains(&format!("drift: {with_pin}: {moved}, expected {pinned} (the manifest)")),
        "{said}"
    );
    // With a lock file, its digests count.
    scene.write("tree/pod.yaml", &pod(&images[..1]));
    let lock = ["rewrite", "--map", &map, "--lock", "l.lock", "--output", "out", "tree"];
    assert_eq!(scene.run(&lock).status.code(), Some(0));
    assert_eq!(verify(&["--lock", "l.lock"]).0, Some(0));
    let later = image("to/same", "1", "later");
    let (code, said) = verify(&["--lock", "l.lock"]);
    assert_eq!(code, Some(1));
    assert!(said.contains(&format!("drift: {host}/to/same:1: {later}, expected {same} (l.lock)")), "{said}");
}
