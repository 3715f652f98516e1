//! Programs that the tests call: found, or a skip for a person and a failure in CI.

use std::env;
use std::io::Write;
use std::path::PathBuf;

/// The program `name`, on the PATH, in a system folder, or among the tools of the end-to-end tests.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let set = |key| env::var_os(key).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let built = set("IMAGESWAP_E2E_TOOLS").or_else(|| cache().map(|cache| cache.join("imageswap-e2e")));
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/bin", "/usr/sbin"].map(PathBuf::from);
    let folders = env::split_paths(&path).chain(system).chain(built.map(|root| root.join("bin")));
    let found = folders.map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        assert!(
            env::var_os("CI").is_none_or(|value| value.is_empty()),
            "there is no {name}, which CI must have"
        );
        // Past the harness, which swallows what is printed.
        let mut stderr = std::io::stderr();
        writeln!(stderr, "skipped: there is no {name}").unwrap();
    }
    found
}
