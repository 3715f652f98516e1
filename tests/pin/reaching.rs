//! How registries are reached: the file of `--registries`.

use crate::scene::{Scene, pod, words};

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
