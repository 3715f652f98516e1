//! kpt: `fn render` and `fn eval` with the function as a program, and `fn source | fn | fn sink`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::packages::{SWAPPED, manifests};
use super::stage::{MAPS, Run, Stage, run, run_with};
use super::{tools, tree};

/// A package whose pipeline has the function as `kind` (`mutators` or `validators`), with `spec` in its config.
fn package(stage: &Stage, kind: &str, spec: &str) {
    manifests(stage, "shop");
    stage.write(
        "shop/Kptfile",
        &format!(
            "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: shop # the package\ninfo:\n  \
             keywords: ['image: nginx:1.27']\npipeline:\n  {kind}:\n  - exec: imageswap fn\n    \
             configPath: swap.yaml\n"
        ),
    );
    stage.write(
        "shop/swap.yaml",
        &format!(
            "apiVersion: imageswap.dev/v1alpha1\nkind: ImageSwap\nmetadata:\n  name: swap # the rules\n  \
             annotations:\n    config.kubernetes.io/local-config: \"true\"\nspec:\n{spec}"
        ),
    );
}

/// The rules as the config's `maps`.
fn spec(maps: &str) -> String {
    let lines: Vec<String> = maps.lines().map(|line| format!("    {line}\n")).collect();
    format!("  maps: |\n{}", lines.concat())
}

fn render(stage: &Stage, kpt: &Path) -> Command {
    let mut command = stage.command(kpt);
    command.args(["fn", "render", "shop", "--allow-exec"]);
    command
}

/// `kpt fn eval shop --exec 'imageswap fn' ARGUMENTS`
fn eval(stage: &Stage, kpt: &Path, arguments: &[&str]) -> Run {
    run(stage.command(kpt).args(["fn", "eval", "shop", "--exec", "imageswap fn"]).args(arguments))
}

/// What a host writes when the function hands everything back: the host's own changes.
fn passed_through(stage: &Stage, mut command: Command) -> tree::Tree {
    stage.script("passthrough/imageswap", "#!/bin/sh\nexec cat\n");
    tree::copy(&stage.path("shop"), &stage.path("kept"));
    command.env("PATH", format!("{}:/usr/bin:/bin", stage.path("passthrough").display()));
    run(&mut command).ok();
    let passed = tree::read(&stage.path("shop"));
    std::fs::remove_dir_all(stage.path("shop")).unwrap();
    std::fs::rename(stage.path("kept"), stage.path("shop")).unwrap();
    passed
}

#[test]
fn render_changes_image_lines_alone_and_nothing_the_second_time() {
    for kpt in tools::all("kpt") {
        let stage = Stage::new();
        package(&stage, "mutators", &spec(MAPS));
        let own =
            ["Kptfile", "swap.yaml"].map(|name| tree::read(&stage.path("shop"))[Path::new(name)].clone());
        let passed = passed_through(&stage, render(&stage, &kpt));

        run(&mut render(&stage, &kpt)).ok();
        let rendered = tree::read(&stage.path("shop"));
        assert_eq!(tree::swapped_lines(&passed, &rendered), SWAPPED);
        assert_eq!(own, ["Kptfile", "swap.yaml"].map(|name| rendered[Path::new(name)].clone()));

        run(&mut render(&stage, &kpt)).ok();
        assert_eq!(rendered, tree::read(&stage.path("shop")));
    }
}

#[test]
fn eval_with_a_config_file_and_with_arguments() {
    for kpt in tools::all("kpt") {
        let stage = Stage::new();
        manifests(&stage, "shop");
        stage.write(
            "maps.yaml",
            &format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: maps\ndata:\n{}", spec(MAPS)),
        );
        let mut plain = stage.command(&kpt);
        plain.args(["fn", "eval", "shop", "--exec", "imageswap fn"]);
        let passed = passed_through(&stage, plain);
        let forms: [&[&str]; 3] = [
            &["--fn-config", "maps.yaml"],
            &["--", "docker.io=mirror.example.com/hub", "quay.io=mirror.example.com/quay"],
            &["--", "ImageSwap", "docker.io=mirror.example.com/hub", "quay.io=mirror.example.com/quay"],
        ];
        for form in forms {
            manifests(&stage, "shop");
            eval(&stage, &kpt, form).ok();
            assert_eq!(tree::swapped_lines(&passed, &tree::read(&stage.path("shop"))), SWAPPED, "{form:?}");
        }
    }
}

