//! Several references to be looked up at once, each for a platform of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Result, anyhow};
use rustc_hash::FxHashMap;

use crate::cluster::pod_specs::Puller;
use crate::image::ImageReference;
use crate::lock::LockEntry;
use crate::registry::Platform;

use super::super::args::RegistryArgs;
use super::super::registries;
use super::lookup::{Lookup, LookupAnswer};
use super::online;

/// A reference whose digest is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Question {
    /// In its canonical spelling.
    reference: String,
    platform: Option<Platform>,
}

impl Question {
    /// About a reference, for all platforms.
    pub fn about(reference: ImageReference<'_>) -> Self {
        Self { reference: reference.canonical(), platform: None }
    }

    /// What an entry of a lock file was looked up by.
    pub fn of(entry: &LockEntry) -> Result<Self> {
        let reference = ImageReference::parse(entry.looked_up())
            .map_err(|error| anyhow!("{} is no image reference: {error}", entry.looked_up()))?;
        let platform = match &entry.platform {
            Some(text) => Some(text.parse().map_err(|error| anyhow!("{}: {error}", entry.id))?),
            None => None,
        };
        Ok(Self { reference: reference.canonical(), platform })
    }

    /// The same reference for the platform of `entry`.
    pub fn for_platform_of(self, entry: &LockEntry) -> Self {
        let platform = entry.platform.as_ref().and_then(|text| text.parse().ok());
        Self { platform, ..self }
    }
}

/// Asks the registries, which list the images of an index in their answers, with the credentials of the cluster where
/// Pods pull like `pullers` before those of this machine. Each question gets an answer; without a question the cluster
/// is not asked either.
pub fn ask(
    registry: &RegistryArgs,
    pullers: Option<&BTreeSet<Puller>>,
    questions: &[Question],
    watched: bool,
) -> Result<FxHashMap<Question, LookupAnswer>> {
    let options = registries::options(registry)?;
    let cluster = pullers.filter(|_| !questions.is_empty()).map(online::keychain).transpose()?;
    let cluster = cluster.map(Arc::new);
    let mut by_platform: BTreeMap<Option<&Platform>, Vec<&str>> = BTreeMap::new();
    for question in questions {
        by_platform.entry(question.platform.as_ref()).or_default().push(&question.reference);
    }
    let mut answers = FxHashMap::default();
    for (platform, mut references) in by_platform {
        references.sort_unstable();
        references.dedup();
        let mut lookup = Lookup::new(options.clone(), registry.clone(), platform.cloned()).list_images();
        if let Some(cluster) = &cluster {
            lookup.ask_first(Arc::clone(cluster));
        }
        for (reference, answer) in lookup.all(&references, watched)? {
            answers.insert(Question { reference, platform: platform.cloned() }, answer);
        }
    }
    Ok(answers)
}
