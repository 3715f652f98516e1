//! From arguments and the environment to what the registry client is told.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};

use crate::registry::keychain::{MachineKeychain, Surroundings};
use crate::registry::{Proxies, RegistryOptions};

use super::args::RegistryArgs;
use super::stderr;

/// How long registries have to give up uploads when a signal ends the program.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(700);

/// What `args` and the environment say about registries.
pub fn options(args: &RegistryArgs) -> Result<RegistryOptions> {
    options_from(RegistryOptions::default(), args)
}

/// As [`options`], from other defaults than the usual ones.
pub fn options_from(defaults: RegistryOptions, args: &RegistryArgs) -> Result<RegistryOptions> {
    let mut options =
        RegistryOptions { proxies: Proxies::of_environment(|name| std::env::var(name).ok()), ..defaults };
    if let Some(path) = args.registries.as_deref().filter(|path| !path.as_os_str().is_empty()) {
        read(&mut options, path)?;
    }
    options.ca_files.extend(args.registry_ca.iter().cloned());
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

/// Takes in the file of `--registries`.
fn read(options: &mut RegistryOptions, path: &Path) -> Result<()> {
    let text = fs::read_to_string(path)
        .map_err(|error| stderr::failure(&format!("cannot read --registries {}", path.display()), &error))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    options.read_config(&text, folder).map_err(|error| anyhow!("{}:{error}", path.display()))
}

/// The credentials of this machine.
pub fn keychain(args: &RegistryArgs) -> MachineKeychain {
    MachineKeychain::new(Surroundings::of_process(), &args.registry_config)
}
