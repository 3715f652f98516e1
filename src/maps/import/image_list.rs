//! Lists of images that name no target: Zarf packages, and Helm charts' `artifacthub.io/images`. Each registry in
//! the list becomes one rule to the target that the user gives.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::image::ImageReference;

use super::{Collector, ImportError, ImportSource, hub, yaml};
use crate::maps::name::NamePrefix;

#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default)]
    images: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
struct Chart {
    #[serde(default)]
    annotations: BTreeMap<String, Spanned<String>>,
}

#[derive(Deserialize)]
struct ChartImage {
    image: String,
}

pub(super) fn zarf(
    source: ImportSource<'_>,
    target: Option<&str>,
    into: &mut Collector,
) -> Result<(), ImportError> {
    let packages = yaml::documents::<Package>(source, "zarf.yaml")?;
    let images = packages.into_iter().flat_map(|package| package.components).flat_map(|part| part.images);
    let images: Vec<(String, usize)> =
        images.map(|image| (image.value.clone(), yaml::line(&image))).collect();
    registries(source, &images, target, into)
}

pub(super) fn helm(
    source: ImportSource<'_>,
    target: Option<&str>,
    into: &mut Collector,
) -> Result<(), ImportError> {
    let mut images = Vec::new();
    for chart in yaml::documents::<Chart>(source, "Chart.yaml")? {
        let Some(list) = chart.annotations.get("artifacthub.io/images") else { continue };
        let at = yaml::line(list);
        let inner = ImportSource { name: source.name, text: &list.value };
        let entries = yaml::documents::<Vec<ChartImage>>(inner, "list in artifacthub.io/images")?;
        images.extend(entries.into_iter().flatten().map(|entry| (entry.image, at)));
    }
    registries(source, &images, target, into)
}

fn registries(
    source: ImportSource<'_>,
    images: &[(String, usize)],
    target: Option<&str>,
    into: &mut Collector,
) -> Result<(), ImportError> {
    let target = target.ok_or_else(|| ImportError::NoTarget { file: source.name.to_owned() })?;
    let target = hub::without_scheme(target);
    NamePrefix::parse(target)
        .map_err(|error| ImportError::BadTarget { target: target.to_owned(), reason: error.to_string() })?;
    for (image, at) in images {
        match ImageReference::parse(image) {
            Ok(reference) => {
                let registry = reference.registry().map_or_else(
                    || reference.canonical_registry().to_owned(),
                    |_| match reference.port() {
                        Some(port) => format!("{}:{port}", reference.canonical_registry()),
                        None => reference.canonical_registry().to_owned(),
                    },
                );
                into.rule(registry, format!("{target}/{{registry}}/{{path}}"), *at);
            }
            Err(error) => into.note(*at, format!("{image:?} is not a valid image reference: {error}")),
        }
    }
    Ok(())
}
