//! Where credentials are kept on a machine: Docker's and Podman's configurations, the helpers they name, and what the
//! clouds and GitHub Actions leave lying around. The environment, the home folder and the clock are passed in.
//!
//! A registry's credential is looked for in this order; the first that is found is used:
//!
//! 1. The entries of the configurations (`auths`, `credHelpers`), the longest path first: for
//!    `ghcr.io/owner/private/sub` an entry for `ghcr.io/owner/private` goes before one for `ghcr.io`.
//! 2. The configurations' `credsStore`.
//! 3. The registry's own kind: `GITHUB_TOKEN` for ghcr.io, programs and files of Google, AWS and Azure for theirs.
//!
//! Where none is found, requests go without one.

mod ambient;
mod chain;
mod config;
mod files;
mod helper;
mod key;
mod metadata;
mod program;
mod surroundings;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::{CredentialError, CredentialFuture, FoundCredential, Keychain};
use config::Kept;
use helper::Answered;

pub use chain::{Chain, Configs};
pub use config::DockerConfig;
pub use surroundings::Surroundings;

/// How long the answer of a program is remembered. The tokens they give live for an hour and more.
const REMEMBERED: Duration = Duration::from_secs(5 * 60);

/// Something that was looked at and gave no credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// A program, a variable or a file.
    pub what: String,
    /// Why it gave none.
    pub why: String,
}

/// What was found for a registry, and what was looked at before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// The credential; `None` when requests go without one.
    pub found: Result<Option<FoundCredential>, CredentialError>,
    /// What gave none.
    pub tried: Vec<Tried>,
}

/// The credentials of a machine.
#[derive(Debug, Clone)]
pub struct MachineKeychain {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    surroundings: Surroundings,
    configs: Vec<DockerConfig>,
    /// Why a configuration could not be read: what it holds is not known.
    unreadable: Vec<CredentialError>,
    programs: Mutex<FxHashMap<Asked, Slot>>,
}

/// What was asked: the helper, or nothing for the registry's own kind; and the registry.
type Asked = (Option<String>, String);

/// One answer; whoever else wants it waits for it.
type Slot = Arc<Mutex<Option<(Instant, Search)>>>;

impl MachineKeychain {
    /// The keychain of the configurations `given`, or of the usual ones where none is given.
    #[must_use]
    pub fn new(surroundings: Surroundings, given: &[PathBuf]) -> Self {
        let (configs, unreadable) = files::read(given, &surroundings);
        let inner = Inner { surroundings, configs, unreadable, programs: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Looks for the credential of `repository` at `registry`. Blocks: programs may be run.
    #[must_use]
    pub fn search(&self, registry: &str, repository: &str) -> Search {
        let mut tried = Vec::new();
        let found = self.inner.search(registry, repository, &mut tried);
        Search { found, tried }
    }
}

impl Keychain for MachineKeychain {
    fn find<'a>(&'a self, registry: &'a str, repository: &'a str) -> CredentialFuture<'a> {
        let (keychain, registry, repository) = (self.clone(), registry.to_owned(), repository.to_owned());
        Box::pin(async move {
            let search = tokio::task::spawn_blocking(move || keychain.search(&registry, &repository).found);
            search.await.unwrap_or_else(|_| {
                Err(CredentialError {
                    origin: "credentials".to_owned(),
                    message: "looking for them was given up".to_owned(),
                    hint: None,
                })
            })
        })
    }

    fn refused(&self, registry: &str) {
        lock(&self.inner.programs).retain(|(_, asked), _| asked != registry);
    }
}

impl Inner {
    fn search(
        &self,
        registry: &str,
        repository: &str,
        tried: &mut Vec<Tried>,
    ) -> Result<Option<FoundCredential>, CredentialError> {
        if let Some(error) = self.unreadable.first() {
            return Err(error.clone());
        }
        for wanted in key::candidates(registry, repository) {
            for config in &self.configs {
                match config.get(&wanted)? {
                    Some(Kept::Credential(credential)) => {
                        let origin = format!("{} (entry for {wanted})", config.origin);
                        return Ok(Some(FoundCredential { credential: credential.clone(), origin }));
                    }
                    Some(Kept::Helper(name)) => {
                        if let Some(found) = self.helper(name, registry, config, tried)? {
                            return Ok(Some(found));
                        }
                    }
                    None => {}
                }
            }
        }
        for config in &self.configs {
            if let Some(name) = &config.store
                && let Some(found) = self.helper(name, registry, config, tried)?
            {
                return Ok(Some(found));
            }
        }
        let search = self.remembered((None, registry.to_owned()), || {
            let mut tried = Vec::new();
            let found = ambient::find(registry, &self.surroundings, &mut tried);
            Search { found: Ok(found), tried }
        });
        tried.extend(search.tried);
        search.found
    }

    /// Asks a helper that `config` names.
    fn helper(
        &self,
        name: &str,
        registry: &str,
        config: &DockerConfig,
        tried: &mut Vec<Tried>,
    ) -> Result<Option<FoundCredential>, CredentialError> {
        let search = self.remembered((Some(name.to_owned()), registry.to_owned()), || {
            let program = format!("docker-credential-{name}");
            match helper::ask(name, registry, &self.surroundings) {
                Ok(Answered::Credential(mut found)) => {
                    found.origin = format!("{program} (named in {})", config.origin);
                    Search { found: Ok(Some(found)), tried: Vec::new() }
                }
                Ok(Answered::Nothing) => {
                    let why = format!("knows nothing of the registry (named in {})", config.origin);
                    Search { found: Ok(None), tried: vec![Tried { what: program, why }] }
                }
                Ok(Answered::Missing) => {
                    let message = format!("is not on PATH, and {} names it", config.origin);
                    let hint = "install it, or give another configuration with --registry-config";
                    let error = CredentialError { origin: program, message, hint: Some(hint.to_owned()) };
                    Search { found: Err(error), tried: Vec::new() }
                }
                Err(error) => Search { found: Err(error), tried: Vec::new() },
            }
        });
        tried.extend(search.tried);
        search.found
    }

    /// The remembered answer, or that of `ask`, which runs once however many want it.
    fn remembered(&self, asked: Asked, ask: impl FnOnce() -> Search) -> Search {
        let slot = Arc::clone(lock(&self.programs).entry(asked).or_default());
        let mut slot = lock(&slot);
        let now = (self.surroundings.clock)();
        if let Some((until, search)) = &*slot
            && now < *until
        {
            return search.clone();
        }
        let search = ask();
        *slot = Some((now + REMEMBERED, search.clone()));
        search
    }
}

/// What a panic left behind is as good as before: answers are put in whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
