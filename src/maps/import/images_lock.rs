//! An ImagesLock as kbld and imgpkg write it (`imgpkg.carvel.dev/v1alpha1`), and the `overrides` of a kbld Config
//! or ImageOverrides (`kbld.k14s.io/v1alpha1`).
//!
//! ```yaml
//! kind: ImagesLock
//! images:
//! - image: mirror.example.com/app@sha256:…
//!   annotations: {kbld.carvel.dev/id: "quay.io/team/app:1"}
//! ```
//! becomes `[EXACT]quay.io/team/app:1::mirror.example.com/app@sha256:…`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{Collector, ImportError, ImportSource, yaml};

/// kbld's annotation with the reference as it stood in the manifest.
const ID: &str = "kbld.carvel.dev/id";

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    images: Vec<Locked>,
    #[serde(default)]
    overrides: Vec<Override>,
}

#[derive(Deserialize)]
struct Locked {
    image: Spanned<String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Override {
    image: Option<Spanned<String>>,
    image_repo: Option<Spanned<String>>,
    new_image: String,
}

pub(super) fn read(source: ImportSource<'_>, into: &mut Collector) -> Result<(), ImportError> {
    for document in yaml::documents::<Document>(source, "ImagesLock or kbld Config")? {
        for locked in document.images {
            let (image, at) = (locked.image.value.clone(), yaml::line(&locked.image));
            match locked.annotations.get(ID) {
                Some(id) => into.rule(format!("[EXACT]{id}"), image, at),
                None => {
                    into.note(
                        at,
                        format!("{image} has no annotation {ID}, so what it stands for is unknown"),
                    );
                }
            }
        }
        for entry in document.overrides {
            match (entry.image, entry.image_repo) {
                (Some(image), _) => {
                    let at = yaml::line(&image);
                    into.rule(format!("[EXACT]{}", image.value), entry.new_image, at);
                }
                (None, Some(repository)) => {
                    let at = yaml::line(&repository);
                    let key = super::hub::repository_key(&repository.value);
                    into.rule(key, entry.new_image, at);
                }
                (None, None) => into.note(0, "an override without image and imageRepo"),
            }
        }
    }
    Ok(())
}
