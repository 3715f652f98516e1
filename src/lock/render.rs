//! From entries to text: sorted, no timestamps, the same bytes for the same entries.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::image::ImageReference;

use super::entry::{LockEntry, Looked};
use super::{API_VERSION, KIND, Lock};

/// The reference as written; what kbld replaces.
pub(super) const ID: &str = "kbld.carvel.dev/id";
/// Where the digest comes from, in kbld's words.
pub(super) const ORIGINS: &str = "kbld.carvel.dev/origins";
/// What the image became, with its tag.
pub(super) const TARGET: &str = "imageswap.dev/target";
/// The reference whose digest was looked up, where that is not the target.
pub(super) const SOURCE: &str = "imageswap.dev/source";
/// The platform whose digest it is.
pub(super) const PLATFORM: &str = "imageswap.dev/platform";
/// The digest before this one.
pub(super) const PREVIOUS: &str = "imageswap.dev/previous";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'l> {
    api_version: &'static str,
    kind: &'static str,
    images: Vec<Image<'l>>,
}

#[derive(Serialize)]
struct Image<'l> {
    image: String,
    annotations: BTreeMap<&'l str, &'l str>,
}

#[derive(Serialize)]
struct Origin<'l> {
    resolved: Resolved<'l>,
}

#[derive(Serialize)]
struct Resolved<'l> {
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<&'l str>,
    url: &'l str,
}

impl Lock {
    /// The text of the lock file.
    ///
    /// # Panics
    /// Never: strings and maps of strings are YAML.
    #[must_use]
    pub fn render(&self) -> String {
        let origins: Vec<String> = self.entries().map(origins).collect();
        let images = self
            .entries()
            .zip(&origins)
            .map(|(entry, origins)| Image { image: entry.image(), annotations: annotations(entry, origins) });
        let document = Document { api_version: API_VERSION, kind: KIND, images: images.collect() };
        let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
        let text = serde_saphyr::to_string_with_options(&document, options).expect("strings are YAML");
        format!("---\n{text}")
    }
}

fn annotations<'l>(entry: &'l LockEntry, origins: &'l str) -> BTreeMap<&'l str, &'l str> {
    let mut annotations: BTreeMap<&str, &str> =
        entry.annotations.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    annotations.insert(ID, &entry.id);
    annotations.insert(TARGET, &entry.target);
    annotations.insert(ORIGINS, origins);
    if let Looked::Source(source) = &entry.looked {
        annotations.insert(SOURCE, source);
    }
    if let Some(platform) = &entry.platform {
        annotations.insert(PLATFORM, platform);
    }
    if let Some(previous) = &entry.previous {
        annotations.insert(PREVIOUS, previous.as_str());
    }
    annotations
}

/// `kbld.carvel.dev/origins`: which tag was looked up.
fn origins(entry: &LockEntry) -> String {
    let url = entry.looked_up();
    let tag = ImageReference::parse(url).ok().and_then(ImageReference::tag);
    let origins = [Origin { resolved: Resolved { tag, url } }];
    serde_saphyr::to_string(&origins).expect("strings are YAML")
}