#[test]
fn selectors_choose_what_is_changed() {
    for kpt in tools::all("kpt") {
        let stage = Stage::new();
        manifests(&stage, "shop");
        let before = tree::read(&stage.path("shop"));
        eval(&stage, &kpt, &["--match-kind", "CronJob", "--", "docker.io=mirror.example.com/hub"]).ok();
        let lines = tree::swapped_lines(&before, &tree::read(&stage.path("shop")));
        assert_eq!(lines, ["image: mirror.example.com/hub/library/alpine:3.20"]);
    }
}

#[test]
fn malformed_maps_fail_readably_and_change_no_file() {
    for kpt in tools::all("kpt") {
        let stage = Stage::new();
        let many: String = (0..9).map(|number| format!("bad line {number}\n")).collect();
        package(&stage, "mutators", &spec(&format!("{MAPS}{many}")));
        let before = tree::read(&stage.path("shop"));
        let said = run(&mut render(&stage, &kpt)).fails();
        assert_eq!(before, tree::read(&stage.path("shop")));
        // kpt cuts what follows the fourth line.
        let results = said.split("Results").nth(1).unwrap_or_else(|| panic!("{said}"));
        let first: String = results.lines().take(5).collect();
        assert!(first.contains("9 errors") && first.contains("bad line 0"), "{said}");
    }
}

#[test]
fn results_folder_tells_every_change() {
    for kpt in tools::all("kpt") {
        let stage = Stage::new();
        package(&stage, "mutators", &spec(MAPS));
        run(render(&stage, &kpt).args(["--results-dir", "results"])).ok();
        let text = std::fs::read_to_string(stage.path("results/results.yaml")).unwrap();
        let list: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(list["exitCode"], 0, "{text}");
        let results = list["items"][0]["results"].as_array().unwrap_or_else(|| panic!("{text}"));
        let web = results
            .iter()
            .find(|result| result["field"]["currentValue"] == "nginx:1.27")
            .unwrap_or_else(|| panic!("{text}"));
        assert_eq!(web["severity"], "info");
        assert_eq!(web["field"]["proposedValue"], "mirror.example.com/hub/nginx:1.27");
        assert_eq!(web["field"]["path"], "spec.template.spec.containers[0].image");
        assert_eq!(web["file"]["path"], "deployment.yaml");
        let resource = &web["resourceRef"];
        let of = ["apiVersion", "kind", "name"].map(|key| resource[key].as_str().unwrap_or_default());
        assert_eq!(of, ["apps/v1", "Deployment", "web"]);
        assert!(web["message"].as_str().is_some_and(|text| text.contains("containers[0].image")), "{text}");
    }
}

#[test]
fn empty_package_stays_empty() {
    for kpt in tools::all("kpt") {
        let stage = Stage::new();
        package(&stage, "mutators", &spec(MAPS));
        for name in ["cronjob.yaml", "deployment.yaml"] {
            std::fs::remove_file(stage.path("shop").join(name)).unwrap();
        }
        let before = tree::read(&stage.path("shop"));
        run(&mut render(&stage, &kpt)).ok();
        assert_eq!(before, tree::read(&stage.path("shop")));
    }
}

#[test]
fn validator_fails_until_the_package_is_swapped() {
    for kpt in tools::all("kpt") {
        let stage = Stage::new();
        package(&stage, "validators", &format!("{}  validate: true\n", spec(MAPS)));
        let before = tree::read(&stage.path("shop"));
        let said = run(&mut render(&stage, &kpt)).fails();
        assert!(said.contains("nginx:1.27"), "{said}");
        assert_eq!(before, tree::read(&stage.path("shop")));

        // The configuration only validates, so the rules stand in a file of their own here.
        stage.write("rules.maps", MAPS);
        run(&mut stage.imageswap(&["rewrite", "shop", "--maps", "rules.maps"])).ok();
        run(&mut render(&stage, &kpt)).ok();
    }
}

#[test]
fn source_into_the_function_into_sink() {
    for kpt in tools::all("kpt") {
        let stage = Stage::new();
        manifests(&stage, "shop");
        let config = stage.write(
            "swap.yaml",
            &format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: maps\ndata:\n{}", spec(MAPS)),
        );
        let source = |folder: &str| {
            let mut command = stage.command(&kpt);
            command.args(["fn", "source", folder, "--fn-config"]).arg(&config);
            run(&mut command).ok()
        };
        let sink = |list: &str, folder: &str| {
            run_with(stage.command(&kpt).args(["fn", "sink", folder]), list).ok();
            tree::read(&stage.path(folder))
        };
        let list = source("shop");
        let swapped = run_with(&mut stage.imageswap(&["fn"]), &list).ok();
        let (passed, swapped) = (sink(&list, "passed"), sink(&swapped, "swapped"));
        assert_eq!(tree::swapped_lines(&passed, &swapped), SWAPPED);
    }
}
