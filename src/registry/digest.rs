//! Digests that are computed: what the bytes say.

use std::fmt::Write as _;

use ring::digest::{Algorithm, Context, SHA256, SHA384, SHA512};

use crate::image::Digest;

/// The sha256 digest of `bytes`.
pub(super) fn sha256(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::sha256();
    hasher.update(bytes);
    hasher.finish()
}

/// Hashes bytes as they arrive.
#[derive(Clone)]
pub struct Hasher {
    context: Context,
    name: &'static str,
}

impl Hasher {
    /// A hasher for digests of the same algorithm as `digest`; `None` for an algorithm that is not known.
    #[must_use]
    pub fn of(digest: &Digest) -> Option<Self> {
        match digest.algorithm() {
            "sha256" => Some(Self::new(&SHA256, "sha256")),
            "sha384" => Some(Self::new(&SHA384, "sha384")),
            "sha512" => Some(Self::new(&SHA512, "sha512")),
            _ => None,
        }
    }

    /// A hasher for `sha256:` digests.
    #[must_use]
    pub fn sha256() -> Self {
        Self::new(&SHA256, "sha256")
    }

    fn new(algorithm: &'static Algorithm, name: &'static str) -> Self {
        Self { context: Context::new(algorithm), name }
    }

    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
    }

    /// The digest of all the bytes.
    #[must_use]
    pub fn finish(self) -> Digest {
        let hash = self.context.finish();
        let mut text = String::with_capacity(self.name.len() + 1 + 2 * hash.as_ref().len());
        text.push_str(self.name);
        text.push(':');
        for byte in hash.as_ref() {
            write!(text, "{byte:02x}").expect("a String takes what is written");
        }
        Digest::parse(&text).expect("it is written by the grammar")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_sha256sum() {
        assert_eq!(
            sha256(b"").as_str(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn the_hasher_is_that_of_the_digest() {
        for (algorithm, digits) in [("sha256", 64), ("sha384", 96), ("sha512", 128)] {
            let digest = Digest::parse(&format!("{algorithm}:{}", "a".repeat(digits))).unwrap();
            let found = Hasher::of(&digest).unwrap().finish();
            assert!(found.as_str().starts_with(algorithm));
            assert_eq!(found.as_str().len(), digest.as_str().len());
        }
        let other = Digest::parse(&format!("blake3:{}", "a".repeat(64))).unwrap();
        assert!(Hasher::of(&other).is_none());
    }
}
