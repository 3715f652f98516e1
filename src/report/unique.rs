//! Each image once, by its canonical reference; with maps, pairs of source and target for programs that copy images, and
//! `images:` lists.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use crate::image::ImageReference;
use crate::manifest::Place;
use crate::rewrite::BuiltImage;

use super::inventory::{Listed, Table};
use super::json::line;

/// A source and what it becomes.
pub type Pair = (String, String);

/// Images without their places, each once: what is kept of them takes memory for those that differ alone.
#[derive(Debug, Default)]
pub struct DistinctImages(BTreeSet<DistinctImage>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct DistinctImage {
    /// As written.
    image: String,
    target: Option<Arc<str>>,
    status: &'static str,
    /// Whether it stands at a place that a rewrite changes.
    is_site: bool,
    /// Where it stands, when an `images:` list does not reach it there.
    out_of_reach: Option<&'static str>,
}

impl DistinctImages {
    /// Adds an image.
    pub fn add(&mut self, listed: Listed) {
        let Listed { site, status, target, .. } = listed;
        let is_site = site.place.is_site();
        let out_of_reach = match site.place {
            Place::Variable => Some("an environment variable"),
            Place::Argument => Some("an argument"),
            Place::Annotation => Some("an annotation"),
            Place::Data => Some("the data of a ConfigMap"),
            _ => None,
        };
        self.0.insert(DistinctImage { image: site.image, target, status, is_site, out_of_reach });
    }

    /// Whether any of them could be copied: it is a reference in full.
    #[must_use]
    pub fn has_references(&self) -> bool {
        !pairs(self).is_empty()
    }

    /// Adds an image that is built with an entry of a Kustomization.
    pub fn add_built(&mut self, built: &BuiltImage) {
        let (image, target) = (built.image.clone(), Some(Arc::from(built.to.as_str())));
        self.0.insert(DistinctImage { image, target, status: "ok", is_site: true, out_of_reach: None });
    }

    /// Adds what another thread found.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

/// The pairs of canonical source and target, each once. Images that are no reference have none.
fn pairs(images: &DistinctImages) -> BTreeSet<Pair> {
    let pair = |entry: &DistinctImage| {
        let source = ImageReference::parse(&entry.image).ok()?.canonical();
        let target = entry.target.as_deref().unwrap_or(&entry.image);
        let target = if target == entry.image { source.clone() } else { target.to_owned() };
        Some((source, target))
    };
    images.0.iter().filter(|entry| matches!(entry.status, "ok" | "skipped")).filter_map(pair).collect()
}

/// Adds an error for each target that several sources share, since copying would overwrite one with the other, and returns
/// those targets.
pub fn check_targets(images: &DistinctImages, errors: &mut Vec<String>) -> BTreeSet<String> {
    let mut sources: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (source, target) in pairs(images) {
        sources.entry(canonical(&target)).or_default().insert(source);
    }
    sources.retain(|_, sources| sources.len() > 1);
    for (target, sources) in &sources {
        let names: Vec<&str> = sources.iter().map(String::as_str).collect();
        errors.push(format!(
            "{} share the target {target}: give one of them a rule of its own",
            names.join(" and ")
        ));
    }
    sources.into_keys().collect()
}

fn canonical(image: &str) -> String {
    ImageReference::parse(image).map_or(image.to_owned(), ImageReference::canonical)
}

/// The images, each with its target where there are maps. What stays where it is need not be copied, and of two for one
/// place neither is.
fn printed(images: &DistinctImages, with_maps: bool, errors: &mut Vec<String>) -> BTreeSet<Pair> {
    let mut pairs = pairs(images);
    if with_maps {
        let shared = check_targets(images, errors);
        pairs.retain(|(source, target)| source != target && !shared.contains(&canonical(target)));
    }
    pairs
}

/// The pairs of source and target that differ, each with how the source is written. As everywhere here, targets that several
/// sources share are added to `errors`.
pub fn moved(images: &DistinctImages, errors: &mut Vec<String>) -> BTreeMap<Pair, BTreeSet<String>> {
    let mut spellings: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in &images.0 {
        if let Some(image) = parse(&entry.image) {
            spellings.entry(image.canonical()).or_default().insert(entry.image.clone());
        }
    }
    let pairs = printed(images, true, errors).into_iter();
    pairs
        .map(|(source, target)| {
            let written = spellings.get(&source).cloned().unwrap_or_default();
            ((source, target), written)
        })
        .collect()
}

/// A line for each image or pair. As everywhere here, targets that several sources share are added to `errors`.
pub fn text(images: &DistinctImages, with_maps: bool, errors: &mut Vec<String>) -> String {
    let mut out = String::new();
    for (source, target) in printed(images, with_maps, errors) {
        let _ = if with_maps { writeln!(out, "{source} {target}") } else { writeln!(out, "{source}") };
    }
    out
}

/// A JSON object for each image or pair.
pub fn json(images: &DistinctImages, with_maps: bool, errors: &mut Vec<String>) -> String {
    let mut out = String::new();
    for (source, target) in printed(images, with_maps, errors) {
        if with_maps {
            line(&mut out, &serde_json::json!({ "image": source, "target": target }));
        } else {
            line(&mut out, &serde_json::json!({ "image": source }));
        }
    }
    out
}

/// A row for each image or pair, without a header.
pub fn table(images: &DistinctImages, delimiter: u8, with_maps: bool, errors: &mut Vec<String>) -> String {
    let mut table = Table::new(delimiter);
    for (source, target) in printed(images, with_maps, errors) {
        if with_maps { table.row([source, target]) } else { table.row([source]) }
    }
    table.into_text()
}

/// An `images:` list that does what the maps do, for kustomize, Flux and Argo CD.
pub fn kustomize(images: &DistinctImages, errors: &mut Vec<String>) -> String {
    let shared = check_targets(images, errors);
    let mut entries: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut impossible: BTreeSet<&str> = BTreeSet::new();
    for entry in images.0.iter().filter(|entry| entry.status == "ok" && entry.is_site) {
        let (Ok(source), Some(target)) =
            (ImageReference::parse(&entry.image), entry.target.as_deref().and_then(parse))
        else {
            continue;
        };
        if let Some(place) = entry.out_of_reach {
            if entry.image != target.as_str() {
                errors.push(format!(
                    "{} is in {place}, which an images: list does not change: use imageswap rewrite",
                    entry.image
                ));
            }
            continue;
        }
        if shared.contains(&target.canonical()) {
            impossible.insert(source.name());
        }
        if source.suffix() != target.suffix() {
            impossible.insert(source.name());
            errors.push(format!(
                "{} becomes {}: an images: list cannot give each tag another",
                entry.image,
                target.as_str()
            ));
            continue;
        }
        entries.entry(source.name()).or_default().insert(target.name());
    }
    let mut out = String::from("images:\n");
    let mut any = false;
    for (name, new_names) in entries.iter().filter(|(name, _)| !impossible.contains(*name)) {
        if new_names.len() > 1 {
            let names: Vec<&str> = new_names.iter().copied().collect();
            errors.push(format!("{name} becomes {}: an images: list can say only one", names.join(" and ")));
            continue;
        }
        for new_name in new_names.iter().filter(|new_name| *new_name != name) {
            any = true;
            let _ = writeln!(out, "- name: {name}\n  newName: {new_name}");
        }
    }
    if any { out } else { "images: []\n".to_owned() }
}

fn parse(text: &str) -> Option<ImageReference<'_>> {
    ImageReference::parse(text).ok()
}
