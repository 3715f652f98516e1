//! Pins and Kustomizations.

use std::process::Command;

use crate::registry_support::program;
use crate::scene::{Scene, pod, words};

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
