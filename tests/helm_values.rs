//! Helm charts: what a chart renders after `imageswap rewrite --helm-values --templates CHART` has the images that
//! `imageswap rewrite -` makes of what it rendered before. Shown with the real Helm on the charts of `tests/helm_values`
//! and, with `IMAGESWAP_CHARTS=DIR`, on each chart of a folder.
//!
//! Helm is looked for in `IMAGESWAP_E2E_TOOLS/bin` and on `PATH`. Without it the tests look at the values alone.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests stop at the first surprise and say why"
)]

mod folders;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use folders::copy;

/// Rules by registry, by path, and a default with a port.
const MAPS: [&[&str]; 4] = [
    &[
        "docker.io::mirror.example.com/hub",
        "quay.io::mirror.example.com/quay",
        "ghcr.io::mirror.example.com/gh",
        "registry.k8s.io::mirror.example.com/k8s",
        "registry.istio.io::mirror.example.com/istio",
    ],
    &[
        "quay.io/prometheus::m.example/p",
        "quay.io/strimzi::m.example/s",
        "docker.io/bitnami::m.example/x/bn",
        "docker.io/library::m.example/lib",
        "ghcr.io/spegel-org::m.example/sp",
        "quay.io/team::m.example/t",
        "docker.io/team::m.example/tt",
    ],
    &["default::mirror.example.com:5000"],
    &["default::mirror.example.com/{registry}/{path}"],
];

/// What must be set for optional images of charts, by the name of the chart's folder.
const SETTINGS: &[(&str, &[&str])] = &[
    ("alertmanager", &["configmapReload.enabled=true"]),
    (
        "bitnami-nginx",
        &[
            "global.security.allowInsecureImages=true",
            "metrics.enabled=true",
            "cloneStaticSiteFromGit.enabled=true",
            "cloneStaticSiteFromGit.repository=https://g.example/x.git",
            "cloneStaticSiteFromGit.branch=main",
        ],
    ),
    (
        "bitnami-redis",
        &[
            "global.security.allowInsecureImages=true",
            "metrics.enabled=true",
            "sentinel.enabled=true",
            "volumePermissions.enabled=true",
            "sysctl.enabled=true",
        ],
    ),
    ("kube-state-metrics", &["kubeRBACProxy.enabled=true"]),
    ("prometheus-node-exporter", &["kubeRBACProxy.enabled=true"]),
];

/// Charts with images of which nobody but their templates knows the names, and one whose registry stands before the images of
/// another chart: what cannot be told is reported, and stays as it is.
const UNCLEAR: &[&str] = &["registry", "traefik", "unclear"];

fn helms() -> Vec<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let tools = set("IMAGESWAP_E2E_TOOLS").or_else(|| cache.map(|cache| cache.join("imageswap-e2e")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> =
        tools.map(|tools| tools.join("bin")).into_iter().chain(std::env::split_paths(&path)).collect();
    let find = |name| folders.iter().map(|folder| folder.join(name)).find(|program| program.is_file());
    let found: Vec<PathBuf> = ["helm3", "helm4", "helm"].into_iter().filter_map(find).collect();
    assert!(!found.is_empty() || std::env::var("CI").as_deref() != Ok("true"), "CI needs Helm for this test");
    if found.is_empty() {
        eprintln!("skipped: no Helm in IMAGESWAP_E2E_TOOLS/bin or on PATH");
    }
    found
}

/// The charts made for this test, and those of the folder that the environment names.
fn charts() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/helm_values");
    let given = std::env::var_os("IMAGESWAP_CHARTS").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    if given.is_none() {
        eprintln!("IMAGESWAP_CHARTS is not set: only the charts of tests/helm_values are looked at");
    }
    let folders = [own].into_iter().chain(given);
    let mut charts: Vec<PathBuf> = folders
        .flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()))
        .filter(|folder| folder.join("Chart.yaml").is_file())
        .collect();
    charts.sort();
    assert!(charts.len() >= 8);
    charts
}

fn name(chart: &Path) -> &str {
    chart.file_name().unwrap().to_str().unwrap()
}

