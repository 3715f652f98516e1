//! What credentials are kept under: a registry, or a path of one.

use crate::image::{DOCKER_HUB, is_docker_hub};

/// What Docker keeps the credential of Docker Hub under, and what its helpers are asked for.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// A key of a configuration in one spelling: no scheme, no `/v1/`, Docker Hub as `docker.io`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key(String);

impl Key {
    pub(super) fn new(text: &str) -> Self {
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        let schemeless = ["https://", "http://"]
            .iter()
            .find_map(|scheme| lower.starts_with(scheme).then_some(scheme.len()));
        let text = text[schemeless.unwrap_or(0)..].trim_end_matches('/');
        let (host, path) = text.split_once('/').unwrap_or((text, ""));
        let mut host = host.to_ascii_lowercase();
        if is_docker_hub(&host) {
            DOCKER_HUB.clone_into(&mut host);
        }
        // `https://quay.io/v1/` and `https://quay.io/v2/` are how old clients wrote `quay.io`.
        Self(if matches!(path, "" | "v1" | "v2") { host } else { format!("{host}/{path}") })
    }

    /// Whether credentials under this key are for `wanted` (a registry with or without a path): the same, or a
    /// pattern for its host such as `*.example.com`, in which a star stands for one part.
    pub(super) fn fits(&self, wanted: &str) -> bool {
        if self.0 == wanted {
            return true;
        }
        if !self.0.contains('*') {
            return false;
        }
        let (host, path) = self.0.split_once('/').unwrap_or((&self.0, ""));
        let (wanted_host, wanted_path) = wanted.split_once('/').unwrap_or((wanted, ""));
        path == wanted_path
            && host.split('.').count() == wanted_host.split('.').count()
            && host.split('.').zip(wanted_host.split('.')).all(|(part, wanted)| match part.split_once('*') {
                Some((start, end)) => {
                    wanted.len() >= part.len() - 1 && wanted.starts_with(start) && wanted.ends_with(end)
                }
                None => part == wanted,
            })
    }
}

/// `quay.io/a/b`, `quay.io/a`, `quay.io`: what is looked for, the longest first.
pub(super) fn candidates(registry: &str, repository: &str) -> Vec<String> {
    let mut path = format!("{}/{repository}", Key::new(registry).0);
    let mut candidates = Vec::new();
    loop {
        while path.ends_with('/') {
            path.pop();
        }
        candidates.push(path.clone());
        match path.rfind('/') {
            Some(end) => path.truncate(end),
            None => return candidates,
        }
    }
}

/// What a helper is asked for.
pub(super) fn server(registry: &str) -> &str {
    if registry == DOCKER_HUB { DOCKER_HUB_KEY } else { registry }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling() {
        for (text, want) in [
            ("https://index.docker.io/v1/", "docker.io"),
            ("index.docker.io", "docker.io"),
            ("registry-1.docker.io", "docker.io"),
            ("docker.io/team", "docker.io/team"),
            ("https://quay.io", "quay.io"),
            ("HTTPS://Quay.io/v2/", "quay.io"),
            ("http://localhost:5000/", "localhost:5000"),
            ("ghcr.io/owner/private", "ghcr.io/owner/private"),
        ] {
            assert_eq!(Key::new(text).0, want, "{text}");
        }
    }

    #[test]
    fn the_longest_first() {
        assert_eq!(candidates("ghcr.io", "a/b/c"), ["ghcr.io/a/b/c", "ghcr.io/a/b", "ghcr.io/a", "ghcr.io"]);
        assert_eq!(candidates("docker.io", "library/nginx").len(), 3);
        assert_eq!(candidates("localhost:5000", ""), ["localhost:5000"]);
    }

    #[test]
    fn patterns() {
        let fits = |key, wanted| Key::new(key).fits(wanted);
        assert!(fits("*.example.com", "a.example.com"));
        assert!(fits("reg-*.example.com/team", "reg-1.example.com/team"));
        assert!(!fits("*.example.com", "a.b.example.com"));
        assert!(!fits("*.example.com", "example.com"));
        assert!(!fits("*.example.com", "a.example.com/team"));
        assert!(!fits("*.example.com", "a.example.org"));
        assert!(!fits("a*a.io", "a.io"));
    }
}
