//! What the entries of Kustomizations make of images is copied and verified, since that is what is pulled.

use std::fs;

use crate::registry_support::real::Kind;
use crate::run::Stage;

impl Stage {
    /// Writes these files below the folder; `HOST` in them is the source.
    fn tree(&self, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = self.folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text.replace("HOST", &self.source.host)).unwrap();
        }
    }

    /// The targets of the run over `k8s`, without their host.
    fn targets(&self) -> Vec<String> {
        let run = self.run("mirror", &["k8s", "--maps", "maps", "--format", "json"]).succeeded();
        let targets = run.images().iter().map(|image| image["target"].as_str().unwrap().to_owned()).collect();
        let start = format!("{}/mirror/", self.target.host);
        let without_host = |target: String| target.strip_prefix(&start).unwrap().to_owned();
        let targets: Vec<String> = targets;
        targets.into_iter().map(without_host).collect()
    }
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  \
    - {name: a, image: 'HOST/nginx:1.27'}\n  - {name: b, image: 'HOST/busybox:1.36'}\n";

#[test]
fn entries_of_overlays() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    for (name, tag) in [("nginx", "1.27"), ("nginx", "2"), ("busybox", "1.36"), ("me/busybox", "1.36")] {
        stage.source.push_image(name, Some(tag), false, &format!("{name}:{tag}"));
    }
    let (pinned, _) = stage.source.push_image("me/nginx", Some("3"), false, "pinned");
    stage.source.push_image("busybox", Some("other"), false, "other");
    let by_digest = format!(
        "resources: [../over]\nimages:\n- {{name: HOST/nginx, newName: HOST/me/nginx, digest: '{pinned}'}}\n"
    );
    stage.tree(&[
        ("k8s/base/pod.yaml", POD),
        ("k8s/base/kustomization.yaml", "resources: [pod.yaml]\n"),
        (
            "k8s/over/kustomization.yaml",
            "resources: [../base]\nimages:\n- {name: HOST/nginx, newTag: '2'}\n- {name: HOST/busybox, newName: \
             HOST/me/busybox}\n",
        ),
        ("k8s/top/kustomization.yaml", &by_digest),
        // No overlay renames this one.
        ("k8s/other/pod.yaml", &POD.replace("1.36", "other")),
    ]);
    let want = [
        "busybox:1.36",
        "busybox:other",
        "me/busybox:1.36",
        &format!("me/nginx@{pinned}"),
        "nginx:1.27",
        "nginx:2",
    ];
    assert_eq!(stage.targets(), want);
    let verify = || stage.run("verify", &["k8s", "--maps", "maps", "--format", "json"]).succeeded();
    let verified = verify();
    for image in ["me/busybox:1.36", "me/nginx@", "nginx:2"] {
        assert!(verified.stdout.contains(image), "{image}: {}", verified.stdout);
    }
    stage.run("rewrite", &["k8s", "--maps", "maps"]).succeeded();
    verify();
}

/// What is not known is said, with its place.
#[test]
fn entries_for_what_is_not_there() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    stage.source.push_image("nginx", Some("1.27"), false, "nginx");
    stage.source.push_image("busybox", Some("1.36"), false, "busybox");
    stage.tree(&[
        ("k8s/pod.yaml", POD),
        (
            "k8s/over/kustomization.yaml",
            "resources: ['https://example.com/base?ref=v1']\nimages:\n- {name: HOST/nginx, newName: HOST/me/nginx}\n- \
             {name: HOST/far, newTag: '2'}\n- {name: elsewhere.example/far, newTag: '2'}\n",
        ),
    ]);
    let run = stage.run("mirror", &["k8s", "--maps", "maps"]).succeeded();
    let host = &stage.source.host;
    let advice = "use `kustomize build k8s/over | imageswap mirror --maps FILE -`";
    let unknown =
        "not copied: the tags of the images that it renames are not among the given files, and it sets none";
    let far = "not copied: names no image of the given files (a remote base, or one that was not given?)";
    for want in [
        format!("warning: k8s/over/kustomization.yaml:3:10: {host}/me/nginx: {unknown}; {advice}\n"),
        format!("warning: k8s/over/kustomization.yaml:4:10: {host}/far:2: {far}; {advice}\n"),
    ] {
        assert!(run.stderr.contains(&want), "{want}{}", run.stderr);
    }
    assert!(!run.stderr.contains("elsewhere"), "the maps do not move it: {}", run.stderr);
}
