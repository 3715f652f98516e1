//! A place to run a host in: a folder with a home, a PATH of its own, and imageswap on it.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The image names of the test packages go to this registry.
pub(crate) const MAPS: &str = "docker.io::mirror.example.com/hub\nquay.io::mirror.example.com/quay\n";

pub(crate) struct Stage {
    folder: TempDir,
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// The standard output of a run that must have succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stdout, self.stderr);
        self.stdout
    }

    /// The standard error of a run that must have failed.
    #[track_caller]
    pub(crate) fn fails(self) -> String {
        assert!(self.code.is_some_and(|code| code != 0), "{:?}\n{}\n{}", self.code, self.stdout, self.stderr);
        self.stderr
    }
}

impl Stage {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The container stand-in runs as nobody and must get in.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let stage = Self { folder };
        for name in ["home", "bin", "tmp"] {
            fs::create_dir(stage.path(name)).unwrap();
        }
        fs::copy(env!("CARGO_BIN_EXE_imageswap"), stage.path("bin/imageswap")).unwrap();
        stage
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.write(name, text);
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Puts imageswap where kustomize looks for plugins; the folder to give as `KUSTOMIZE_PLUGIN_HOME`.
    pub(crate) fn plugin_home(&self) -> PathBuf {
        let home = self.path("plugins");
        let folder = home.join("imageswap.dev/v1alpha1/imageswap");
        fs::create_dir_all(&folder).unwrap();
        symlink(self.path("bin/imageswap"), folder.join("ImageSwap")).unwrap();
        home
    }

    /// A program that starts in the stage and sees nothing of the caller's environment.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.path("bin").display());
        command.current_dir(self.folder.path()).env_clear().env("PATH", path);
        command.env("HOME", self.path("home")).env("TMPDIR", self.path("tmp"));
        command
    }

    pub(crate) fn imageswap(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(self.path("bin/imageswap"));
        command.args(arguments);
        command
    }
}

pub(crate) fn run(command: &mut Command) -> Run {
    run_with(command, "")
}

/// Runs a program with this standard input.
pub(crate) fn run_with(command: &mut Command, input: &str) -> Run {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // A program may end without having read its input.
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
