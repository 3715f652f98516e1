//! Asking registries, with a bar for whoever waits, and failures in words that say what to try.

use std::sync::Arc;

use anyhow::{Context, Result};
use rustc_hash::FxHashMap;

use crate::image::ImageReference;
use crate::registry::keychain::Chain;
use crate::registry::{
    Keychain, Platform, Reason, RegistryError, RegistryOptions, ResolveOptions, Resolved, blocking,
};

use super::super::args::RegistryArgs;
use super::super::progress::Progress;
use super::super::{registries, runtime};

/// What a registry says of an image: its digest, or why there is none.
pub type LookupAnswer = Result<Resolved, LookupFailure>;

/// Why there is no digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupFailure {
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
    /// Whether answers list the images of an index.
    list_images: bool,
    /// What is asked for credentials before this machine.
    first: Chain,
}

impl Lookup {
    pub fn new(options: RegistryOptions, registry: RegistryArgs, platform: Option<Platform>) -> Self {
        Self { options, registry, platform, list_images: false, first: Chain::new() }
    }

    /// The same, with the images of each index in the answers.
    pub fn list_images(self) -> Self {
        Self { list_images: true, ..self }
    }

    /// Lets `keychain` be asked for credentials before this machine.
    pub fn ask_first(&mut self, keychain: impl Keychain + 'static) {
        self.first = std::mem::take(&mut self.first).then(keychain);
    }

    /// Asks for each of `images`, which are distinct references in their canonical spelling. Each gets an answer.
    pub fn all(&self, images: &[&str], watched: bool) -> Result<FxHashMap<String, LookupAnswer>> {
        if images.is_empty() {
            return Ok(FxHashMap::default());
        }
        let (platform, list_images) = (self.platform.clone(), self.list_images);
        let resolve = ResolveOptions { platform, list_images, ..ResolveOptions::default() };
        let keychain = self.first.clone().then(registries::keychain(&self.registry));
        let mut resolver = blocking::Resolver::new(self.options.clone(), keychain, resolve);
        let references: Vec<ImageReference<'_>> = images
            .iter()
            .map(|image| ImageReference::parse(image).expect("a canonical spelling parses"))
            .collect();
        let mut progress = Progress::new(references.len(), "digests", watched);
        let answers =
            resolver.resolve_all(&references, |done, _| progress.show(done)).context(runtime::NOT_STARTED)?;
        drop(progress);
        let answers = references.iter().zip(answers);
        Ok(answers
            .map(|(image, answer)| {
                (image.as_str().to_owned(), answer.map_err(|error| LookupFailure::from(&error)))
            })
            .collect())
    }
}

impl From<&RegistryError> for LookupFailure {
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
