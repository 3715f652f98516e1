//! The images that are built with entries, to be copied and verified: what an entry makes of the images that it applies to,
//! and what the maps make of that.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::manifest::{KustomizeImage, Place};
use crate::maps::Maps;

use super::super::plan::{BuiltImage, Plan, Skip, SkipReason};
use super::entry::{entry_site, mapped, suffix};
use super::graph::{ImagesByName, Renaming};
use super::input::looks_at_tags;
use super::renames::Renames;

/// The images that arrive at the entries of a Kustomization.
#[derive(Debug, Clone, Default)]
pub struct Arriving {
    /// The images before the maps.
    pub images: ImagesByName,
    /// Whether there are no others: all that it is built from is known.
    pub is_whole: bool,
}

/// Why it is not known which images an entry applies to.
const UNKNOWN_TAGS: &str =
    "the tags of the images that it renames are not among the given files, and it sets none";

impl Renames {
    /// Lists in [`Plan::built`] the images that are built with the entries of `plan`, which has followed these images of the
    /// tree. `arriving`: the images that its Kustomization applies them to.
    pub(in crate::rewrite) fn list_built(&self, plan: &mut Plan, arriving: &Arriving, maps: &Maps) {
        let entries = std::mem::take(&mut plan.kustomize_images);
        let left = left_alone(plan);
        let builds_more = || plan.skips.iter().any(|skip| matches!(skip.reason, SkipReason::Build(_)));
        let is_whole = arriving.is_whole && !builds_more();
        let mut images = arriving.images.clone();
        for entry in &entries {
            let Some(name) = &entry.name else { continue };
            let resource = entry.resource.map(|index| &plan.resources[index]);
            let is_own = resource.is_none_or(|resource| resource.is_kustomization());
            let renamed = Renaming::of(entry).filter(|_| is_own).and_then(|own| own.apply(&mut images));
            let own = suffix(entry);
            if own.is_empty() && entry.new_name.is_none() {
                continue;
            }
            let new_name = entry.new_name.as_ref();
            let scalars = [Some(name), new_name].into_iter().flatten();
            let reason = scalars.into_iter().find_map(|text| left.get(&text.span.start));
            let suffixes = match (reason, renamed) {
                (None, _) if !own.is_empty() => Ok(BTreeSet::from([own.clone()])),
                (None, Some(suffixes)) => Ok(suffixes),
                // Nothing is built with it.
                (_, None) if is_own && is_whole => continue,
                (Some(reason), _) => Err(reason.clone()),
                (None, None)
                    if !is_own && resource.is_some_and(|resource| resource.kind != "HelmRelease") =>
                {
                    tag_in(self, &name.value).ok_or_else(|| UNKNOWN_TAGS.to_owned())
                }
                (None, None) => Err(UNKNOWN_TAGS.to_owned()),
            };
            let base = &new_name.unwrap_or(name).value;
            let built = suffixes.and_then(|suffixes| built(base, &suffixes, maps));
            match built {
                Ok(built) => plan.built.extend(built),
                Err(reason) if may_move(entry, base, maps) => {
                    let mut site = entry_site(entry, name, "name", plan);
                    site.image = format!("{base}{own}");
                    plan.unbuilt.push(Skip { site, reason: SkipReason::Kustomize(reason) });
                }
                Err(_) => {}
            }
        }
        plan.kustomize_images = entries;
    }
}

/// The images of the name `base` with each of these tags and digests, and what the maps make of them.
fn built(base: &str, suffixes: &BTreeSet<String>, maps: &Maps) -> Result<Vec<BuiltImage>, String> {
    let images = suffixes.iter().map(|suffix| format!("{base}{suffix}"));
    let built = images.map(|image| {
        let mapped = mapped(&image, maps)?;
        Ok(BuiltImage { image, to: format!("{}{}", mapped.name, mapped.suffix) })
    });
    built.collect()
}

/// The tag and digest of the images of `name`, where the tree has it with one.
fn tag_in(tree: &Renames, name: &str) -> Option<BTreeSet<String>> {
    let suffixes = &tree.of(name)?.suffixes;
    (suffixes.len() == 1).then(|| suffixes.keys().cloned().collect())
}

/// Why entries are left alone, by where their names and new names start.
fn left_alone(plan: &Plan) -> FxHashMap<usize, String> {
    let is_of_entry = |place: Place| place == Place::RenderInput;
    let skips = plan.skips.iter().filter(|skip| {
        is_of_entry(skip.site.place)
            && matches!(skip.reason, SkipReason::Kustomize(_) | SkipReason::Blocked(_))
    });
    let skips = skips.map(|skip| (skip.site.span.start, skip.reason.message()));
    let problems = plan.problems.iter().filter(|problem| is_of_entry(problem.site.place));
    skips.chain(problems.map(|problem| (problem.site.span.start, problem.kind.to_string()))).collect()
}

/// Whether the maps may move an image that is built with `entry`, of the name `base`.
fn may_move(entry: &KustomizeImage, base: &str, maps: &Maps) -> bool {
    let own = suffix(entry);
    let stays = mapped(&format!("{base}{own}"), maps)
        .is_ok_and(|mapped| mapped.name == *base && mapped.suffix == own);
    !stays || (own.is_empty() && looks_at_tags(maps))
}
