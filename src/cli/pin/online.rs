//! `--online`: the pull secrets of the cluster, as a keychain.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, anyhow, bail};

use crate::cluster::pod_specs::{self, Puller};
use crate::cluster::pull_secrets::{self, Format, PullSecret, PullSecrets};
use crate::files::{FoundFile, SourceFile};
use crate::manifest::encoding;
use crate::registry::keychain::{Configs, DockerConfig};

use super::super::args::OnlineArgs;
use super::super::engines::Engines;
use super::super::{runtime, stderr, tree};
use super::Pinning;

/// As whom the Pods of `files` pull. A file that cannot be read is passed over: the pass that writes says it.
pub fn pullers(files: &[FoundFile], threads: usize, engines: &Engines) -> BTreeSet<Puller> {
    let all = Mutex::new(BTreeSet::new());
    let cancel = std::sync::atomic::AtomicBool::new(false);
    let watch = tree::Watch { cancel: &cancel, watched: false, late: None };
    tree::each(files, threads, watch, Vec::new, |file, buffer: &mut Vec<u8>| {
        if SourceFile::read(file, buffer).is_err() || !engines.of(&file.path).scanner.may_hold_image(buffer) {
            return;
        }
        let found = encoding::decode(buffer).map(pullers_of).unwrap_or_default();
        all.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// As whom the Pods of `text` pull.
pub fn pullers_of(text: &str) -> BTreeSet<Puller> {
    pod_specs::pullers(text).unwrap_or_default()
}

/// As whom a command pulls that reads no manifests; `None` without `--online`.
pub fn pullers_of_arguments(args: &OnlineArgs) -> Option<BTreeSet<Puller>> {
    args.online.then(|| match args.pull_as.as_slice() {
        [] => BTreeSet::from([Puller::with_account(None)]),
        accounts => accounts.iter().map(|account| Puller::with_account(Some(account))).collect(),
    })
}

/// Refuses `--online` where no registry is asked.
pub fn refuse_without(pinning: Option<&Pinning>) -> Result<()> {
    match pinning {
        None => bail!("--online needs --pin or --lock"),
        Some(pinning) if !pinning.is_online() => {
            bail!("--online cannot be combined with --locked, which asks no registry")
        }
        Some(_) => Ok(()),
    }
}

/// Reads the pull secrets, and warns of those that are missing.
pub fn keychain(pullers: &BTreeSet<Puller>) -> Result<Configs> {
    let runtime = runtime::current_thread().context("--online")?;
    let read = runtime.block_on(pull_secrets::read(pullers)).context("--online")?;
    read.warnings.iter().for_each(|warning| stderr::warning(&format!("--online: {warning}")));
    configs(&read).context("--online")
}

/// What pull secrets say about registries, as a keychain.
pub fn configs(read: &PullSecrets) -> Result<Configs> {
    let configs: Vec<DockerConfig> = read.secrets.iter().map(config).collect::<Result<_>>()?;
    Ok(Configs::new(configs))
}

fn config(secret: &PullSecret) -> Result<DockerConfig> {
    let config = match secret.format {
        Format::ConfigJson => DockerConfig::parse(&secret.origin, &secret.text),
        Format::Cfg => DockerConfig::parse_legacy(&secret.origin, &secret.text),
    };
    config.map_err(|error| anyhow!("{error}"))
}
