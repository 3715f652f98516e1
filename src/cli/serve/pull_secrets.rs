//! The pull secrets of objects, with which registries are asked as kubelet will ask them: by `serve --offline=false` for
//! digests, and by `--mirror-pod-credentials` for copies. Objects that pull alike share what is known; others do not,
//! since a digest tells that an image is there.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::OnceCell;

use crate::cli::pin::online;
use crate::cluster::pod_specs::Puller;
use crate::cluster::pull_secrets::PullSecretReader;
use crate::registry::keychain::Chain;
use crate::registry::{Keychain, Resolver};
use crate::webhook::PullAs;

/// How many ways to pull are kept. Each has its own connections.
const CACHED_MAX: usize = 256;

/// How long a failure to read pull secrets is kept.
const FAILURE: Duration = Duration::from_secs(5);

/// What asks registries for objects, by how these pull.
pub(super) struct PullSecrets<T> {
    /// For objects whose pull secrets cannot be read.
    general: T,
    /// What has the credentials of a keychain.
    make: Box<dyn Fn(Chain) -> T + Send + Sync>,
    /// What is known besides pull secrets.
    keychain: Arc<dyn Keychain>,
    /// How long pull secrets are good.
    remember: Duration,
    cluster: OnceCell<PullSecretReader>,
    known: Mutex<BTreeMap<BTreeSet<Puller>, Arc<Known<T>>>>,
}

struct Known<T> {
    since: Instant,
    /// Whoever comes first reads the Secrets; others wait.
    made: OnceCell<(T, Duration)>,
}

impl<T> Known<T> {
    fn is_good(&self) -> bool {
        self.made.get().is_none_or(|(_, good)| self.since.elapsed() < *good)
    }
}

/// As whom the images of an object (JSON) of `namespace` are pulled.
pub(super) fn pullers(namespace: &str, object: &str) -> BTreeSet<Puller> {
    if namespace.is_empty() {
        return BTreeSet::new();
    }
    // What the object itself says is not what counts.
    let of_namespace = |puller| Puller { namespace: Some(namespace.to_owned()), ..puller };
    online::pullers_of(object).into_iter().map(of_namespace).collect()
}

impl<T: Clone> PullSecrets<T> {
    pub(super) fn new(
        general: T,
        keychain: Arc<dyn Keychain>,
        remember: Duration,
        make: impl Fn(Chain) -> T + Send + Sync + 'static,
    ) -> Self {
        let (cluster, known) = (OnceCell::new(), Mutex::default());
        Self { general, make: Box::new(make), keychain, remember, cluster, known }
    }

    fn known(&self, pullers: &BTreeSet<Puller>) -> Arc<Known<T>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(pullers).filter(|known| known.is_good()) {
            return Arc::clone(found);
        }
        if known.len() >= CACHED_MAX {
            known.retain(|_, known| known.is_good());
        }
        if known.len() >= CACHED_MAX {
            known.clear();
        }
        let new = Arc::new(Known { since: Instant::now(), made: OnceCell::new() });
        known.insert(pullers.clone(), Arc::clone(&new));
        new
    }

    /// What asks registries as `pullers` do. Their secrets are read when they are not known.
    pub(super) async fn of(&self, pullers: &BTreeSet<Puller>) -> T {
        let known = self.known(pullers);
        known.made.get_or_init(|| self.read(pullers)).await.0.clone()
    }

    /// The same, and how long it is good.
    async fn read(&self, pullers: &BTreeSet<Puller>) -> (T, Duration) {
        match self.try_read(pullers).await {
            Ok(made) => (made, self.remember),
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(error, "pull secrets cannot be read: registries are asked without them");
                (self.general.clone(), FAILURE)
            }
        }
    }

    async fn try_read(&self, pullers: &BTreeSet<Puller>) -> Result<T> {
        let cluster = self.cluster.get_or_try_init(PullSecretReader::connect).await?;
        let read = cluster.read(pullers).await?;
        for warning in &read.warnings {
            tracing::warn!(warning, "pull secrets");
        }
        let configs = online::configs(&read).context("pull secrets")?;
        Ok((self.make)(Chain::new().then(configs).then(Arc::clone(&self.keychain))))
    }
}

impl PullAs for PullSecrets<Resolver> {
    fn resolver<'a>(
        &'a self,
        namespace: &'a str,
        object: &'a str,
        deadline: Duration,
    ) -> Pin<Box<dyn Future<Output = Resolver> + Send + 'a>> {
        Box::pin(async move {
            let pullers = pullers(namespace, object);
            if pullers.is_empty() {
                return self.general.clone();
            }
            match tokio::time::timeout(deadline, self.of(&pullers)).await {
                Ok(resolver) => resolver,
                Err(_) => {
                    tracing::warn!(namespace, "the pull secrets did not come in time");
                    self.general.clone()
                }
            }
        })
    }
}
