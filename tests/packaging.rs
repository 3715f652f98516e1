//! What is shipped beside the program: the container image's recipe, the pre-commit hook, the GitHub Action.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const IMAGESWAP: &str = env!("CARGO_BIN_EXE_imageswap");
const POD: &str = "kind: Pod\nspec:\n  containers:\n  - image: nginx:1.27 # kept\n";

fn shipped(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// A folder with a manifest and the maps that swap its image.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("deploy")).unwrap();
    fs::write(folder.path().join("deploy/pod.yaml"), POD).unwrap();
    fs::write(folder.path().join("imageswap.maps"), "docker.io::mirror.example.com/hub\n").unwrap();
    folder
}

/// The PATH with this build's imageswap in front.
fn path() -> String {
    format!("{}:/usr/bin:/bin", Path::new(IMAGESWAP).parent().unwrap().display())
}

fn rewrite(folder: &Path) {
    assert!(
        Command::new(IMAGESWAP).args(["rewrite", "-q", "."]).current_dir(folder).status().unwrap().success()
    );
}

/// The instructions of the Dockerfile's last stage: the word and what follows.
fn last_stage() -> Vec<(String, String)> {
    let text = shipped("Dockerfile");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let mut stage = Vec::new();
    for line in lines {
        let (word, rest) = line.split_once(' ').unwrap();
        if word == "FROM" {
            stage.clear();
        }
        stage.push((word.to_owned(), rest.to_owned()));
    }
    stage
}

#[test]
fn the_image_holds_the_program_alone() {
    let stage = last_stage();
    let all = |word: &str| -> Vec<&str> {
        stage.iter().filter(|(w, _)| w == word).map(|(_, rest)| rest.as_str()).collect()
    };
    assert_eq!(all("FROM"), ["scratch"], "no shell, no files");
    assert_eq!(all("COPY"), ["--from=build /src/target/release/imageswap /imageswap"]);
    assert_eq!(all("ENTRYPOINT"), [r#"["/imageswap"]"#]);
    assert_eq!(all("CMD"), [""; 0], "a bare call is the KRM function");
    assert_eq!(all("USER"), ["65532:65532"]);
    assert_eq!(stage.len(), 4);
}

#[test]
fn the_build_gets_what_cargo_needs() {
    let kept = shipped(".dockerignore");
    let kept: Vec<&str> = kept.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let manifest = shipped("Cargo.toml");
    let paths = manifest.lines().filter_map(|line| line.strip_prefix("path = \"")?.strip_suffix('"'));
    for path in paths.chain(["Cargo.toml", "Cargo.lock"]) {
        let first = path.split('/').next().unwrap();
        assert!(kept.contains(&first), "{path} is missing in .dockerignore");
    }
}

#[test]
fn the_pre_commit_hook_checks_the_tree() {
    let hooks: Value = serde_saphyr::from_str(&shipped(".pre-commit-hooks.yaml")).unwrap();
    let [hook] = &hooks.as_array().unwrap()[..] else { panic!("{hooks}") };
    assert_eq!(hook["pass_filenames"], false);
    let entry = hook["entry"].as_str().unwrap().split(' ').map(str::to_owned);
    let more = hook["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned());
    let words: Vec<String> = entry.chain(more).collect();

    let folder = folder();
    let run = || {
        Command::new(&words[0])
            .args(&words[1..])
            .env("PATH", path())
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    assert_eq!(run().status.code(), Some(1), "{:?}", run());
    rewrite(folder.path());
    assert_eq!(run().status.code(), Some(0), "{:?}", run());
}

/// The action's steps.
fn steps() -> Vec<Value> {
    let action: Value = serde_saphyr::from_str(&shipped("action.yml")).unwrap();
    assert_eq!(action["runs"]["using"], "composite");
    // What a step's environment takes is an input that is there, or the folder of the action.
    for step in action["runs"]["steps"].as_array().unwrap() {
        for value in step["env"].as_object().unwrap().values() {
            let name = value.as_str().unwrap().trim_start_matches("${{ ").trim_end_matches(" }}");
            let known = name.strip_prefix("inputs.").is_some_and(|input| action["inputs"][input].is_object());
            assert!(known || name == "github.action_path", "{name}");
        }
    }
    action["runs"]["steps"].as_array().unwrap().clone()
}

/// Runs a step as GitHub's runner does.
fn step(step: &Value, folder: &Path, environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"].as_str().unwrap()]);
    command.current_dir(folder).env_clear().env("PATH", path()).env("RUNNER_TEMP", folder);
    command.env("GITHUB_PATH", folder.join("path")).envs(environment.iter().copied()).output().unwrap()
}

#[test]
fn the_action_installs() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("install.sh");
    fs::write(&script, "#!/bin/sh\nprintf '<%s>' \"$@\"\n").unwrap();
    fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
    let action = folder.path().display().to_string();
    let prefix = format!("{action}/imageswap");
    for (version, arguments) in [("", ""), ("0.1.0", "<--version><0.1.0>")] {
        let output = step(&steps()[0], folder.path(), &[("ACTION", &action), ("VERSION", version)]);
        assert!(output.status.success(), "{output:?}");
        let asked = String::from_utf8(output.stdout).unwrap();
        assert_eq!(asked, format!("<--prefix><{prefix}>{arguments}"));
    }
    let added = fs::read_to_string(folder.path().join("path")).unwrap();
    assert_eq!(added.lines().last(), Some(format!("{prefix}/bin").as_str()));
}

#[test]
fn the_action_checks() {
    let folder = folder();
    fs::rename(folder.path().join("imageswap.maps"), folder.path().join("rules")).unwrap();
    let maps = ("MAPS", "rules");
    let check = |environment: &[(&str, &str)]| step(&steps()[1], folder.path(), environment).status.code();
    assert_eq!(check(&[maps, ("PATHS", "deploy"), ("ARGS", "")]), Some(1));
    assert_eq!(check(&[maps, ("PATHS", "deploy"), ("ARGS", "--exclude pod.yaml")]), Some(0));
    assert_eq!(check(&[maps, ("PATHS", "deploy missing"), ("ARGS", "")]), Some(2));
    fs::rename(folder.path().join("rules"), folder.path().join("imageswap.maps")).unwrap();
    rewrite(folder.path());
    assert_eq!(check(&[("MAPS", ""), ("PATHS", "."), ("ARGS", "")]), Some(0));
}

/// The yaml block below a heading of `docs/hosts.md`.
fn documented(heading: &str) -> Value {
    let text = shipped("docs/hosts.md");
    let section = text.split(&format!("\n## {heading}\n")).nth(1).unwrap();
    let block = section.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    serde_saphyr::from_str(block).unwrap()
}

#[test]
fn what_the_documents_say_of_hook_and_action_is_there() {
    let hooks: Value = serde_saphyr::from_str(&shipped(".pre-commit-hooks.yaml")).unwrap();
    assert_eq!(documented("pre-commit")["repos"][0]["hooks"][0]["id"], hooks[0]["id"]);

    let action: Value = serde_saphyr::from_str(&shipped("action.yml")).unwrap();
    let documented = documented("GitHub Actions");
    for input in documented["steps"][1]["with"].as_object().unwrap().keys() {
        assert!(action["inputs"][input].is_object(), "{input}");
    }
}
