//! Helm 3's post-renderer and Helm 4's postrenderer plugin.

use std::path::Path;
use std::process::Command;

use super::packages::{SWAPPED, chart};
use super::stage::{MAPS, Stage, run};
use super::{tools, tree};

/// A Helm 4 plugin that calls the imageswap on the PATH.
const PLUGIN: &str = "apiVersion: v1
type: postrenderer/v1
name: imageswap
version: 0.1.0
runtime: subprocess
config: {}
runtimeConfig:
  platformCommand:
  - command: imageswap
    args: [rewrite, '-']
";

#[test]
fn helm3_post_renderer_with_arguments() {
    for helm in tools::all("helm3") {
        let stage = Stage::new();
        chart(&stage, "chart");
        let maps = stage.write("imageswap.maps", MAPS);
        let plain = run(&mut template(&stage, &helm)).ok();

        let mut command = template(&stage, &helm);
        command.args(["--post-renderer", "imageswap", "--post-renderer-args", "rewrite"]);
        command.args(["--post-renderer-args", "-", "--post-renderer-args", "--maps"]);
        command.arg("--post-renderer-args").arg(&maps);
        assert_eq!(tree::swapped("the chart", &plain, &run(&mut command).ok()), SWAPPED);
    }
}

#[test]
fn helm3_post_renderer_without_arguments() {
    for helm in tools::all("helm3") {
        let stage = Stage::new();
        chart(&stage, "chart");
        let maps = stage.write("imageswap.maps", MAPS);
        let plain = run(&mut template(&stage, &helm)).ok();
        let mut command = template(&stage, &helm);
        command.args(["--post-renderer", "imageswap"]).env("IMAGESWAP_MAPS_FILE", maps);
        assert_eq!(tree::swapped("the chart", &plain, &run(&mut command).ok()), SWAPPED);
    }
}

#[test]
fn helm3_post_renderer_that_fails() {
    for helm in tools::all("helm3") {
        let stage = Stage::new();
        chart(&stage, "chart");
        stage.write("imageswap.maps", "docker.io::mirror.example.com/hub\nnot a rule\n");
        let mut command = template(&stage, &helm);
        command.args(["--post-renderer", "imageswap", "--post-renderer-args", "rewrite"]);
        command.args(["--post-renderer-args", "-", "--post-renderer-args", "--maps=imageswap.maps"]);
        let result = run(&mut command);
        assert_eq!(result.stdout, "");
        let said = result.fails();
        assert!(said.contains("imageswap.maps:2"), "{said}");
    }
}

#[test]
fn helm4_plugin() {
    for helm in tools::all("helm4") {
        let stage = Stage::new();
        chart(&stage, "chart");
        let maps = stage.write("imageswap.maps", MAPS);
        let plain = run(&mut template(&stage, &helm)).ok();
        stage.write("plugin/plugin.yaml", PLUGIN);

        run(stage.command(&helm).args(["plugin", "install", "plugin"])).ok();
        let mut command = template(&stage, &helm);
        command.args(["--post-renderer", "imageswap"]).env("IMAGESWAP_MAPS_FILE", &maps);
        assert_eq!(tree::swapped("the chart", &plain, &run(&mut command).ok()), SWAPPED);
    }
}

fn template(stage: &Stage, helm: &Path) -> Command {
    let mut command = stage.command(helm);
    command.args(["template", "demo", "chart"]);
    command
}
