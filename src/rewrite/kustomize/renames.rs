//! What the names of a tree's images become, and which of them become one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use memchr::{memchr, memrchr};
use rustc_hash::FxHashMap;

use crate::image::ImageReference;
use crate::manifest::{Blocked, KustomizeImage};
use crate::maps::{Maps, Rule};

use super::super::plan::{Plan, SkipReason};
use super::entry::{mapped, suffix};
use super::graph::ImagesByName;

/// How long a name may be that an entry could give, in bytes: longer than any reference. What stands in an image's place may
/// be a whole document.
const NAME_MAX: usize = 1024;

/// What the names of a tree's images (without tag and digest, as written) become.
#[derive(Debug, Default)]
pub struct Renames {
    names: FxHashMap<String, Rename>,
    /// For each name that images have after the rewrite, those that they had before, and the name itself where an entry
    /// gives it already. Filled in when all is learned.
    before: FxHashMap<String, BTreeSet<String>>,
    /// The names that images have where the entries at hand are applied, if that is known.
    arriving: Option<BTreeSet<String>>,
    /// Two entries that Argo CD would apply in another order than before.
    reordered: Option<[String; 2]>,
}

/// What one name becomes.
#[derive(Debug, Clone, Default)]
pub(super) struct Rename {
    /// The new name, and in a tree where the same name becomes several, all of them.
    pub(super) to: BTreeSet<String>,
    pub(super) rule: Option<Arc<Rule>>,
    /// The tags and digests that images of the name have (`:1.27`), and what becomes of each.
    pub(super) suffixes: BTreeMap<String, String>,
}

impl Renames {
    /// Adds the images of `plan`, changed or not.
    pub fn learn(&mut self, plan: &Plan) {
        for change in &plan.changes {
            let image = &*change.site.image;
            // Pinned or not, it is what the maps make of it that entries follow.
            let unpinned = change.to.rsplit_once('@').filter(|_| change.pinned).map(|(target, _)| {
                let digest = image.find('@').map_or("", |at| &image[at..]);
                format!("{target}{digest}")
            });
            self.add(image, unpinned.as_deref().unwrap_or(&change.to), change.rule.as_ref());
        }
        for kept in &plan.kept {
            self.add(&kept.site.image, &kept.site.image, None);
        }
        for skip in &plan.skips {
            // A placeholder (`CONTROLLER_IMAGE:latest`) has a name that entries give, too.
            let name = name_of(&skip.site.image);
            let is_named =
                || ImageReference::parse(&skip.site.image).is_ok() || ImageReference::parse(name).is_err();
            if name.len() <= NAME_MAX && stays(&skip.reason) && is_named() {
                self.add(&skip.site.image, &skip.site.image, None);
            }
        }
    }

    /// Adds what another part of the tree taught. The order of parts does not matter.
    pub fn merge(&mut self, other: Self) {
        for (name, rename) in other.names {
            let known = self.names.entry(name).or_default();
            known.to.extend(rename.to);
            known.suffixes.extend(rename.suffixes);
            known.is_by(rename.rule.as_ref());
        }
    }

    /// Adds that the image `from` becomes `to`.
    fn add(&mut self, from: &str, to: &str, rule: Option<&Arc<Rule>>) {
        let (name, new_name) = (name_of(from), name_of(to));
        let (suffix, new_suffix) = (&from[name.len()..], &to[new_name.len()..]);
        if !self.names.contains_key(name) {
            self.names.insert(name.to_owned(), Rename::default());
        }
        let Some(known) = self.names.get_mut(name) else { return };
        if !known.to.contains(new_name) {
            known.to.insert(new_name.to_owned());
        }
        if !known.suffixes.contains_key(suffix) {
            known.suffixes.insert(suffix.to_owned(), new_suffix.to_owned());
        }
        known.is_by(rule);
    }

    /// Adds the names that entries give: one overlay's `newName` may be another's `name`.
    /// Each entry comes with the maps for its file.
    pub fn add_entries(&mut self, entries: &[(&KustomizeImage, &Maps)]) {
        if entries.is_empty() {
            return;
        }
        for (name, rename) in &self.names {
            for to in &rename.to {
                self.before.entry(to.clone()).or_default().insert(name.clone());
            }
        }
        // Each name once: entries may be a chain of thousands, in any order.
        let mut by_name: FxHashMap<&str, Vec<(&KustomizeImage, &Maps)>> = FxHashMap::default();
        for &(entry, maps) in entries {
            if let Some(name) = &entry.name {
                by_name.entry(&name.value).or_default().push((entry, maps));
            }
        }
        let mut open: Vec<String> = by_name
            .keys()
            .filter(|name| self.names.contains_key(**name))
            .map(|&name| name.to_owned())
            .collect();
        while let Some(name) = open.pop() {
            for (entry, maps) in by_name.remove(name.as_str()).unwrap_or_default() {
                let Some(new_name) = &entry.new_name else { continue };
                let image = format!("{}{}", new_name.value, suffix(entry));
                if let Ok(mapped) = mapped(&image, maps) {
                    let to = format!("{}{}", mapped.name, mapped.suffix);
                    self.add(&image, &to, mapped.rule.as_ref());
                    let given = name_of(&image);
                    if by_name.contains_key(given) {
                        open.push(given.to_owned());
                    }
                }
            }
        }
        self.reordered = self.find_reordered(entries);
        for name in entries.iter().filter_map(|(entry, _)| entry.name.as_ref()) {
            let names_none = !self.names.contains_key(&name.value);
            if let Some(before) = self.before.get_mut(&name.value).filter(|_| names_none) {
                before.insert(name.value.clone());
            }
        }
    }

