//! The front of a name on `/` boundaries: what keys and targets are.

use crate::image::{ImageReference, ReferenceError};

/// A registry, or a registry and the first parts of a path: `quay.io`, `reg:5000/team`, `docker.io/library`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct NamePrefix {
    /// The registry that is meant, without port: the aliases of Docker Hub are `docker.io`.
    pub(super) host: Box<str>,
    /// The port as written.
    pub(super) port: Option<Box<str>>,
    /// The path's first parts; empty for a whole registry.
    pub(super) path: Box<str>,
    /// Whether the registry is written out. Without one the name is Docker Hub's.
    pub(super) has_registry: bool,
}

impl NamePrefix {
    /// Reads a prefix by the rule that an image reference follows, as if one more part of the path came behind it.
    pub(super) fn parse(text: &str) -> Result<Self, ReferenceError> {
        let probe = format!("{text}/x");
        let image = ImageReference::parse(&probe)?;
        let path = image.path();
        Ok(Self {
            host: image.canonical_registry().into(),
            port: image.port().map(Box::from),
            path: path[..path.len() - "x".len()].trim_end_matches('/').into(),
            has_registry: image.registry().is_some(),
        })
    }

    /// `docker.io/nginx` names what lies under it, and the image `docker.io/library/nginx` too, which people write
    /// `nginx` and `docker.io/nginx`: its canonical name. `None` for all other prefixes.
    pub(super) fn official_image(&self) -> Option<Self> {
        let is_one_name = &*self.host == "docker.io"
            && !self.path.is_empty()
            && !self.path.contains('/')
            && &*self.path != "library";
        is_one_name.then(|| Self { path: format!("library/{}", self.path).into(), ..self.clone() })
    }

    /// The canonical spelling, for comparing and for lint.
    pub(super) fn canonical(&self) -> String {
        let mut text = String::from(&*self.host);
        if let Some(port) = &self.port {
            text.push(':');
            text.push_str(port);
        }
        if !self.path.is_empty() {
            text.push('/');
            text.push_str(&self.path);
        }
        text
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
            let parts = prefix.as_ref().map(|p| (&*p.host, p.port.as_deref(), &*p.path, p.has_registry));
            assert_eq!(parts, want, "{text}");
        }
    }

    #[test]
    fn longest_prefix_first() {
        assert_eq!(prefixes("a/b/c").collect::<Vec<_>>(), ["a/b/c", "a/b", "a", ""]);
        assert_eq!(prefixes("").collect::<Vec<_>>(), [""]);
    }
}
