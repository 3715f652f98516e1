//! `rewrite --pin`, `--lock` and `--locked` against real registries on loopback: what is written, what is asked, and
//! what is said when that fails. Judged by crane, kbld, imgpkg and kustomize where they are there.
#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod registry_support;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use registry_support::program;
use registry_support::real::{Auth, Registry};
use tempfile::TempDir;

/// A registry with images, and a folder to work in.
struct Scene {
    registry: Registry,
    folder: TempDir,
    _storage: TempDir,
}

impl Scene {
    fn new(auth: &Auth) -> Option<Self> {
        let program = program::find("docker-registry")?;
        let storage = TempDir::new().unwrap();
        let registry = Registry::start(&program, storage.path(), auth, None);
        Some(Self { registry, folder: TempDir::new().unwrap(), _storage: storage })
    }

    fn open() -> Option<Self> {
        Self::new(&Auth::Open)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Docker Hub's images go to the registry, below `hub`.
    fn map(&self) -> String {
        format!("docker.io::{}/hub", self.registry.host)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_imageswap"));
        // No configuration of whoever runs the tests.
        command.env_clear().env("HOME", self.folder.path()).current_dir(self.folder.path()).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// `imageswap rewrite --map … ARGUMENTS`, which must end well; what it says.
    fn rewrite(&self, arguments: &[&str]) -> String {
        let output = self.run(&[&["rewrite", "--map", &self.map()], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", words(&output));
        words(&output)
    }

    /// The same, which must fail.
    fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(&[&["rewrite", "--map", &self.map()], arguments].concat());
        assert_eq!(output.status.code(), Some(code), "{}", words(&output));
        words(&output)
    }
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn pod(images: &[&str]) -> String {
    let head = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n";
    images.iter().enumerate().fold(head.to_owned(), |text, (number, image)| {
        format!("{text}  - name: c{number}\n    image: {image}\n")
    })
}

#[test]
fn pins_what_moves_and_what_stays() {
    let Some(scene) = Scene::open() else { return };
    let host = scene.registry.host.clone();
    let (nginx, _) = scene.registry.push_index("hub/nginx", "1.27", false);
    let (redis, _) = scene.registry.push_index("hub/redis", "latest", true);
    let (app, _) = scene.registry.push_image("team/app", Some("v1"), false, "app");
    let by_user = format!("sha256:{}", "5".repeat(64));
    let text = pod(&[
        "'nginx:1.27' # web",
        "redis",
        &format!("{host}/team/app:v1"),
        &format!("nginx:1.27@{by_user}"),
        "quay.io/skipped/x:1",
        "${IMAGE}",
    ]);
    scene.write("pod.yaml", &text);
    let said = scene.rewrite(&["--pin", "--skip-prefixes", "gcr.io:quay.io/skipped", "pod.yaml"]);
    let expected = pod(&[
        &format!("'{host}/hub/nginx:1.27@{nginx}' # web"),
        &format!("{host}/hub/redis@{redis}"),
        &format!("{host}/team/app:v1@{app}"),
        &format!("{host}/hub/nginx:1.27@{by_user}"),
        "quay.io/skipped/x:1",
        "${IMAGE}",
    ]);
    assert_eq!(scene.read("pod.yaml"), expected, "{said}");
    if let Some(crane) = program::find("crane") {
        let image = format!("{host}/hub/nginx:1.27");
        let output = Command::new(crane).args(["digest", "--insecure", &image]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), nginx);
    }
    // A second run makes no request: the registry is gone.
    let Scene { registry, folder, _storage } = scene;
    drop(registry);
    let maps = format!("docker.io::{host}/hub");
    let mut again = Command::new(env!("CARGO_BIN_EXE_imageswap"));
    again.args([
        "rewrite",
        "--map",
        &maps,
        "--pin",
        "--check",
        "--skip-prefixes=quay.io/skipped",
        "pod.yaml",
    ]);
    let output = again.current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
}

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

    // The registry goes away, and the run with the lock file does not even open a socket.
    let map = scene.map();
    let folder = scene.folder;
    drop(scene.registry);
    fs::write(folder.path().join("again/pod.yaml"), &text).unwrap();
    let rewrite = ["rewrite", "--map", &map, "--locked", "again"];
    let trace = folder.path().join("trace");
    let mut command = match program::find("strace") {
        Some(strace) => {
            let mut command = Command::new(strace);
            command
                .args(["-f", "-e", "trace=network", "-o"])
                .arg(&trace)
                .arg(env!("CARGO_BIN_EXE_imageswap"));
            command
        }
        None => Command::new(env!("CARGO_BIN_EXE_imageswap")),
    };
    let output = command.args(rewrite).current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert_eq!(fs::read_to_string(folder.path().join("again/pod.yaml")).unwrap(), pinned);
    let calls = fs::read_to_string(&trace).unwrap_or_default();
    assert!(!calls.contains("socket("), "{calls}");
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
fn source_and_platform() {
    let Some(scene) = Scene::open() else { return };
    let host = scene.registry.host.clone();
    let (_, children) = scene.registry.push_index("from/nginx", "1.27", false);
    scene.write("pod.yaml", &pod(&[&format!("{host}/from/nginx:1.27")]));
    let map = format!("{host}/from::to.example/mirror");
    let arguments = [
        "rewrite",
        "--map",
        &map,
        "--pin-from",
        "source",
        "--platform",
        "linux/arm64/v8",
        "--lock",
        "l",
        "pod.yaml",
    ];
    let output = scene.run(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert_eq!(scene.read("pod.yaml"), pod(&[&format!("to.example/mirror/nginx:1.27@{}", children[1])]));
    let lock = scene.read("l");
    assert!(lock.contains("imageswap.dev/platform: linux/arm64/v8"), "{lock}");
    assert!(lock.contains(&format!("imageswap.dev/source: {host}/from/nginx:1.27")), "{lock}");
}

#[test]
fn failures_fail_warn_or_are_counted() {
    let Some(scene) = Scene::open() else { return };
    scene.registry.push_index("hub/nginx", "1.27", false);
    let text = pod(&["nginx:1.27", "nginx:none"]);
    scene.write("pod.yaml", &text);
    let said = scene.fails(2, &["--pin", "pod.yaml"]);
    assert!(said.contains("error: pod.yaml:9:12: nginx:none at spec.containers[1].image"), "{said}");
    assert!(said.contains("not found (404)"), "{said}");
    assert_eq!(scene.read("pod.yaml"), text);
    let said = scene.rewrite(&["--pin", "--on-pin-error", "warn", "--dry-run", "pod.yaml"]);
    assert!(said.contains("warning: pod.yaml:9:12:"), "{said}");
    let said = scene.rewrite(&["--pin", "--on-pin-error", "skip", "pod.yaml"]);
    assert!(said.contains("left alone: without a digest 1") && !said.contains("(404)"), "{said}");
    assert!(scene.read("pod.yaml").contains("hub/nginx:none\n"));
}

#[test]
fn logs_in_and_shows_no_password() {
    const CANARY: &str = "canary-3b9f1c5d7e";
    let Some(_) = program::find("htpasswd") else { return };
    let Some(scene) = Scene::new(&Auth::Basic("ann", CANARY)) else { return };
    let host = scene.registry.host.clone();
    let config = |password: &str| {
        format!("{{\"auths\":{{\"{host}\":{{\"username\":\"ann\",\"password\":\"{password}\"}}}}}}")
    };
    scene.write("pod.yaml", &pod(&["nginx:1.27"]));
    let quiet = |said: String| {
        assert!(!said.contains(CANARY), "{said}");
        said
    };
    let said = quiet(scene.fails(2, &["--pin", "pod.yaml"]));
    assert!(said.contains("not logged in (401)") && said.contains("docker login"), "{said}");
    scene.write(".docker/config.json", &config(&format!("{CANARY}-wrong")));
    let said = quiet(scene.fails(2, &["--pin", "pod.yaml"]));
    assert!(said.contains("was refused"), "{said}");
    scene.write("own.json", &config(CANARY));
    let said = quiet(scene.fails(2, &["--pin", "--registry-config", "own.json", "pod.yaml"]));
    assert!(said.contains("not found (404)"), "logged in, there is no such image: {said}");
}

#[test]
fn standard_input_takes_the_same_way() {
    let Some(scene) = Scene::open() else { return };
    let host = scene.registry.host.clone();
    let (nginx, _) = scene.registry.push_index("hub/nginx", "1.27", false);
    let mut child = scene
        .command(&["rewrite", "--map", &scene.map(), "--pin", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(pod(&["nginx:1.27"]).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), pod(&[&format!("{host}/hub/nginx:1.27@{nginx}")]));
}

/// Building the rewritten tree gives the images that rewriting the build of the original tree gives: with pins, too.
#[test]
fn the_kustomize_promise_holds_for_pins() {
    let Some(scene) = Scene::open() else { return };
    for tag in ["1.27", "1.28"] {
        scene.registry.push_index("hub/nginx", tag, false);
        scene.registry.push_image("hub/team/app", Some(tag), false, tag);
    }
    let base = "resources: [pod.yaml]\n";
    let overlay = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../base]\nimages:\n\
                   # the newer one\n- name: nginx\n  newTag: \"1.28\"  # soon\n- {name: team/app, newTag: '1.28'}\n";
    let tree = |folder: &str| {
        scene.write(&format!("{folder}/base/kustomization.yaml"), base);
        scene.write(
            &format!("{folder}/base/pod.yaml"),
            &pod(&["nginx:1.27", "team/app:1.27", "team/app:1.27"]),
        );
        scene.write(&format!("{folder}/overlay/kustomization.yaml"), overlay);
    };
    tree("before");
    tree("after");
    scene.rewrite(&["--lock", "l.lock", "after"]);
    let after = scene.read("after/overlay/kustomization.yaml");
    let shown: String = after
        .lines()
        .filter(|line| !line.contains("digest: sha256:"))
        .map(|line| format!("{line}\n"))
        .collect();
    let host = &scene.registry.host;
    let want = overlay.lines().filter(|line| !line.starts_with("- {")).map(|line| format!("{line}\n"));
    let want = want.collect::<String>().replace("name: nginx", &format!("name: {host}/hub/nginx"));
    assert_eq!(shown, want, "{after}");
    assert!(after.contains("  newTag: \"1.28\"  # soon\n  digest: sha256:"), "{after}");
    assert!(after.contains("newTag: '1.28', digest: sha256:"), "{after}");
    let twice = scene.rewrite(&["--lock", "l.lock", "after"]);
    assert_eq!(scene.read("after/overlay/kustomization.yaml"), after, "{twice}");

    let Some(kustomize) = program::find("kustomize") else { return };
    let build = |folder: &str| {
        let output = Command::new(&kustomize).arg("build").arg(scene.path(folder)).output().unwrap();
        assert!(output.status.success(), "{}", words(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    scene.write("built.yaml", &build("before/overlay"));
    scene.rewrite(&["--pin", "built.yaml"]);
    assert_eq!(build("after/overlay"), scene.read("built.yaml"));
}

#[test]
fn an_entry_that_only_renames_is_not_pinned_in_silence() {
    let Some(scene) = Scene::open() else { return };
    scene.registry.push_index("hub/nginx", "1.27", false);
    scene.write(
        "kustomization.yaml",
        "resources: [pod.yaml]\nimages:\n- name: nginx\n  newName: team/nginx\n",
    );
    scene.write("pod.yaml", &pod(&["nginx:1.27"]));
    let said = scene.fails(2, &["--pin", "."]);
    assert!(said.contains("set newTag, too"), "{said}");
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

#[test]
fn auth_check_says_whether_it_works_and_shows_nothing() {
    const CANARY: &str = "canary-7a6c2e4d";
    let Some(_) = program::find("htpasswd") else { return };
    let Some(scene) = Scene::new(&Auth::Basic("ann", CANARY)) else { return };
    let host = scene.registry.host.clone();
    let check = |what: &str| {
        let output = scene.run(&["auth", "check", what]);
        let said = words(&output);
        assert!(!said.contains(CANARY), "{said}");
        (output.status.code(), said)
    };
    let (code, said) = check(&host);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.starts_with(&format!("{host}: no credential\n  does not work: ")), "{said}");
    let config = |password: &str| {
        let text =
            format!("{{\"auths\":{{\"{host}\":{{\"username\":\"ann\",\"password\":\"{password}\"}}}}}}");
        scene.write(".docker/config.json", &text);
    };
    config(&format!("{CANARY}-wrong"));
    let (code, said) = check(&host);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("user \"ann\" and a password, from "), "{said}");
    assert!(said.contains("config.json (entry for "), "{said}");
    config(CANARY);
    for what in [host.clone(), format!("{host}/team/app"), format!("{host}/team/app:v1")] {
        let (code, said) = check(&what);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("\n  works"), "{said}");
    }
}

#[test]
fn the_function_pins_and_reads_the_lock() {
    let Some(scene) = Scene::open() else { return };
    let host = scene.registry.host.clone();
    let (nginx, _) = scene.registry.push_index("hub/nginx", "1.27", false);
    let list = |spec: &str| {
        format!(
            "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- apiVersion: v1\n  kind: Pod\n  \
             metadata: {{name: p}}\n  spec:\n    containers:\n    - name: c\n      image: nginx:1.27 # web\n\
             functionConfig:\n{spec}"
        )
    };
    let call = |text: &str| {
        let mut command = scene.command(&["fn"]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), words(&output))
    };
    let pinned = format!("image: {host}/hub/nginx:1.27@{nginx} # web\n");
    let head = "  apiVersion: imageswap.dev/v1alpha1\n  kind: ImageSwap\n  metadata: {name: f}\n  spec:\n";
    let map = scene.map();
    let spec = format!("{head}    pin: true\n    maps: |\n      {map}\n");
    let (code, said) = call(&list(&spec));
    assert!(code == Some(0) && said.contains(&pinned), "{said}");
    let config_map = format!(
        "  apiVersion: v1\n  kind: ConfigMap\n  metadata: {{name: f}}\n  data: {{pin: \"true\", docker.io: {host}/hub}}\n"
    );
    let (code, said) = call(&list(&config_map));
    assert!(code == Some(0) && said.contains(&pinned), "{said}");
    // The lock file alone.
    let locked = format!("{head}    lock: imageswap.lock\n    maps: |\n      {map}\n");
    let (code, said) = call(&list(&locked));
    assert!(code == Some(2) && said.contains("cannot read the lock file imageswap.lock"), "{said}");
    scene.write("pod.yaml", &pod(&["nginx:1.27"]));
    scene.rewrite(&["--lock", "imageswap.lock", "pod.yaml"]);
    let (code, said) = call(&list(&locked));
    assert!(code == Some(0) && said.contains(&pinned), "{said}");
    // No network: nothing is edited, and kpt's users are told.
    let unreachable = spec.replace(&host, "127.0.0.1:9");
    let (code, said) = call(&list(&unreachable));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("network: true") && said.contains("image: nginx:1.27 # web\n"), "{said}");
}

#[test]
fn explain_says_where_a_digest_comes_from() {
    let Some(scene) = Scene::open() else { return };
    let host = scene.registry.host.clone();
    let (nginx, _) = scene.registry.push_index("hub/nginx", "1.27", false);
    let explain = |more: &[&str]| {
        let output = scene.run(&[&["explain", "--map", &scene.map(), "nginx:1.27"], more].concat());
        words(&output)
    };
    let line = |origin: &str| format!("nginx:1.27: pinned as {host}/hub/nginx:1.27@{nginx} by {origin}\n");
    assert!(explain(&["--pin"]).ends_with(&line(&format!("the registry {host}"))));
    scene.write("pod.yaml", &pod(&["nginx:1.27"]));
    scene.rewrite(&["--lock", "imageswap.lock", "pod.yaml"]);
    assert!(explain(&["--locked"]).ends_with(&line("imageswap.lock")), "{}", explain(&["--locked"]));
}

#[test]
fn the_file_of_registries_says_where_to_ask() {
    let Some(scene) = Scene::open() else { return };
    let host = scene.registry.host.clone();
    let (nginx, _) = scene.registry.push_index("hub/library/nginx", "1.27", false);
    let mirror =
        format!("[[registry]]\nprefix = 'docker.io'\n[[registry.mirror]]\nlocation = '{host}/hub'\n");
    scene.write("etc/mirror.toml", &mirror);
    scene.write("etc/blocked.toml", "[[registry]]\nprefix = 'docker.io'\nblocked = true\n");
    scene.write("etc/typo.toml", "[client]\ntrys = 1\n");
    scene.write("etc/ca.toml", &format!("[[registry]]\nprefix = '{host}'\nca = 'ca.pem'\n"));
    let text = pod(&["nginx:1.27"]);
    let run = |arguments: &[&str], variable: &str| {
        scene.write("pod.yaml", &text);
        let arguments = [&["rewrite", "--map", "quay.io::m.io", "--pin"], arguments, &["pod.yaml"]].concat();
        let output = scene.command(&arguments).env("IMAGESWAP_REGISTRIES", variable).output().unwrap();
        (output.status.code(), words(&output))
    };
    let pinned = pod(&[&format!("nginx:1.27@{nginx}")]);
    for (arguments, variable) in [
        (&["--registries", "etc/mirror.toml"][..], ""),
        (&[], "etc/mirror.toml"),
        (&["--registries", "etc/mirror.toml"], "etc/typo.toml"),
    ] {
        let (code, said) = run(arguments, variable);
        assert_eq!((code, scene.read("pod.yaml")), (Some(0), pinned.clone()), "{said}");
    }
    for (file, want) in [
        ("etc/blocked.toml", "images of docker.io are blocked"),
        ("etc/typo.toml", "etc/typo.toml:2: unknown key 'trys', did you mean 'tries'?"),
        ("etc/none.toml", "cannot read --registries etc/none.toml: no such file or folder"),
    ] {
        let (code, said) = run(&["--registries", file], "");
        assert!(code == Some(2) && said.contains(want), "{file}: {said}");
        assert_eq!(scene.read("pod.yaml"), text, "{file}");
    }
    // Nothing of the file is read where no registry is asked.
    scene.write("pod.yaml", &text);
    let output =
        scene.run(&["rewrite", "--map", "quay.io::m.io", "--registries", "etc/typo.toml", "pod.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    // Files that it names are looked for beside it.
    for arguments in [
        &["auth", "check", "--registries", "etc/ca.toml", &host][..],
        &["explain", "--pin", "--map", &scene.map(), "--registries", "etc/ca.toml", "nginx:1.27"],
    ] {
        let said = words(&scene.run(arguments));
        assert!(said.contains("etc/ca.pem"), "{arguments:?}: {said}");
    }
    for arguments in [
        &["verify", "--map", "quay.io::m.io", "--registries", "etc/typo.toml", "pod.yaml"][..],
        &["lock", "diff", "--registries", "etc/typo.toml"],
        &["auth", "check", "--registries", "etc/typo.toml", &host],
    ] {
        scene.write(
            "imageswap.lock",
            "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\nimages: []\n",
        );
        let said = words(&scene.run(arguments));
        assert!(said.contains("etc/typo.toml:2: unknown key 'trys'"), "{arguments:?}: {said}");
    }
}
