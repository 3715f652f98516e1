//! The front of a name on `/` boundaries: what keys and targets are.

use crate::image::{DOCKER_HUB, ImageReference, ReferenceError};

/// Where the official images of Docker Hub are.
pub(super) const LIBRARY: &str = "library/";

/// A registry, or a registry and the first parts of a path: `quay.io`, `reg:5000/team`, `docker.io/library`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NamePrefix<'a> {
    /// The registry that is meant, without port: the aliases of Docker Hub are `docker.io`.
    pub(super) host: &'a str,
    /// The port as written.
    pub(super) port: Option<&'a str>,
    /// The path's first parts; empty for a whole registry.
    pub(super) path: &'a str,
    /// Whether the registry is written out. Without one the name is Docker Hub's.
    pub(super) has_registry: bool,
}

impl<'a> NamePrefix<'a> {
    /// Reads a prefix by the rule that an image reference follows, as if one more part of the path came behind it.
    pub(super) fn parse(text: &'a str) -> Result<Self, ReferenceError> {
        NameEnds::parse(text).map(|ends| ends.of(text))
    }

    /// Whether it is as `docker.io/nginx`, which names what lies under it, and the image `docker.io/library/nginx` too:
    /// people write that `nginx` and `docker.io/nginx`.
    pub(super) fn names_official_image(self) -> bool {
        self.host == DOCKER_HUB && !self.path.is_empty() && !self.path.contains('/') && self.path != "library"
    }

    /// The canonical path of that image.
    pub(super) fn official_path(self) -> String {
        [LIBRARY, self.path].concat()
    }

    /// The canonical spelling, for comparing and for lint.
    pub(super) fn canonical(self) -> String {
        let mut text = String::from(self.host);
        if let Some(port) = self.port {
            text.push(':');
            text.push_str(port);
        }
        if !self.path.is_empty() {
            text.push('/');
            text.push_str(self.path);
        }
        text
    }
}

/// Where the parts of a [`NamePrefix`] end in a text that starts with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NameEnds {
    /// 0 when no registry is written.
    host: u32,
    /// Behind the port; 0 when no registry is written.
    registry: u32,
    path: u32,
    is_docker_hub: bool,
}

impl NameEnds {
    /// Reads the whole of `text` as [`NamePrefix::parse`] does.
    pub(super) fn parse(text: &str) -> Result<Self, ReferenceError> {
        let probe = format!("{text}/x");
        let image = ImageReference::parse(&probe)?;
        let end = |part: Option<&str>| {
            let length = part.map_or(0, str::len);
            u32::try_from(length).expect("a line has less than 4 GiB")
        };
        Ok(Self {
            host: end(image.host()),
            registry: end(image.registry()),
            path: end(Some(text)),
            is_docker_hub: image.canonical_registry() == DOCKER_HUB,
        })
    }

    /// Whether the prefix is a registry, written out, without a path.
    pub(super) fn is_registry(self) -> bool {
        self.registry > 0 && self.registry == self.path
    }

    /// The prefix, of the text that was read or one that starts so.
    pub(super) fn of(self, text: &str) -> NamePrefix<'_> {
        let (host, registry) = (self.host as usize, self.registry as usize);
        let path = &text[registry..self.path as usize];
        NamePrefix {
            host: if self.is_docker_hub { DOCKER_HUB } else { &text[..host] },
            port: (host < registry).then(|| &text[host + 1..registry]),
            path: if registry == 0 { path } else { path.strip_prefix('/').unwrap_or_default() },
            has_registry: registry > 0,
        }
    }
}

/// The prefixes of a path on `/` boundaries, the longest (the path itself) first, the empty one last.
pub(super) fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(path);
    std::iter::from_fn(move || {
        let this = rest?;
        rest = match this.rfind('/') {
            Some(slash) => Some(&this[..slash]),
            None if this.is_empty() => None,
            None => Some(""),
        };
        Some(this)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for (text, want) in [
            ("quay.io", Some(("quay.io", None, "", true))),
            ("quay.io/team/app", Some(("quay.io", None, "team/app", true))),
            ("reg:5000/x", Some(("reg", Some("5000"), "x", true))),
            ("[::1]:80", Some(("[::1]", Some("80"), "", true))),
            ("index.docker.io/library", Some(("docker.io", None, "library", true))),
            ("mirror", Some(("docker.io", None, "mirror", false))),
            ("x", Some(("docker.io", None, "x", false))),
            ("quay.io/x", Some(("quay.io", None, "x", true))),
            ("Reg", Some(("Reg", None, "", true))),
            ("", None),
            ("quay.io/", None),
            ("quay.io/a:v1", None),
            ("a b", None),
        ] {
            let prefix = NamePrefix::parse(text).ok();
            let parts = prefix.map(|p| (p.host, p.port, p.path, p.has_registry));
            assert_eq!(parts, want, "{text}");
        }
    }

    #[test]
    fn longest_prefix_first() {
        assert_eq!(prefixes("a/b/c").collect::<Vec<_>>(), ["a/b/c", "a/b", "a", ""]);
        assert_eq!(prefixes("").collect::<Vec<_>>(), [""]);
    }
}
