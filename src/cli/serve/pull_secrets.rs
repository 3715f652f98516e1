//! `serve --offline=false`: registries are asked with the pull secrets of each object, as kubelet will ask them. Objects
//! that pull alike share what is known; others do not, since a digest tells that an image is there.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::OnceCell;

use crate::cli::pin::online;
use crate::cluster::pod_specs::Puller;
use crate::cluster::pull_secrets::Reader;
use crate::registry::keychain::{Chain, MachineKeychain};
use crate::registry::{Client, RegistryOptions, ResolveOptions, Resolver};
use crate::webhook::PullAs;

/// How many ways to pull are kept. Each has its own connections.
const MOST: usize = 256;

/// How long a failure to read pull secrets is kept.
const FAILURE: Duration = Duration::from_secs(5);

/// The resolvers of objects, by how these pull.
pub(super) struct PullSecrets {
    /// For objects whose pull secrets cannot be read.
    general: Resolver,
    options: RegistryOptions,
    resolve: ResolveOptions,
    keychain: MachineKeychain,
    cluster: OnceCell<Reader>,
    known: Mutex<BTreeMap<BTreeSet<Puller>, Arc<Known>>>,
}

struct Known {
    since: Instant,
    /// Whoever comes first reads the Secrets; others wait.
    resolver: OnceCell<(Resolver, Duration)>,
}

impl Known {
    fn is_good(&self) -> bool {
        self.resolver.get().is_none_or(|(_, good)| self.since.elapsed() < *good)
    }
}

impl PullSecrets {
    pub(super) fn new(
        general: Resolver,
        options: RegistryOptions,
        resolve: ResolveOptions,
        keychain: MachineKeychain,
    ) -> Self {
        let (cluster, known) = (OnceCell::new(), Mutex::default());
        Self { general, options, resolve, keychain, cluster, known }
    }

    fn known(&self, pullers: &BTreeSet<Puller>) -> Arc<Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(pullers).filter(|known| known.is_good()) {
            return Arc::clone(found);
        }
        if known.len() >= MOST {
            known.retain(|_, known| known.is_good());
        }
        if known.len() >= MOST {
            known.clear();
        }
        let new = Arc::new(Known { since: Instant::now(), resolver: OnceCell::new() });
        known.insert(pullers.clone(), Arc::clone(&new));
        new
    }

    /// The resolver of those who pull like `pullers`, and how long it is good.
    async fn read(&self, pullers: &BTreeSet<Puller>) -> (Resolver, Duration) {
        match self.try_read(pullers).await {
            Ok(resolver) => (resolver, self.resolve.remember),
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(error, "pull secrets cannot be read: registries are asked without them");
                (self.general.clone(), FAILURE)
            }
        }
    }

    async fn try_read(&self, pullers: &BTreeSet<Puller>) -> Result<Resolver> {
        let cluster = self.cluster.get_or_try_init(Reader::connect).await?;
        let read = cluster.read(pullers).await?;
        for warning in &read.warnings {
            tracing::warn!(warning, "pull secrets");
        }
        let configs = online::configs(&read).context("pull secrets")?;
        let keychain = Chain::new().then(configs).then(self.keychain.clone());
        Ok(Resolver::new(Client::new(self.options.clone(), keychain), self.resolve.clone()))
    }
}

impl PullAs for PullSecrets {
    fn resolver<'a>(
        &'a self,
        namespace: &'a str,
        object: &'a str,
        deadline: Duration,
    ) -> Pin<Box<dyn Future<Output = Resolver> + Send + 'a>> {
        Box::pin(async move {
            let of_namespace = |puller| Puller { namespace: Some(namespace.to_owned()), ..puller };
            let pullers: BTreeSet<Puller> =
                online::pullers_of(object).into_iter().map(of_namespace).collect();
            if pullers.is_empty() || namespace.is_empty() {
                return self.general.clone();
            }
            let known = self.known(&pullers);
            let read = known.resolver.get_or_init(|| self.read(&pullers));
            match tokio::time::timeout(deadline, read).await {
                Ok((resolver, _)) => resolver.clone(),
                Err(_) => {
                    tracing::warn!(namespace, "the pull secrets did not come in time");
                    self.general.clone()
                }
            }
        })
    }
}
