//! Real manifests, compared with what an oracle found in them, and the official YAML test suite.
//!
//! `IMAGESWAP_CORPUS=DIR` names a folder; `DIR.sites.jsonl` beside it holds the oracle's lines, of which those
//! with `"t":"site"` count: file, doc, path, line, col (from 1), b0 and b1 (byte range), raw, value, style.
//! `IMAGESWAP_YAML_TEST_SUITE=DIR` names a folder with a folder a case, each with `in.yaml`. Neither is needed;
//! without them, the tests say that they do nothing. Nothing is written to either.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests stop at the first surprise and say why"
)]

mod folders;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use folders::{copy, each_file};
use imageswap::manifest::edit;
use imageswap::maps::{Maps, MapsText, ParseOptions};
use imageswap::rewrite::{Engine, Memory};
use serde_json::Value;

const MAPS: [&str; 4] =
    ["--map", "docker.io::mirror.example/hub", "--map", "default::mirror.example/{registry}/{path}"];

/// The folder that `variable` names; says so when there is none.
fn folder(variable: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: {variable} is not set");
    }
    folder
}

fn imageswap(arguments: &[&str], paths: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imageswap"));
    command.args(arguments).args(paths).env_remove("IMAGESWAP_MAPS_FILE").output().unwrap()
}

/// The lines of standard output as JSON.
fn json_lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("{key} of {value}")).to_owned()
}

fn number(value: &Value, key: &str) -> usize {
    usize::try_from(value[key].as_u64().unwrap_or_else(|| panic!("{key} of {value}"))).unwrap()
}

/// Where an image stands: file, document, path, line, column, first byte.
type Place = (String, usize, String, usize, usize, usize);

#[test]
fn every_site_of_the_oracle_is_found() {
    let Some(corpus) = folder("IMAGESWAP_CORPUS") else { return };
    let (sites, unparsed) = oracle(&corpus);
    let output = imageswap(&["images", "--format", "json", "--no-ignore"], &[&corpus]);
    let prefix = format!("{}/", corpus.display());
    let mut found = BTreeMap::new();
    let (mut by_status, mut by_place) = (BTreeMap::new(), BTreeMap::new());
    // What has a type is no image: an error, or a warning.
    for line in json_lines(&output).into_iter().filter(|line| line["type"].is_null()) {
        let file = text(&line, "file").strip_prefix(&prefix).unwrap().to_owned();
        *by_status.entry(text(&line, "status")).or_insert(0) += 1;
        *by_place.entry(text(&line, "place")).or_insert(0) += 1;
        let place: Place = (
            file,
            number(&line, "document"),
            text(&line, "path"),
            number(&line, "line"),
            number(&line, "column"),
            number(&line, "start"),
        );
        found.insert(place, line);
    }
    let mut wrong = Vec::new();
    for (place, site) in &sites {
        match found.get(place) {
            None => wrong.push(format!("missing: {place:?}")),
            Some(line) => {
                let block = matches!(site["style"].as_str(), Some("folded" | "literal"));
                if !block && number(line, "end") != number(site, "b1") {
                    wrong.push(format!("ends at {}, not at {}: {place:?}", line["end"], site["b1"]));
                }
                if line["image"] != site["value"] {
                    wrong.push(format!("is {}, not {}: {place:?}", line["image"], site["value"]));
                }
                if line["place"] != "container" {
                    wrong.push(format!("counts as {}: {place:?}", line["place"]));
                }
            }
        }
    }
    for (place, line) in &found {
        if line["place"] == "container" && !sites.contains_key(place) && !unparsed.contains(&place.0) {
            wrong.push(format!("extra: {place:?}"));
        }
    }
    let failures = String::from_utf8(output.stderr).unwrap();
    eprintln!("{} sites of the oracle, {} images found", sites.len(), found.len());
    eprintln!("by status: {by_status:?}\nby place: {by_place:?}");
    eprintln!("{} files fail here, {} in the oracle:\n{failures}", failures.lines().count(), unparsed.len());
    assert!(!sites.is_empty());
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}

