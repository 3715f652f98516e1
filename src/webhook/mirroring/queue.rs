//! Images that wait to be copied: each once, so many at once, failures again after a while.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::copier::{Copier, Failure};
use super::known::{Fact, Known};
use super::metrics::MirrorMetrics;
use super::pods::Job;
use crate::image::ImageReference;

/// How much is copied at once, and how often something is tried.
#[derive(Debug, Clone, Copy)]
pub struct QueueLimits {
    /// How many images may wait or be under way.
    pub entries: usize,
    /// How many are copied at once.
    pub at_once: usize,
    /// How many of these from one source registry.
    pub at_once_per_source: usize,
    /// How long after a failure it is tried again; twice as long each time.
    pub first_wait: Duration,
    /// How long that may become.
    pub longest_wait: Duration,
    /// When an image is given up, which the next pod that wants it asks for again.
    pub give_up: Duration,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            entries: 1_000,
            at_once: 4,
            at_once_per_source: 2,
            first_wait: Duration::from_secs(5),
            longest_wait: Duration::from_secs(10 * 60),
            give_up: Duration::from_secs(60 * 60),
        }
    }
}

/// How the last try to copy an image ended; nothing while there is none yet.
type Ended = Option<Result<(), Arc<str>>>;

/// What who wants an image waits with.
pub(super) struct Waiting(watch::Receiver<Ended>);

impl Waiting {
    /// How copying ends.
    pub(super) async fn end(&mut self) -> Result<(), Arc<str>> {
        match self.0.wait_for(Option::is_some).await {
            Ok(ended) => ended.clone().unwrap_or(Ok(())),
            // It was given up between two tries.
            Err(_) => Err("it could not be copied".into()),
        }
    }
}

struct Entry {
    job: Job,
    /// The registry it comes from.
    source: String,
    added: Instant,
    not_before: Instant,
    failures: u32,
    is_running: bool,
    ended: watch::Sender<Ended>,
}

#[derive(Default)]
struct State {
    /// In the order in which they came.
    entries: BTreeMap<u64, Entry>,
    by_job: HashMap<Job, u64>,
    next: u64,
    running: usize,
    running_of: HashMap<String, usize>,
}

/// The queue.
pub(super) struct Queue {
    limits: QueueLimits,
    state: Mutex<State>,
    changed: Notify,
    /// Whether all is called off; each copy that is under way holds a receiver.
    called_off: watch::Sender<bool>,
}