/// Exit code, standard output and standard error.
fn imageswap(maps: &[&str], arguments: &[&str], paths: &[&Path], input: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imageswap"));
    command.args(arguments).args(maps.iter().flat_map(|rule| ["--map", rule])).args(paths);
    command.env_remove("IMAGESWAP_MAPS_FILE");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn render(helm: &Path, chart: &Path) -> String {
    let set = SETTINGS.iter().find(|(known, _)| *known == name(chart)).map_or(&[][..], |(_, set)| set);
    let output = Command::new(helm)
        .args(["template", "x"])
        .arg(chart)
        .args(["--kube-version", "1.34.0"])
        .args(set.iter().flat_map(|pair| ["--set", pair]))
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {}: {error}", helm.display(), chart.display());
    String::from_utf8(output.stdout).unwrap()
}

/// Each image of rendered manifests with its place.
fn images(manifests: &str) -> Vec<String> {
    let (code, out, error) = imageswap(&[], &["images", "--format", "tsv"], &[Path::new("-")], manifests);
    assert_eq!(code, 0, "{error}");
    let columns = |line: &str| {
        let columns: Vec<&str> = line.split('\t').collect();
        [columns[1], columns[2], columns[5]].join(" ")
    };
    out.lines().skip(1).map(columns).collect()
}

#[test]
fn a_rewritten_chart_renders_the_rewritten_images() {
    let (helms, charts) = (helms(), charts());
    let temp = tempfile::tempdir().unwrap();
    let (mut compared, mut same_text) = (0, 0);
    for (number, maps) in MAPS.iter().enumerate() {
        for chart in &charts {
            let copied = temp.path().join(number.to_string()).join(name(chart));
            copy(chart, &copied);
            let before: Vec<String> = helms.iter().map(|helm| render(helm, &copied)).collect();
            let flags = ["rewrite", "--helm-values", "--templates"];
            let (code, report, error) = imageswap(maps, &flags, &[&copied], "");
            assert_eq!(code, 0, "{}: {error}", copied.display());
            let again = ["rewrite", "--check", "--helm-values", "--templates"];
            let (code, out, _) = imageswap(maps, &again, &[&copied], "");
            assert_eq!(code, 0, "{}: the second run changes\n{out}", copied.display());
            for (helm, before) in helms.iter().zip(before) {
                let (_, expected, _) = imageswap(maps, &["rewrite"], &[Path::new("-")], &before);
                let after = render(helm, &copied);
                let (expected_images, after_images) = (images(&expected), images(&after));
                assert!(!expected_images.is_empty(), "{}", chart.display());
                compared += expected_images.len();
                same_text += usize::from(expected == after);
                let wrong: Vec<String> = expected_images
                    .iter()
                    .zip(&after_images)
                    .filter(|(expected, after)| expected != after)
                    .map(|(expected, after)| format!("{after}\n  instead of {expected}"))
                    .collect();
                assert_eq!(expected_images.len(), after_images.len(), "{}", chart.display());
                if UNCLEAR.contains(&name(chart)) {
                    let left = report.lines().filter(|line| line.contains("left alone")).count();
                    assert!(
                        left > 0 || wrong.is_empty(),
                        "{}: nothing is reported\n{report}",
                        chart.display()
                    );
                    // What is left alone is as it was before.
                    let stays: BTreeSet<String> = images(&before).into_iter().collect();
                    for (expected, after) in expected_images.iter().zip(&after_images) {
                        assert!(expected == after || stays.contains(after), "{after} instead of {expected}");
                    }
                } else {
                    let rules = maps.join(", ");
                    assert!(
                        wrong.is_empty(),
                        "{} by {rules}:\n{}\n{report}",
                        chart.display(),
                        wrong.join("\n")
                    );
                }
            }
        }
    }
    eprintln!("{} charts, {compared} images compared, {same_text} renderings the same text", charts.len());
}

#[test]
fn nothing_but_the_values_of_images_changes() {
    let temp = tempfile::tempdir().unwrap();
    for chart in charts() {
        let copied = temp.path().join(name(&chart));
        copy(&chart, &copied);
        let maps = &["default::mirror.example.com/{registry}/{path}"];
        let (code, diff, error) =
            imageswap(maps, &["rewrite", "--diff", "--helm-values", "--templates"], &[&copied], "");
        assert_eq!(code, 0, "{error}");
        for line in diff.lines().filter(|line| line.starts_with('-') && !line.starts_with("---")) {
            let said = line.to_ascii_lowercase();
            let names_one =
                ["image", "registry", "repository", "hub", "name:"].iter().any(|key| said.contains(key));
            assert!(names_one, "{}: {line}", chart.display());
        }
    }
}
