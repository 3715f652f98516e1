//! `index.json`: which images are in a layout, and what else nothing in it points to.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::names::{CONTAINERD_NAME, REF_NAME, image_name};
use crate::image::{Digest, ImageReference, Repository};

/// The media type of the index itself.
const MEDIA_TYPE: &str = "application/vnd.oci.image.index.v1+json";

/// The whole file. What is not known of other programs' files is kept.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IndexFile {
    schema_version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    #[serde(default)]
    manifests: Vec<Listed>,
    #[serde(flatten)]
    other: Map<String, Value>,
    /// Where in `manifests` one is: by its name, or by its digest when it has none.
    #[serde(skip)]
    places: HashMap<(bool, String), usize>,
    /// Which manifests of which repositories are listed: `repository@digest`.
    #[serde(skip)]
    of: HashSet<String>,
}

impl Default for IndexFile {
    fn default() -> Self {
        let media_type = Some(MEDIA_TYPE.to_owned());
        let (manifests, other) = (Vec::new(), Map::new());
        Self { schema_version: 2, media_type, manifests, other, places: HashMap::new(), of: HashSet::new() }
    }
}

/// A manifest that `index.json` lists.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// What kind of manifest it is.
    pub media_type: String,
    digest: String,
    /// How many bytes the manifest has.
    pub size: u64,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    annotations: Map<String, Value>,
    #[serde(flatten)]
    other: Map<String, Value>,
}

impl Listed {
    /// A manifest under a name, or under none when it is there because it refers to another.
    pub(super) fn new(name: Option<&str>, media_type: &str, digest: &Digest, size: u64) -> Self {
        let named = |name: &str| (REF_NAME.to_owned(), Value::String(name.to_owned()));
        Self {
            media_type: media_type.to_owned(),
            digest: digest.to_string(),
            size,
            annotations: name.map(named).into_iter().collect(),
            other: Map::new(),
        }
    }

    /// The digest of the manifest; an error names the text that is none.
    pub(super) fn digest(&self) -> Result<Digest, String> {
        Digest::parse(&self.digest).map_err(|error| format!("{:?} is no digest: {error}", self.digest))
    }

    /// What tells it from the others.
    fn key(&self) -> (bool, String) {
        self.name().map_or_else(|| (false, self.digest.clone()), |name| (true, name.to_owned()))
    }

    /// `docker.io/library/nginx@sha256:…`
    fn repository_and_digest(&self) -> Option<String> {
        let reference = self.reference()?;
        let repository = ImageReference::parse(&reference).ok()?.repository();
        Some(image_name(&repository, &self.digest))
    }

    /// What the layout calls it: whatever stands in `org.opencontainers.image.ref.name`.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.annotations.get(REF_NAME).and_then(Value::as_str)
    }

    /// The source reference in its one spelling: `docker.io/library/nginx:1.27`. `None` when the layout names it by
    /// a tag alone, as `skopeo copy … oci:DIR:1.27` and oras do, or not at all.
    #[must_use]
    pub fn reference(&self) -> Option<String> {
        let full = self.annotations.get(CONTAINERD_NAME).and_then(Value::as_str);
        // A tag alone would be read as the name of an image on Docker Hub.
        let name = full.or_else(|| self.name().filter(|name| name.contains(['/', ':', '@'])))?;
        ImageReference::parse(name).ok().map(ImageReference::canonical)
    }
}

