//! What the files of a layout are called.

use crate::image::{Digest, Repository};

/// The file that says that a folder is a layout, and of which version.
pub(super) const LAYOUT_FILE: &str = "oci-layout";
/// The file that lists the images; the last one that is written.
pub(super) const INDEX_FILE: &str = "index.json";
/// The lock file of the images.
pub(super) const LOCK_FILE: &str = "imageswap.lock";
/// The blobs that were left out because the other side has them.
pub(super) const LEFT_OUT_FILE: &str = "imageswap.left-out.json";
/// The folder of the blobs, with a folder for each algorithm in it.
pub(super) const BLOBS: &str = "blobs";

/// The annotation that names an image.
pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The annotation in which containerd and BuildKit name an image in full, beside its tag in [`REF_NAME`].
pub(super) const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// The one content of `oci-layout`.
pub(super) const LAYOUT_TEXT: &str = "{\"imageLayoutVersion\":\"1.0.0\"}\n";

/// Where a blob is: `blobs/sha256/…`.
pub(super) fn blob_name(digest: &Digest) -> String {
    format!("{BLOBS}/{}/{}", digest.algorithm(), digest.hex())
}

/// What a layout calls an image: `docker.io/library/nginx:1.27`, or with `@sha256:…`.
pub(super) fn image_name(repository: &Repository, reference: &str) -> String {
    let separator = if Digest::parse(reference).is_ok() { '@' } else { ':' };
    format!("{}{separator}{reference}", repository.canonical())
}

/// Whether a path in a layout is one that is read.
pub(super) fn is_known(name: &str) -> bool {
    matches!(name, LAYOUT_FILE | INDEX_FILE | LOCK_FILE | LEFT_OUT_FILE) || is_blob(name)
}

fn is_blob(name: &str) -> bool {
    let Some((algorithm, hex)) = name.strip_prefix("blobs/").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    Digest::parse(&format!("{algorithm}:{hex}")).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_are_told_from_other_files() {
        let digest = Digest::parse(&format!("sha256:{}", "0a".repeat(32))).unwrap();
        assert!(is_known(&blob_name(&digest)));
        for name in
            ["manifest.json", "blobs/sha256/0a", "blobs/sha256", "x/index.json", "blobs/../index.json"]
        {
            assert!(!is_known(name), "{name}");
        }
    }
}
