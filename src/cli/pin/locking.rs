//! The lock file of a run: what it knows already, and what is written to it.

use std::sync::{Arc, PoisonError};

use anyhow::Result;

use crate::image::{Digest, ImageReference};
use crate::lock::{FoundEntry, Lock, LockEntry, Pair};
use crate::rewrite::{Digests, Need, PinFrom};

use super::super::lock_file::LockFile;
use super::Pinning;

impl Digests for Pinning {
    /// What the lock file says, or else the registries.
    fn digest(&self, need: &Need) -> Option<Result<Digest, Arc<str>>> {
        Some(self.known(need).unwrap_or_else(|| match self.found.get(&need.lookup) {
            Some(Ok(resolved)) => Ok(resolved.digest.clone()),
            Some(Err(failure)) => Err(Arc::clone(&failure.text)),
            None => Err("the file was changed meanwhile: run again".into()),
        }))
    }

    /// Digests that the lock file gave are ours to renew: one that it had before, or with `--repin` any.
    fn renewal(&self, pinned: ImageReference<'_>) -> Option<String> {
        let ours = match self.lock.as_ref()?.index.pair(pinned)? {
            Pair::Previous(entry) => entry,
            Pair::Agrees(entry) if self.repin => entry,
            Pair::Agrees(_) | Pair::Differs(_) | Pair::Unknown => return None,
        };
        Some(ImageReference::parse(ours.looked_up()).ok()?.canonical())
    }
}

impl Pinning {
    /// What the lock file says of `need`; `None` when the registry is to be asked.
    pub(super) fn known(&self, need: &Need) -> Option<Result<Digest, Arc<str>>> {
        let file = self.lock.as_ref()?;
        let (image, target) =
            (ImageReference::parse(&need.image).ok()?, ImageReference::parse(&need.target).ok()?);
        let platform = self.platform.as_ref().map(ToString::to_string);
        let name = file.name();
        let advice =
            || format!("run 'imageswap rewrite --pin --lock {name}' where registries can be reached");
        match file.index.find(image, target, platform.as_deref()) {
            FoundEntry::Current(_) if self.repin => None,
            FoundEntry::Current(entry) => Some(Ok(entry.digest.clone())),
            FoundEntry::Platforms(..) | FoundEntry::Stale(_) | FoundEntry::Missing if !self.locked => None,
            FoundEntry::Platforms(one, other) => {
                let platforms = [one, other].map(|entry| entry.platform.as_deref().unwrap_or_default());
                let [one, other] = platforms;
                Some(Err(format!("{name} has it for {one} and for {other}: name one with --platform").into()))
            }
            FoundEntry::Stale(entry) => {
                let of = entry.platform.as_ref().map_or(String::new(), |platform| format!(" ({platform})"));
                let what = format!("{name} is stale: it has {} for {}{of}", entry.id, entry.target);
                Some(Err(format!("{what}: {}", advice()).into()))
            }
            FoundEntry::Missing => Some(Err(format!("{name} has no entry for it: {}", advice()).into())),
        }
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
        let mut entry = LockEntry::new(image, target, digest.clone()).for_platform(platform);
        if self.policy.from == PinFrom::Source {
            entry = entry.looked_up_at(image);
        }
        lock.put(entry);
    }
}
