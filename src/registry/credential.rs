//! What the client asks for before it logs in, and what it may be given. Where credentials are kept (Docker
//! and Podman configurations, helpers, clouds, pull secrets) is the business of a [`Keychain`].

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::Secret;

/// How to log in to a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A user and its password (or a token that is sent as one).
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// An identity token (`identitytoken`, or the password of the user `<token>`): exchanged at the registry's
    /// token server as an OAuth2 refresh token.
    IdentityToken(Secret),
    /// A token to send as it is (`registrytoken`).
    Bearer(Secret),
}

/// A credential and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundCredential {
    /// The credential.
    pub credential: Credential,
    /// Where it comes from, in words for a report: `/home/me/.docker/config.json` or
    /// `docker-credential-gcr`.
    pub origin: String,
}

/// Why a keychain could not tell whether it holds a credential. The message names the file or the program
/// and never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {message}")]
pub struct CredentialError {
    /// The file or the program.
    pub origin: String,
    /// What is wrong with it.
    pub message: String,
    /// What to try, where that is known.
    pub hint: Option<String>,
}

/// What a [`Keychain`] answers: `Ok(None)` means that requests go without a credential.
pub type CredentialFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Option<FoundCredential>, CredentialError>> + Send + 'a>>;

/// Where credentials are kept.
///
/// The client asks once for each pair of registry and repository that it needs a new token for; answers that
/// cost something (programs, requests) are the keychain's to remember. Programs that block belong in
/// `tokio::task::spawn_blocking`.
pub trait Keychain: Send + Sync {
    /// The credential for `repository` (`team/app`, as the registry names it) at `registry`: host and, where
    /// one is written, port (`quay.io`, `localhost:5000`); Docker Hub is `docker.io`. For requests to a mirror
    /// these are the mirror's. An empty `repository` asks for the whole registry.
    fn find<'a>(&'a self, registry: &'a str, repository: &'a str) -> CredentialFuture<'a>;

    /// Forgets what was remembered for the registry: it has just refused the credential. A keychain whose
    /// credentials do not expire need not do anything.
    fn refused(&self, registry: &str) {
        let _ = registry;
    }
}

/// No credentials at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Anonymous;

impl Keychain for Anonymous {
    fn find<'a>(&'a self, _: &'a str, _: &'a str) -> CredentialFuture<'a> {
        Box::pin(async { Ok(None) })
    }
}

/// One credential for each registry, from a table.
#[derive(Clone, Debug, Default)]
pub struct Fixed {
    entries: Vec<(String, Credential)>,
}

impl Fixed {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The table with `credential` for `registry`.
    #[must_use]
    pub fn with(mut self, registry: impl Into<String>, credential: Credential) -> Self {
        self.entries.push((registry.into(), credential));
        self
    }
}

impl Keychain for Fixed {
    fn find<'a>(&'a self, registry: &'a str, _: &'a str) -> CredentialFuture<'a> {
        let entry = self.entries.iter().find(|(name, _)| name == registry);
        let found = entry.map(|(_, credential)| FoundCredential {
            credential: credential.clone(),
            origin: "given".to_owned(),
        });
        Box::pin(async move { Ok(found) })
    }
}

impl<K: Keychain + ?Sized> Keychain for Arc<K> {
    fn find<'a>(&'a self, registry: &'a str, repository: &'a str) -> CredentialFuture<'a> {
        (**self).find(registry, repository)
    }

    fn refused(&self, registry: &str) {
        (**self).refused(registry);
    }
}
