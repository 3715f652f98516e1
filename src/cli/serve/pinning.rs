//! How `serve` pins images.

use std::sync::Arc;
use std::time::Duration;

use crate::cli::args::ServeArgs;
use crate::cli::pin::prefixes;
use crate::registry::keychain::{MachineKeychain, Surroundings};
use crate::registry::{AddressGuard, Client, Proxies, RegistryOptions, ResolveOptions, Resolver};
use crate::rewrite::PinPolicy;
use crate::webhook::Pinning;

/// How many digests are remembered, about.
const REMEMBERED: usize = 10_000;

/// What the arguments ask for; nothing without `--pin`.
pub(super) fn from(args: &ServeArgs) -> Option<Pinning> {
    if !args.pin {
        return None;
    }
    let options = RegistryOptions {
        guard: AddressGuard::Public { allow: args.allow_addresses.clone() },
        proxies: Proxies::of_environment(|name| std::env::var(name).ok()),
        // The API server does not wait for more.
        tries: 2,
        connect_timeout: Duration::from_secs(2),
        read_timeout: Duration::from_secs(4),
        answer_timeout: Duration::from_secs(10),
        longest_wait: Duration::from_secs(1),
        ..RegistryOptions::default()
    };
    let keychain = MachineKeychain::new(Surroundings::of_process(), &[]);
    let client = Client::new(options, Arc::new(keychain));
    let remember = super::seconds(args.pin_remember);
    let resolve = ResolveOptions {
        remember,
        remember_failure: remember.min(Duration::from_secs(5)),
        most: REMEMBERED,
        ..ResolveOptions::default()
    };
    if !args.offline {
        tracing::warn!("pull secrets are not read: --offline=false (OFFLINE) is not obeyed");
    }
    let policy = PinPolicy { skip_prefixes: prefixes(&args.skip_prefixes), ..PinPolicy::default() };
    Some(Pinning::new(Resolver::new(client, resolve), policy))
}