/// The oracle's sites, and the files that it cannot read.
fn oracle(corpus: &Path) -> (BTreeMap<Place, Value>, BTreeSet<String>) {
    let list = PathBuf::from(format!("{}.sites.jsonl", corpus.display()));
    let lines = fs::read_to_string(&list).unwrap_or_else(|error| panic!("{}: {error}", list.display()));
    let (mut sites, mut unparsed) = (BTreeMap::new(), BTreeSet::new());
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        match line["t"].as_str() {
            Some("site") => {
                let place = (
                    text(&line, "file"),
                    number(&line, "doc"),
                    text(&line, "path"),
                    number(&line, "line"),
                    number(&line, "col"),
                    number(&line, "b0"),
                );
                sites.insert(place, line);
            }
            Some("file") if line["ok"] == false => drop(unparsed.insert(text(&line, "file"))),
            _ => {}
        }
    }
    (sites, unparsed)
}

#[test]
fn bytes_outside_of_images_stay_and_a_second_run_changes_nothing() {
    let Some(corpus) = folder("IMAGESWAP_CORPUS") else { return };
    let scratch = tempfile::tempdir().unwrap();
    let tree = scratch.path().join("tree");
    copy(&corpus, &tree);
    let rewrite = ["rewrite", "--keep-going", "--no-ignore", "--no-sync", "--format", "json"];
    let arguments = [&rewrite[..], &MAPS].concat();
    let before = stats(&tree);
    let output = imageswap(&arguments, &[&tree]);
    let lines = json_lines(&output);
    let mut changes: BTreeMap<PathBuf, Vec<&Value>> = BTreeMap::new();
    let mut counts = BTreeMap::new();
    for line in &lines {
        *counts
            .entry(format!("{} {}", text(line, "type"), line["status"].as_str().unwrap_or("")))
            .or_insert(0) += 1;
        if line["type"] == "change" {
            let file = PathBuf::from(text(line, "file"));
            changes.entry(file.strip_prefix(&tree).unwrap().to_owned()).or_default().push(line);
        }
    }
    eprintln!("{counts:?}\n{}", lines.last().unwrap());
    assert!(changes.len() > 100, "{} files change", changes.len());
    let mut wrong = Vec::new();
    for (file, stat) in &stats(&tree) {
        match changes.get(file) {
            None if before[file] != *stat => wrong.push(format!("{} was touched", file.display())),
            None => {}
            Some(changes) => {
                let old = fs::read_to_string(corpus.join(file)).unwrap();
                let new = fs::read_to_string(tree.join(file)).unwrap();
                if let Err(why) = only_images_differ(&old, &new, changes) {
                    wrong.push(format!("{}: {why}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let before = stats(&tree);
    let output = imageswap(&arguments, &[&tree]);
    let changes: Vec<Value> =
        json_lines(&output).into_iter().filter(|line| line["type"] == "change").collect();
    assert!(changes.is_empty(), "a second run changes {changes:?}");
    assert_eq!(before, stats(&tree), "a second run touches files");
}

/// Whether `new` is `old` with each change carried out in the style that its scalar has.
fn only_images_differ(old: &str, new: &str, changes: &[&Value]) -> Result<(), String> {
    let mut changes: Vec<_> = changes
        .iter()
        .map(|line| (number(line, "start"), number(line, "end"), text(line, "image"), text(line, "target")))
        .collect();
    changes.sort();
    let (mut at, mut rest) = (0, new);
    for (start, end, image, target) in changes {
        let outside = &old[at..start];
        rest = rest.strip_prefix(outside).ok_or_else(|| format!("bytes {at} to {start} differ"))?;
        let same_style = old[start..end].replace(&image, &target);
        let quoted = format!("\"{target}\"");
        let inside = rest.strip_prefix(same_style.as_str()).or_else(|| rest.strip_prefix(quoted.as_str()));
        rest = inside.ok_or_else(|| format!("no {target} at byte {start}"))?;
        at = end;
    }
    if rest == &old[at..] { Ok(()) } else { Err(format!("bytes from {at} on differ")) }
}

/// Inode and time of change of every file.
fn stats(tree: &Path) -> BTreeMap<PathBuf, (u64, i64, i64)> {
    let mut stats = BTreeMap::new();
    each_file(tree, &mut |path| {
        let stat = path.symlink_metadata().unwrap();
        let relative = path.strip_prefix(tree).unwrap().to_owned();
        stats.insert(relative, (stat.ino(), stat.mtime(), stat.mtime_nsec()));
    });
    stats
}

/// Each case alone keeps its bytes, and between two pods only the pods' images change.
#[test]
fn the_yaml_test_suite_keeps_its_bytes() {
    let Some(suite) = folder("IMAGESWAP_YAML_TEST_SUITE") else { return };
    let maps = Maps::parse(&[MapsText::new("maps", "docker.io::m.example\n")], ParseOptions::default());
    let engine = Engine { maps: maps.unwrap().maps.into(), ..Engine::default() };
    let pod = "kind: Pod\nspec:\n  containers:\n  - image: nginx:1\n";
    let rewritten = pod.replace("nginx", "m.example/nginx");
    let (mut alone, mut between, mut refused) = (0, 0, 0);
    let mut wrong = Vec::new();
    each_file(&suite, &mut |path| {
        if path.file_name().is_none_or(|name| name != "in.yaml") {
            return;
        }
        let Ok(case) = fs::read_to_string(path) else { return };
        let output = imageswap(&["rewrite", "--map", "docker.io::m.example", "--output", "-"], &[path]);
        let same = output.stdout == case.as_bytes() || output.stdout == format!("{case}\n").as_bytes();
        if output.status.success() && !same {
            wrong.push(format!("{}: changed though it holds no image", path.display()));
        }
        alone += usize::from(output.status.success());
        let end = if case.ends_with('\n') || case.is_empty() { "" } else { "\n" };
        let stream = |pod: &str| format!("{pod}...\n{case}{end}...\n---\n{pod}");
        let (old, new) = (stream(pod), stream(&rewritten));
        let plan = engine.plan(&old, false, &mut Memory::default());
        if !plan.errors.is_empty() {
            refused += 1;
        } else if edit::pieces(&old, &plan.edits()).unwrap().concat() == new {
            between += 1;
        } else {
            wrong.push(format!("{}: not only the pods around it change", path.display()));
        }
    });
    eprintln!("{alone} cases alone, {between} between pods, {refused} refused there");
    assert!(alone > 300 && between > 300, "{alone}, {between}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Everything that can be asked for, for the count of what is left then.
const EVERYTHING: [&str; 11] = [
    "--fields=all",
    "--env=*",
    "--arg=-*",
    "--annotation=*image*",
    "--data=ConfigMap *:*",
    "--helm-values",
    "--templates",
    "--compose",
    "--skaffold",
    "--gitlab-ci",
    "--github-workflows",
];

/// What kind of place a line of the inventory is about.
fn kind(line: &Value) -> &'static str {
    let (path, file) = (text(line, "path"), text(line, "file"));
    let resource = line["kind"].as_str();
    let name = file.rsplit('/').next().unwrap_or_default();
    match line["place"].as_str() {
        Some("container" | "volume") => return "containers and image volumes",
        Some("patch") => return "patches",
        _ => {}
    }
    if name.starts_with("values") || line["place"] == "parts" || line["place"] == "registry" {
        "Helm values"
    } else if line["place"] == "template" || file.contains("/templates/") && file.contains("/charts/") {
        "Helm templates"
    } else if path.contains(".env[") {
        "environment"
    } else if path.contains(".args[") || path.contains(".command[") {
        "arguments"
    } else if path.contains("annotations") {
        "annotations"
    } else if matches!(resource, Some("ConfigMap" | "Secret")) {
        "values of ConfigMaps"
    } else if name.to_ascii_lowercase().starts_with("kustomization") || path.contains("patch") {
        "Kustomizations and patches"
    } else if resource.is_some() {
        "fields of other resources"
    } else {
        "files of no kind"
    }
}

#[test]
fn what_is_left_is_counted() {
    let Some(corpus) = folder("IMAGESWAP_CORPUS") else { return };
    let mut counts: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    for (column, flags) in [&["--fields=core"][..], &[], &EVERYTHING].into_iter().enumerate() {
        let arguments = [&["images", "--all", "--format", "json", "--no-ignore"], flags].concat();
        for line in
            json_lines(&imageswap(&arguments, &[&corpus])).iter().filter(|line| line["place"].is_string())
        {
            let count = counts.entry(kind(line)).or_default();
            if line["place"] != "mention" && line["place"] != "render input" && line["status"] == "ok" {
                count[column] += 1;
            } else if column == 2 {
                count[3] += 1;
            }
        }
    }
    eprintln!("| place | containers alone | as it is | with every flag | left |\n|---|---:|---:|---:|---:|");
    for (kind, [core, plain, asked, left]) in &counts {
        eprintln!("| {kind} | {core} | {plain} | {asked} | {left} |");
    }
    let sum = |column: usize| counts.values().map(|count| count[column]).sum::<usize>();
    assert!(sum(2) >= sum(1) && sum(1) >= sum(0) && sum(0) > 0, "places and flags find no less");
}
