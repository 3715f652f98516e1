//! Which files hold credentials, and reading them.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::super::CredentialError;
use super::config::DockerConfig;
use super::surroundings::Surroundings;

/// How much of a file is read; configurations are a few KiB.
const FILE_MAX: u64 = 8 << 20;

/// The files that Docker and Podman use, in the order in which they are asked.
fn usual(surroundings: &Surroundings) -> Vec<PathBuf> {
    let docker = surroundings
        .path("DOCKER_CONFIG")
        .or_else(|| surroundings.home.as_ref().map(|home| home.join(".docker")))
        .map(|folder| folder.join("config.json"));
    let podman = surroundings.path("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json"));
    docker.into_iter().chain(surroundings.path("REGISTRY_AUTH_FILE")).chain(podman).collect()
}

/// Reads the given files, or the usual ones where none is given. A usual file that is not there is passed over; one that
/// was given is an error then.
pub(super) fn read(
    given: &[PathBuf],
    surroundings: &Surroundings,
) -> (Vec<DockerConfig>, Vec<CredentialError>) {
    let usual = if given.is_empty() { usual(surroundings) } else { Vec::new() };
    let (mut configs, mut errors) = (Vec::new(), Vec::new());
    for file in given.iter().chain(&usual) {
        let origin = file.display().to_string();
        let text = match read_limited(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && given.is_empty() => continue,
            text => text,
        };
        let config = text
            .map_err(|error| CredentialError {
                origin: origin.clone(),
                message: format!("cannot be read: {}", error.kind()),
                hint: Some("--registry-config names another file".to_owned()),
            })
            .and_then(|text| DockerConfig::parse(&origin, &text));
        match config {
            Ok(config) => configs.push(config),
            Err(error) => errors.push(error),
        }
    }
    (configs, errors)
}

/// The text of a file of a reasonable size.
pub(super) fn read_limited(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(file)?.take(FILE_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_MAX { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}
