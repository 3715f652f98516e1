//! The `images:` list of a Kustomization.
//!
//! ```yaml
//! images:
//! - name: quay.io/team/app
//!   newName: mirror.example.com/team/app
//! ```
//! becomes `quay.io/team/app::mirror.example.com/team/app`.

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{Collector, ImportError, ImportSource, hub, yaml};

#[derive(Deserialize)]
struct Kustomization {
    #[serde(default)]
    images: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: Spanned<String>,
    new_name: Option<String>,
    new_tag: Option<Spanned<String>>,
    digest: Option<Spanned<String>>,
    tag_suffix: Option<Spanned<String>>,
}

pub(super) fn read(source: ImportSource<'_>, into: &mut Collector) -> Result<(), ImportError> {
    for kustomization in yaml::documents::<Kustomization>(source, "Kustomization")? {
        for entry in kustomization.images {
            let (name, at) = (&entry.name.value, yaml::line(&entry.name));
            if let Some(new_name) = &entry.new_name {
                into.rule(hub::repository_key(name), new_name.clone(), at);
            }
            let parts =
                [("newTag", &entry.new_tag), ("digest", &entry.digest), ("tagSuffix", &entry.tag_suffix)];
            for (key, part) in parts {
                if let Some(part) = part {
                    let message = format!(
                        "{name}: {key} {} applies to any tag; a rule sets a tag or digest only as \
                         [EXACT]{name}:OLD::NEW, which names the old one",
                        part.value
                    );
                    into.note(yaml::line(part), message);
                }
            }
        }
    }
    Ok(())
}
