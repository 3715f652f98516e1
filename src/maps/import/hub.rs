//! Docker Hub's spelling: other tools name its images in full (`docker.io/library/nginx`).

use crate::image::{DOCKER_HUB, ImageReference, is_docker_hub};

/// The key that matches what `source`, a registry or a registry and path, names.
pub(super) fn key(source: &str) -> String {
    let source = without_scheme(source);
    if is_docker_hub(source) { DOCKER_HUB.to_owned() } else { source.to_owned() }
}

/// The value that takes what lies under `source` from `mirror`. Mirrors of all of Docker Hub are asked for
/// `library/nginx`, where a bare value would keep the path as written.
pub(super) fn value(source: &str, mirror: &str) -> String {
    let mirror = without_scheme(mirror);
    if key(source) == DOCKER_HUB { format!("{mirror}/{{path}}") } else { mirror.to_owned() }
}

/// The key for one repository, named as in a manifest: `nginx` is `docker.io/library/nginx`.
pub(super) fn repository_key(name: &str) -> String {
    match ImageReference::parse(name) {
        Ok(image) if image.registry().is_none() => format!("{DOCKER_HUB}/{}", image.canonical_path()),
        Ok(_) | Err(_) => name.to_owned(),
    }
}

/// `text` without `https://` or `http://` and without a `/` at its end.
pub(super) fn without_scheme(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .unwrap_or(text)
        .trim_end_matches('/')
}
