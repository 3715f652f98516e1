//! An `images:` list for kustomize, Flux and Argo CD. Its entries name repositories, so only path rules have a place.

use serde::Serialize;

use super::Exported;
use super::redirect::Redirect;
use crate::image::DOCKER_HUB;
use crate::maps::Rule;

#[derive(Serialize)]
struct Kustomization {
    images: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: String,
    new_name: String,
}

pub(super) fn write(redirects: &[(&Rule, Redirect)], exported: &mut Exported) {
    let mut images = Vec::new();
    for (rule, redirect) in redirects {
        let Some(location) = &redirect.location else {
            exported.note(rule, "leaves images alone, as kustomize does without an entry");
            continue;
        };
        if redirect.whole_registry().is_some() {
            let message = "names a whole registry; an entry names one repository \
                           (`imageswap images --format kustomize` lists those of a tree)";
            exported.note(rule, message);
            continue;
        }
        // kustomize compares names as they are written, and Docker Hub's are written short.
        let hub = redirect.prefix.strip_prefix(DOCKER_HUB).and_then(|path| path.strip_prefix('/'));
        let name = match hub {
            Some(path) => path.strip_prefix("library/").unwrap_or(path),
            None => redirect.prefix.as_str(),
        };
        exported.note(rule, format!("covers what lies under {}; the entry only that name", redirect.prefix));
        images.push(Entry { name: name.to_owned(), new_name: location.clone() });
    }
    let text = serde_saphyr::to_string(&Kustomization { images }).expect("strings and lists are YAML");
    exported.file("images.yaml", text);
}