impl Queue {
    pub(super) fn new(limits: QueueLimits) -> Self {
        Self {
            limits,
            state: Mutex::default(),
            changed: Notify::new(),
            called_off: watch::Sender::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an image waits or is under way.
    pub(super) fn holds(&self, job: &Job) -> bool {
        self.lock().by_job.contains_key(job)
    }

    /// How many there are, and for how long the oldest one has waited.
    pub(super) fn state(&self) -> (usize, Duration) {
        let state = self.lock();
        let oldest = state.entries.values().next().map_or(Duration::ZERO, |entry| entry.added.elapsed());
        (state.entries.len(), oldest)
    }

    /// Adds an image, or joins those who wait for it; `None` when there is no room.
    pub(super) fn add(&self, job: &Job) -> Option<Waiting> {
        let mut state = self.lock();
        if let Some(entry) = state.by_job.get(job).and_then(|number| state.entries.get(number)) {
            return Some(Waiting(entry.ended.subscribe()));
        }
        if state.entries.len() >= self.limits.entries {
            return None;
        }
        let (ended, waiting) = watch::channel(None);
        let now = Instant::now();
        let source = ImageReference::parse(&job.image.from)
            .map_or_else(|_| String::new(), |reference| reference.repository().registry().to_owned());
        let number = state.next;
        state.next += 1;
        state.by_job.insert(job.clone(), number);
        let job = job.clone();
        let entry = Entry { job, source, added: now, not_before: now, failures: 0, is_running: false, ended };
        state.entries.insert(number, entry);
        drop(state);
        self.changed.notify_one();
        Some(Waiting(waiting))
    }

    /// Ends all copies; ready when none is under way any more.
    pub(super) async fn call_off(&self) {
        let under_way = self.called_off.receiver_count();
        if !self.called_off.send_replace(true) && under_way > 0 {
            tracing::warn!(under_way, "copies are called off");
        }
        self.changed.notify_one();
        self.called_off.closed().await;
    }

    /// Copies what comes, until that is called off.
    pub(super) async fn run(
        self: &Arc<Self>,
        copier: Arc<dyn Copier>,
        known: Arc<Known>,
        metrics: MirrorMetrics,
    ) {
        while !*self.called_off.borrow() {
            let next = loop {
                match self.start() {
                    Start::Now(number, job) => {
                        let (queue, copier, known, metrics) =
                            (Arc::clone(self), Arc::clone(&copier), Arc::clone(&known), metrics.clone());
                        let called_off = self.called_off.subscribe();
                        tokio::spawn(async move {
                            // Whatever happens in there, the place is free again.
                            let copy = tokio::spawn(copy_unless(called_off, copier, job));
                            match copy.await {
                                Ok(Some((job, result))) => queue.end(number, &job, result, &known, &metrics),
                                Ok(None) => {}
                                Err(_) => queue.abandon(number, &metrics),
                            }
                        });
                    }
                    Start::At(next) => break next,
                }
            };
            let idle = Instant::now() + Duration::from_secs(3600);
            tokio::select! {
                () = self.changed.notified() => {}
                () = tokio::time::sleep_until(next.unwrap_or(idle)) => {}
            }
        }
    }

    /// The next image to copy; or when there will be one.
    fn start(&self) -> Start {
        let mut state = self.lock();
        let state = &mut *state;
        if state.running >= self.limits.at_once {
            return Start::At(None);
        }
        let now = Instant::now();
        let mut soonest: Option<Instant> = None;
        for (number, entry) in &mut state.entries {
            let of_source = state.running_of.get(&entry.source).copied().unwrap_or_default();
            if entry.is_running || of_source >= self.limits.at_once_per_source {
                continue;
            }
            if entry.not_before > now {
                soonest = Some(soonest.map_or(entry.not_before, |soonest| soonest.min(entry.not_before)));
                continue;
            }
            entry.is_running = true;
            entry.ended.send_replace(None);
            state.running += 1;
            *state.running_of.entry(entry.source.clone()).or_default() += 1;
            return Start::Now(*number, entry.job.clone());
        }
        Start::At(soonest)
    }

    fn end(
        &self,
        number: u64,
        job: &Job,
        result: Result<u64, Failure>,
        known: &Known,
        metrics: &MirrorMetrics,
    ) {
        let (from, to) = (job.image.from.as_str(), &*job.image.to);
        match result {
            Ok(bytes) => {
                known.put(job, Fact::There);
                metrics.copied(bytes);
                tracing::info!(from, to, bytes, "image copied");
                self.remove(number, Ok(()));
            }
            Err(Failure { reason, message, lasts: true }) => {
                known.put(job, Fact::Failed(Arc::clone(&message)));
                metrics.failed(reason);
                tracing::warn!(from, to, reason, error = &*message, "image not copied");
                self.remove(number, Err(message));
            }
            Err(Failure { reason, message, lasts: false }) => {
                metrics.failed(reason);
                let again = self.again(number, &message).map(|wait| wait.as_secs());
                tracing::warn!(
                    from,
                    to,
                    reason,
                    error = &*message,
                    again_after_seconds = again,
                    "image not copied"
                );
            }
        }
        self.changed.notify_one();
    }

    /// Takes an image whose copying panicked out of the queue.
    fn abandon(&self, number: u64, metrics: &MirrorMetrics) {
        metrics.failed("internal");
        self.remove(number, Err("an internal error; the log says more".into()));
        self.changed.notify_one();
    }

    fn remove(&self, number: u64, ended: Result<(), Arc<str>>) {
        let mut state = self.lock();
        let Some(entry) = state.entries.remove(&number) else { return };
        state.by_job.remove(&entry.job);
        state.stopped(&entry.source);
        entry.ended.send_replace(Some(ended));
    }

    /// Keeps an image for another try; says how long until then, or gives it up.
    fn again(&self, number: u64, reason: &Arc<str>) -> Option<Duration> {
        let QueueLimits { first_wait, longest_wait, give_up, .. } = self.limits;
        let mut state = self.lock();
        let entry = state.entries.get_mut(&number)?;
        let wait = first_wait.saturating_mul(1 << entry.failures.min(16)).min(longest_wait);
        if entry.added.elapsed() + wait > give_up {
            drop(state);
            self.remove(number, Err(Arc::clone(reason)));
            return None;
        }
        entry.failures += 1;
        entry.is_running = false;
        entry.not_before = Instant::now() + wait;
        entry.ended.send_replace(Some(Err(Arc::clone(reason))));
        let source = entry.source.clone();
        state.stopped(&source);
        Some(wait)
    }
}

impl State {
    /// One from `source` is under way no longer.
    fn stopped(&mut self, source: &str) {
        self.running = self.running.saturating_sub(1);
        if let Some(count) = self.running_of.get_mut(source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.running_of.remove(source);
            }
        }
    }
}

/// Copies an image; `None` when that is called off.
async fn copy_unless(
    mut called_off: watch::Receiver<bool>,
    copier: Arc<dyn Copier>,
    job: Job,
) -> Option<(Job, Result<u64, Failure>)> {
    let copy = async {
        let result = job.copier(&copier).await.copy(&job.image).await;
        (job, result)
    };
    tokio::select! {
        biased;
        _ = called_off.wait_for(|is| *is) => None,
        copied = copy => Some(copied),
    }
}

enum Start {
    Now(u64, Job),
    At(Option<Instant>),
}
