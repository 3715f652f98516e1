//! Digests for a run: what is wanted is collected, what the lock file does not know is looked up at the registries, and
//! each plan is settled with what was found.

mod collect;
mod locking;
mod lookup;
pub mod online;
mod question;
mod settler;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};
use rustc_hash::FxHashMap;

use crate::cluster::pod_specs::Puller;
use crate::registry::{Platform, RegistryOptions};
use crate::report::explanation::DigestOrigin;
use crate::rewrite::{Engine, Need, PinFrom, PinPolicy, Plan};

use super::args::{OnPinError, PinArgs, PinFromArg, RegistryArgs};
use super::lock_file::{self, LockFile};
use super::registries;
use super::rules::RuleSettings;

pub use collect::{collect, each_plan, each_waiting};
pub use lookup::{Lookup, LookupAnswer};
pub use question::{Question, ask};
pub use settler::{Remark, Settler};

/// What a run pins, and by what.
pub struct Pinning {
    policy: PinPolicy,
    platform: Option<Platform>,
    on_error: OnPinError,
    lock: Option<LockFile>,
    locked: bool,
    repin: bool,
    lookup: Lookup,
    /// By the number of an engine, whether the images of its files are pinned.
    engines: Vec<bool>,
    /// What is wanted of the registries.
    wanted: Mutex<FxHashMap<String, Vec<Need>>>,
    /// What they said.
    found: FxHashMap<String, LookupAnswer>,
}

impl Pinning {
    /// What `args`, and the settings that came with the rules, ask for; `None` when that is nothing.
    pub fn new(args: &PinArgs, settings: &RuleSettings, registry: &RegistryArgs) -> Result<Option<Self>> {
        Self::of_engines(args, [settings].into_iter(), registry)
    }

