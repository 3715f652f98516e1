//! Who looks for images and copies them: registries, or what tests put in their place.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::image::{Digest, ImageReference, Repository};
use crate::mirror::{self, Action, CopyError, CopyOptions, Place, RegistryStore, Source, Target, Wanted};
use crate::registry::Client;
use crate::webhook::admission::Move;

/// How many blobs of one image are under way at once.
const TRANSFERS: usize = 2;

/// Looks for images and copies them. What goes wrong is said in words for people, without secrets.
pub trait Copier: Send + Sync + 'static {
    /// Whether an image is at its target.
    fn is_there<'a>(&'a self, image: &'a Move) -> BoxFuture<'a, Result<bool, Arc<str>>>;

    /// Whether its source has it.
    fn source_has<'a>(&'a self, image: &'a Move) -> BoxFuture<'a, Result<bool, Arc<str>>>;

    /// Copies it; says how many bytes were read for that.
    fn copy<'a>(&'a self, image: &'a Move) -> BoxFuture<'a, Result<u64, Failure>>;

    /// Gives up what copies have begun that were all called off just now. Takes no longer than `limit`.
    fn give_up(&self, limit: Duration) -> BoxFuture<'_, ()>;
}

/// Why an image was not copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure it is, to be counted by.
    pub reason: &'static str,
    /// What went wrong.
    pub message: Arc<str>,
    /// Whether trying again soon is of no use.
    pub lasts: bool,
}

/// How registries are asked.
#[derive(Clone)]
pub struct Clients {
    /// For looks, quick to give up.
    pub looks: Client,
    /// For copies, which have time.
    pub copies: Client,
}

/// Copies from registry to registry.
pub struct RegistryCopier {
    sources: Clients,
    targets: Clients,
    /// Where images are looked for.
    look_at_sources: RegistryStore,
    look_at_targets: RegistryStore,
    under_way: Arc<UnderWay>,
}

impl RegistryCopier {
    /// Asks the registries that images come from and those that they go to in the same way.
    #[must_use]
    pub fn new(clients: &Clients) -> Self {
        Self::between(clients.clone(), clients.clone(), Arc::default())
    }

    /// The same, but for how the registries that images come from are asked.
    #[must_use]
    pub fn reading_with(&self, sources: Clients) -> Self {
        Self::between(sources, self.targets.clone(), Arc::clone(&self.under_way))
    }

    fn between(sources: Clients, targets: Clients, under_way: Arc<UnderWay>) -> Self {
        let look_at = |clients: &Clients| RegistryStore::new(clients.looks.clone());
        let (look_at_sources, look_at_targets) = (look_at(&sources), look_at(&targets));
        Self { sources, targets, look_at_sources, look_at_targets, under_way }
    }

    async fn copy_now(&self, image: &Move) -> Result<u64, Failure> {
        let bad = |message: String| Failure { reason: "reference", message: message.into(), lasts: true };
        let parse = |text| ImageReference::parse(text).map_err(|error| bad(error.to_string()));
        let (source, target) = (parse(&image.from)?, parse(&image.to)?);
        let wanted = Wanted::new(source, target, None).map_err(|error| bad(error.to_string()))?;
        // What a copier knows of blobs is good for a short time only: a new one for each image.
        let store = |clients: &Clients| RegistryStore::new(clients.copies.clone());
        let options = CopyOptions { transfers: TRANSFERS, ..CopyOptions::default() };
        let copier = mirror::Copier::new(store(&self.sources), store(&self.targets), options);
        let plan = || async { copier.plan(wanted.clone()).await.map_err(|error| failure(&error)) };
        let mut planned = plan().await?;
        // Another tag of the same image may be on its way there: what it brings is not brought twice.
        let turn = planned.digest.as_ref().map(|digest| self.under_way.turn(&wanted.to, digest));
        let _turn = match &turn {
            None => None,
            Some(turn) => match turn.try_lock() {
                Ok(turn) => Some(turn),
                Err(_) => {
                    let turn = turn.lock().await;
                    planned = plan().await?;
                    Some(turn)
                }
            },
        };
        match planned.action {
            Action::Skip => Ok(0),
            Action::Missing => Err(Failure {
                reason: "missing",
                message: "the source has no such image".into(),
                lasts: true,
            }),
            Action::Conflict => Err(Failure {
                reason: "conflict",
                message: "the target's tag stands for another image".into(),
                lasts: true,
            }),
            Action::Copy | Action::Tag => {
                let copied = copier.copy(&planned).await;
                copied.result.map(|()| copied.bytes.moved).map_err(|error| failure(&error))
            }
        }
    }
}

/// What those take in turns who copy the same image to the same repository.
type Turn = tokio::sync::Mutex<()>;

/// The images that are being copied, by the repository that they go to and their digest.
#[derive(Default)]
struct UnderWay {
    turns: Mutex<HashMap<(Repository, Digest), Weak<Turn>>>,
}

impl UnderWay {
    fn turn(&self, to: &Repository, digest: &Digest) -> Arc<Turn> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        // As many are left as copies are under way.
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = turns.entry((to.clone(), digest.clone())).or_default();
        turn.upgrade().unwrap_or_else(|| {
            let new = Arc::default();
            *turn = Arc::downgrade(&new);
            new
        })
    }
}

fn failure(error: &CopyError) -> Failure {
    let lasts = match error {
        CopyError::Store(_) => matches!(error.status(), Some(401 | 403 | 404)),
        _ => true,
    };
    Failure { reason: error.code(), message: error.to_string().into(), lasts }
}

impl Copier for RegistryCopier {
    fn is_there<'a>(&'a self, image: &'a Move) -> BoxFuture<'a, Result<bool, Arc<str>>> {
        Box::pin(async move {
            let (repository, reference) = place(&image.to)?;
            let place = Place { image: &image.to, repository: &repository };
            let found = Target::find(&self.look_at_targets, place, &reference).await;
            found.map(|found| found.is_some()).map_err(|error| error.to_string().into())
        })
    }

    fn source_has<'a>(&'a self, image: &'a Move) -> BoxFuture<'a, Result<bool, Arc<str>>> {
        Box::pin(async move {
            let (repository, reference) = place(&image.from)?;
            let place = Place { image: &image.from, repository: &repository };
            let found = Source::find(&self.look_at_sources, place, &reference).await;
            found.map(|found| found.is_some()).map_err(|error| error.to_string().into())
        })
    }

    fn copy<'a>(&'a self, image: &'a Move) -> BoxFuture<'a, Result<u64, Failure>> {
        Box::pin(self.copy_now(image))
    }

    fn give_up(&self, limit: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let targets = RegistryStore::new(self.targets.copies.clone());
            mirror::give_up_all(&targets, limit).await;
        })
    }
}

/// The repository of an image, and its digest or tag.
fn place(image: &str) -> Result<(Repository, String), Arc<str>> {
    let reference = ImageReference::parse(image).map_err(|error| error.to_string())?;
    let digest = reference.digest();
    let text = digest.map_or(reference.tag().unwrap_or("latest"), |digest| digest.as_str());
    Ok((reference.repository(), text.to_owned()))
}
