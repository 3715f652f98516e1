//! From arguments and the environment to what the registry client is told.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::registry::keychain::{MachineKeychain, Surroundings};
use crate::registry::{Proxies, RegistryOptions};

use super::args::RegistryArgs;

/// What `args` and the environment say about registries.
pub fn options(args: &RegistryArgs) -> Result<RegistryOptions> {
    let mut options = RegistryOptions {
        proxies: Proxies::of_environment(|name| std::env::var(name).ok()),
        ca_files: args.registry_ca.clone(),
        ..RegistryOptions::default()
    };
    for host in &args.plain_http {
        options.hosts.entry(host.clone()).or_default().plain_http = true;
    }
    match args.registry_concurrency {
        Some(0) => bail!("--registry-concurrency 0: at least one request must be under way"),
        Some(concurrency) => {
            options.concurrency = concurrency;
            options.lookups_per_host = options.lookups_per_host.min(concurrency);
        }
        None => {}
    }
    if let Some(seconds) = args.registry_timeout {
        let timeout = Duration::from_secs(seconds.max(1));
        (options.connect_timeout, options.read_timeout) = (timeout, timeout);
        options.answer_timeout = options.answer_timeout.max(timeout);
    }
    Ok(options)
}

/// The credentials of this machine.
pub fn keychain(args: &RegistryArgs) -> MachineKeychain {
    MachineKeychain::new(Surroundings::of_process(), &args.registry_config)
}
