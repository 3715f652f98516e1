//! What the tests of the registry client share: programs, real registries, a token server, servers that misbehave.
#![allow(dead_code, clippy::unwrap_used)]

pub(crate) mod connect_proxy;
pub(crate) mod hostile;
pub(crate) mod http;
pub(crate) mod program;
pub(crate) mod proxy;
pub(crate) mod real;
pub(crate) mod token_server;

use std::time::Duration;

use imageswap::image::ImageReference;
use imageswap::registry::{
    Client, HostOptions, Keychain, RegistryError, RegistryOptions, ResolveOptions, Resolved, Resolver,
};

/// Options with short time-outs, for servers of the test itself.
pub(crate) fn options(plain: &[&str]) -> RegistryOptions {
    let mut options = RegistryOptions {
        connect_timeout: Duration::from_secs(2),
        read_timeout: Duration::from_millis(700),
        answer_timeout: Duration::from_millis(2000),
        certificate_folders: Vec::new(),
        ..RegistryOptions::default()
    };
    for host in plain {
        let plain_http = HostOptions { plain_http: true, ..HostOptions::default() };
        options.hosts.insert((*host).to_owned(), plain_http);
    }
    options
}

/// A runtime of the test's own.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Resolves one image with a new client.
pub(crate) fn resolve(
    image: &str,
    options: RegistryOptions,
    keychain: impl Keychain + 'static,
    resolve: ResolveOptions,
) -> Result<Resolved, RegistryError> {
    let resolver = Resolver::new(Client::new(options, keychain), resolve);
    runtime().block_on(resolver.resolve(ImageReference::parse(image).unwrap()))
}
