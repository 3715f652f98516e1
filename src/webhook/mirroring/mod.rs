//! Copies of images, made while their pods are admitted: whether an image is where the rules move it to, having it
//! copied there when it is not, and for how long an answer waits for that.
//!
//! ```text
//! known    what is remembered of images       queue    what is to be copied, and when
//! copier   who looks and copies               metrics  what is counted
//! pods     whose pull secrets are used
//! ```

mod copier;
mod known;
mod metrics;
mod pods;
mod queue;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, timeout_at};

use super::admission::{Mirrored, Move, Presence, Reviewed, WhenMissing};
use known::{Fact, Known};
use pods::Job;
use queue::{Queue, Waiting};

pub use copier::{Clients, Copier, Failure, RegistryCopier};
pub use metrics::MirrorMetrics;
pub use pods::{NamespaceTargets, NamespaceTargetsError, PodCredentials, PullIdentities, PullIdentity};
pub use queue::QueueLimits;

/// How long a look at a target may take.
const LOOK: Duration = Duration::from_secs(1);

/// How long a review may wait for copies at most.
const LONGEST: Duration = Duration::from_secs(4);

/// Whether a review waits for copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MirrorMode {
    /// Copies are made afterwards.
    Enqueue,
    /// It waits for them, as long as it may.
    Wait,
}

/// How images are mirrored while they are admitted.
#[derive(Debug, Clone, Copy)]
pub struct MirroringOptions {
    /// Whether a review waits.
    pub mode: MirrorMode,
    /// What to do about an image that is not at its target.
    pub when_missing: WhenMissing,
    /// How much is copied at once, and how often something is tried.
    pub limits: QueueLimits,
}

/// Looks where images are, and has them copied. Clones share all of it.
#[derive(Clone)]
pub struct Mirroring {
    shared: Arc<Shared>,
}

struct Shared {
    options: MirroringOptions,
    copier: Arc<dyn Copier>,
    pods: Option<PodCredentials>,
    known: Arc<Known>,
    queue: Arc<Queue>,
    /// Who looks at a target does it for all others who want to know the same.
    looks: Mutex<HashMap<Job, Arc<tokio::sync::Mutex<()>>>>,
}

impl std::fmt::Debug for Mirroring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mirroring").field("options", &self.shared.options).finish_non_exhaustive()
    }
}

