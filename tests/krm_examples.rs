//! The examples of `krm-fn/`: the program gets what their hosts send, as recorded, and answers what is expected.
//! What the hosts make of the answers is for the end-to-end tests.
#![allow(clippy::unwrap_used)]

mod krm_support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use krm_support::{Call, imageswap, program, value};

const BINARY: &str = env!("CARGO_BIN_EXE_imageswap");

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("krm-fn/examples").join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(example(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// `call` answers what is recorded; `UPDATE_EXAMPLES=1` records it anew.
fn answers(call: Call, name: &str) -> String {
    let run = call.stdin(&read(&format!("{name}/sent.yaml"))).run();
    run.ends_well();
    let answer = example(name).join("answer.yaml");
    if std::env::var_os("UPDATE_EXAMPLES").is_some() {
        fs::write(&answer, &run.stdout).unwrap();
    }
    assert_eq!(run.stdout, fs::read_to_string(&answer).unwrap());
    run.stdout
}

/// The images of a text, in order, with `prefix` for those that come from the mirror.
fn images(text: &str) -> Vec<&str> {
    let image = |line: &str| line.contains("image: ");
    text.lines()
        .filter(|line| image(line))
        .map(|line| line.split("image: ").nth(1).unwrap().trim_start_matches(['"', '\'']))
        .collect()
}

#[test]
fn kpt() {
    let answer = answers(imageswap(&["fn"]), "kpt");
    // What kpt writes back is what rewriting its files gives.
    let folder = tempfile::tempdir().unwrap();
    for file in ["Kptfile", "imageswap.yaml", "shop.yaml"] {
        fs::copy(example("kpt/package").join(file), folder.path().join(file)).unwrap();
    }
    let config = folder.path().join("imageswap.yaml");
    let paths = [folder.path().to_str().unwrap(), "--maps", config.to_str().unwrap()];
    assert_eq!(imageswap(&[&["rewrite", "--quiet"][..], &paths[..]].concat()).run().code, 0);
    for file in ["Kptfile", "imageswap.yaml", "shop.yaml"] {
        let expected = read(&format!("kpt/expected/{file}"));
        assert_eq!(fs::read_to_string(folder.path().join(file)).unwrap(), expected, "{file}");
    }
    let items = &answer[answer.find("items:").unwrap()..answer.find("functionConfig:").unwrap()];
    assert_eq!(images(items), images(&read("kpt/expected/shop.yaml")));
}

#[test]
fn kustomize_function() {
    // kustomize gives no arguments.
    let answer = answers(imageswap(&[]), "kustomize-function");
    let items = &answer[answer.find("items:").unwrap()..];
    assert_eq!(images(items), images(&read("kustomize-function/expected.yaml")));
}

#[test]
fn kustomize_plugin() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("ImageSwap");
    symlink(BINARY, &plugin).unwrap();
    let config = example("kustomize-plugin/sent-config.yaml");
    let call = program(&plugin, &[config.to_str().unwrap()])
        .env("KUSTOMIZE_PLUGIN_CONFIG_ROOT", example("kustomize-plugin/overlay"));
    let answer = answers(call, "kustomize-plugin");
    assert_eq!(images(&answer), images(&read("kustomize-plugin/expected.yaml")));
}

#[test]
fn helm3() {
    let maps = example("helm3/imageswap.maps");
    let args = ["rewrite", "--quiet", "--maps", maps.to_str().unwrap(), "-"];
    let answer = answers(imageswap(&args), "helm3");
    assert_eq!(images(&answer), images(&read("helm3/expected.yaml")));
    let bare = imageswap(&[]).env("IMAGESWAP_MAPS_FILE", &maps).stdin(&read("helm3/sent.yaml")).run();
    assert_eq!(bare.stdout, answer);
}

#[test]
fn helm4() {
    let plugin = value(&read("helm4/plugin/plugin.yaml"));
    assert_eq!(plugin["type"], "postrenderer/v1");
    assert_eq!(plugin["version"].as_str().unwrap().split('.').count(), 3);
    let command = &plugin["runtimeConfig"]["platformCommand"][0];
    assert_eq!(command["command"], "imageswap");
    let folder = example("helm4/plugin");
    let args: Vec<String> = command["args"]
        .as_array()
        .unwrap()
        .iter()
        .map(|arg| arg.as_str().unwrap().replace("${HELM_PLUGIN_DIR}", folder.to_str().unwrap()))
        .collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let answer = answers(imageswap(&args), "helm4");
    assert_eq!(images(&answer), images(&read("helm4/expected.yaml")));
}

#[test]
fn argocd() {
    let plugin = value(&read("argocd/plugin.yaml"));
    assert_eq!(plugin["kind"], "ConfigManagementPlugin");
    let generate = &plugin["spec"]["generate"];
    assert_eq!(generate["command"], serde_json::json!(["sh", "-c"]));
    let script = generate["args"][0].as_str().unwrap();
    let bin = tempfile::tempdir().unwrap();
    symlink(BINARY, bin.path().join("imageswap")).unwrap();
    let kustomize = bin.path().join("kustomize");
    let run = |stub: &str| {
        fs::write(&kustomize, format!("#!/bin/sh\n{stub}\n")).unwrap();
        assert!(Command::new("chmod").arg("+x").arg(&kustomize).status().unwrap().success());
        let path = format!("{}:{}", bin.path().display(), std::env::var("PATH").unwrap_or_default());
        Command::new("sh")
            .args(["-c", script])
            .env("PATH", path)
            .env("IMAGESWAP_MAPS_FILE", example("argocd/imageswap.maps"))
            .output()
            .unwrap()
    };
    let output = run(&format!("cat {}", example("argocd/sent.yaml").display()));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), read("argocd/expected.yaml"));
    let output = run("echo broken >&2; exit 1");
    assert!(!output.status.success() && output.stdout.is_empty());
}

/// The examples of the function's README are configurations that can be read, and the schema is that of the code:
/// `UPDATE_EXAMPLES=1` writes it.
#[test]
fn schema_and_readme() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("krm-fn");
    let schema = serde_json::to_string_pretty(&imageswap::krm::schema::openapi()).unwrap() + "\n";
    let file = folder.join("schema.json");
    if std::env::var_os("UPDATE_EXAMPLES").is_some() {
        fs::write(&file, &schema).unwrap();
    }
    assert!(
        fs::read_to_string(&file).unwrap() == schema,
        "krm-fn/schema.json is not the code's: UPDATE_EXAMPLES=1"
    );
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let blocks: Vec<&str> =
        readme.split("```yaml\n").skip(1).map(|b| b.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        assert!(imageswap::krm::FunctionConfig::read("README", block).unwrap().has_rules());
    }
}

/// docs/hosts.md: update, render, check.
#[test]
fn a_rendered_package_passes_its_check() {
    let folder = tempfile::tempdir().unwrap();
    let package = folder.path().join("package");
    std::fs::create_dir(&package).unwrap();
    for entry in std::fs::read_dir("krm-fn/examples/kpt/package").unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), package.join(entry.file_name())).unwrap();
    }
    let run = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_imageswap"));
        let output = command.args(args).current_dir(&folder).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let check = ["rewrite", "--check", "--maps", "package/imageswap.yaml", "package"];
    assert_eq!(run(&check).0, Some(1));
    assert_eq!(run(&["rewrite", "package"]).0, Some(0), "the package's own configuration is found");
    let (code, said) = run(&check);
    assert_eq!(code, Some(0), "{said}");
    let text = std::fs::read_to_string(package.join("shop.yaml")).unwrap();
    assert!(text.contains("image: docker.io/shop/migrate:3"), "what is skipped stays");
}
