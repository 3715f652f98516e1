//! A registry on loopback, and a folder to work in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::registry_support::program;
use crate::registry_support::real::{Auth, Registry};

/// A registry with images, and a folder to work in.
pub(crate) struct Scene {
    pub(crate) registry: Registry,
    pub(crate) folder: TempDir,
    pub(crate) storage: TempDir,
}

impl Scene {
    pub(crate) fn new(auth: &Auth) -> Option<Self> {
        let program = program::find("docker-registry")?;
        let storage = TempDir::new().unwrap();
        let registry = Registry::start(&program, storage.path(), auth, None);
        Some(Self { registry, folder: TempDir::new().unwrap(), storage })
    }

    pub(crate) fn open() -> Option<Self> {
        Self::new(&Auth::Open)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    /// Puts a script into `bin`.
    pub(crate) fn program(&self, name: &str, script: &str) {
        self.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{script}\n"));
        let path = self.path("bin").join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Docker Hub's images go to the registry, below `hub`.
    pub(crate) fn map(&self) -> String {
        format!("docker.io::{}/hub", self.registry.host)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command_in(self.folder.path());
        command.args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// `imageswap rewrite --map … ARGUMENTS`, which must end well; what it says.
    pub(crate) fn rewrite(&self, arguments: &[&str]) -> String {
        let output = self.run(&[&["rewrite", "--map", &self.map()], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", words(&output));
        words(&output)
    }

    /// The same, which must fail.
    pub(crate) fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(&[&["rewrite", "--map", &self.map()], arguments].concat());
        assert_eq!(output.status.code(), Some(code), "{}", words(&output));
        words(&output)
    }
}

/// imageswap, to be run in a folder, with no configuration of whoever runs the tests.
pub(crate) fn command_in(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imageswap"));
    command.env_clear().env("HOME", folder).current_dir(folder);
    command
}

pub(crate) fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

pub(crate) fn pod(images: &[&str]) -> String {
    let head = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n";
    images.iter().enumerate().fold(head.to_owned(), |text, (number, image)| {
        format!("{text}  - name: c{number}\n    image: {image}\n")
    })
}
