//! From a reference to the digest that is pinned: looked up, verified, each distinct image once.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::Instant;

use super::flight::{Flights, Made};
use super::manifest::Head;
use super::{Client, Platform, Reason, RegistryError, Step};
use crate::image::{Digest, ImageReference, Repository};

/// How digests are looked up.
#[derive(Clone, Debug)]
pub struct ResolveOptions {
    /// Whether the digest of a `HEAD` is believed without reading the manifest.
    pub head_only: bool,
    /// The platform to pick out of an index; `None` pins the index.
    pub platform: Option<Platform>,
    /// Whether the images of an index that is pinned are listed.
    pub list_images: bool,
    /// How long an answer is good.
    pub remember: Duration,
    /// How long a failure is.
    pub remember_failure: Duration,
    /// How many answers are kept, about.
    pub most: usize,
}

impl Default for ResolveOptions {
    /// For one run of a program: an image is asked for once, whatever the answer.
    fn default() -> Self {
        let ever = Duration::from_secs(365 * 24 * 3600);
        Self {
            head_only: false,
            platform: None,
            list_images: false,
            remember: ever,
            remember_failure: ever,
            most: usize::MAX,
        }
    }
}

/// A digest, and what is known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The digest to pin.
    pub digest: Digest,
    /// The index it was picked from, when a platform was asked for.
    pub index: Option<Digest>,
    /// The images that it lists as an index, where [`ResolveOptions::list_images`] asks for them.
    pub images: Arc<[Digest]>,
    /// The registry or mirror that answered.
    pub registry: Arc<str>,
    /// Whether bytes with this digest were seen (`false` with `head_only`).
    pub verified: bool,
}

/// What is known of an image, and what it cost.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Its digest, or why there is none.
    pub found: Result<Resolved, RegistryError>,
    /// Whether a registry was asked for this very answer; `false` when it was remembered, or somebody else had asked.
    pub asked: bool,
}

/// Looks up digests. Clones share what is known.
#[derive(Clone)]
pub struct Resolver {
    client: Client,
    options: Arc<ResolveOptions>,
    known: Arc<Flights<Box<str>, Resolved>>,
}

impl Resolver {
    /// A resolver that asks through `client`.
    #[must_use]
    pub fn new(client: Client, options: ResolveOptions) -> Self {
        let known = Arc::new(Flights::new(options.most));
        Self { client, options: Arc::new(options), known }
    }

    /// The client it asks through.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The digest of an image. Those who ask for the same image at the same time share one lookup.
    ///
    /// # Errors
    /// [`RegistryError`] with the step, the registry and what to try.
    pub async fn resolve(&self, image: ImageReference<'_>) -> Result<Resolved, RegistryError> {
        self.resolve_noting(image, &AtomicBool::new(false)).await
    }

    /// [`Resolver::resolve`]; sets `asked` when a registry is asked, and nothing was known or on its way.
    async fn resolve_noting(
        &self,
        image: ImageReference<'_>,
        asked: &AtomicBool,
    ) -> Result<Resolved, RegistryError> {
        let key: Box<str> = image.canonical().into();
        let look_up = || async {
            asked.store(true, Ordering::Relaxed);
            let value = self.look_up(image).await;
            let good = if value.is_ok() { self.options.remember } else { self.options.remember_failure };
            Made { value, until: Some(Instant::now() + good) }
        };
        self.known.get(&key, look_up).await
    }

    /// [`Resolver::resolve`], given up with [`Reason::TimedOut`] after `deadline`; and what it cost.
    pub async fn resolve_within(&self, image: ImageReference<'_>, deadline: Duration) -> Answered {
        let asked = AtomicBool::new(false);
        let found = tokio::time::timeout(deadline, self.resolve_noting(image, &asked)).await;
        let found = found.unwrap_or_else(|_| {
            let repository = image.repository();
            let reason = Reason::TimedOut { after: deadline };
            Err(RegistryError::new(image.as_str(), repository.registry(), Step::Lookup, reason))
        });
        Answered { found, asked: asked.into_inner() }
    }

