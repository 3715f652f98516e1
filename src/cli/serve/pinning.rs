//! How `serve` pins images.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use crate::cli::args::ServeArgs;
use crate::cli::pin::prefixes;
use crate::cli::registries;
use crate::registry::{AddressGuard, Client, RegistryOptions, ResolveOptions, Resolver};
use crate::rewrite::PinPolicy;
use crate::webhook::Pinning;

use super::pull_secrets::PullSecrets;

/// How many digests are remembered, about.
const REMEMBERED: usize = 10_000;

/// What the arguments ask for; nothing without `--pin`.
pub(super) fn from(args: &ServeArgs) -> Result<Option<Pinning>> {
    if !args.pin {
        return Ok(None);
    }
    // The API server does not wait for more.
    let defaults = RegistryOptions {
        tries: 2,
        connect_timeout: Duration::from_secs(2),
        read_timeout: Duration::from_secs(4),
        answer_timeout: Duration::from_secs(10),
        longest_wait: Duration::from_secs(1),
        ..RegistryOptions::default()
    };
    let mut options = registries::options_from(defaults, &args.registry)?;
    options.guard = AddressGuard::Public { allow: args.allow_addresses.clone() };
    let remember = super::seconds(args.pin_remember);
    let resolve = ResolveOptions {
        remember,
        remember_failure: remember.min(Duration::from_secs(5)),
        most: REMEMBERED,
        platform: args.platform.clone(),
        ..ResolveOptions::default()
    };
    let keychain = registries::keychain(&args.registry);
    let client = Client::new(options.clone(), keychain.clone());
    let resolver = Resolver::new(client, resolve.clone());
    let policy = PinPolicy { skip_prefixes: prefixes(&args.skip_prefixes), ..PinPolicy::default() };
    let pinning = Pinning::new(resolver.clone(), policy);
    if args.offline {
        return Ok(Some(pinning));
    }
    let remember = resolve.remember;
    let pull_secrets = PullSecrets::new(resolver, Arc::new(keychain), remember, move |keychain| {
        Resolver::new(Client::new(options.clone(), keychain), resolve.clone())
    });
    Ok(Some(pinning.pull_as(Arc::new(pull_secrets))))
}