impl IndexFile {
    /// Reads the text of the file.
    pub(super) fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        let mut index: Self = serde_json::from_slice(text)?;
        index.look_up_again();
        Ok(index)
    }

    fn look_up_again(&mut self) {
        self.places.clear();
        self.of.clear();
        for (at, listed) in self.manifests.iter().enumerate() {
            self.places.entry(listed.key()).or_insert(at);
            self.of.extend(listed.repository_and_digest());
        }
    }

    /// All manifests.
    pub(super) fn manifests(&self) -> &[Listed] {
        &self.manifests
    }

    /// All manifests.
    pub(super) fn into_manifests(self) -> Vec<Listed> {
        self.manifests
    }

    /// The manifest under a name.
    pub(super) fn named(&self, name: &str) -> Option<&Listed> {
        self.places.get(&(true, name.to_owned())).and_then(|at| self.manifests.get(*at))
    }

    /// Whether a manifest of a repository is listed.
    pub(super) fn lists(&self, repository: &Repository, digest: &Digest) -> bool {
        self.of.contains(&image_name(repository, digest.as_str()))
    }

    /// Lists `listed`: in the place of the one with the same name, or with the same digest where it has none.
    pub(super) fn put(&mut self, listed: Listed) {
        self.of.extend(listed.repository_and_digest());
        match self.places.entry(listed.key()) {
            Entry::Occupied(at) => {
                let old = std::mem::replace(&mut self.manifests[*at.get()], listed);
                if old.digest != self.manifests[*at.get()].digest {
                    self.look_up_again();
                }
            }
            Entry::Vacant(place) => {
                place.insert(self.manifests.len());
                self.manifests.push(listed);
            }
        }
    }

    /// The text of the file, the same for the same entries in whatever order they were put.
    pub(super) fn render(&mut self) -> Vec<u8> {
        self.manifests.sort_by(|a, b| (a.name(), &a.digest).cmp(&(b.name(), &b.digest)));
        self.look_up_again();
        let mut text = serde_json::to_vec(self).expect("strings and numbers are JSON");
        text.push(b'\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(digit: &str) -> Digest {
        Digest::parse(&format!("sha256:{}", digit.repeat(64))).unwrap()
    }

    fn listed(annotations: &str) -> Listed {
        let digest = digest("a");
        serde_json::from_str(&format!(
            r#"{{"mediaType":"m","digest":"{digest}","size":2,"annotations":{annotations}}}"#
        ))
        .unwrap()
    }

    #[test]
    fn which_image_a_name_means() {
        for (annotations, want) in [
            (
                r#"{"org.opencontainers.image.ref.name":"docker.io/library/nginx:1"}"#,
                Some("docker.io/library/nginx:1"),
            ),
            (r#"{"org.opencontainers.image.ref.name":"nginx:1"}"#, Some("docker.io/library/nginx:1")),
            (r#"{"org.opencontainers.image.ref.name":"localhost:5000/a"}"#, Some("localhost:5000/a:latest")),
            (r#"{"org.opencontainers.image.ref.name":"1.27"}"#, None),
            (r#"{"org.opencontainers.image.ref.name":"a//b:1"}"#, None),
            (
                r#"{"org.opencontainers.image.ref.name":"1","io.containerd.image.name":"ghcr.io/a/b:1"}"#,
                Some("ghcr.io/a/b:1"),
            ),
            ("{}", None),
        ] {
            assert_eq!(listed(annotations).reference().as_deref(), want, "{annotations}");
        }
    }

    #[test]
    fn the_text_does_not_depend_on_the_order() {
        let render = |order: &[usize]| {
            let all = [
                Listed::new(Some("b/c:1"), "m", &digest("1"), 1),
                Listed::new(Some("b/a:1"), "m", &digest("2"), 1),
                Listed::new(None, "m", &digest("3"), 1),
            ];
            let mut index = IndexFile::default();
            for at in order {
                index.put(all[*at].clone());
            }
            String::from_utf8(index.render()).unwrap()
        };
        assert_eq!(render(&[0, 1, 2]), render(&[2, 1, 0, 0, 2]));
    }

    #[test]
    fn a_name_is_there_once_and_what_others_wrote_is_kept() {
        let text = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"m","digest":"{}","size":2,"platform":{{"os":"linux","architecture":"arm64"}},"annotations":{{"org.opencontainers.image.ref.name":"1"}}}}],"annotations":{{"a":"b"}}}}"#,
            digest("a")
        );
        let mut index = IndexFile::parse(text.as_bytes()).unwrap();
        let written: Value = serde_json::from_slice(&index.render()).unwrap();
        assert_eq!(written, serde_json::from_str::<Value>(&text).unwrap());
        index.put(Listed::new(Some("1"), "m", &digest("b"), 3));
        assert_eq!(index.manifests.len(), 1);
        assert_eq!(index.manifests[0].digest(), Ok(digest("b")));
    }
}
