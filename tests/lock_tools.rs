//! The lock file in the hands of those it is shared with: the real kbld reads it, and what kbld writes is read.
//!
//! kbld is looked for in the folder that `tests/e2e/install-tools.sh` fills and on the PATH. Without it the test says
//! that it does nothing; with `CI=true` that is an error.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests stop at the first surprise and say why")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use imageswap::image::{Digest, ImageReference};
use imageswap::lock::{FoundEntry, Lock, LockEntry};

/// The program `name` on this machine.
fn tool(name: &str) -> Option<PathBuf> {
    let set = |key| std::env::var_os(key).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let built = set("IMAGESWAP_E2E_TOOLS").or_else(|| cache.map(|cache| cache.join("imageswap-e2e")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = built.map(|root| root.join("bin")).into_iter().chain(std::env::split_paths(&path));
    let found = folders.find_map(|folder| Some(folder.join(name)).filter(|path| path.is_file()));
    assert!(found.is_some() || std::env::var("CI").as_deref() != Ok("true"), "CI needs {name} for this test");
    if found.is_none() {
        eprintln!("skipped: there is no {name}; tests/e2e/install-tools.sh builds it");
    }
    found
}

fn entry(id: &str, target: &str, digit: &str) -> LockEntry {
    let digest = Digest::parse(&format!("sha256:{}", digit.repeat(64))).unwrap();
    LockEntry::new(ImageReference::parse(id).unwrap(), ImageReference::parse(target).unwrap(), digest)
}

fn run(program: &Path, folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program).current_dir(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn kbld_reads_and_writes_the_lock() {
    let Some(kbld) = tool("kbld") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut lock = Lock::default();
    lock.put(entry("nginx:1.27", "m.example/hub/nginx:1.27", "0"));
    lock.put(entry("nginx:1.27", "m.example/hub/nginx:1.27", "a"));
    lock.put(
        entry("redis", "m.example/hub/redis", "b")
            .looked_up_at(ImageReference::parse("redis").unwrap())
            .for_platform(Some("linux/arm64/v8".to_owned())),
    );
    fs::write(folder.path().join("imageswap.lock"), lock.render()).unwrap();
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  \
               - {name: a, image: 'nginx:1.27'}\n  - {name: b, image: redis}\n";
    fs::write(folder.path().join("pod.yaml"), pod).unwrap();

    let arguments = ["-f", "pod.yaml", "-f", "imageswap.lock", "--imgpkg-lock-output", "again.yml"];
    let built = run(&kbld, folder.path(), &arguments);
    for (name, digit) in [("nginx", "a"), ("redis", "b")] {
        let image = format!("image: m.example/hub/{name}@sha256:{}\n", digit.repeat(64));
        assert!(built.contains(&image), "{image}{built}");
    }
    // kbld says where a digest comes from as the lock says it.
    assert!(built.contains("url: m.example/hub/nginx:1.27"), "{built}");

    let text = fs::read_to_string(folder.path().join("again.yml")).unwrap();
    let again = Lock::parse("again.yml", &text).unwrap();
    assert_eq!(again.entries().len(), 2);
    let index = again.index();
    for ours in lock.entries() {
        let id = ImageReference::parse(&ours.id).unwrap();
        let target = ImageReference::parse(&ours.target).unwrap();
        match index.find(id, target, None) {
            FoundEntry::Current(theirs) => {
                assert_eq!((&theirs.digest, theirs.image()), (&ours.digest, ours.image()));
            }
            other => panic!("{}: {other:?}", ours.id),
        }
    }
}
