//! `rewrite --pin` and `fn`: what is written, and what is said when that fails.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::registry_support::program;
use crate::scene::{Scene, pod, words};

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
    let Scene { registry, folder, storage: _storage } = scene;
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
    let by = format!("the registry {host} (looked up as {host}/hub/nginx:1.27)");
    assert!(explain(&["--pin"]).ends_with(&line(&by)), "{}", explain(&["--pin"]));
    // Of two images with the same digest, each has its own origin; one platform comes out of an index.
    for name in ["hub/one", "hub/twin"] {
        scene.registry.push_image(name, Some("1"), false, "the same");
    }
    let (index, children) = scene.registry.push_index("hub/many", "1", false);
    let said = explain(&["--pin", "--platform", "linux/amd64", "one:1", "twin:1", "many:1"]);
    for name in ["one", "twin"] {
        assert!(said.contains(&format!("(looked up as {host}/hub/{name}:1)\n")), "{said}");
    }
    let many = format!(
        "many:1: pinned as {host}/hub/many:1@{} by the registry {host} (looked up as {host}/hub/many:1, picked from the \
         index {index})\n",
        children[0]
    );
    assert!(said.ends_with(&many), "{said}");
    let json = explain(&["--pin", "--format", "json"]);
    let line_of: serde_json::Value = serde_json::from_str(json.lines().last().unwrap()).unwrap();
    let origin =
        serde_json::json!({"from": "registry", "registry": host, "lookup": format!("{host}/hub/nginx:1.27")});
    assert_eq!(line_of["origin"], origin, "{json}");
    scene.write("pod.yaml", &pod(&["nginx:1.27"]));
    scene.rewrite(&["--lock", "imageswap.lock", "pod.yaml"]);
    assert!(explain(&["--locked"]).ends_with(&line("imageswap.lock")), "{}", explain(&["--locked"]));
}
