//! What hosts do with the container image, by a `docker` on the PATH that runs the binary as they ask: without
//! a network unless they want one, as nobody, without arguments, with nothing of the environment.

use std::path::Path;

use super::packages::{SWAPPED, kustomization, manifests, swapped_built};
use super::stage::{Stage, run};
use super::{tools, tree};

const IMAGE: &str = "registry.example.com/imageswap:1";

/// A stand-in for docker. What it is asked is appended to `asked`; the binary is the image's entry point.
pub(crate) fn docker(stage: &Stage, image: &str) {
    let script = r#"#!/bin/sh
echo "$*" >>ASKED
[ "$1" != version ] || { echo 27.0.0; exit; }
[ "$1" = run ] || exit 0
case " $* " in
*" --network none "*) network="unshare --net" ;;
*) network= ;;
esac
while [ "$1" != IMAGE ]; do shift; done
shift
if [ "$(id -u)" -eq 0 ]; then
    exec $network setpriv --reuid=65534 --regid=65534 --clear-groups env -i ENTRYPOINT "$@"
fi
exec env -i ENTRYPOINT "$@"
"#;
    let asked = stage.path("asked");
    let script = script.replace("ASKED", &asked.display().to_string()).replace("IMAGE", image);
    let entry = stage.path("bin/imageswap");
    stage.script("bin/docker", &script.replace("ENTRYPOINT", &entry.display().to_string()));
}

/// The one `docker run` that was asked for.
fn asked(stage: &Stage) -> String {
    let text = std::fs::read_to_string(stage.path("asked")).unwrap();
    let runs: Vec<&str> = text.lines().filter(|line| line.starts_with("run ")).collect();
    let [one] = runs[..] else { panic!("{text}") };
    one.to_owned()
}

#[test]
fn kpt_runs_the_image() {
    for kpt in tools::all("kpt") {
        let stage = Stage::new();
        docker(&stage, IMAGE);
        manifests(&stage, "shop");
        let before = tree::read(&stage.path("shop"));
        let rules = ["docker.io=mirror.example.com/hub", "quay.io=mirror.example.com/quay"];
        run(stage.command(&kpt).args(["fn", "eval", "shop", "--image", IMAGE, "--"]).args(rules)).ok();
        let lines = tree::swapped_lines(&before, &tree::read(&stage.path("shop")));
        assert_eq!(lines, SWAPPED);
        let asked = asked(&stage);
        assert!(asked.contains("--network none --user nobody"), "{asked}");
        assert!(asked.ends_with(IMAGE), "kpt gives the image no arguments: {asked}");
    }
}

#[test]
fn kpt_shows_the_help_of_the_image() {
    for kpt in tools::all("kpt") {
        let stage = Stage::new();
        docker(&stage, IMAGE);
        let mut command = stage.command(&kpt);
        command.args(["fn", "doc", "--image", IMAGE]);
        let help = run(&mut command).ok();
        assert!(help.contains("imageswap") && help.contains("Usage"), "{help}");
        assert!(asked(&stage).ends_with("--help"), "{}", asked(&stage));
    }
}

#[test]
fn kustomize_runs_the_image() {
    for kustomize in tools::all("kustomize") {
        let stage = Stage::new();
        docker(&stage, IMAGE);
        let built = build(&stage, &kustomize, "");
        stage.write(
            "shop/swap.yaml",
            &format!(
                "apiVersion: imageswap.dev/v1alpha1\nkind: ImageSwap\nmetadata:\n  name: swap\n  annotations:\n    \
                 config.kubernetes.io/function: |\n      container:\n        image: {IMAGE}\nspec:\n  maps: |\n    \
                 docker.io::mirror.example.com/hub\n    quay.io::mirror.example.com/quay\n"
            ),
        );
        let swapped = build(&stage, &kustomize, "transformers: [swap.yaml]\n");
        assert_eq!(tree::swapped("the build", &built, &swapped), swapped_built());
        assert!(asked(&stage).ends_with(IMAGE), "{}", asked(&stage));
    }
}

fn build(stage: &Stage, kustomize: &Path, more: &str) -> String {
    kustomization(stage, "shop", more);
    run(stage.command(kustomize).args(["build", "shop", "--enable-alpha-plugins"])).ok()
}
