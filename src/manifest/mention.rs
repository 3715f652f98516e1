//! Text that looks like an image where none is expected. A guess, for reports only: nothing is edited by it.

use crate::image::ImageReference;

/// Whether `text` can hardly be anything but an image: a registry with a top-level domain (or `localhost`),
/// and a tag or a digest.
#[must_use]
pub(super) fn is_image_like(text: &str) -> bool {
    if !text.contains('/') || !text.contains(':') {
        return false;
    }
    ImageReference::parse(text).is_ok_and(|image| {
        let has_domain = image.host().is_some_and(|host| {
            host == "localhost"
                || host
                    .rsplit_once('.')
                    .is_some_and(|(_, tld)| tld.len() > 1 && tld.bytes().all(|b| b.is_ascii_alphabetic()))
        });
        has_domain && (image.tag().is_some() || image.digest().is_some())
    })
}

/// Whether `text` is a reference with more than a bare name to it.
#[must_use]
pub(super) fn is_reference_like(text: &str) -> bool {
    text.contains(['/', ':']) && ImageReference::parse(text).is_ok()
}
