//! Descriptors: how manifests and indexes name blobs and other manifests (OCI image specification).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::image::Digest;

/// What one manifest says about a blob or another manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub media_type: String,
    /// The digest of its bytes.
    #[serde(deserialize_with = "digest", serialize_with = "digest_text")]
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
    /// Where else it can be had. Such a layer is often one that may not be distributed.
    #[serde(default, deserialize_with = "list", skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Which platform it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<serde_json::Value>,
    /// What kind of artifact it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// What else is said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// A list, and `null` for one that is empty, as programs in Go write it.
pub(crate) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
    let text = String::deserialize(deserializer)?;
    Digest::parse(&text).map_err(|error| {
        let shown = super::transport::printable(&format!("{text:?}"));
        serde::de::Error::custom(format!("{shown} is no digest: {error}"))
    })
}

fn digest_text<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(digest.as_str())
}

impl Descriptor {
    /// Whether it names an index (OCI) or a list (Docker) of manifests.
    #[must_use]
    pub fn is_index(&self) -> bool {
        super::manifest::is_index(&self.media_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_read_and_written() {
        let text = format!(
            r#"{{"mediaType":"a/b","digest":"sha256:{}","size":7,"platform":{{"os":"linux","architecture":"amd64"}},"annotations":{{"a":"b"}}}}"#,
            "0".repeat(64)
        );
        let read: Descriptor = serde_json::from_str(&text).unwrap();
        assert_eq!((read.media_type.as_str(), read.size), ("a/b", 7));
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        for wrong in [
            r#"{"digest":"sha256:x","size":7}"#,
            r#"{"digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000"}"#,
            r#"{"digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000","size":-1}"#,
        ] {
            assert!(serde_json::from_str::<Descriptor>(wrong).is_err(), "{wrong}");
        }
    }
}
