//! Docker Hub's spelling: other tools name its images in full (`docker.io/library/nginx`).

use crate::image::ImageReference;

/// The key that matches what `source`, a registry or a registry and path, names.
pub(super) fn key(source: &str) -> String {
    let source = without_scheme(source);
    match source {
        "index.docker.io" | "registry-1.docker.io" => "docker.io".to_owned(),
        _ => source.to_owned(),
    }
}

/// The value that takes what lies under `source` from `mirror`. Mirrors of all of Docker Hub are asked for
/// `library/nginx`, where a bare value would keep the path as written.
pub(super) fn value(source: &str, mirror: &str) -> String {
    let mirror = without_scheme(mirror);
    if key(source) == "docker.io" { format!("{mirror}/{{path}}") } else { mirror.to_owned() }
}

/// The key for one repository, named as in a manifest: `nginx` is `docker.io/library/nginx`.
pub(super) fn repository_key(name: &str) -> String {
    match ImageReference::parse(name) {
        Ok(image) if image.registry().is_none() => format!("docker.io/{}", image.canonical_path()),
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
