//! Talking to registries: transport, tokens, digests. Knows `image` alone: no manifests, no maps, no arguments.

mod credential;
pub mod keychain;
mod secret;

pub use credential::{Anonymous, Credential, CredentialError, CredentialFuture, Fixed, Found, Keychain};
pub use secret::Secret;
