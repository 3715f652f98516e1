//! Copies that are made with the pull secrets of pods: who may have them, and with which.
//!
//! What one namespace may pull must not be put where others can pull it. So its secrets are used only for images that
//! the rules move to a place of its own.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::copier::Copier;
use crate::image::{ImageReference, Repository};
use crate::webhook::admission::{Move, Reviewed};

/// What stands for a namespace in the place of its copies.
const NAMESPACE: &str = "{namespace}";

/// Where the copies of each namespace are, such as `mirror.example.com/tenants/{namespace}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespaceTargets {
    before: String,
    after: String,
}

/// Why a text does not say where the copies of each namespace are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a registry and a path of which {{namespace}} is a part, such as mirror.example.com/tenants/{{namespace}}"
)]
pub struct NamespaceTargetsError;

impl FromStr for NamespaceTargets {
    type Err = NamespaceTargetsError;

    fn from_str(text: &str) -> Result<Self, NamespaceTargetsError> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let (before, after) = text.split_once(NAMESPACE).ok_or(NamespaceTargetsError)?;
        let is_part = before.ends_with('/') && (after.is_empty() || after.starts_with('/'));
        // With a name in its place it must be what images can lie under, in the words of the grammar.
        let example = format!("{before}a{after}");
        match Repository::parse(&example) {
            Ok(found) if is_part && lies_at(&found) == example => {
                Ok(Self { before: before.to_owned(), after: after.to_owned() })
            }
            Ok(_) | Err(_) => Err(NamespaceTargetsError),
        }
    }
}

impl NamespaceTargets {
    /// Whether a copy at `target` belongs to the namespace alone.
    fn are_at(&self, namespace: &str, target: &str) -> bool {
        let Ok(target) = ImageReference::parse(target) else { return false };
        let place = lies_at(&target.repository());
        let below = place.strip_prefix(&*self.before).and_then(|rest| rest.strip_prefix(namespace));
        below.and_then(|rest| rest.strip_prefix(&*self.after)).is_some_and(|rest| rest.starts_with('/'))
    }
}

fn lies_at(repository: &Repository) -> String {
    format!("{}/{}", repository.registry(), repository.path())
}

/// As whom images are pulled: pods with the same pull secrets share one.
pub trait PullIdentity: Send + Sync {
    /// What tells it from others. What one identity can pull, so can another of the same name.
    fn name(&self) -> &str;

    /// A copier that logs in to registries with these pull secrets. They are read first when they are not known.
    fn copier(&self) -> BoxFuture<'_, Arc<dyn Copier>>;
}

/// Finds out as whom the images of objects are pulled.
pub trait PullIdentities: Send + Sync {
    /// As whom the pods of `object` pull their images, by what the object itself says; `None` where it makes no pods.
    /// Nothing is read from the cluster yet.
    fn of(&self, object: &Reviewed<'_>) -> Option<Arc<dyn PullIdentity>>;
}

/// The pull secrets of pods, and for which copies they are used.
#[derive(Clone)]
pub struct PodCredentials {
    /// Where the copies of each namespace are.
    pub targets: NamespaceTargets,
    /// As whom the images of objects are pulled.
    pub identities: Arc<dyn PullIdentities>,
}

impl PodCredentials {
    /// As whom each of the images that are moved for an object is read.
    pub(super) fn jobs(&self, images: Vec<Move>, object: &Reviewed<'_>) -> Vec<Job> {
        let is_own = |image: &Move| self.targets.are_at(&object.namespace, &image.to);
        let has_own = !object.namespace.is_empty() && images.iter().any(is_own);
        let identity = has_own.then(|| self.identities.of(object)).flatten();
        let job = |image: Move| Job { identity: identity.clone().filter(|_| is_own(&image)), image };
        images.into_iter().map(job).collect()
    }
}

/// An image to be copied, and as whom it is read: imageswap itself, where nobody else.
#[derive(Clone)]
pub(super) struct Job {
    pub(super) image: Move,
    pub(super) identity: Option<Arc<dyn PullIdentity>>,
}

impl Job {
    fn identity_name(&self) -> Option<&str> {
        self.identity.as_ref().map(|identity| identity.name())
    }

    /// Who copies it.
    pub(super) async fn copier(&self, general: &Arc<dyn Copier>) -> Arc<dyn Copier> {
        match &self.identity {
            Some(identity) => identity.copier().await,
            None => Arc::clone(general),
        }
    }
}

impl From<Move> for Job {
    fn from(image: Move) -> Self {
        Self { image, identity: None }
    }
}

impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        self.image == other.image && self.identity_name() == other.identity_name()
    }
}

impl Eq for Job {}

impl Hash for Job {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.image, self.identity_name()).hash(state);
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("image", &self.image).field("identity", &self.identity_name()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_a_whole_part_of_the_path() {
        for good in ["m.io/{namespace}", "m.io:5000/tenants/{namespace}/", "m.io/t/{namespace}/mirror"] {
            assert!(good.parse::<NamespaceTargets>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "m.io",
            "m.io/tenants",
            "{namespace}",
            "{namespace}.m.io/t",
            "m.io/t-{namespace}",
            "m.io/{namespace}-t",
            "m.io/{namespace}/{namespace}",
            "m.io/{namespace}:1",
            "m.io//{namespace}",
            "tenants/{namespace}",
            "m.io/T/{namespace}",
        ] {
            assert_eq!(bad.parse::<NamespaceTargets>(), Err(NamespaceTargetsError), "{bad}");
        }
    }

    #[test]
    fn copies_of_a_namespace_lie_at_its_place_alone() {
        let targets: NamespaceTargets = "m.io/tenants/{namespace}".parse().unwrap();
        for own in ["m.io/tenants/shop/app:1", "m.io/tenants/shop/a/b"] {
            assert!(targets.are_at("shop", own), "{own}");
        }
        for other in [
            "m.io/tenants/shop:1",
            "m.io/tenants/shops/app",
            "m.io/tenants/sho/shop",
            "m.io/shop/app",
            "n.io/tenants/shop/app",
            "m.io/a/tenants/shop/app",
            "m.io:5000/tenants/shop/app",
            "?",
        ] {
            assert!(!targets.are_at("shop", other), "{other}");
        }
        let deeper: NamespaceTargets = "m.io/{namespace}/mirror".parse().unwrap();
        assert!(deeper.are_at("shop", "m.io/shop/mirror/app") && !deeper.are_at("shop", "m.io/shop/app"));
    }
}