    /// The digests of many images, in their order. Each distinct image is looked up once; `progress` is told how
    /// many of how many distinct ones are done.
    pub async fn resolve_all(
        &self,
        images: &[ImageReference<'_>],
        mut progress: impl FnMut(usize, usize),
    ) -> Vec<Result<Resolved, RegistryError>> {
        let mut distinct: Vec<ImageReference<'_>> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let of: Vec<usize> = images
            .iter()
            .map(|image| {
                *places.entry(image.canonical()).or_insert_with(|| {
                    distinct.push(*image);
                    distinct.len() - 1
                })
            })
            .collect();
        drop(places);
        let total = distinct.len();
        let lookups = futures_util::stream::iter(distinct.into_iter().enumerate());
        let mut running = lookups
            .map(|(at, image)| async move { (at, self.resolve(image).await) })
            .buffer_unordered(self.client.options().concurrency.max(1));
        let mut found: Vec<Option<Result<Resolved, RegistryError>>> = vec![None; total];
        let mut done = 0;
        while let Some((at, result)) = running.next().await {
            found[at] = Some(result);
            done += 1;
            progress(done, total);
        }
        of.into_iter().map(|at| found[at].clone().expect("each distinct image was looked up")).collect()
    }

    /// Asks the mirrors and the registry, in this order, until one answers.
    async fn look_up(&self, image: ImageReference<'_>) -> Result<Resolved, RegistryError> {
        let repository = image.repository();
        let endpoints = self.client.options().endpoints(&repository).map_err(|reason| {
            RegistryError::new(image.as_str(), repository.registry(), Step::Lookup, reason)
        })?;
        let mut failure = None;
        for endpoint in &endpoints {
            match self.look_up_at(image, endpoint).await {
                Ok(resolved) => return Ok(resolved),
                Err(error) if error.other_endpoint_may_help() => failure = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(failure.unwrap_or_else(|| {
            let message = "the registry configuration has no place for it".to_owned();
            let reason = Reason::Name { message };
            RegistryError::new(image.as_str(), repository.registry(), Step::Lookup, reason)
        }))
    }

    async fn look_up_at(
        &self,
        image: ImageReference<'_>,
        endpoint: &Repository,
    ) -> Result<Resolved, RegistryError> {
        let name = image.as_str();
        let (client, options) = (&self.client, &self.options);
        let registry = Arc::from(endpoint.registry());
        let written = image.digest().map(|digest| digest.as_str().to_owned());
        let reference = written.as_deref().or(image.tag()).unwrap_or("latest");
        let head = client.head_manifest(name, endpoint, reference).await?;
        let reference = match &head {
            Head::Digest { digest, .. }
                if written.as_deref().is_some_and(|asked| asked != digest.as_str()) =>
            {
                let expected = reference.to_owned();
                let reason = Reason::Mismatch { expected, found: digest.to_string() };
                return Err(RegistryError::new(name, endpoint.registry(), Step::Lookup, reason));
            }
            Head::Digest { digest, media_type } => {
                // One platform is picked from the bytes, which an image without an index does not need.
                let needs_bytes = options.platform.is_some()
                    && (super::manifest::is_index(media_type) || media_type.is_empty());
                if options.head_only && !needs_bytes {
                    let (digest, images) = (digest.clone(), Arc::default());
                    return Ok(Resolved { digest, index: None, images, registry, verified: false });
                }
                digest.as_str()
            }
            Head::Silent => reference,
        };
        let manifest = client.manifest(name, endpoint, reference).await?;
        match options.platform.as_ref().filter(|_| manifest.is_index()) {
            Some(platform) => {
                let digest = platform.choose(&manifest.bytes).map_err(|reason| {
                    RegistryError::new(name, endpoint.registry(), Step::Manifest, reason)
                })?;
                // It stands in bytes that were verified.
                let (index, images) = (Some(manifest.digest), Arc::default());
                Ok(Resolved { digest, index, images, registry, verified: true })
            }
            None => {
                let images = if options.list_images && manifest.is_index() {
                    super::platform::images(&manifest.bytes).into()
                } else {
                    Arc::default()
                };
                Ok(Resolved { digest: manifest.digest, index: None, images, registry, verified: true })
            }
        }
    }
}