    /// Whether something is known of `name`.
    pub(in crate::rewrite) fn knows(&self, name: &str) -> bool {
        self.names.contains_key(name) || self.before.contains_key(name)
    }

    /// What `name` becomes; `None` when the tree has no image of that name.
    pub(super) fn of(&self, name: &str) -> Option<&Rename> {
        self.names.get(name)
    }

    /// The names other than `name` that images have before the rewrite, or entries name, which are `to` afterwards. Where it
    /// is known which names arrive at the entry, they are among these.
    pub(super) fn others(&self, name: &str, to: &str) -> impl Iterator<Item = &str> {
        let before = self.before.get(to).into_iter().flatten().map(String::as_str);
        let arrives = |other: &str| self.arriving.as_ref().is_none_or(|arriving| arriving.contains(other));
        before.filter(move |other| *other != name && arrives(other))
    }

    /// The images before the rewrite.
    #[must_use]
    pub fn images(&self) -> ImagesByName {
        let images = self.names.iter();
        images.map(|(name, rename)| (name.clone(), rename.suffixes.keys().cloned().collect())).collect()
    }

    /// Says that the images have these names where the entries at hand are applied: other entries came first.
    pub fn arrive(&mut self, names: BTreeSet<String>) {
        self.arriving = Some(names);
    }

    /// Two entries of which one gives the name that the other is for, and which Argo CD applies in another order once they
    /// are rewritten: it sorts them by their names.
    pub(super) fn reordered(&self) -> Option<&[String; 2]> {
        self.reordered.as_ref()
    }

    /// Looks for two such entries.
    fn find_reordered(&self, entries: &[(&KustomizeImage, &Maps)]) -> Option<[String; 2]> {
        let to = |name: &str| {
            let rename = self.of(name)?;
            (rename.to.len() == 1).then(|| rename.to.first().cloned()).flatten()
        };
        let names: BTreeSet<&str> =
            entries.iter().filter_map(|(entry, _)| Some(entry.name.as_ref()?.value.as_str())).collect();
        let mut by_new: FxHashMap<String, Vec<&str>> = FxHashMap::default();
        for name in &names {
            if let Some(to) = to(name) {
                by_new.entry(to).or_default().push(name);
            }
        }
        entries.iter().find_map(|&(entry, maps)| {
            let (name, new_name) = (&entry.name.as_ref()?.value, &entry.new_name.as_ref()?.value);
            let renamed = to(name)?;
            let becomes = mapped(&format!("{new_name}{}", suffix(entry)), maps).ok()?.name;
            let afterwards = by_new.get(&becomes).into_iter().flatten().copied();
            let linked = names.get(new_name.as_str()).copied().into_iter().chain(afterwards);
            linked.filter(|next| next != name).find_map(|next| {
                let next_renamed = to(next)?;
                let before = new_name == next && name.as_str() < next;
                let after = becomes == next_renamed && renamed < next_renamed;
                (before != after).then(|| [name.clone(), next.to_owned()])
            })
        })
    }

    /// Whether an entry of these cannot follow by what the whole tree says, so that it matters what it applies to.
    #[must_use]
    pub fn are_disputed(&self, entries: &[KustomizeImage]) -> bool {
        entries.iter().filter_map(|entry| entry.name.as_ref()).any(|name| match self.of(&name.value) {
            Some(rename) => {
                rename.to.len() > 1
                    || rename.to.iter().any(|to| self.others(&name.value, to).next().is_some())
            }
            None => self.others(&name.value, &name.value).next().is_some(),
        })
    }
}

impl Rename {
    /// Notes the rule, that which stands first if there are several.
    fn is_by(&mut self, rule: Option<&Arc<Rule>>) {
        let place = |rule: &Arc<Rule>| (rule.source_name().to_owned(), rule.line());
        if let Some(rule) = rule
            && self.rule.as_ref().is_none_or(|known| !Arc::ptr_eq(known, rule) && place(rule) < place(known))
        {
            self.rule = Some(Arc::clone(rule));
        }
    }
}

/// Whether an image that is left alone for `reason` is one that Kustomizations still apply to.
fn stays(reason: &SkipReason) -> bool {
    match reason {
        SkipReason::Blocked(Blocked::DisableLabel | Blocked::SharedAnchor | Blocked::NotEditable)
        | SkipReason::SkipRule
        | SkipReason::Invalid(_) => true,
        SkipReason::Blocked(Blocked::OwnKind)
        | SkipReason::Templated
        | SkipReason::Encrypted
        | SkipReason::Auto
        | SkipReason::FilledIn
        | SkipReason::Kustomize(_)
        | SkipReason::Unclear(_)
        | SkipReason::Build(_) => false,
    }
}

/// `image`, a reference, without tag and digest. Without parsing it again: a run does this twice for each image.
pub(super) fn name_of(image: &str) -> &str {
    let without_digest = memchr(b'@', image.as_bytes()).map_or(image, |at| &image[..at]);
    let path = memrchr(b'/', without_digest.as_bytes()).map_or(0, |slash| slash + 1);
    let colon = memchr(b':', &without_digest.as_bytes()[path..]);
    colon.map_or(without_digest, |colon| &without_digest[..path + colon])
}
