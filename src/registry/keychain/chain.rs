//! Keychains put together, and one of configurations alone.

use std::sync::Arc;

use super::super::{CredentialError, CredentialFuture, FoundCredential, Keychain};
use super::config::{DockerConfig, Kept};
use super::key;

/// Several keychains: the first that holds a credential gives it.
#[derive(Clone, Default)]
pub struct Chain {
    keychains: Vec<Arc<dyn Keychain>>,
}

impl Chain {
    /// No keychain at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The chain with `keychain` asked last.
    #[must_use]
    pub fn then(mut self, keychain: impl Keychain + 'static) -> Self {
        self.keychains.push(Arc::new(keychain));
        self
    }
}

impl Keychain for Chain {
    fn find<'a>(&'a self, registry: &'a str, repository: &'a str) -> CredentialFuture<'a> {
        Box::pin(async move {
            for keychain in &self.keychains {
                if let Some(found) = keychain.find(registry, repository).await? {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        })
    }

    fn refused(&self, registry: &str) {
        self.keychains.iter().for_each(|keychain| keychain.refused(registry));
    }
}

/// Configurations that were read elsewhere, such as a cluster's pull secrets. No program that they name is run: they
/// are not this machine's.
#[derive(Debug, Default)]
pub struct Configs {
    configs: Vec<DockerConfig>,
}

impl Configs {
    /// The keychain of `configs`, asked in this order.
    #[must_use]
    pub fn new(configs: impl IntoIterator<Item = DockerConfig>) -> Self {
        Self { configs: configs.into_iter().map(DockerConfig::without_programs).collect() }
    }

    /// Looks for the credential of `repository` at `registry`.
    ///
    /// # Errors
    /// When the entry that fits cannot be read.
    pub fn search(
        &self,
        registry: &str,
        repository: &str,
    ) -> Result<Option<FoundCredential>, CredentialError> {
        for wanted in key::candidates(registry, repository) {
            for config in &self.configs {
                if let Some(Kept::Credential(credential)) = config.get(&wanted)? {
                    let origin = format!("{} (entry for {wanted})", config.origin);
                    return Ok(Some(FoundCredential { credential: credential.clone(), origin }));
                }
            }
        }
        Ok(None)
    }
}

impl Keychain for Configs {
    fn find<'a>(&'a self, registry: &'a str, repository: &'a str) -> CredentialFuture<'a> {
        let found = self.search(registry, repository);
        Box::pin(async move { found })
    }
}
