//! OpenShift's ImageDigestMirrorSet, ImageTagMirrorSet and ImageContentSourcePolicy (config.openshift.io/v1,
//! operator.openshift.io/v1alpha1).
//!
//! ```yaml
//! kind: ImageDigestMirrorSet
//! spec:
//!   imageDigestMirrors:
//!   - source: registry.redhat.io/ubi8
//!     mirrors: [mirror.example.com/ubi8]
//! ```
//! becomes `registry.redhat.io/ubi8::mirror.example.com/ubi8`.

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{Collector, ImportError, ImportSource, yaml};

#[derive(Deserialize)]
struct MirrorSet {
    kind: Option<String>,
    spec: Option<Spec>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default)]
    image_digest_mirrors: Vec<Mirrors>,
    #[serde(default)]
    image_tag_mirrors: Vec<Mirrors>,
    /// ImageContentSourcePolicy's.
    #[serde(default)]
    repository_digest_mirrors: Vec<Mirrors>,
}

#[derive(Deserialize)]
struct Mirrors {
    source: Spanned<String>,
    #[serde(default)]
    mirrors: Vec<Spanned<String>>,
}

pub(super) fn read(source: ImportSource<'_>, into: &mut Collector) -> Result<(), ImportError> {
    for set in yaml::documents::<MirrorSet>(source, "ImageDigestMirrorSet or ImageTagMirrorSet")? {
        let Some(spec) = set.spec else { continue };
        let only = match set.kind.as_deref() {
            Some("ImageDigestMirrorSet" | "ImageContentSourcePolicy") => Some("images with a digest"),
            Some("ImageTagMirrorSet") => Some("images with a tag"),
            _ => None,
        };
        let all = spec.image_digest_mirrors.iter().chain(&spec.image_tag_mirrors);
        for entry in all.chain(&spec.repository_digest_mirrors) {
            let mirrors: Vec<(String, usize)> =
                entry.mirrors.iter().map(|mirror| (mirror.value.clone(), yaml::line(mirror))).collect();
            let at = yaml::line(&entry.source);
            let before = into.imported.rules.len();
            into.mirrors(&entry.source.value, &mirrors, at);
            if let Some(only) = only.filter(|_| into.imported.rules.len() > before) {
                into.note(at, format!("{}: for {only} only there, for all images here", entry.source.value));
            }
        }
    }
    Ok(())
}
