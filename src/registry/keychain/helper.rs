//! Docker's credential helpers: `docker-credential-NAME get`, a registry on standard input, JSON on standard output.

use serde::Deserialize;

use super::super::{Credential, CredentialError, FoundCredential};
use super::config::credential;
use super::key::server;
use super::program::{self, Ended};
use super::surroundings::Surroundings;

/// What helpers say when they know nothing of a registry: that is no fault of theirs.
const NOT_FOUND: &[&str] =
    &["credentials not found in native keychain", "no credentials server URL", "no credentials username"];

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username")]
    user: String,
    #[serde(rename = "Secret")]
    secret: String,
}

/// How a helper answered.
pub(super) enum Answered {
    /// There is no such program.
    Missing,
    /// It knows nothing of the registry.
    Nothing,
    /// It gave a credential.
    Credential(FoundCredential),
}

/// Asks `docker-credential-NAME` for the credential of `registry`.
pub(super) fn ask(
    name: &str,
    registry: &str,
    surroundings: &Surroundings,
) -> Result<Answered, CredentialError> {
    let program = format!("docker-credential-{name}");
    let error =
        |message: String, hint: Option<String>| CredentialError { origin: program.clone(), message, hint };
    if name.is_empty() || name.contains(['/', '\0']) {
        return Err(error("is no name of a program".to_owned(), None));
    }
    let by_hand = || Some(format!("try it by hand: echo {} | {program} get", server(registry)));
    match program::run(&program, &["get"], server(registry), surroundings) {
        Ended::Missing => Ok(Answered::Missing),
        Ended::Well(output) => match answer(&output) {
            Some(credential) => {
                Ok(Answered::Credential(FoundCredential { credential, origin: program.clone() }))
            }
            None => Err(error(format!("gave no credential for {registry}, but something else"), by_hand())),
        },
        Ended::Badly(failure) if NOT_FOUND.iter().any(|words| failure.said.contains(words)) => {
            Ok(Answered::Nothing)
        }
        Ended::Badly(failure) => Err(error(failure.message, by_hand())),
    }
}

fn answer(output: &[u8]) -> Option<Credential> {
    let Answer { user, secret } = serde_json::from_slice(output).ok()?;
    (!secret.is_empty()).then(|| credential(user, secret))
}
