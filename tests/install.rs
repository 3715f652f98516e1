//! `install.sh`, from releases in a local folder and with a cargo that only notes what it is asked.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const PROGRAM: &str = "#!/bin/sh\necho imageswap 7.7.7\n";

/// Folders: `releases`, `prefix`, `plugins`, and `bin` with a stand-in for cargo.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        // cargo install --locked --root DIR …
        place.script(
            "bin/cargo",
            "#!/bin/sh\necho \"$@\" >\"${0%/*}/../asked\"\nmkdir -p \"$4/bin\"\ncp \"${0%/*}/built\" \"$4/bin/imageswap\"\n",
        );
        place.script("bin/built", "#!/bin/sh\necho imageswap 0.0.1\n");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn script(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    }

    /// A release below `releases/FOLDER` with `text` as the program.
    fn release(&self, folder: &str, text: &str) {
        let folder = self.path("releases").join(folder);
        fs::create_dir_all(&folder).unwrap();
        self.script("archive/imageswap", text);
        let name = format!("imageswap-{}.tar.gz", platform());
        let mut tar = Command::new("tar");
        tar.arg("-czf").arg(folder.join(&name)).arg("-C").arg(self.path("archive")).arg("imageswap");
        assert!(tar.status().unwrap().success());
        let sum = Command::new("sha256sum").arg(&name).current_dir(&folder).output().unwrap();
        fs::write(folder.join(format!("{name}.sha256")), sum.stdout).unwrap();
    }

    fn checksum(&self) -> PathBuf {
        self.path(&format!("releases/latest/download/imageswap-{}.tar.gz.sha256", platform()))
    }

    fn link(&self) -> PathBuf {
        self.path("plugins/imageswap.dev/v1alpha1/imageswap/ImageSwap")
    }

    fn install(&self, arguments: &[&str]) -> Output {
        self.run(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh")), arguments)
    }

    fn run(&self, script: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new("sh");
        command.arg(script).arg("--prefix").arg(self.path("prefix")).args(arguments);
        command.env_clear().env("PATH", format!("{}:/usr/bin:/bin", self.path("bin").display()));
        command.env("HOME", self.path("home")).env("KUSTOMIZE_PLUGIN_HOME", self.path("plugins"));
        let base = format!("file://{}", self.path("releases").display());
        command.env("IMAGESWAP_INSTALL_BASE_URL", base).output().unwrap()
    }

    /// What the installed program says it is; nothing where there is none.
    fn installed(&self) -> Option<String> {
        let program = self.path("prefix/bin/imageswap");
        let output = program.exists().then(|| Command::new(program).arg("--version").output().unwrap());
        output.map(|output| String::from_utf8(output.stdout).unwrap().trim().to_owned())
    }

    /// The names in `prefix/bin`: nothing but the program may be left there.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("prefix/bin")).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// As `install.sh` names this machine.
fn platform() -> &'static str {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "x86_64-unknown-linux-musl",
        ("linux", "aarch64") => "aarch64-unknown-linux-musl",
        ("macos", "x86_64") => "x86_64-apple-darwin",
        ("macos", "aarch64") => "aarch64-apple-darwin",
        other => panic!("no release for {other:?}"),
    }
}

