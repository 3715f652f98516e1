//! What users see, as golden cases that need no Rust: `tests/cmd/*.toml`, each with its arguments, standard
//! input, folders and what comes out; and the commands of the README.
//!
//! After a wanted change of a message: `TRYCMD=overwrite cargo test --test golden`, and read the difference.
#![allow(clippy::unwrap_used)]

mod folders;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use folders::copy;

const BINARY: &str = env!("CARGO_BIN_EXE_imageswap");

/// Variables that would change what the program does.
const VARIABLES: &[&str] = &[
    "IMAGESWAP_MAPS_FILE",
    "IMAGESWAP_MAPS_LENIENT",
    "IMAGESWAP_DISABLE_LABEL",
    "IMAGESWAP_MODE",
    "IMAGESWAP_REGISTRIES",
    "IMAGE_PREFIX",
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
];

fn imageswap() -> Command {
    let mut command = Command::new(BINARY);
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn commands() {
    trycmd::TestCases::new().case("tests/cmd/*.toml");
}

/// The `console` blocks of the README, with what they print.
#[test]
fn readme() {
    trycmd::TestCases::new().case("README.md");
}

/// The other commands of the README (`sh` blocks): each runs, in a copy of `fixtures`.
#[test]
fn readme_commands_without_output() {
    let readme = fs::read_to_string("README.md").unwrap();
    let (mut ran, mut printed) = (0, String::new());
    let mut folder = tempfile::tempdir().unwrap();
    for line in readme.lines().scan(false, |inside, line| {
        *inside = if line.starts_with("```") { line == "```sh" } else { *inside };
        Some((*inside).then_some(line))
    }) {
        // The commands of a block work on what those before them left; each block starts anew.
        let Some(line) = line.filter(|line| !line.is_empty() && !line.starts_with('#')) else { continue };
        if line == "```sh" {
            folder = tempfile::tempdir().unwrap();
            copy(Path::new("fixtures"), &folder.path().join("fixtures"));
            continue;
        }
        let bin = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(BINARY, bin.path().join("imageswap")).unwrap();
        let path = format!("{}:{}", bin.path().display(), std::env::var("PATH").unwrap_or_default());
        let line = line.replace("cargo run --", "imageswap");
        if line.starts_with("cargo ") {
            continue;
        }
        let output = Command::new("sh")
            .args(["-ec", &line])
            .current_dir(folder.path())
            .env("PATH", path)
            .output()
            .unwrap();
        // --check says by 1 that there is something to do.
        let code = output.status.code();
        let expected = if line.contains("--check") { 1 } else { 0 };
        assert_eq!(code, Some(expected), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
        ran += 1;
        printed.push_str(&String::from_utf8_lossy(&output.stdout));
    }
    let quickstart = readme.split("\n## Quickstart\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let shown: Vec<&str> = fenced(quickstart, "diff").filter(|line| line.starts_with(['+', '-'])).collect();
    assert_eq!(shown.len(), 2);
    assert!(shown.iter().all(|line| printed.contains(line)), "{printed}");
    assert!(ran >= 9, "the README shows how to use the program, in {ran} commands");
}

/// The README's first command shows the diff at its top.
#[test]
fn the_first_command_of_the_readme_shows_a_diff() {
    let readme = fs::read_to_string("README.md").unwrap();
    let first = fenced(&readme, "sh").next().unwrap();
    let arguments = first.strip_prefix("cargo run -- ").unwrap().split_whitespace();
    let output = stdout(&imageswap().args(arguments).output().unwrap());
    assert!(output.starts_with("--- a/fixtures/"), "{output}");
    let top = readme.split("\n## ").next().unwrap();
    let shown: Vec<&str> = fenced(top, "diff").filter(|line| line.starts_with(['+', '-'])).collect();
    assert!(shown.len() >= 4);
    for line in shown {
        assert!(output.contains(&format!("{line}\n")), "the README shows `{line}`, the command does not");
    }
}

/// The maps of the README are maps.
#[test]
fn the_maps_of_the_readme_can_be_read() {
    let readme = fs::read_to_string("README.md").unwrap();
    let maps: Vec<&str> = fenced(&readme, "text").collect();
    assert!(maps.len() >= 8);
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, maps.join("\n")).unwrap();
    stdout(&imageswap().args(["maps", "lint"]).arg(file.path()).output().unwrap());
}

/// A file's name can neither break a line of a report nor steer a terminal; JSON has it as it is.
#[test]
fn names_with_control_characters_are_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let pod = "kind: Pod\nspec: {containers: [{name: a, image: nginx}]}\n";
    fs::write(folder.path().join("a\u{1b}[31m\n.yaml"), pod).unwrap();
    fs::write(folder.path().join("b\u{7}.yaml"), "kind: Pod\nimage: [\n").unwrap();
    let run = |format: &str| {
        let args = ["rewrite", "--check", "--map", "docker.io::m.example.com", "--format", format, "."];
        let output = imageswap().args(args).current_dir(folder.path()).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (report, errors) = run("text");
    assert!(report.starts_with("./a\\u{1b}[31m\\n.yaml:2:38: nginx -> "), "{report}");
    assert!(errors.contains("error: ./b\\u{7}.yaml:"), "{errors}");
    let (json, _) = run("json");
    let names: Vec<serde_json::Value> =
        json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(names.iter().any(|line| line["file"] == "./a\u{1b}[31m\n.yaml"), "{json}");
}

#[test]
fn completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = stdout(&imageswap().args(["completions", shell]).output().unwrap());
        for word in ["rewrite", "images", "explain", "completions", "on-unmapped", "kustomize-images"] {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
        let checker = match shell {
            "bash" | "zsh" | "fish" => shell,
            _ => continue,
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("script");
        fs::write(&file, script).unwrap();
        if let Ok(status) = Command::new(checker).arg("-n").arg(&file).status() {
            assert!(status.success(), "{shell} does not read the script");
        }
    }
}

#[test]
fn man_pages() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("share/man1");
    stdout(&imageswap().arg("man").arg(&pages).output().unwrap());
    for (page, word) in [
        ("imageswap.1", "rewrite"),
        ("imageswap-rewrite.1", "keep\\-going"),
        ("imageswap-images.1", "unique"),
        ("imageswap-explain.1", "lenient\\-maps"),
        ("imageswap-maps-lint.1", "FILE"),
        ("imageswap-completions.1", "powershell"),
        ("imageswap-man.1", "DIR"),
    ] {
        let text = fs::read_to_string(pages.join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        assert!(text.contains(".TH") && text.contains(word), "{page} lacks {word}");
    }
}

/// The tables of docs/finding-images.md are those of the code; `TRYCMD=overwrite` writes them.
#[test]
fn the_known_places_are_in_the_docs() {
    const START: &str = "<!-- places -->\n";
    let source = fs::read_to_string("src/manifest/places.txt").unwrap();
    let mut fields = String::from("| kinds | fields |\n|---|---|\n");
    let mut others = String::from("\n| other places |\n|---|\n");
    let quoted = |words: &str, between: &str| {
        words.split(' ').map(|word| format!("`{word}`")).collect::<Vec<_>>().join(between)
    };
    let mut lines = source.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).peekable();
    while let Some(line) = lines.next() {
        if line.contains(':') {
            others.push_str(&format!("| `{line}` |\n"));
            continue;
        }
        let mut paths = Vec::new();
        while let Some(path) = lines.next_if(|line| line.starts_with(' ')) {
            paths.push(quoted(path.trim(), " "));
        }
        fields.push_str(&format!("| {} | {} |\n", quoted(line, ", "), paths.join(" ")));
    }
    assert!(fields.lines().count() > 30 && others.lines().count() > 20);
    let docs = fs::read_to_string("docs/finding-images.md").unwrap();
    let (before, rest) = docs.split_once(START).unwrap();
    let table = format!("{fields}{others}");
    if std::env::var("TRYCMD").is_ok_and(|mode| mode == "overwrite") {
        fs::write("docs/finding-images.md", format!("{before}{START}{table}")).unwrap();
    } else {
        assert_eq!(rest, table, "TRYCMD=overwrite cargo test --test golden writes the table");
    }
}

/// The table of docs/maps.md has every code of lint, and no other.
#[test]
fn the_codes_of_lint_are_in_the_docs() {
    let docs = fs::read_to_string("docs/maps.md").unwrap();
    let table = docs.split("| Code | Meaning |\n|---|---|\n").nth(1).unwrap();
    let code = |line: &str| line.strip_prefix("| `")?.split('`').next().map(str::to_owned);
    let in_docs: Vec<String> = table.lines().map_while(code).collect();
    let in_code: Vec<&str> = imageswap::maps::FindingCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(in_docs, in_code);
}

/// Lines of the code blocks of `language` in a Markdown text.
fn fenced<'a>(text: &'a str, language: &str) -> impl Iterator<Item = &'a str> {
    let fence = format!("```{language}");
    let mut inside = false;
    text.lines().filter(move |line| {
        if line.starts_with("```") {
            inside = !inside && *line == fence;
            return false;
        }
        inside && !line.trim().is_empty() && !line.starts_with('#')
    })
}
