//! Each image once, by its canonical reference; with maps, pairs of source and target for programs that copy images, and
//! `images:` lists.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::image::ImageReference;

use super::inventory::{Listed, Table};
use super::json::line;

/// A source and what it becomes.
pub type Pair = (String, String);

/// The pairs of canonical source and target, each once. Images that are no reference have none.
fn pairs(listed: &[Listed]) -> BTreeSet<Pair> {
    let pair = |entry: &Listed| {
        let source = ImageReference::parse(&entry.site.image).ok()?.canonical();
        let target = entry.target.as_deref().unwrap_or(&entry.site.image);
        let target = if target == entry.site.image { source.clone() } else { target.to_owned() };
        Some((source, target))
    };
    listed.iter().filter(|entry| matches!(entry.status, "ok" | "skipped")).filter_map(pair).collect()
}

/// Adds an error for each target that several sources share, since copying would overwrite one with the other, and returns
/// those targets.
pub fn check_targets(listed: &[Listed], errors: &mut Vec<String>) -> BTreeSet<String> {
    let mut sources: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (source, target) in pairs(listed) {
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
fn printed(listed: &[Listed], with_maps: bool, errors: &mut Vec<String>) -> BTreeSet<Pair> {
    let mut pairs = pairs(listed);
    if with_maps {
        let shared = check_targets(listed, errors);
        pairs.retain(|(source, target)| source != target && !shared.contains(&canonical(target)));
    }
    pairs
}

/// The pairs of source and target that differ, each with how the source is written. As everywhere here, targets that several
/// sources share are added to `errors`.
pub fn moved(listed: &[Listed], errors: &mut Vec<String>) -> BTreeMap<Pair, BTreeSet<String>> {
    let mut spellings: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in listed {
        if let Some(image) = parse(&entry.site.image) {
            spellings.entry(image.canonical()).or_default().insert(entry.site.image.clone());
        }
    }
    let pairs = printed(listed, true, errors).into_iter();
    pairs
        .map(|(source, target)| {
            let written = spellings.get(&source).cloned().unwrap_or_default();
            ((source, target), written)
        })
        .collect()
}

/// A line for each image or pair. As everywhere here, targets that several sources share are added to `errors`.
pub fn text(listed: &[Listed], with_maps: bool, errors: &mut Vec<String>) -> String {
    let mut out = String::new();
    for (source, target) in printed(listed, with_maps, errors) {
        let _ = if with_maps { writeln!(out, "{source} {target}") } else { writeln!(out, "{source}") };
    }
    out
}

/// A JSON object for each image or pair.
pub fn json(listed: &[Listed], with_maps: bool, errors: &mut Vec<String>) -> String {
    let mut out = String::new();
    for (source, target) in printed(listed, with_maps, errors) {
        if with_maps {
            line(&mut out, &serde_json::json!({ "image": source, "target": target }));
        } else {
            line(&mut out, &serde_json::json!({ "image": source }));
        }
    }
    out
}

/// A row for each image or pair, without a header.
pub fn table(listed: &[Listed], delimiter: u8, with_maps: bool, errors: &mut Vec<String>) -> String {
    let mut table = Table::new(delimiter);
    for (source, target) in printed(listed, with_maps, errors) {
        if with_maps { table.row([source, target]) } else { table.row([source]) }
    }
    table.into_text()
}

/// An `images:` list that does what the maps do, for kustomize, Flux and Argo CD.
pub fn kustomize(listed: &[Listed], errors: &mut Vec<String>) -> String {
    let shared = check_targets(listed, errors);
    let mut entries: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut impossible: BTreeSet<&str> = BTreeSet::new();
    for entry in listed.iter().filter(|entry| entry.status == "ok" && entry.site.place.is_site()) {
        let (Ok(source), Some(target)) =
            (ImageReference::parse(&entry.site.image), entry.target.as_deref().and_then(parse))
        else {
            continue;
        };
        if shared.contains(&target.canonical()) {
            impossible.insert(source.name());
        }
        if source.suffix() != target.suffix() {
            impossible.insert(source.name());
            errors.push(format!(
                "{} becomes {}: an images: list cannot give each tag another",
                entry.site.image,
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
