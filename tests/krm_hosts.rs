//! Calls without a subcommand as hosts make them: kustomize's legacy plugin, containers, Helm's post-renderer;
//! and `copy-self`.
#![allow(clippy::unwrap_used)]

mod krm_support;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use krm_support::{Call, config_map, imageswap, list, pod, program};

/// What kustomize gives a plugin.
const MANIFESTS: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  annotations:\n    kustomize.config.k8s.io/id: |\n      \
    kind: ConfigMap\n  name: a-5hk\n---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - image: nginx\n    name: a\n";

const SPEC: &str = "apiVersion: imageswap.dev/v1alpha1\nkind: ImageSwap\nmetadata:\n  name: mirror\n";

/// A plugin folder with the program under its plugin's name, and a configuration.
struct Plugin {
    folder: tempfile::TempDir,
}

impl Plugin {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        symlink(env!("CARGO_BIN_EXE_imageswap"), folder.path().join("ImageSwap")).unwrap();
        fs::write(folder.path().join("kust-plugin-config-1"), config).unwrap();
        Self { folder }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("kust-plugin-config-1")
    }

    fn call(&self, words: &[&str]) -> Call {
        let config = self.config();
        let args: Vec<&str> = [config.to_str().unwrap()].into_iter().chain(words.iter().copied()).collect();
        program(&self.folder.path().join("ImageSwap"), &args)
            .env("KUSTOMIZE_PLUGIN_CONFIG_ROOT", self.folder.path())
            .stdin(MANIFESTS)
    }
}

fn swapped() -> String {
    MANIFESTS.replace("image: nginx", "image: m.io/hub/nginx")
}

#[test]
fn the_legacy_plugin_edits_all_documents_in_place() {
    let plugin = Plugin::new(&format!("{SPEC}spec:\n  maps: |\n    docker.io::m.io/hub\n"));
    let run = plugin.call(&[]).run();
    run.ends_well();
    assert_eq!(run.stdout, swapped());
    let by_other_name = imageswap(&[plugin.config().to_str().unwrap()])
        .env("KUSTOMIZE_PLUGIN_CONFIG_ROOT", plugin.folder.path())
        .stdin(MANIFESTS)
        .run();
    assert_eq!(by_other_name.stdout, swapped());
}

#[test]
fn the_legacy_plugin_takes_words_and_a_maps_file() {
    let plugin = Plugin::new(&format!("{SPEC}argsOneLiner: docker.io=m.io/hub\n"));
    for words in [&["docker.io=m.io/hub"][..], &["# a maps file", "quay.io::q.io", "docker.io::m.io/hub"]] {
        let run = plugin.call(words).run();
        run.ends_well();
        assert_eq!(run.stdout, swapped());
    }
    let run = plugin.call(&["--maps"]).run();
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    let plugin = Plugin::new(&format!("{SPEC}spec:\n  mapsFile: org.maps\n"));
    fs::write(plugin.folder.path().join("org.maps"), "docker.io::m.io/hub\n").unwrap();
    let run = plugin.call(&[]).dir(Path::new("/")).run();
    run.ends_well();
    assert_eq!(run.stdout, swapped());
}

#[test]
fn the_legacy_plugin_takes_large_maps() {
    let mut config = format!("{SPEC}spec:\n  maps: |\n    docker.io::m.io/hub\n");
    for i in 0..6000 {
        config.push_str(&format!("    registry-{i}.example.com::m.io/r{i}\n"));
    }
    assert!(config.len() > 200_000);
    let run = Plugin::new(&config).call(&[]).run();
    run.ends_well();
    assert_eq!(run.stdout, swapped());
}

