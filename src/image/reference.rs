//! One image reference: its parts as slices of what was written.

use std::borrow::Cow;
use std::fmt;

use super::digest::DigestRef;
use super::error::{ReferenceError, Scheme};
use super::grammar;

/// Docker Hub's name in references.
pub(crate) const DOCKER_HUB: &str = "docker.io";

/// Where Docker Hub's API is.
pub(crate) const DOCKER_HUB_API: &str = "registry-1.docker.io";

/// Whether `host`, in lower case and without a port, is a name of Docker Hub.
pub(crate) fn is_docker_hub(host: &str) -> bool {
    matches!(host, DOCKER_HUB | "index.docker.io" | DOCKER_HUB_API)
}

/// The longest path that distribution/reference takes (`RepositoryNameTotalLengthMax`; the registry does
/// not count).
const PATH_MAX: usize = 255;

/// `registry[:port]/path[:tag][@digest]`, known to be well formed, with its original spelling.
///
/// ```
/// use imageswap::image::ImageReference;
///
/// let image = ImageReference::parse("quay.io:443/team/app:v1").expect("well formed");
/// assert_eq!(image.registry(), Some("quay.io:443"));
/// assert_eq!(image.path(), "team/app");
/// assert_eq!(image.suffix(), ":v1");
/// let image = ImageReference::parse("nginx").expect("well formed");
/// assert_eq!(image.canonical(), "docker.io/library/nginx:latest");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageReference<'a> {
    text: &'a str,
    /// Where the host ends; 0 when no registry is written.
    host_end: usize,
    /// Where the registry (with its port) ends; 0 when none is written.
    registry_end: usize,
    /// Where the name (registry and path) ends.
    name_end: usize,
    /// Where the tag ends; the same as `name_end` when there is none.
    tag_end: usize,
}

impl<'a> ImageReference<'a> {
    /// Reads a reference by the rules of distribution/reference (`ParseNormalizedNamed`).
    ///
    /// # Errors
    /// [`ReferenceError`] with the reason and the offending character.
    pub fn parse(text: &'a str) -> Result<Self, ReferenceError> {
        Self::read(text).map_err(|error| match Scheme::of(text) {
            Some(scheme) => ReferenceError::Scheme { scheme },
            None => error,
        })
    }

    fn read(text: &'a str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return Err(ReferenceError::ImageId);
        }
        let tag_end = text.find('@').unwrap_or(text.len());
        let name_and_tag = &text[..tag_end];
        let registry_end = match name_and_tag.find('/') {
            Some(slash) if grammar::is_registry(&name_and_tag[..slash]) => slash,
            Some(_) | None => 0,
        };
        let host_end =
            if registry_end > 0 { grammar::registry(&name_and_tag[..registry_end], 0)? } else { 0 };
        let path_start = if registry_end > 0 { registry_end + 1 } else { 0 };
        let name_end = name_and_tag[path_start..].find(':').map_or(tag_end, |colon| path_start + colon);
        let reference = Self { text, host_end, registry_end, name_end, tag_end };
        grammar::path(reference.path(), path_start)?;
        let length = reference.canonical_path().len();
        if length > PATH_MAX {
            return Err(ReferenceError::PathTooLong { length });
        }
        if name_end < tag_end {
            grammar::tag(&text[name_end + 1..tag_end], name_end + 1)?;
        }
        if tag_end < text.len() {
            let at = tag_end + 1;
            DigestRef::parse(&text[at..]).map_err(|reason| ReferenceError::Digest { reason, at })?;
        }
        Ok(reference)
    }

    /// The whole reference as written.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.text
    }

    /// The registry with its port, as written; `None` when none is written (Docker Hub).
    #[must_use]
    pub fn registry(self) -> Option<&'a str> {
        (self.registry_end > 0).then(|| &self.text[..self.registry_end])
    }

    /// The registry without its port, as written (`[::1]` keeps its brackets).
    #[must_use]
    pub fn host(self) -> Option<&'a str> {
        (self.registry_end > 0).then(|| &self.text[..self.host_end])
    }

    /// The port, when one is written.
    #[must_use]
    pub fn port(self) -> Option<&'a str> {
        (self.host_end < self.registry_end).then(|| &self.text[self.host_end + 1..self.registry_end])
    }

    /// The path as written, without registry, tag and digest.
    #[must_use]
    pub fn path(self) -> &'a str {
        let start = if self.registry_end > 0 { self.registry_end + 1 } else { 0 };
        &self.text[start..self.name_end]
    }

    /// Registry and path as written.
    #[must_use]
    pub fn name(self) -> &'a str {
        &self.text[..self.name_end]
    }

    /// What stands behind the name: `:tag`, `@digest`, both or nothing.
    #[must_use]
    pub fn suffix(self) -> &'a str {
        &self.text[self.name_end..]
    }

    /// The tag, without its `:`.
    #[must_use]
    pub fn tag(self) -> Option<&'a str> {
        (self.name_end < self.tag_end).then(|| &self.text[self.name_end + 1..self.tag_end])
    }

    /// The digest, without its `@`.
    #[must_use]
    pub fn digest(self) -> Option<DigestRef<'a>> {
        (self.tag_end < self.text.len()).then(|| {
            DigestRef::parse(&self.text[self.tag_end + 1..]).expect("the digest was checked when parsed")
        })
    }

    /// The last component of the path: `app` in `quay.io/team/app:v1`.
    #[must_use]
    pub fn last_part(self) -> &'a str {
        let path = self.path();
        path.rsplit_once('/').map_or(path, |(_, last)| last)
    }

    /// The registry that is meant, without port: `docker.io` when none is written and for
    /// `index.docker.io` and `registry-1.docker.io`.
    #[must_use]
    pub fn canonical_registry(self) -> &'a str {
        match self.host() {
            Some(host) if !is_docker_hub(host) => host,
            Some(_) | None => DOCKER_HUB,
        }
    }

    /// The path that is meant: Docker Hub's single names stand in `library/`.
    #[must_use]
    pub fn canonical_path(self) -> Cow<'a, str> {
        let path = self.path();
        if self.canonical_registry() == DOCKER_HUB && !path.contains('/') {
            Cow::Owned(format!("library/{path}"))
        } else {
            Cow::Borrowed(path)
        }
    }

    /// The one spelling of the image that is meant: `docker.io/library/nginx:latest` for `nginx`.
    /// The registry keeps its port; `:latest` is added when neither tag nor digest is written.
    #[must_use]
    pub fn canonical(self) -> String {
        let mut text = String::with_capacity(self.text.len() + 25);
        text.push_str(self.canonical_registry());
        if let Some(port) = self.port() {
            text.push(':');
            text.push_str(port);
        }
        text.push('/');
        text.push_str(&self.canonical_path());
        match self.suffix() {
            "" => text.push_str(":latest"),
            suffix => text.push_str(suffix),
        }
        text
    }
}

impl fmt::Display for ImageReference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

#[cfg(test)]
mod tests;
