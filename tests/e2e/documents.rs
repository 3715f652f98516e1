//! The commands of `docs/hosts.md` and of the examples' READMEs, run as they stand; and the examples give what
//! they say they give.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::stage::{Stage, run};
use super::{container, tools, tree};

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A stage with the examples and the fixtures of a checkout, and these hosts on the PATH; nothing where one is
/// missing. `helm` stands for one of the two.
fn checkout(hosts: &[(&str, &str)]) -> Option<Stage> {
    let stage = Stage::new();
    for (name, tool) in hosts {
        let found = tools::all(tool);
        symlink(found.first()?, stage.path("bin").join(name)).unwrap();
    }
    for folder in ["krm-fn", "fixtures"] {
        tree::copy(&project(folder), &stage.path(folder));
    }
    Some(stage)
}

/// The `sh` blocks of a section of a Markdown file; with an empty heading, of the whole file.
fn commands(file: &str, heading: &str) -> Vec<String> {
    let text = fs::read_to_string(project(file)).unwrap();
    let text = if heading.is_empty() {
        text.as_str()
    } else {
        let start = text.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section {heading}"));
        let section = &text[start + 4..];
        &section[..section.find("\n## ").unwrap_or(section.len())]
    };
    let blocks = text.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// Runs a block in a folder of the stage and gives what it prints.
#[track_caller]
fn shell(stage: &Stage, folder: &str, block: &str) -> String {
    let mut command = stage.command("bash");
    command.args(["-euo", "pipefail", "-c", block]).current_dir(stage.path(folder));
    command.env("KUSTOMIZE_PLUGIN_HOME", stage.path("plugins"));
    run(&mut command).ok()
}

/// Every block of a section prints manifests whose images come from the mirror.
#[track_caller]
fn prints_mirrored(stage: &Stage, heading: &str, count: usize) {
    let blocks = commands("docs/hosts.md", heading);
    assert_eq!(blocks.len(), count, "{heading}");
    for block in blocks {
        assert_mirrored(&shell(stage, "", &block));
    }
}

#[track_caller]
fn assert_mirrored(text: &str) {
    let images: Vec<&str> = text.lines().filter(|line| line.contains("image: ")).collect();
    assert!(!images.is_empty(), "{text}");
    assert!(images.iter().all(|line| line.contains("mirror.example.com/")), "{images:?}");
}

#[test]
fn hosts_kpt() {
    let Some(stage) = checkout(&[("kpt", "kpt")]) else { return };
    container::docker(&stage, "ghcr.io/imageswap/imageswap:v0.1.0");
    let blocks = commands("docs/hosts.md", "kpt");
    let [render, eval, image, check] = &blocks[..] else { panic!("{blocks:?}") };
    let package = || tree::read(&stage.path("krm-fn/examples/kpt/package"))[Path::new("shop.yaml")].clone();

    let before = package();
    let unchecked = stage.command("sh").args(["-c", check]).output().unwrap();
    assert_eq!(unchecked.status.code(), Some(1), "{unchecked:?}");
    shell(&stage, "", render);
    assert_ne!(before, package());
    assert!(package().contains("image: docker.io/shop/migrate:3"), "the example skips its Job");
    shell(&stage, "", eval);
    assert_mirrored(&package());
    assert_mirrored(&fs::read_to_string(stage.path("rewritten/shop.yaml")).unwrap());
    shell(&stage, "", image);
    shell(&stage, "", check);
}

#[test]
fn hosts_kustomize() {
    let Some(stage) = checkout(&[("kustomize", "kustomize")]) else { return };
    stage.plugin_home();
    prints_mirrored(&stage, "kustomize", 3);
}

#[test]
fn hosts_kubectl() {
    let Some(stage) = checkout(&[("kubectl", "kubectl")]) else { return };
    stage.plugin_home();
    prints_mirrored(&stage, "kubectl", 1);
}

#[test]
fn hosts_helm3() {
    let Some(stage) = checkout(&[("helm", "helm3")]) else { return };
    prints_mirrored(&stage, "Helm 3", 2);
}

#[test]
fn hosts_helm4() {
    let Some(stage) = checkout(&[("helm", "helm4")]) else { return };
    prints_mirrored(&stage, "Helm 4", 1);
}

#[test]
fn hosts_without_a_host() {
    let stage = checkout(&[]).unwrap();
    prints_mirrored(&stage, "Anything else", 1);
    let blocks = commands("docs/hosts.md", "Flux");
    let [list] = &blocks[..] else { panic!("{blocks:?}") };
    let list = shell(&stage, "", list);
    assert!(
        list.contains("name: nginx") && list.contains("newName: mirror.example.com/hub/library/nginx"),
        "{list}"
    );
}

/// Runs the commands of an example's README in its folder; the last block's output is given.
fn example(stage: &Stage, name: &str) -> String {
    let folder = format!("krm-fn/examples/{name}");
    let blocks = commands(&format!("{folder}/README.md"), "");
    let said: Vec<String> = blocks.iter().map(|block| shell(stage, &folder, block)).collect();
    said.last().unwrap().clone()
}

fn expected(name: &str) -> String {
    fs::read_to_string(project(&format!("krm-fn/examples/{name}/expected.yaml"))).unwrap()
}

#[test]
fn example_kpt() {
    for kpt in tools::all("kpt") {
        let stage = checkout(&[]).unwrap();
        symlink(kpt, stage.path("bin/kpt")).unwrap();
        for _ in 0..2 {
            example(&stage, "kpt");
            let rendered = tree::read(&stage.path("krm-fn/examples/kpt/package"));
            assert_eq!(rendered, tree::read(&project("krm-fn/examples/kpt/expected")));
        }
    }
}

#[test]
fn example_kustomize_function() {
    let Some(stage) = checkout(&[("kustomize", "kustomize")]) else { return };
    assert_eq!(example(&stage, "kustomize-function"), expected("kustomize-function"));
}

#[test]
fn example_kpt_lock() {
    for kpt in tools::all("kpt") {
        let stage = checkout(&[]).unwrap();
        symlink(kpt, stage.path("bin/kpt")).unwrap();
        for _ in 0..2 {
            example(&stage, "kpt-lock");
            let rendered = tree::read(&stage.path("krm-fn/examples/kpt-lock/package"));
            assert_eq!(rendered, tree::read(&project("krm-fn/examples/kpt-lock/expected")));
        }
    }
}

#[test]
fn example_kustomize_lock() {
    let Some(stage) = checkout(&[("kustomize", "kustomize")]) else { return };
    assert_eq!(example(&stage, "kustomize-lock"), expected("kustomize-lock"));
    // What the lock file does not have fails the build.
    let folder = "krm-fn/examples/kustomize-lock";
    let shop = format!("{folder}/overlay/shop.yaml");
    let text = fs::read_to_string(stage.path(&shop)).unwrap().replace("nginx:1.27", "nginx:1.28");
    stage.write(&shop, &text);
    let mut command = stage.command("bash");
    command.args(["-ec", &commands(&format!("{folder}/README.md"), "")[0]]).current_dir(stage.path(folder));
    let said = run(&mut command).fails();
    assert!(said.contains("has no entry for it"), "{said}");
}

#[test]
fn example_kustomize_plugin() {
    for kubectl in tools::all("kubectl") {
        let stage = checkout(&[]).unwrap();
        symlink(kubectl, stage.path("bin/kubectl")).unwrap();
        assert_eq!(example(&stage, "kustomize-plugin"), expected("kustomize-plugin"));
    }
}

#[test]
fn example_helm3() {
    let Some(stage) = checkout(&[("helm", "helm3")]) else { return };
    let folder = "krm-fn/examples/helm3";
    for block in commands(&format!("{folder}/README.md"), "") {
        assert_eq!(shell(&stage, folder, &block), expected("helm3"));
    }
}

#[test]
fn example_helm4() {
    let Some(stage) = checkout(&[("helm", "helm4")]) else { return };
    let told = example(&stage, "helm4");
    assert!(told.ends_with(&expected("helm4")), "{told}");
}

/// Argo CD's side container runs the command in the application's folder.
#[test]
fn example_argocd() {
    let Some(stage) = checkout(&[("kustomize", "kustomize")]) else { return };
    let plugin = fs::read_to_string(project("krm-fn/examples/argocd/plugin.yaml")).unwrap();
    let plugin: serde_json::Value = serde_saphyr::from_str(&plugin).unwrap();
    let generate = &plugin["spec"]["generate"];
    let words: Vec<&str> = ["command", "args"]
        .iter()
        .flat_map(|key| generate[key].as_array().unwrap())
        .map(|word| word.as_str().unwrap())
        .collect();
    let folder = stage.path("krm-fn/examples/argocd");
    let mut command = stage.command(words[0]);
    command.args(&words[1..]).current_dir(folder.join("app"));
    command.env("IMAGESWAP_MAPS_FILE", folder.join("imageswap.maps"));
    assert_eq!(run(&mut command).ok(), expected("argocd"));
}
