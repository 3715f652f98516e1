//! Asking registries, with a bar for whoever waits, and failures in words that say what to try.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use rustc_hash::FxHashMap;

use crate::image::ImageReference;
use crate::registry::keychain::Chain;
use crate::registry::{
    Keychain, Platform, Reason, RegistryError, RegistryOptions, ResolveOptions, Resolved, blocking,
};

use super::super::args::RegistryArgs;
use super::super::registries;

/// How long a lookup of many images is before it is worth a progress bar.
const LONG: Duration = Duration::from_secs(1);

/// What a registry says of an image: its digest, or why there is none.
pub type Answer = Result<Resolved, Failure>;

/// Why there is no digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// In words, with what to try.
    pub text: Arc<str>,
    /// The registry says that there is no such image.
    pub missing: bool,
    /// The registry could not be reached at all.
    pub unreachable: bool,
}

/// A way to the registries. Nothing is connected, and no credential looked for, before something is asked.
pub struct Lookup {
    options: RegistryOptions,
    registry: RegistryArgs,
    platform: Option<Platform>,
    /// What is asked for credentials before this machine.
    first: Chain,
}

impl Lookup {
    pub fn new(options: RegistryOptions, registry: RegistryArgs, platform: Option<Platform>) -> Self {
        Self { options, registry, platform, first: Chain::new() }
    }

    /// Lets `keychain` be asked for credentials before this machine.
    pub fn ask_first(&mut self, keychain: impl Keychain + 'static) {
        self.first = std::mem::take(&mut self.first).then(keychain);
    }

    /// Asks for each of `images`, which are distinct references.
    pub fn all(&self, images: &[&str], watched: bool) -> Result<FxHashMap<String, Answer>> {
        if images.is_empty() {
            return Ok(FxHashMap::default());
        }
        let resolve = ResolveOptions { platform: self.platform.clone(), ..ResolveOptions::default() };
        let keychain = self.first.clone().then(registries::keychain(&self.registry));
        let mut resolver = blocking::Resolver::new(self.options.clone(), keychain, resolve);
        let references: Vec<ImageReference<'_>> =
            images.iter().filter_map(|image| ImageReference::parse(image).ok()).collect();
        let mut progress = Progress::new(watched);
        let answers = resolver
            .resolve_all(&references, |done, total| progress.show(done, total))
            .context("cannot start what talks to registries")?;
        progress.finish();
        let answers = references.iter().zip(answers);
        Ok(answers
            .map(|(image, answer)| (image.as_str().to_owned(), answer.map_err(|error| Failure::from(&error))))
            .collect())
    }
}

impl From<&RegistryError> for Failure {
    fn from(error: &RegistryError) -> Self {
        let text = match error.hint() {
            Some(hint) => format!("{error} ({hint})"),
            None => error.to_string(),
        };
        let unreachable =
            matches!(*error.reason, Reason::Dns { .. } | Reason::Connect { .. } | Reason::Proxy { .. });
        Self { text: text.into(), missing: error.is_not_found(), unreachable }
    }
}

struct Progress {
    watched: bool,
    started: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new(watched: bool) -> Self {
        Self { watched, started: Instant::now(), bar: None }
    }

    fn show(&mut self, done: usize, total: usize) {
        if !self.watched || self.started.elapsed() < LONG {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{bar:40} {pos}/{len} digests, {eta} left");
            let bar = ProgressBar::new(total as u64);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        bar.set_position(done as u64);
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
