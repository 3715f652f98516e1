//! Who looks for images and copies them: registries, or what tests put in their place.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::image::ImageReference;
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

/// Copies from registry to registry.
pub struct RegistryCopier {
    looks: RegistryStore,
    copies: Client,
}

impl RegistryCopier {
    /// Looks with one client, which should be quick to give up, and copies with the other.
    #[must_use]
    pub fn new(looks: Client, copies: Client) -> Self {
        Self { looks: RegistryStore::new(looks), copies }
    }

    async fn copy_now(&self, image: &Move) -> Result<u64, Failure> {
        let bad = |message: String| Failure { reason: "reference", message: message.into(), lasts: true };
        let parse = |text| ImageReference::parse(text).map_err(|error| bad(error.to_string()));
        let (source, target) = (parse(&image.from)?, parse(&image.to)?);
        let wanted = Wanted::new(source, target, None).map_err(|error| bad(error.to_string()))?;
        // What a copier knows of blobs is good for a short time only: a new one for each image.
        let store = || RegistryStore::new(self.copies.clone());
        let options = CopyOptions { transfers: TRANSFERS, ..CopyOptions::default() };
        let copier = mirror::Copier::new(store(), store(), options);
        let planned = copier.plan(wanted).await.map_err(|error| failure(&error))?;
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
            let found = Target::find(&self.looks, place, &reference).await;
            found.map(|found| found.is_some()).map_err(|error| error.to_string().into())
        })
    }

    fn source_has<'a>(&'a self, image: &'a Move) -> BoxFuture<'a, Result<bool, Arc<str>>> {
        Box::pin(async move {
            let (repository, reference) = place(&image.from)?;
            let place = Place { image: &image.from, repository: &repository };
            let found = Source::find(&self.looks, place, &reference).await;
            found.map(|found| found.is_some()).map_err(|error| error.to_string().into())
        })
    }

    fn copy<'a>(&'a self, image: &'a Move) -> BoxFuture<'a, Result<u64, Failure>> {
        Box::pin(self.copy_now(image))
    }
}

/// The repository of an image, and its digest or tag.
fn place(image: &str) -> Result<(crate::image::Repository, String), Arc<str>> {
    let reference = ImageReference::parse(image).map_err(|error| error.to_string())?;
    let digest = reference.digest();
    let text = digest.map_or(reference.tag().unwrap_or("latest"), |digest| digest.as_str());
    Ok((reference.repository(), text.to_owned()))
}
