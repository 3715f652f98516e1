//! What a manifest is made of: other manifests, blobs, and what it refers to.

use serde::Deserialize;

use crate::image::Digest;
use crate::registry::{Descriptor, Manifest};

/// What a manifest names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The manifests of an index.
    pub manifests: Vec<Descriptor>,
    /// Configuration and layers, each once.
    pub blobs: Vec<Descriptor>,
    /// What it says that it refers to.
    pub subject: Option<Descriptor>,
    /// What kind of artifact it is: its `artifactType`, else what its configuration is.
    pub artifact_type: Option<String>,
    /// Its annotations.
    pub annotations: Option<std::collections::BTreeMap<String, String>>,
}

/// Why a manifest cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentsError {
    /// It is no JSON of the form that manifests have.
    #[error("{digest} is no manifest: {message}")]
    Form {
        /// The manifest.
        digest: Digest,
        /// What is wrong with it.
        message: String,
    },
    /// It names one digest with two sizes.
    #[error("{digest} names {blob} with the sizes {one} and {other}")]
    Sizes {
        /// The manifest.
        digest: Digest,
        /// What it names.
        blob: Digest,
        /// One size, in bytes.
        one: u64,
        /// The other.
        other: u64,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Form {
    #[serde(default, deserialize_with = "crate::registry::list")]
    manifests: Vec<Descriptor>,
    config: Option<Descriptor>,
    #[serde(default, deserialize_with = "crate::registry::list")]
    layers: Vec<Descriptor>,
    subject: Option<Descriptor>,
    artifact_type: Option<String>,
    annotations: Option<std::collections::BTreeMap<String, String>>,
}

impl Contents {
    /// What `manifest` names. Layers that are kept elsewhere (`urls`, such as Windows base layers, which may not be
    /// distributed) are left out: registries do without them.
    ///
    /// # Errors
    /// [`ContentsError`] for what is no manifest.
    pub fn of(manifest: &Manifest) -> Result<Self, ContentsError> {
        let digest = &manifest.digest;
        let form: Form = serde_json::from_slice(&manifest.bytes)
            .map_err(|error| ContentsError::Form { digest: digest.clone(), message: error.to_string() })?;
        let artifact_type = form.artifact_type.or_else(|| {
            form.config.as_ref().map(|config| config.media_type.clone()).filter(|kind| !kind.is_empty())
        });
        let of_index = manifest.is_index();
        let manifests = if of_index { form.manifests } else { Vec::new() };
        let named = form.config.into_iter().chain(form.layers).filter(|_| !of_index);
        Ok(Self {
            manifests: distinct(digest, manifests)?,
            blobs: distinct(digest, named.filter(|blob| blob.urls.is_empty()))?,
            subject: form.subject,
            artifact_type,
            annotations: form.annotations,
        })
    }
}

/// Each descriptor once, in their order.
fn distinct(
    manifest: &Digest,
    descriptors: impl IntoIterator<Item = Descriptor>,
) -> Result<Vec<Descriptor>, ContentsError> {
    let mut sizes = std::collections::HashMap::new();
    let mut all = Vec::new();
    for descriptor in descriptors {
        match sizes.insert(descriptor.digest.clone(), descriptor.size) {
            None => all.push(descriptor),
            Some(size) if size == descriptor.size => {}
            Some(one) => {
                let (digest, blob) = (manifest.clone(), descriptor.digest);
                return Err(ContentsError::Sizes { digest, blob, one, other: descriptor.size });
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{OCI_INDEX, OCI_MANIFEST};

    fn digest(fill: char) -> String {
        format!("sha256:{}", fill.to_string().repeat(64))
    }

    fn manifest(media_type: &str, text: &str) -> Manifest {
        Manifest {
            digest: Digest::parse(&digest('f')).unwrap(),
            media_type: media_type.to_owned(),
            bytes: text.to_owned().into(),
        }
    }

    #[test]
    fn blobs_are_named_once_and_foreign_ones_never() {
        let (a, b, c) = (digest('a'), digest('b'), digest('c'));
        let text = format!(
            r#"{{"config":{{"mediaType":"x/config","digest":"{a}","size":1}},"layers":[{{"digest":"{b}","size":2}},{{"digest":"{b}","size":2}},{{"digest":"{c}","size":3,"urls":["https://example.com/layer"]}}],"subject":{{"digest":"{c}","size":9}}}}"#
        );
        let read = Contents::of(&manifest(OCI_MANIFEST, &text)).unwrap();
        let blobs: Vec<&str> = read.blobs.iter().map(|blob| blob.digest.as_str()).collect();
        assert_eq!(blobs, [a.as_str(), b.as_str()]);
        assert_eq!(read.subject.unwrap().digest.as_str(), c);
        assert_eq!(read.artifact_type.as_deref(), Some("x/config"));
    }

    #[test]
    fn an_index_has_manifests_and_no_blobs() {
        let a = digest('a');
        let text = format!(
            r#"{{"manifests":[{{"digest":"{a}","size":1}}],"layers":[{{"digest":"{a}","size":1}}],"artifactType":"t"}}"#
        );
        let read = Contents::of(&manifest(OCI_INDEX, &text)).unwrap();
        assert_eq!((read.manifests.len(), read.blobs.len()), (1, 0));
        assert_eq!(read.artifact_type.as_deref(), Some("t"));
        assert!(Contents::of(&manifest(OCI_MANIFEST, &text)).unwrap().manifests.is_empty());
    }

    #[test]
    fn lies_are_refused() {
        let a = digest('a');
        let sizes = format!(r#"{{"layers":[{{"digest":"{a}","size":1}},{{"digest":"{a}","size":2}}]}}"#);
        for wrong in ["", "[]", r#"{"layers":[{"digest":"sha256:../../x","size":1}]}"#, &sizes] {
            assert!(Contents::of(&manifest(OCI_MANIFEST, wrong)).is_err(), "{wrong}");
        }
    }
}
