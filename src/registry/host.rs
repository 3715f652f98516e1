//! One registry: how it is reached, how it wants to be logged in to, and how much of it is in use.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Url;

use super::challenge::Challenge;
use super::options::{RegistryOptions, is_loopback};
use super::retry::random;
use crate::image::{DOCKER_HUB, DOCKER_HUB_API, Repository};

/// How a host is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// `https://registry-1.docker.io/v2/`.
    pub(super) base: Url,
    pub(super) challenge: Challenge,
}

/// A registry and its state.
pub(super) struct Host {
    /// The name that images and credentials know it by.
    pub(super) name: String,
    pub(super) lookups: Arc<Semaphore>,
    pub(super) blobs: Arc<Semaphore>,
    /// What is written is counted apart: who reads a blob and waits to write it must not wait for himself.
    pub(super) uploads: Arc<Semaphore>,
    /// What a late challenge said, which counts more than what the ping said.
    late: Mutex<Option<Challenge>>,
    paused_until: Mutex<Option<Instant>>,
    /// Repositories for which it was seen to have no referrers API: one may be kept elsewhere than another.
    no_referrers: Mutex<HashSet<Repository>>,
}

impl Host {
    pub(super) fn new(name: &str, options: &RegistryOptions) -> Self {
        Self {
            name: name.to_owned(),
            lookups: Arc::new(Semaphore::new(options.lookups_per_host.max(1))),
            blobs: Arc::new(Semaphore::new(options.blobs_per_host.max(1))),
            uploads: Arc::new(Semaphore::new(options.blobs_per_host.max(1))),
            late: Mutex::default(),
            paused_until: Mutex::default(),
            no_referrers: Mutex::default(),
        }
    }

    /// The base URLs to try: https; for a host of this machine, then plain http; for one that is named as
    /// plain, that alone.
    pub(super) fn bases(&self, options: &RegistryOptions) -> Vec<Url> {
        let host = if self.name == DOCKER_HUB { DOCKER_HUB_API } else { &self.name };
        let schemes: &[&str] = if options.named_plain(&self.name) {
            &["http"]
        } else if is_loopback(&self.name) {
            &["https", "http"]
        } else {
            &["https"]
        };
        schemes.iter().filter_map(|scheme| Url::parse(&format!("{scheme}://{host}/v2/")).ok()).collect()
    }

    /// The challenge to answer, given the one of the ping.
    pub(super) fn challenge(&self, of_ping: &Challenge) -> Challenge {
        let late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        late.as_ref().unwrap_or(of_ping).clone()
    }

    /// Remembers what the host asked for later than in its ping. The scope is that of one request.
    pub(super) fn challenged(&self, challenge: Challenge) {
        let challenge = match challenge {
            Challenge::Bearer { realm, service, scope: _ } => {
                Challenge::Bearer { realm, service, scope: None }
            }
            Challenge::Basic | Challenge::Open => challenge,
        };
        *self.late.lock().unwrap_or_else(PoisonError::into_inner) = Some(challenge);
    }

    /// Whether the host was seen to have no referrers API for `repository`.
    pub(super) fn has_no_referrers(&self, repository: &Repository) -> bool {
        self.no_referrers.lock().unwrap_or_else(PoisonError::into_inner).contains(repository)
    }

    /// Remembers that the host has no referrers API for `repository`.
    pub(super) fn knows_no_referrers(&self, repository: &Repository) {
        self.no_referrers.lock().unwrap_or_else(PoisonError::into_inner).insert(repository.clone());
    }

    /// Leaves the host alone for a while.
    pub(super) fn pause(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut paused = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        *paused = Some(paused.map_or(until, |other| other.max(until)));
    }

    /// Waits until the host may be asked again, and a little more: not all at the same moment.
    pub(super) async fn unpaused(&self) {
        loop {
            let until = *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            match until {
                Some(until) if until > now => {
                    let spread = (until - now).mul_f64(0.1).min(Duration::from_secs(1)).mul_f64(random());
                    tokio::time::sleep_until(until + spread).await;
                }
                Some(_) | None => return,
            }
        }
    }
}