impl Mirroring {
    /// Nothing is copied before [`Mirroring::run`]. With `pods`, sources are read with the pull secrets of pods, where
    /// these say so.
    #[must_use]
    pub fn new(options: MirroringOptions, copier: Arc<dyn Copier>, pods: Option<PodCredentials>) -> Self {
        let known = Arc::new(Known::default());
        let queue = Arc::new(Queue::new(options.limits));
        let shared = Shared { options, copier, pods, known, queue, looks: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// Copies what is in the queue, until it is called off.
    pub async fn run(self, metrics: MirrorMetrics) {
        let Shared { copier, known, queue, .. } = &*self.shared;
        queue.run(Arc::clone(copier), Arc::clone(known), metrics).await;
    }

    /// Ends all copies, and gives up what they have begun at their targets. Takes no longer than `limit`.
    pub async fn call_off(&self, limit: Duration) {
        let until = Instant::now() + limit;
        let Shared { copier, queue, .. } = &*self.shared;
        if timeout_at(until, queue.call_off()).await.is_ok() {
            copier.give_up(until.saturating_duration_since(Instant::now())).await;
        }
    }

    /// Sets the gauges that change with time.
    pub(super) fn observe(&self, metrics: &MirrorMetrics) {
        let (length, oldest) = self.shared.queue.state();
        metrics.queue(length, oldest);
    }

    /// Whether it matters what objects images are moved for.
    pub(super) fn reads_as_pods(&self) -> bool {
        self.shared.pods.is_some()
    }

    /// Where the images of an object are, within `deadline`. Those that are missing are copied, but not in a `dry_run`.
    pub(super) async fn ensure(
        &self,
        images: Vec<Move>,
        object: Option<Reviewed<'_>>,
        dry_run: bool,
        deadline: Duration,
        metrics: &MirrorMetrics,
    ) -> Mirrored {
        let until = Instant::now() + deadline.min(LONGEST);
        let mut mirrored = Mirrored::new(self.shared.options.when_missing);
        let jobs = match self.shared.pods.as_ref().zip(object) {
            Some((pods, object)) => pods.jobs(images, &object),
            None => images.into_iter().map(Job::from).collect(),
        };
        let looks = jobs.into_iter().map(|job| async move {
            let presence = self.presence(&job, dry_run, until).await;
            (job.image, presence)
        });
        let mut looks: FuturesUnordered<_> = looks.collect();
        while let Some((image, presence)) = looks.next().await {
            metrics.found(&presence);
            mirrored.insert(image, presence);
        }
        mirrored
    }

    async fn presence(&self, job: &Job, dry_run: bool, until: Instant) -> Presence {
        let Shared { known, queue, copier, .. } = &*self.shared;
        let is_under_way = {
            let alone = self.alone(job);
            let Ok(_alone) = timeout_at(until, alone.lock()).await else {
                return Presence::Unknown("the target did not answer in time".into());
            };
            match known.get(job) {
                Some(Fact::There) => return Presence::There,
                Some(Fact::Failed(reason)) => return Presence::Missing(reason),
                Some(Fact::Unknown(reason)) => return Presence::Unknown(reason),
                None => {}
            }
            let is_under_way = queue.holds(job);
            if !is_under_way {
                let soon = until.min(Instant::now() + LOOK);
                let found = timeout_at(soon, copier.is_there(&job.image)).await;
                match found.unwrap_or_else(|_| Err("the target did not answer in time".into())) {
                    Ok(true) => {
                        known.put(job, Fact::There);
                        return Presence::There;
                    }
                    Ok(false) => {}
                    Err(reason) => {
                        known.put(job, Fact::Unknown(Arc::clone(&reason)));
                        return Presence::Unknown(reason);
                    }
                }
            }
            is_under_way
        };
        if dry_run { self.would_be(job, is_under_way, until).await } else { self.copied(job, until).await }
    }

    /// Has an image copied, and waits for that as long as it may.
    async fn copied(&self, job: &Job, until: Instant) -> Presence {
        let Some(mut waiting) = self.shared.queue.add(job) else {
            return Presence::Missing("too many images wait to be copied".into());
        };
        if self.shared.options.mode == MirrorMode::Enqueue {
            return Presence::Missing("it is being copied".into());
        }
        let ended = timeout_at(until, Waiting::end(&mut waiting)).await;
        match ended {
            Ok(Ok(())) => Presence::There,
            Ok(Err(reason)) => Presence::Missing(reason),
            Err(_) => Presence::Missing("it is being copied, which takes longer".into()),
        }
    }

    /// What would become of an image if this were no dry run.
    async fn would_be(&self, job: &Job, is_under_way: bool, until: Instant) -> Presence {
        let missing = || Presence::Missing("nothing is copied in a dry run".into());
        if self.shared.options.mode == MirrorMode::Enqueue || is_under_way {
            return missing();
        }
        let found = async { job.copier(&self.shared.copier).await.source_has(&job.image).await };
        match timeout_at(until, found).await {
            Ok(Ok(true)) => Presence::There,
            Ok(Ok(false)) => Presence::Missing("the source has no such image".into()),
            Ok(Err(reason)) => Presence::Missing(reason),
            Err(_) => missing(),
        }
    }

    /// What those who look for the same image take in turns.
    fn alone(&self, job: &Job) -> Arc<tokio::sync::Mutex<()>> {
        let mut looks = self.shared.looks.lock().unwrap_or_else(PoisonError::into_inner);
        if looks.len() >= known::KNOWN_MAX {
            looks.retain(|_, look| Arc::strong_count(look) > 1);
        }
        Arc::clone(looks.entry(job.clone()).or_default())
    }
}
