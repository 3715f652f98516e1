//! A repository of a registry: what a reference names without tag and digest.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use super::error::ReferenceError;
use super::reference::ImageReference;

/// `registry[:port]/path`, known to be well formed, owned and cheap to clone.
///
/// Two are equal when they mean the same repository, however they are written.
///
/// ```
/// use imageswap::image::Repository;
///
/// let nginx: Repository = "nginx".parse().expect("well formed");
/// assert_eq!(nginx.as_str(), "nginx");
/// assert_eq!(nginx.canonical(), "docker.io/library/nginx");
/// assert_eq!((nginx.registry(), nginx.path()), ("docker.io", "library/nginx"));
/// assert_eq!(nginx, "index.docker.io/library/nginx".parse().expect("well formed"));
/// ```
#[derive(Clone)]
pub struct Repository {
    /// As somebody wrote it; the same memory as `canonical` where that is written the same.
    written: Arc<str>,
    canonical: Arc<str>,
    /// Where the registry with its port ends in `canonical`.
    registry_end: usize,
}

/// Why a text is no repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RepositoryError {
    /// It is no reference either.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A tag or a digest stands behind it.
    #[error("{suffix:?} stands behind the name, expected registry/path without tag and digest")]
    Suffix {
        /// What stands behind the name.
        suffix: String,
    },
}

impl ImageReference<'_> {
    /// The repository that it names, owned.
    #[must_use]
    pub fn repository(self) -> Repository {
        Repository::of(self)
    }
}

impl Repository {
    /// Reads a reference that has neither tag nor digest.
    ///
    /// # Errors
    /// [`RepositoryError`] with the reason.
    pub fn parse(text: &str) -> Result<Self, RepositoryError> {
        let reference = ImageReference::parse(text)?;
        match reference.suffix() {
            "" => Ok(Self::of(reference)),
            suffix => Err(RepositoryError::Suffix { suffix: suffix.to_owned() }),
        }
    }

    /// The repository that `reference` names.
    pub(super) fn of(reference: ImageReference<'_>) -> Self {
        let written = reference.name();
        let registry = reference.canonical_registry();
        let port = reference.port().map_or(String::new(), |port| format!(":{port}"));
        let registry_end = registry.len() + port.len();
        let canonical: Arc<str> = format!("{registry}{port}/{}", reference.canonical_path()).into();
        let written = if *written == *canonical { Arc::clone(&canonical) } else { written.into() };
        Self { written, canonical, registry_end }
    }

    /// The repository as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The one spelling of the repository that is meant: `docker.io/library/nginx` for `nginx`.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The registry that is meant, with its port: `docker.io` when none is written.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.canonical[..self.registry_end]
    }

    /// The path that is meant: `library/nginx` for `nginx`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.canonical[self.registry_end + 1..]
    }
}

impl FromStr for Repository {
    type Err = RepositoryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl PartialEq for Repository {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for Repository {}

impl Hash for Repository {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical.hash(state);
    }
}

impl PartialOrd for Repository {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Repository {
    fn cmp(&self, other: &Self) -> Ordering {
        self.canonical.cmp(&other.canonical)
    }
}

/// As written.
impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Repository({:?})", self.canonical)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_the_same_however_it_is_written() {
        for (written, registry, path) in [
            ("nginx", "docker.io", "library/nginx"),
            ("grafana/grafana", "docker.io", "grafana/grafana"),
            ("registry-1.docker.io/library/nginx", "docker.io", "library/nginx"),
            ("quay.io/a/b", "quay.io", "a/b"),
            ("localhost:5000/a", "localhost:5000", "a"),
            ("[::1]:5000/a/b", "[::1]:5000", "a/b"),
        ] {
            let repository = Repository::parse(written).unwrap();
            assert_eq!((repository.registry(), repository.path()), (registry, path), "{written}");
            assert_eq!(repository.canonical(), format!("{registry}/{path}"), "{written}");
            assert_eq!(repository.to_string(), written);
            assert_eq!(repository, Repository::parse(repository.canonical()).unwrap(), "{written}");
        }
    }

    #[test]
    fn takes_no_suffix() {
        let suffix = |suffix: &str| RepositoryError::Suffix { suffix: suffix.to_owned() };
        assert_eq!(Repository::parse("nginx:1"), Err(suffix(":1")));
        let digest = format!("@sha256:{}", "0".repeat(64));
        assert_eq!(Repository::parse(&format!("nginx{digest}")), Err(suffix(&digest)));
        assert!(matches!(Repository::parse("a//b"), Err(RepositoryError::Reference(_))));
    }
}