#[track_caller]
fn ok(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[track_caller]
fn fails(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    said
}

#[test]
fn a_release_is_installed_and_installed_again() {
    let place = Place::new();
    place.release("latest/download", PROGRAM);
    ok(&place.install(&[]));
    assert_eq!(place.installed().as_deref(), Some("imageswap 7.7.7"));
    ok(&place.install(&[]));
    assert_eq!(place.names(), ["imageswap"]);
    assert!(!place.path("asked").exists(), "cargo is not asked");
    assert!(!place.path("plugins").exists(), "the plugin only with --plugin");
}

#[test]
fn a_version_is_chosen_with_or_without_v() {
    let place = Place::new();
    place.release("latest/download", PROGRAM);
    place.release("download/v0.2.0", "#!/bin/sh\necho imageswap 0.2.0\n");
    for version in ["0.2.0", "v0.2.0"] {
        ok(&place.install(&["--version", version]));
        assert_eq!(place.installed().as_deref(), Some("imageswap 0.2.0"));
    }
}

#[test]
fn a_wrong_checksum_installs_nothing_and_keeps_what_was_there() {
    let place = Place::new();
    place.release("latest/download", PROGRAM);
    let right = fs::read_to_string(place.checksum()).unwrap();
    let wrong = right.replacen(|_| true, if right.starts_with('0') { "1" } else { "0" }, 1);
    fs::write(place.checksum(), &wrong).unwrap();
    let said = fails(&place.install(&["--plugin"]));
    assert!(said.contains("checksum"), "{said}");
    assert_eq!(place.names(), [""; 0]);
    assert!(!place.path("plugins").exists());

    place.script("prefix/bin/imageswap", "#!/bin/sh\necho imageswap 0.0.9\n");
    fails(&place.install(&[]));
    assert_eq!(place.installed().as_deref(), Some("imageswap 0.0.9"));
    assert!(!place.path("asked").exists(), "a wrong checksum is no reason to build");
}

#[test]
fn a_release_without_checksum_is_refused() {
    let place = Place::new();
    place.release("latest/download", PROGRAM);
    fs::remove_file(place.checksum()).unwrap();
    let said = fails(&place.install(&[]));
    assert!(said.contains("no checksum"), "{said}");
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_program_that_does_not_run_is_refused() {
    let place = Place::new();
    place.release("latest/download", "#!/bin/sh\nexit 1\n");
    let said = fails(&place.install(&[]));
    assert!(said.contains("does not run"), "{said}");
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn without_a_release_cargo_builds() {
    let place = Place::new();
    ok(&place.install(&[]));
    assert_eq!(place.installed().as_deref(), Some("imageswap 0.0.1"));
    let asked = place.read("asked");
    assert!(asked.trim_end().ends_with(concat!("--path ", env!("CARGO_MANIFEST_DIR"))), "{asked}");

    ok(&place.install(&["--version", "0.3.0"]));
    let asked = place.read("asked");
    assert!(asked.contains("--git https://github.com/imageswap/imageswap --tag v0.3.0"), "{asked}");

    // Away from a checkout, as when the script is fetched alone.
    let alone = place.path("alone.sh");
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh"), &alone).unwrap();
    ok(&place.run(&alone, &[]));
    let asked = place.read("asked");
    assert!(asked.trim_end().ends_with("--git https://github.com/imageswap/imageswap"), "{asked}");
}

#[test]
fn a_build_that_fails_installs_nothing() {
    let place = Place::new();
    place.script("bin/cargo", "#!/bin/sh\nexit 101\n");
    let said = fails(&place.install(&["--plugin"]));
    assert!(said.contains("cargo failed"), "{said}");
    assert_eq!(place.names(), [""; 0]);
    assert!(!place.path("plugins").exists());
}

#[test]
fn the_plugin_is_linked_and_uninstalled() {
    let place = Place::new();
    place.release("latest/download", PROGRAM);
    for _ in 0..2 {
        ok(&place.install(&["--plugin"]));
        assert_eq!(fs::read_link(place.link()).unwrap(), place.path("prefix/bin/imageswap"));
    }
    fs::write(place.path("plugins/another"), "").unwrap();
    ok(&place.install(&["--uninstall"]));
    assert_eq!(place.installed(), None);
    assert!(!place.path("plugins/imageswap.dev").exists());
    assert!(place.path("plugins/another").exists());
    let said = ok(&place.install(&["--uninstall"]));
    assert!(said.contains("there is no"), "{said}");
}

#[test]
fn a_plugin_of_someone_else_is_kept() {
    let place = Place::new();
    place.release("latest/download", PROGRAM);
    place.script("plugins/imageswap.dev/v1alpha1/imageswap/ImageSwap", "mine");
    fails(&place.install(&["--plugin"]));
    assert_eq!(place.names(), [""; 0]);

    fs::remove_file(place.link()).unwrap();
    symlink("/elsewhere/imageswap", place.link()).unwrap();
    ok(&place.install(&[]));
    ok(&place.install(&["--uninstall"]));
    assert_eq!(fs::read_link(place.link()).unwrap(), Path::new("/elsewhere/imageswap"));
}

#[test]
fn help_and_slips() {
    let place = Place::new();
    let help = place.install(&["--help"]);
    ok(&help);
    let help = String::from_utf8(help.stdout).unwrap();
    for word in ["--prefix", "--version", "--plugin", "--uninstall", "IMAGESWAP_INSTALL_BASE_URL"] {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert!(fails(&place.install(&["--pluggin"])).contains("'--pluggin'"));
    assert!(fails(&place.install(&["--version"])).contains("needs a value"));
    assert_eq!(place.names(), [""; 0]);
}
