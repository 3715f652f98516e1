//! The kustomize promise: building the rewritten tree gives the images that rewriting the build of the
//! original tree gives. Shown with the real kustomize (`kubectl kustomize` or `kustomize build`), on overlays
//! made here, on the trees of `trees/` and, with `IMAGESWAP_CORPUS=DIR`, on each kustomization of a folder that builds offline.
//!
//! The programs are looked for on `PATH` and in `IMAGESWAP_E2E_TOOLS/bin`. Without them the tests say that they
//! do nothing; with `CI=true` that is an error.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests stop at the first surprise and say why"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[path = "../folders/mod.rs"]
mod folders;
mod kustomize;
mod pins;
mod trees;

use folders::{copy, each_file};
use kustomize::Kustomize;

fn imageswap(maps: &[&str], arguments: &[&str], input: &str) -> (String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imageswap"));
    command.arg("rewrite").args(maps.iter().flat_map(|rule| ["--map", rule])).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      initContainers:
      - {name: wait, image: busybox}
      containers:
      - name: web
        image: nginx:1.26  # the web server
      - name: log
        image: \"quay.io/team/log:1\"
      - name: own
        image: ghcr.io/own/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
";

const HEAD: &str = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";

/// A tree: its name, its files beside `base/web.yaml` and `base/kustomization.yaml`, and the folder to build.
type Tree = (&'static str, &'static [(&'static str, &'static str)], &'static str);

const TREES: &[Tree] = &[
    ("base alone", &[], "base"),
    (
        "newTag",
        &[(
            "o/kustomization.yaml",
            "resources: [../base]\nimages:\n- name: nginx\n  newTag: '1.27'\n- name: busybox\n  newTag: \"1\"\n",
        )],
        "o",
    ),
    (
        "newName",
        &[(
            "o/kustomization.yaml",
            "resources: [../base]\nimages:\n- name: nginx\n  newName: quay.io/other/nginx\n- {name: quay.io/team/log, newName: log}\n",
        )],
        "o",
    ),
    (
        "newName and newTag",
        &[(
            "o/kustomization.yaml",
            "resources: [../base]\nimages:\n- newTag: v2\n  newName: bitnami/nginx\n  name: nginx\n",
        )],
        "o",
    ),
    (
        "digest",
        &[(
            "o/kustomization.yaml",
            "resources: [../base]\nimages:\n- name: quay.io/team/log\n  digest: sha256:1111111111111111111111111111111111111111111111111111111111111111\n- name: ghcr.io/own/app\n  newTag: v1\n",
        )],
        "o",
    ),
    (
        "the base has images of its own",
        &[
            ("base/kustomization.yaml", "resources: [web.yaml]\nimages:\n- {name: nginx, newTag: '1.27'}\n"),
            ("o/kustomization.yaml", "resources: [../base]\nimages:\n- {name: nginx, newTag: '1.28'}\n"),
        ],
        "o",
    ),
    (
        "chained overlays",
        &[
            (
                "a/kustomization.yaml",
                "resources: [../base]\nimages:\n- {name: nginx, newName: quay.io/a/nginx}\n",
            ),
            (
                "b/kustomization.yaml",
                "resources: [../a]\nimages:\n- {name: quay.io/a/nginx, newName: ghcr.io/b/nginx, newTag: b}\n",
            ),
            ("c/kustomization.yaml", "resources: [../b]\nimages:\n- {name: ghcr.io/b/nginx, newTag: c}\n"),
        ],
        "c",
    ),
    (
        "a chain back to the first name",
        &[
            (
                "a/kustomization.yaml",
                "resources: [../base]\nimages:\n- {name: nginx, newName: quay.io/a/nginx}\n",
            ),
            (
                "b/kustomization.yaml",
                "resources: [../a]\nimages:\n- {name: quay.io/a/nginx, newName: nginx, newTag: b}\n",
            ),
        ],
        "b",
    ),
    (
        "a component",
        &[
            (
                "part/kustomization.yaml",
                "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nimages:\n- {name: nginx, newTag: part}\n",
            ),
            ("o/kustomization.yaml", "resources: [../base]\ncomponents: [../part]\n"),
        ],
        "o",
    ),
    (
        "a strategic merge patch in a file",
        &[
            (
                "o/patch.yaml",
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n      - {name: web, image: 'quay.io/patched/nginx:3'}\n      - {name: more, image: redis}\n",
            ),
            (
                "o/kustomization.yaml",
                "resources: [../base]\npatches:\n- path: patch.yaml\nimages:\n- {name: redis, newTag: '7'}\n",
            ),
        ],
        "o",
    ),
    (
        "a file of the other name, without a kind, in flow style",
        &[(
            "o/Kustomization",
            "{resources: [../base], images: [{name: nginx, newTag: '1.27'}, {name: busybox, newName: quay.io/b/busybox}]}\n",
        )],
        "o",
    ),
    (
        "an image that the label keeps",
        &[
            ("base/kustomization.yaml", "resources: [web.yaml, kept.yaml]\n"),
            (
                "base/kept.yaml",
                "apiVersion: v1\nkind: Pod\nmetadata: {name: kept, labels: {k8s.twr.io/imageswap: disabled}}\nspec: {containers: [{name: a, image: redis:1}]}\n",
            ),
            (
                "o/kustomization.yaml",
                "resources: [../base]\nimages:\n- {name: redis, newTag: '7'}\n- {name: nginx, newTag: '2'}\n",
            ),
        ],
        "o",
    ),
];

const MAPS: &[&[&str]] = &[
    &["docker.io::m.example/hub"],
    &["docker.io::m.example/hub/{path}", "default::m.example/{registry}/{path}"],
    &["default::m.example/all-"],
    &["docker.io::m.example:5000/hub", "quay.io::localhost:5000"],
    &[
        "quay.io::m.example/quay",
        "ghcr.io/own::",
        "docker.io/library::m.example/library",
        "docker.io::m.example",
    ],
    &["[REPLACE]*nginx*::m.example/web", "quay.io/a::m.example/a"],
    &["other.example::m.example"],
];

#[test]
fn overlays_keep_their_hold() {
    let Some(kustomize) = Kustomize::find() else { return };
    let mut wrong = Vec::new();
    for (name, files, folder) in TREES {
        let mut tree = BTreeMap::from([
            ("base/web.yaml", WEB.to_owned()),
            ("base/kustomization.yaml", "resources: [web.yaml]\n".to_owned()),
        ]);
        for (path, text) in *files {
            tree.insert(path, (*text).to_owned());
        }
        let original = tempfile::tempdir().unwrap();
        for (path, text) in &tree {
            let has_head = text.contains("kind:") || !path.to_lowercase().ends_with("kustomization.yaml");
            let head = if has_head { "" } else { HEAD };
            write(&original.path().join(path), &format!("{head}{text}"));
        }
        let built = kustomize.build(&original.path().join(folder)).unwrap();
        for maps in MAPS {
            let rewritten = tempfile::tempdir().unwrap();
            copy(original.path(), rewritten.path());
            let (report, errors) = imageswap(maps, &[rewritten.path().to_str().unwrap()], "");
            let expected = imageswap(maps, &["-"], &built).0;
            let actual = kustomize.build(&rewritten.path().join(folder)).unwrap();
            if expected != actual {
                wrong
                    .push(format!("{name}, {maps:?}:\n{}\n{report}{errors}", difference(&expected, &actual)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What cannot follow is said, so that nobody believes that the promise holds there.
#[test]
fn what_cannot_follow_is_reported() {
    let cases = [
        (
            "a remote base",
            "- {name: far.example/a, newTag: v2}\n",
            &["docker.io::m.example"][..],
            "names no image",
        ),
        (
            "one name, two results",
            "- {name: nginx, newTag: v2}\n",
            &["[EXACT]nginx:1.26::m.example/old/nginx:1.26"],
            "becomes several images",
        ),
        (
            "a rule for the result",
            "- {name: nginx, newTag: v2}\n",
            &["[EXACT]nginx:v2::m.example/new:v3"],
            "would become m.example/new:v3, but nginx becomes nginx",
        ),
    ];
    for (name, images, maps, why) in cases {
        let tree = tempfile::tempdir().unwrap();
        write(&tree.path().join("web.yaml"), WEB);
        let second = WEB.replace("name: web\n", "name: second\n").replace("nginx:1.26", "nginx:1.25");
        write(&tree.path().join("second.yaml"), &second);
        let text = format!("{HEAD}resources: [web.yaml, second.yaml]\nimages:\n{images}");
        write(&tree.path().join("kustomization.yaml"), &text);
        let (report, errors) = imageswap(maps, &["--strict", "--check", tree.path().to_str().unwrap()], "");
        let said = errors
            .lines()
            .any(|line| line.starts_with("error: ") && line.contains("images[0].name") && line.contains(why));
        assert!(said, "{name}: {report}{errors}");
    }
}

#[test]
fn kustomizations_of_the_corpus_keep_their_hold() {
    let Some(corpus) = std::env::var_os("IMAGESWAP_CORPUS").filter(|value| !value.is_empty()) else {
        eprintln!("skipped: IMAGESWAP_CORPUS is not set");
        return;
    };
    let Some(kustomize) = Kustomize::find() else { return };
    let corpus = PathBuf::from(corpus);
    let scratch = tempfile::tempdir().unwrap();
    copy(&corpus, scratch.path());
    let maps = &["docker.io::mirror.example/hub/{path}", "default::mirror.example/{registry}/{path}"][..];
    let mut notes = String::new();
    for project in fs::read_dir(scratch.path()).unwrap().map(|entry| entry.unwrap().path()) {
        if project.is_dir() {
            let arguments = ["--keep-going", "--no-ignore", "--no-sync", "--kustomize-images", "follow"];
            let arguments = [&arguments[..], &[project.to_str().unwrap()]].concat();
            let (report, _) = imageswap(maps, &arguments, "");
            let unfollowed =
                report.lines().filter(|line| line.contains("left alone") && line.contains("images["));
            notes.extend(unfollowed.map(|line| format!("{line}\n")));
        }
    }
    let mut folders = Vec::new();
    each_file(&corpus, &mut |path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        if matches!(name, "kustomization.yaml" | "kustomization.yml" | "Kustomization") {
            folders.push(path.parent().unwrap().to_owned());
        }
    });
    let (mut built, mut held, mut unbuilt, mut broken) = (0, 0, BTreeMap::new(), Vec::new());
    for folder in &folders {
        let relative = folder.strip_prefix(&corpus).unwrap();
        let original = match kustomize.build(folder) {
            Ok(text) => text,
            Err(why) => {
                let why = why.lines().last().unwrap_or_default().rsplit(": ").next().unwrap_or_default();
                *unbuilt.entry(why.chars().take(60).collect::<String>()).or_insert(0) += 1;
                continue;
            }
        };
        built += 1;
        let expected = imageswap(maps, &["--keep-going", "-"], &original).0;
        match kustomize.build(&scratch.path().join(relative)) {
            Ok(actual) if actual == expected => held += 1,
            Ok(actual) => broken.push(format!("{}\n{}", relative.display(), difference(&expected, &actual))),
            Err(why) => broken.push(format!("{}: builds no more: {why}", relative.display())),
        }
    }
    eprintln!("{} kustomizations, {built} build offline, {held} keep the promise", folders.len());
    eprintln!("not built: {unbuilt:#?}\nentries left alone:\n{notes}");
    eprintln!("not held:\n{}", broken.join("\n"));
    assert!(built > 0);
    assert!(broken.is_empty(), "{} of {built} break the promise", broken.len());
}

/// The lines that only one of the texts has.
fn difference(expected: &str, actual: &str) -> String {
    let only = |a: &str, b: &str, sign: char| -> Vec<String> {
        let b: Vec<&str> = b.lines().collect();
        a.lines().filter(|line| !b.contains(line)).map(|line| format!("  {sign} {line}")).collect()
    };
    [only(expected, actual, '-'), only(actual, expected, '+')].concat().join("\n")
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
