//! The real programs: where they are found, and what happens where they are not.

use std::collections::BTreeSet;
use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every different program `name`, in the folder that `install-tools.sh` fills and on the PATH. A kpt on the
/// PATH is the complete program, the one that is built here has its `fn` commands alone.
///
/// An empty list where there is none, which is said, and is a failure in CI.
pub(crate) fn all(name: &str) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    let mut found: Vec<PathBuf> = folders().iter().map(|folder| folder.join(name)).collect();
    found.retain(|path| path.is_file() && seen.insert(path.canonicalize().unwrap()));
    found.retain(|path| works(path));
    if found.is_empty() {
        let required =
            ["CI", "IMAGESWAP_E2E"].iter().any(|key| env::var_os(key).is_some_and(|v| !v.is_empty()));
        assert!(!required, "there is no {name}: run tests/e2e/install-tools.sh (it needs Go)");
        println!("skipped: there is no {name}; tests/e2e/install-tools.sh builds it");
    }
    found
}

/// Each program that is found says its version; which these are, and which tests are skipped, is told past the
/// harness, which swallows what is printed.
#[test]
fn the_tools_say_their_versions() {
    for name in ["kpt", "kubectl", "kustomize", "helm3", "helm4"] {
        let found = all(name);
        for path in &found {
            let version = version(path);
            assert!(version.contains(|c: char| c.is_ascii_digit()), "{}: {version:?}", path.display());
            writeln!(std::io::stderr(), "e2e: with {} ({version})", path.display()).unwrap();
        }
        if found.is_empty() {
            let advice = "tests/e2e/install-tools.sh builds it";
            writeln!(std::io::stderr(), "e2e: the tests with {name} are skipped: {advice}").unwrap();
        }
    }
}

fn folders() -> Vec<PathBuf> {
    let set = |key| env::var_os(key).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let built = set("IMAGESWAP_E2E_TOOLS").or_else(|| cache().map(|cache| cache.join("imageswap-e2e")));
    let path = env::var_os("PATH").unwrap_or_default();
    built.map(|root| root.join("bin")).into_iter().chain(env::split_paths(&path)).collect()
}

/// Whether a program says its version: a broken one on the PATH is none.
fn works(path: &Path) -> bool {
    version_command(path).output().is_ok_and(|output| output.status.success())
}

fn version(path: &Path) -> String {
    let output = version_command(path).output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().trim().to_owned()
}

fn version_command(path: &Path) -> Command {
    let mut command = Command::new(path);
    command.arg("version");
    if path.ends_with("kubectl") {
        command.arg("--client");
    }
    command
}