#[test]
fn the_legacy_plugin_validates_without_a_word_on_standard_output() {
    let config = |maps: &str| format!("{SPEC}spec:\n  validate: true\n  maps: |\n    {maps}\n");
    let run = Plugin::new(&config("docker.io::m.io/hub")).call(&[]).run();
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert_eq!(
        run.stderr,
        "error: Pod web: spec.containers[0].image: would change: nginx -> m.io/hub/nginx by registry rule \
         docker.io::m.io/hub (the plugin's configuration spec.maps:1)\n"
    );
    let run = Plugin::new(&config("quay.io::m.io")).call(&[]).run();
    run.ends_well();
    assert_eq!(run.stdout, "");
}

#[test]
fn the_legacy_plugin_says_why_it_fails() {
    let cases = [
        (format!("{SPEC}spec:\n  mpas: x\n"), "did you mean 'maps'?"),
        (format!("{SPEC}spec:\n  maps: |\n    nonsense\n"), "spec.maps:1:1: no rule"),
        (SPEC.to_owned(), "no rules"),
        ("a: [".to_owned(), "no YAML"),
    ];
    for (config, expected) in cases {
        let run = Plugin::new(&config).call(&[]).run();
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{config}");
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
    let plugin = Plugin::new(&format!("{SPEC}spec:\n  maps: |\n    docker.io::m.io/hub\n"));
    let run = plugin.call(&[]).stdin("containers: [image: [\n").run();
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
}

#[test]
fn a_subcommand_stays_one_inside_of_a_kustomize_plugin() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("images"), "kind: ImageSwap\n").unwrap();
    let run = imageswap(&["images", "-"])
        .dir(folder.path())
        .env("KUSTOMIZE_PLUGIN_CONFIG_ROOT", folder.path())
        .stdin(MANIFESTS)
        .run();
    assert_eq!(run.code, 0);
    assert!(run.stdout.contains("nginx") && !run.stdout.contains("kind"), "{}", run.stdout);
}

#[test]
fn a_bare_call_with_a_resource_list_is_the_function() {
    let text = list(&pod("nginx"), &config_map("  docker.io: m.io/hub\n"));
    let run = imageswap(&[]).stdin(&text).run();
    run.ends_well();
    assert_eq!(run.stdout, imageswap(&["fn"]).stdin(&text).run().stdout);
    // Also where maps are at hand for other manifests, and where it is broken.
    let run = imageswap(&[]).env("IMAGESWAP_MAPS_FILE", "/gone").stdin(&text).run();
    run.ends_well();
    let run = imageswap(&[]).stdin("kind: ResourceList\nitems: [").run();
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("neither YAML nor JSON"));
}

#[test]
fn a_bare_call_with_other_manifests_is_a_post_renderer() {
    let folder = tempfile::tempdir().unwrap();
    let maps = folder.path().join("org.maps");
    fs::write(&maps, "docker.io::m.io/hub\n").unwrap();
    let run = imageswap(&[]).env("IMAGESWAP_MAPS_FILE", &maps).stdin(MANIFESTS).run();
    assert_eq!((run.code, run.stdout), (0, swapped()));
}

#[test]
fn any_other_bare_call_gets_the_usage() {
    for stdin in ["", "\n", MANIFESTS] {
        let run = imageswap(&[]).stdin(stdin).run();
        assert_eq!((run.code, run.stdout.as_str()), (2, ""));
        assert!(run.stderr.contains("Usage: imageswap") && run.stderr.contains("IMAGESWAP_MAPS_FILE"));
    }
    let help = imageswap(&["--help"]).no_env().run();
    help.ends_well();
}

#[test]
fn copies_itself() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a/b");
    for _ in 0..2 {
        imageswap(&["copy-self", target.to_str().unwrap()]).run().ends_well();
    }
    let copy = target.join("imageswap");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(fs::read(&copy).unwrap(), fs::read(env!("CARGO_BIN_EXE_imageswap")).unwrap());
    assert_eq!(fs::read_dir(&target).unwrap().count(), 1);
    program(&copy, &["--version"]).run().ends_well();
    let run = imageswap(&["copy-self", "/proc/none"]).run();
    assert_eq!(run.code, 2);
}
