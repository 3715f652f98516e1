//! Real packages of a folder that `IMAGESWAP_CORPUS` names: only image lines differ from what the host writes
//! when nothing is swapped, and nothing differs the second time.

use std::path::{Path, PathBuf};

use super::stage::{Stage, run, run_with};
use super::{tools, tree};

/// Everything goes to one registry, with the old one in the path.
const MAPS: &str = "default::mirror.example.com/{registry}/{path}\n";

const FOR_KPT: [&str; 4] = [
    "GoogleCloudPlatform__microservices-demo/kubernetes-manifests",
    "jxlwqq__kubernetes-examples/deploying-nodejs-note-application-with-mongodb",
    "phenixblue__imageswap-webhook/deploy/manifests",
    "longhorn__longhorn/deploy/backupstores/base",
];

const FOR_KUSTOMIZE: [&str; 4] = [
    "GoogleCloudPlatform__microservices-demo/kustomize",
    "kserve__kserve/config/runtimes",
    "kubernetes__ingress-nginx/deploy/static/provider/aws",
    "longhorn__longhorn/deploy/backupstores/base/minio",
];

fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("IMAGESWAP_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: IMAGESWAP_CORPUS names no folder of real manifests");
    }
    folder
}

#[test]
fn kpt_on_real_packages() {
    let Some(corpus) = corpus() else { return };
    for kpt in tools::all("kpt") {
        for package in FOR_KPT {
            let stage = Stage::new();
            stage.script("passthrough/imageswap", "#!/bin/sh\nexec cat\n");
            tree::copy(&corpus.join(package), &stage.path("swapped"));
            tree::copy(&corpus.join(package), &stage.path("passed"));
            let eval = |folder: &str, path: &str| {
                let mut command = stage.command(&kpt);
                command.args(["fn", "eval", folder, "--exec", "imageswap fn", "--"]);
                command.arg("default=mirror.example.com/{registry}/{path}");
                run(command.env("PATH", format!("{}:/usr/bin:/bin", stage.path(path).display()))).ok();
                tree::read(&stage.path(folder))
            };
            let passed = eval("passed", "passthrough");
            let swapped = eval("swapped", "bin");
            assert_mirrored(package, &tree::swapped_lines(&passed, &swapped));
            assert_eq!(swapped, eval("swapped", "bin"), "{package}: the second time");
        }
    }
}

#[test]
fn kustomize_on_real_packages() {
    let Some(corpus) = corpus() else { return };
    for kustomize in tools::all("kustomize") {
        for package in FOR_KUSTOMIZE {
            let stage = Stage::new();
            let home = stage.plugin_home();
            let repository = package.split('/').next().unwrap();
            tree::copy(&corpus.join(repository), &stage.path(repository));
            stage.write("maps", MAPS);
            let build = |folder: &Path| {
                let mut command = stage.command(&kustomize);
                command.args(["build", "--enable-alpha-plugins", "--load-restrictor=LoadRestrictionsNone"]);
                run(command.arg(folder).env("KUSTOMIZE_PLUGIN_HOME", &home)).ok()
            };
            let built = build(&stage.path(package));
            let piped = run_with(&mut stage.imageswap(&["rewrite", "-", "--maps", "maps"]), &built).ok();
            assert_mirrored(package, &tree::swapped(package, &built, &piped));

            let overlay = format!("resources: [../{package}]\ntransformers: [swap.yaml]\n");
            stage.write("overlay/kustomization.yaml", &overlay);
            stage.write(
                "overlay/swap.yaml",
                &format!(
                    "apiVersion: imageswap.dev/v1alpha1\nkind: ImageSwap\nmetadata:\n  name: swap\nspec:\n  \
                     maps: |\n    {MAPS}"
                ),
            );
            assert_eq!(build(&stage.path("overlay")), piped, "{package}: the plugin does as the pipe does");
        }
    }
}

#[track_caller]
fn assert_mirrored(package: &str, lines: &[String]) {
    assert!(!lines.is_empty(), "{package}: no image is swapped");
    for line in lines {
        assert!(line.contains("mirror.example.com/"), "{package}: {line}");
    }
}
