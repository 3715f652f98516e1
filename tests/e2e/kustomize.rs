//! kustomize and kubectl: a pipe, the legacy plugin, and the exec function.

use std::path::{Path, PathBuf};

use super::packages::{kustomization, swapped_built};
use super::stage::{MAPS, Run, Stage, run, run_with};
use super::{tools, tree};

#[test]
fn kubectl_kustomize_into_a_pipe() {
    for kubectl in tools::all("kubectl") {
        let stage = Stage::new();
        kustomization(&stage, "shop", "");
        stage.write("imageswap.maps", MAPS);
        let built = run(stage.command(&kubectl).args(["kustomize", "shop"])).ok();
        assert!(built.contains("name: shop-settings-"), "{built}");

        let swapped =
            run_with(&mut stage.imageswap(&["rewrite", "-", "--maps", "imageswap.maps"]), &built).ok();
        assert_eq!(tree::swapped("the build", &built, &swapped), swapped_built());
    }
}

/// Builds with what a host needs to run plugins.
fn build(stage: &Stage, host: &Path, more: &[&str]) -> Run {
    let verb = if host.ends_with("kubectl") { "kustomize" } else { "build" };
    let mut command = stage.command(host);
    command.args([verb, "shop", "--enable-alpha-plugins"]).args(more);
    run(command.env("KUSTOMIZE_PLUGIN_HOME", stage.path("plugins")))
}

/// A transformer's or validator's config with these rules.
fn config(annotations: &str, maps: &str, more: &str) -> String {
    let lines: Vec<String> = maps.lines().map(|line| format!("    {line}\n")).collect();
    format!(
        "apiVersion: imageswap.dev/v1alpha1\nkind: ImageSwap\nmetadata:\n  name: swap\n{annotations}spec:\n  \
         maps: |\n{}{more}",
        lines.concat()
    )
}

/// kubectl and kustomize: both run the legacy plugin.
fn hosts() -> Vec<PathBuf> {
    ["kubectl", "kustomize"].into_iter().flat_map(tools::all).collect()
}

#[test]
fn legacy_plugin_as_transformer() {
    for host in hosts() {
        let stage = Stage::new();
        stage.plugin_home();
        kustomization(&stage, "shop", "");
        let built = build(&stage, &host, &[]).ok();
        assert!(built.contains("name: shop-settings-"), "the generated name has its hash: {built}");
        assert!(!built.contains("name: settings"), "and is referred to by it: {built}");

        kustomization(&stage, "shop", "transformers: [swap.yaml]\n");
        stage.write("shop/swap.yaml", &config("", MAPS, ""));
        let swapped = build(&stage, &host, &[]).ok();
        assert_eq!(tree::swapped("the build", &built, &swapped), swapped_built());
    }
}

#[test]
fn legacy_plugin_with_200_kilobytes_of_rules() {
    for host in hosts() {
        let stage = Stage::new();
        stage.plugin_home();
        kustomization(&stage, "shop", "transformers: [swap.yaml]\n");
        let many: String =
            (0..4_000).map(|n| format!("registry-{n}.corp.example.com::mirror.example.com/{n}\n")).collect();
        let config = config("", &format!("{many}{MAPS}"), "");
        assert!(config.len() > 200_000, "{}", config.len());
        stage.write("shop/swap.yaml", &config);
        let swapped = build(&stage, &host, &[]).ok();
        assert!(swapped.contains("image: mirror.example.com/hub/nginx:1.27"), "{swapped}");
    }
}

#[test]
fn legacy_plugin_that_fails() {
    for host in hosts() {
        let stage = Stage::new();
        stage.plugin_home();
        kustomization(&stage, "shop", "transformers: [swap.yaml]\n");
        stage.write("shop/swap.yaml", &config("", "docker.io::mirror.example.com/hub\nnot a rule\n", ""));
        let result = build(&stage, &host, &[]);
        assert_eq!(result.stdout, "");
        let said = result.fails();
        assert!(said.contains("not a rule"), "{said}");
    }
}

#[test]
fn legacy_plugin_as_validator() {
    for host in hosts() {
        let stage = Stage::new();
        stage.plugin_home();
        kustomization(&stage, "shop", "validators: [swap.yaml]\n");
        stage.write("shop/swap.yaml", &config("", MAPS, "  validate: true\n"));
        let said = build(&stage, &host, &[]).fails();
        assert!(said.contains("nginx:1.27"), "{said}");

        // The configuration only validates, so the rules stand in a file of their own here.
        stage.write("rules.maps", MAPS);
        run(&mut stage.imageswap(&["rewrite", "shop", "--maps", "rules.maps"])).ok();
        let built = build(&stage, &host, &[]).ok();
        assert!(built.contains("image: mirror.example.com/hub/nginx:1.27"), "{built}");
    }
}

#[test]
fn exec_function_of_kustomize() {
    for host in hosts() {
        let stage = Stage::new();
        kustomization(&stage, "shop", "");
        let built = build(&stage, &host, &[]).ok();

        kustomization(&stage, "shop", "transformers: [swap.yaml]\n");
        let exec = format!(
            "  annotations:\n    config.kubernetes.io/function: |\n      exec:\n        path: {}\n",
            stage.path("bin/imageswap").display()
        );
        stage.write("shop/swap.yaml", &config(&exec, MAPS, ""));
        // Without --enable-exec, and always in kubectl, functions that are programs are passed over in silence.
        assert_eq!(build(&stage, &host, &[]).ok(), built);
        if !host.ends_with("kubectl") {
            let swapped = build(&stage, &host, &["--enable-exec"]).ok();
            assert_eq!(tree::swapped("the build", &built, &swapped), swapped_built());
        }
    }
}
