//! The keychain against files and real programs: shell scripts on a PATH of the test's own.

mod ambient;
mod config;
mod helper;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::*;
use crate::registry::{Credential, Secret};

/// The secret that must show nowhere.
const CANARY: &str = "canary-9f8e7d6c5b4a";

/// A machine of its own: a home, programs, an environment.
struct Machine {
    folder: TempDir,
    variables: Vec<(String, String)>,
    metadata: Option<String>,
    timeout: Duration,
    clock: Arc<Mutex<Instant>>,
}

impl Machine {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        for name in ["home/.docker", "bin", "docker", "run/containers"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        Self {
            folder,
            variables: Vec::new(),
            metadata: None,
            timeout: Duration::from_secs(20),
            clock: Arc::new(Mutex::new(Instant::now())),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.path(name), text).unwrap();
        self
    }

    /// A program of `sh`; `$CALLS` is a file to count calls in.
    fn program(self, name: &str, script: &str) -> Self {
        let file = self.path("bin").join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    fn surroundings(&self) -> Surroundings {
        let bin = self.path("bin");
        let own = [
            ("PATH".to_owned(), format!("{}:/usr/bin:/bin", bin.display())),
            ("CALLS".to_owned(), self.path("calls").display().to_string()),
        ];
        let variables = self.variables.iter().cloned().chain(own);
        let mut surroundings = Surroundings::new(variables.map(|(name, value)| (name.into(), value.into())));
        surroundings.home = Some(self.path("home"));
        surroundings.timeout = self.timeout;
        surroundings.metadata = self.metadata.clone();
        let clock = Arc::clone(&self.clock);
        surroundings.clock = Arc::new(move || *lock(&clock));
        surroundings
    }

    fn keychain(&self) -> MachineKeychain {
        MachineKeychain::new(self.surroundings(), &[])
    }

    /// What is found, and that the canary is nowhere but in the credential itself.
    fn search(&self, registry: &str, repository: &str) -> Search {
        let keychain = self.keychain();
        let search = keychain.search(registry, repository);
        let shown = match &search.found {
            Ok(_) => String::new(),
            Err(error) => format!("{error} {:?}", error.hint),
        };
        for text in [format!("{keychain:?}"), format!("{search:?}"), shown] {
            assert!(!text.contains(CANARY), "the secret shows: {text}");
        }
        search
    }

    /// The credential in short, or what stands for it.
    fn finds(&self, registry: &str, repository: &str) -> String {
        match self.search(registry, repository).found {
            Ok(Some(found)) => short(&found.credential),
            Ok(None) => "anonymous".to_owned(),
            Err(error) => format!("error: {error}"),
        }
    }

    fn calls(&self) -> usize {
        fs::read_to_string(self.path("calls")).map_or(0, |text| text.lines().count())
    }
}

fn short(credential: &Credential) -> String {
    match credential {
        Credential::Basic { user, password } => format!("{user}:{}", password.expose()),
        Credential::IdentityToken(token) => format!("identity {}", token.expose()),
        Credential::Bearer(token) => format!("bearer {}", token.expose()),
    }
}

/// A script that answers as a helper.
fn answers(user: &str, secret: &str) -> String {
    format!(
        "echo \"$1\" >> \"$CALLS\"\nread server\n\
         printf '{{\"ServerURL\":\"%s\",\"Username\":\"{user}\",\"Secret\":\"{secret}\"}}' \"$server\""
    )
}

#[test]
fn secrets_do_not_show() {
    assert!(!format!("{:?}", Secret::new(CANARY)).contains(CANARY));
}
