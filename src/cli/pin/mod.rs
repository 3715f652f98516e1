//! Digests for a run: what is wanted is collected, what the lock file does not know is looked up at the registries, and
//! each plan is settled with what was found.

mod collect;
mod lookup;
pub mod online;
mod question;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, bail};
use rustc_hash::FxHashMap;

use crate::cluster::pod_specs::Puller;
use crate::image::{Digest, ImageReference};
use crate::lock::{Entry as Locked, Found, Lock, Pair};
use crate::registry::{Platform, RegistryOptions};
use crate::report::Level;
use crate::report::explanation::DigestOrigin;
use crate::rewrite::{Engine, Need, PinFrom, PinPolicy, Pins, Plan, Site};

use super::args::{OnPinError, PinArgs, PinFromArg, RegistryArgs};
use super::lock_file::{self, LockFile};
use super::registries;
use super::rules::RuleSettings;

pub use collect::{collect, each_plan};
pub use lookup::{Answer, Lookup};
pub use question::{Question, ask};

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
    found: FxHashMap<String, Answer>,
}

/// Something about a digest that is to be said.
pub struct Remark {
    pub site: Site,
    pub level: Level,
    /// `unpinned` or `torn`.
    pub status: &'static str,
    pub text: String,
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
            policy: PinPolicy { from, skip_prefixes, ..PinPolicy::default() },
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
        let policy = self.policy_for(plan);
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        for need in plan.needs(&policy) {
            if self.known(&need).is_none() {
                let needs = wanted.entry(need.lookup.clone()).or_default();
                if !needs.contains(&need) {
                    needs.push(need);
                }
            }
        }
    }

    /// Takes the credentials of the cluster where Pods pull like `pullers`, before those of this machine. A cluster is not
    /// asked when no registry will be.
    fn pull_as(&mut self, pullers: impl FnOnce() -> BTreeSet<Puller>) -> Result<()> {
        if self.wanted.get_mut().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return Ok(());
        }
        self.lookup.ask_first(online::keychain(&pullers())?);
        Ok(())
    }

    /// Asks the registries for what was noted, unless that is not allowed: with the credentials of the cluster where Pods
    /// pull like `pullers`, when these are given.
    pub fn look_up(
        &mut self,
        pullers: Option<impl FnOnce() -> BTreeSet<Puller>>,
        watched: bool,
    ) -> Result<()> {
        if !self.is_online() {
            return Ok(());
        }
        if let Some(pullers) = pullers {
            self.pull_as(pullers)?;
        }
        self.resolve(watched)
    }

    fn resolve(&mut self, watched: bool) -> Result<()> {
        let wanted = self.wanted.get_mut().unwrap_or_else(PoisonError::into_inner);
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
        self.look_up(pullers, false)?;
        self.settle(engine, plan, false);
        Ok(())
    }

    /// What `plan` needs digests for, before it is settled.
    pub fn needs(&self, plan: &Plan) -> Vec<Need> {
        plan.needs(&self.policy_for(plan))
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

    /// Adds digests to the images of `plan`, and says what is to be said about them. `check`: a tag and a digest that do
    /// not belong together are an error.
    pub fn settle(&self, engine: &Engine, plan: &mut Plan, check: bool) -> Vec<Remark> {
        let torn = self.torn(plan, check);
        let policy = self.policy_for(plan);
        let mut pins = Pins::default();
        for need in plan.needs(&policy) {
            let found = self.known(&need).unwrap_or_else(|| match self.found.get(&need.lookup) {
                Some(Ok(resolved)) => Ok(resolved.digest.clone()),
                Some(Err(failure)) => Err(Arc::clone(&failure.text)),
                None => Err("the file was changed meanwhile: run again".into()),
            });
            pins.insert(need.lookup, found);
        }
        engine.pin(plan, &policy, &pins);
        let level = match self.on_error {
            OnPinError::Fail => Some(Level::Error),
            OnPinError::Warn => Some(Level::Warning),
            OnPinError::Skip => None,
        };
        let unpinned = level.into_iter().flat_map(|level| {
            plan.unpinned.iter().map(move |unpinned| Remark {
                site: unpinned.site.clone(),
                level,
                status: "unpinned",
                text: unpinned.message(),
            })
        });
        unpinned.chain(torn).collect()
    }

    /// Writes what was found to the lock file, where there is one to write. Says its name when its text changes.
    pub fn save(&self) -> Result<Option<String>> {
        let Some(file) = self.lock.as_ref().filter(|_| !self.locked) else { return Ok(None) };
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lock = file.lock.clone();
        let mut lookups: Vec<(&String, &Vec<Need>)> = wanted.iter().collect();
        lookups.sort_unstable_by_key(|(lookup, _)| *lookup);
        for (lookup, needs) in lookups {
            if let Some(Ok(resolved)) = self.found.get(lookup) {
                needs.iter().for_each(|need| self.put(&mut lock, file, need, &resolved.digest));
            }
        }
        Ok(file.save(&lock)?.then(|| file.name()))
    }

    fn put(&self, lock: &mut Lock, file: &LockFile, need: &Need, digest: &Digest) {
        let (Ok(image), Ok(target)) =
            (ImageReference::parse(&need.image), ImageReference::parse(&need.target))
        else {
            return;
        };
        let platform = self.platform.as_ref().map(ToString::to_string);
        // An image that has its digest already is known by what it was called before.
        let renewed =
            file.index.entries(target).filter(|entry| image.digest().is_some() && entry.platform == platform);
        let mut renewed = renewed.peekable();
        if renewed.peek().is_some() {
            return renewed.for_each(|entry| lock.put(entry.renewed(digest.clone())));
        }
        let mut entry = Locked::new(image, target, digest.clone()).for_platform(platform);
        if self.policy.from == PinFrom::Source {
            entry = entry.looked_up_at(image);
        }
        lock.put(entry);
    }

    /// What the lock file says of `need`; `None` when the registry is to be asked.
    fn known(&self, need: &Need) -> Option<Result<Digest, Arc<str>>> {
        let file = self.lock.as_ref()?;
        let (image, target) =
            (ImageReference::parse(&need.image).ok()?, ImageReference::parse(&need.target).ok()?);
        let platform = self.platform.as_ref().map(ToString::to_string);
        let name = file.name();
        let advice =
            || format!("run 'imageswap rewrite --pin --lock {name}' where registries can be reached");
        match file.index.find(image, target, platform.as_deref()) {
            Found::Entry(_) if self.repin => None,
            Found::Entry(entry) => Some(Ok(entry.digest.clone())),
            Found::Stale(_) | Found::Missing if !self.locked => None,
            Found::Stale(entry) => {
                let of = entry.platform.as_ref().map_or(String::new(), |platform| format!(" ({platform})"));
                let what = format!("{name} is stale: it has {} for {}{of}", entry.id, entry.target);
                Some(Err(format!("{what}: {}", advice()).into()))
            }
            Found::Missing => Some(Err(format!("{name} has no entry for it: {}", advice()).into())),
        }
    }

    /// The policy for `plan`: which of the digests that stand there already are ours to renew.
    fn policy_for(&self, plan: &Plan) -> PinPolicy {
        let mut policy = self.policy.clone();
        let Some(file) = &self.lock else { return policy };
        for (site, to) in pinned_images(plan) {
            let Ok(image) = ImageReference::parse(to) else { continue };
            let ours = match file.index.pair(image) {
                Some(Pair::Previous(entry)) => Some(entry),
                Some(Pair::Agrees(entry)) if self.repin => Some(entry),
                Some(Pair::Agrees(_) | Pair::Differs(_) | Pair::Unknown) | None => None,
            };
            if let Some(looked_up) = ours.and_then(|entry| ImageReference::parse(entry.looked_up()).ok()) {
                policy.renew.insert(site.image.clone(), looked_up.canonical());
            }
        }
        policy
    }

    /// Images whose tag and digest do not belong together by the lock file.
    fn torn(&self, plan: &Plan, check: bool) -> Vec<Remark> {
        let Some(file) = &self.lock else { return Vec::new() };
        let level = if check { Level::Error } else { Level::Warning };
        let torn = pinned_images(plan).filter_map(|(site, to)| {
            let image = ImageReference::parse(to).ok()?;
            let Some(Pair::Differs(entry)) = file.index.pair(image) else { return None };
            let text = format!(
                "tag and digest of {to} do not belong together: {} has {} for {}",
                file.name(),
                entry.digest,
                entry.target
            );
            Some(Remark { site: site.clone(), level, status: "torn", text })
        });
        torn.collect()
    }
}

/// The images of `plan` that have a digest, with what they become.
fn pinned_images(plan: &Plan) -> impl Iterator<Item = (&Site, &str)> {
    let changes = plan.changes.iter().filter(|change| change.site.place.is_site());
    let changes = changes.map(|change| (&change.site, &*change.to));
    let kept = plan.kept.iter().map(|kept| (&kept.site, kept.site.image.as_str()));
    let entries = plan.entry_images.iter().filter(|entry| entry.sets_tag);
    let entries = entries.map(|entry| (&entry.site, entry.to.as_str()));
    changes.chain(kept).chain(entries).filter(|(_, to)| to.contains('@'))
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
