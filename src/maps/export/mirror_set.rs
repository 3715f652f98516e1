//! OpenShift's ImageDigestMirrorSet and ImageTagMirrorSet (config.openshift.io/v1).

use serde::Serialize;

use super::redirect::{LIBRARY_NOTE, Redirect};
use super::{ExportFormat, Exported, object};
use crate::maps::Rule;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(skip_serializing_if = "Option::is_none")]
    image_digest_mirrors: Option<Vec<Mirrors>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_tag_mirrors: Option<Vec<Mirrors>>,
}

#[derive(Serialize)]
struct Mirrors {
    source: String,
    mirrors: Vec<String>,
}

pub(super) fn write(redirects: &[(&Rule, Redirect)], format: ExportFormat, exported: &mut Exported) {
    let mut entries = Vec::new();
    for (rule, redirect) in redirects {
        let Some(location) = &redirect.location else {
            exported.note(rule, "leaves images alone; a mirror set cannot except a part of what it mirrors");
            continue;
        };
        if redirect.drops_library {
            exported.note(rule, LIBRARY_NOTE);
        }
        entries.push(Mirrors { source: redirect.prefix.clone(), mirrors: vec![location.clone()] });
    }
    let by_tag = format == ExportFormat::ImageTagMirrorSet;
    let (kind, spec) = if by_tag {
        ("ImageTagMirrorSet", Spec { image_digest_mirrors: None, image_tag_mirrors: Some(entries) })
    } else {
        ("ImageDigestMirrorSet", Spec { image_digest_mirrors: Some(entries), image_tag_mirrors: None })
    };
    let text = object::render("config.openshift.io/v1", kind, "imageswap", spec);
    exported.file("mirrorset.yaml", text);
}
