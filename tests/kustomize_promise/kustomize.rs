//! The real kustomize.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The program that builds, and its first arguments.
pub struct Kustomize {
    program: PathBuf,
    arguments: &'static [&'static str],
}

impl Kustomize {
    /// The one on this machine, kustomize itself before kubectl.
    pub fn find() -> Option<Self> {
        Self::all().into_iter().next()
    }

    /// All on this machine.
    pub fn all() -> Vec<Self> {
        let tools = std::env::var_os("IMAGESWAP_E2E_TOOLS").map(|tools| Path::new(&tools).join("bin"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<PathBuf> = tools.into_iter().chain(std::env::split_paths(&path)).collect();
        let known: [(&str, &'static [&'static str]); 2] =
            [("kustomize", &["build"]), ("kubectl", &["kustomize"])];
        let found = known.into_iter().filter_map(|(name, arguments)| {
            let program = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file())?;
            Some(Self { program, arguments })
        });
        let found: Vec<Self> = found.collect();
        if found.is_empty() {
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "CI needs kubectl or kustomize for this test"
            );
            eprintln!("skipped: neither kubectl nor kustomize is on PATH or in IMAGESWAP_E2E_TOOLS/bin");
        }
        found
    }

    /// What `folder` builds to, or why it does not.
    pub fn build(&self, folder: &Path) -> Result<String, String> {
        let output = Command::new(&self.program)
            .args(self.arguments)
            .args(["--load-restrictor", "LoadRestrictionsNone"])
            .arg(folder)
            // Remote bases fail at once.
            .env("HTTPS_PROXY", "http://127.0.0.1:9")
            .env("HTTP_PROXY", "http://127.0.0.1:9")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_SSH_COMMAND", "false")
            .output()
            .unwrap();
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).unwrap())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
        }
    }

    /// Has the Kustomization in `folder` set these images, as `NAME=NEW_NAME:TAG`. Only kustomize itself can.
    pub fn set_images(&self, folder: &Path, images: &[String]) {
        let output = Command::new(&self.program)
            .args(["edit", "set", "image"])
            .args(images)
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "{images:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Whether it is kustomize itself, and not the one within kubectl, which is older and only builds.
    pub fn is_itself(&self) -> bool {
        self.program.ends_with("kustomize")
    }
}

impl std::fmt::Display for Kustomize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.program.display(), self.arguments.join(" "))
    }
}