    /// As [`Pinning::new`], with the settings of each engine: a run has one lock file, and pins in one way.
    pub fn of_engines<'s>(
        args: &PinArgs,
        settings: impl Iterator<Item = &'s RuleSettings>,
        registry: &RegistryArgs,
    ) -> Result<Option<Self>> {
        let asked: Vec<PinArgs> = settings.map(|settings| with_settings(args, settings)).collect();
        let pins = |args: &PinArgs| args.pin || args.locked || args.lock.is_some();
        let engines = asked.iter().map(pins).collect();
        let mut asking = asked.iter().filter(|args| pins(args));
        let Some(args) = asking.next() else { return Ok(None) };
        let ways = |args: &PinArgs| (args.pin, args.locked, args.lock.clone());
        if asking.any(|other| ways(other) != ways(args)) {
            bail!(
                "the configurations for these files differ in pin or lock, and a run has one lock file: \
                 run on their folders one by one, or give --lock FILE and --pin or --locked"
            );
        }
        let path = args.lock.clone().or_else(|| args.locked.then(|| PathBuf::from(lock_file::NAME)));
        let lock = path.map(|path| LockFile::open(&path, args.locked)).transpose()?;
        // With a lock file alone nothing of registries is even read.
        let options = if args.locked { RegistryOptions::default() } else { registries::options(registry)? };
        let from = match args.pin_from {
            PinFromArg::Target => PinFrom::Target,
            PinFromArg::Source => PinFrom::Source,
        };
        let skip_prefixes = prefixes(&args.skip_prefixes);
        Ok(Some(Self {
            policy: PinPolicy { from, skip_prefixes },
            platform: args.platform.clone(),
            on_error: args.on_pin_error,
            lock,
            locked: args.locked,
            repin: args.repin,
            lookup: Lookup::new(options, registry.clone(), args.platform.clone()),
            engines,
            wanted: Mutex::default(),
            found: FxHashMap::default(),
        }))
    }

    /// Whether the images of files with the engine of this number are pinned.
    pub fn is_for(&self, engine: usize) -> bool {
        self.engines.get(engine).copied().unwrap_or_default()
    }

    /// Whether registries may be asked.
    pub fn is_online(&self) -> bool {
        !self.locked
    }

    /// Notes what `plan` wants of the registries.
    pub fn note(&self, plan: &Plan) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        for need in self.needs(plan) {
            if self.known(&need).is_none() {
                let needs = wanted.entry(need.lookup.clone()).or_default();
                if !needs.contains(&need) {
                    needs.push(need);
                }
            }
        }
    }

    /// Asks the registries for what was noted, unless that is not allowed: with the credentials of the cluster where Pods
    /// pull like `pullers` before those of this machine, when these are given. A cluster is not asked when no registry is.
    pub fn ask_registries(
        &mut self,
        pullers: Option<impl FnOnce() -> BTreeSet<Puller>>,
        watched: bool,
    ) -> Result<()> {
        let wanted = self.wanted.get_mut().unwrap_or_else(PoisonError::into_inner);
        if self.locked || wanted.is_empty() {
            return Ok(());
        }
        if let Some(pullers) = pullers {
            self.lookup.ask_first(online::keychain(&pullers())?);
        }
        let mut lookups: Vec<&str> = wanted.keys().map(String::as_str).collect();
        lookups.sort_unstable();
        self.found = self.lookup.all(&lookups, watched)?;
        Ok(())
    }

    /// Asks the registries for what one plan wants, and adds digests to it: for a text that stands for itself.
    pub fn settle_alone(
        &mut self,
        engine: &Engine,
        plan: &mut Plan,
        pullers: Option<impl FnOnce() -> BTreeSet<Puller>>,
    ) -> Result<()> {
        self.note(plan);
        self.ask_registries(pullers, false)?;
        self.settler().settle(engine, plan, false);
        Ok(())
    }

    /// What settles plans once the registries were asked.
    pub fn settler(&self) -> Settler<'_> {
        Settler::new(self)
    }

    /// What `plan` needs digests for, before it is settled.
    pub fn needs(&self, plan: &Plan) -> Vec<Need> {
        plan.needs(&self.policy, self)
    }

    /// Where the digest of `need` comes from, once there is one.
    pub fn origin(&self, need: &Need) -> Option<DigestOrigin> {
        if let (Some(file), Some(Ok(_))) = (&self.lock, self.known(need)) {
            return Some(DigestOrigin::Lock { file: file.name() });
        }
        let resolved = self.found.get(&need.lookup)?.as_ref().ok()?;
        Some(DigestOrigin::Registry {
            registry: resolved.registry.to_string(),
            lookup: need.lookup.clone(),
            index: resolved.index.as_ref().map(ToString::to_string),
        })
    }

    /// Whether the registry of what was looked up as `lookup` could not be reached at all.
    pub fn is_unreachable(&self, lookup: &str) -> bool {
        matches!(self.found.get(lookup), Some(Err(failure)) if failure.unreachable)
    }
}

/// The arguments, and where they say nothing the settings: a lock file without `pin` is used alone.
fn with_settings(args: &PinArgs, settings: &RuleSettings) -> PinArgs {
    let mut args = args.clone();
    args.pin |= settings.pin;
    if let (None, Some(lock)) = (&args.lock, &settings.lock) {
        args.lock = Some(lock.clone());
        args.locked |= !args.pin && !args.repin;
    }
    args
}

/// Prefixes separated by commas or colons, as k8s-digester reads them. A port stays with its host.
pub(in crate::cli) fn prefixes(texts: &[String]) -> Vec<String> {
    let mut prefixes: Vec<String> = Vec::new();
    for text in texts {
        for part in text.split(',') {
            for (number, part) in part.split(':').map(str::trim).enumerate() {
                let digits = part.split('/').next().unwrap_or_default();
                let is_port =
                    !digits.is_empty() && digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit());
                match prefixes.last_mut().filter(|_| number > 0 && is_port) {
                    Some(host) => *host = format!("{host}:{part}"),
                    None if part.is_empty() => {}
                    None => prefixes.push(part.to_owned()),
                }
            }
        }
    }
    prefixes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_read_as_digester_reads_them() {
        let read = |texts: &[&str]| prefixes(&texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
        assert_eq!(read(&["gcr.io/a:quay.io,docker.io/b"]), ["gcr.io/a", "quay.io", "docker.io/b"]);
        assert_eq!(read(&["a", " b ", "::,"]), ["a", "b"]);
        assert_eq!(read(&["localhost:5000:quay.io"]), ["localhost:5000", "quay.io"]);
        assert_eq!(read(&["localhost:5000/team,x"]), ["localhost:5000/team", "x"]);
    }
}
