//! Images that charts put together from values: they get digests where there is a key for one, and are verified.

use std::fs;

use crate::scene::{Scene, words};

const CHART: &str = "apiVersion: v2\nname: a\nversion: 1.0.0\n";

fn values(scene: &Scene, registry: &str, repository: &str, digest: &str, sha: &str) {
    scene.write("chart/Chart.yaml", CHART);
    scene.write(
        "chart/values.yaml",
        &format!(
            "image:\n  registry: {registry}\n  repository: team/app\n  tag: v1 # kept\n  digest: \"{digest}\"\n\
             other:\n  image: {{repository: {repository}, tag: v2, sha: '{sha}'}}\n"
        ),
    );
}

#[test]
fn images_in_parts_get_their_digests() {
    let Some(scene) = Scene::open() else { return };
    let (app, _) = scene.registry.push_index("hub/team/app", "v1", false);
    let (other, _) = scene.registry.push_index("hub/team/other", "v2", false);
    let host = &scene.registry.host;
    values(&scene, "docker.io", "team/other", "", "");
    scene.rewrite(&["--helm-values", "--pin", "chart"]);
    let pinned = scene.read("chart/values.yaml");
    let bare = other.strip_prefix("sha256:").unwrap();
    values(&scene, &format!("{host}/hub"), &format!("{host}/hub/team/other"), &app, bare);
    assert_eq!(pinned, scene.read("chart/values.yaml"));
    let again = scene.rewrite(&["--helm-values", "--pin", "--check", "chart"]);
    assert!(again.contains("nothing to do"), "{again}");
    let verify = ["verify", "--map", &scene.map(), "--helm-values", "chart"];
    let output = scene.run(&verify);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert!(words(&output).contains("verified 2 images"), "{}", words(&output));
    // The tag moves away from the digest that stands there.
    scene.registry.push_image("hub/team/app", Some("v1"), false, "new");
    let output = scene.run(&verify);
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    // In values that are already where they belong, only digests are added.
    values(&scene, &format!("{host}/hub"), &format!("{host}/hub/team/other"), "", "");
    scene.rewrite(&["--helm-values", "--pin", "chart"]);
    assert!(scene.read("chart/values.yaml").contains(bare));
}

#[test]
fn what_gets_no_digest_is_said() {
    let Some(scene) = Scene::open() else { return };
    scene.registry.push_index("hub/team/app", "v1", false);
    scene.write("chart/Chart.yaml", CHART);
    let text = "image: {registry: docker.io, repository: team/app, tag: v1}\n\
                side:\n  image: {registry: docker.io, repository: team/side, digest: ''}\n";
    scene.write("chart/values.yaml", text);
    let said = scene.fails(2, &["--helm-values", "--pin", "chart"]);
    assert!(
        said.contains("values.yaml:1:42") && said.contains("no key for one that is there and empty"),
        "{said}"
    );
    assert!(said.contains("values.yaml:3:44") && said.contains("the chart fills in its tag"), "{said}");
    assert_eq!(fs::read_to_string(scene.path("chart/values.yaml")).unwrap(), text);
    scene.rewrite(&["--helm-values", "--pin", "--on-pin-error", "warn", "chart"]);
    assert!(!scene.read("chart/values.yaml").contains("sha256"));
    // The same places are named by verify, which looks at the rest.
    let output = scene.run(&["verify", "--map", &scene.map(), "--helm-values", "chart"]);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert!(words(&output).contains("the chart fills in its tag: not verified"), "{}", words(&output));
    assert!(words(&output).contains("verified 1 image"), "{}", words(&output));
}
