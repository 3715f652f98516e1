//! A Kustomization's `images` take part: an entry that names an image of the tree follows it, so that building
//! the rewritten tree gives what rewriting the build of the original tree gives.

use std::collections::BTreeSet;
use std::sync::Arc;

use memchr::{memchr, memrchr};
use rustc_hash::FxHashMap;

use crate::image::ImageReference;
use crate::manifest::{Blocked, FieldPath, KustomizeImage, Place, Segment, Text};
use crate::maps::{Maps, Outcome, Rule};

use super::plan::{Change, EntryImage, Plan, Skip, SkipReason};
use super::site::Site;
use super::value::{Value, classify};

/// What becomes of the `images` of Kustomizations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum KustomizeMode {
    /// They follow the images of the tree.
    #[default]
    Follow,
    /// They are left alone, and reported where they would have to follow.
    Report,
    /// They are left alone.
    Off,
}

/// Whether kustomize takes the file at `path` for a Kustomization by its name.
#[must_use]
pub fn is_kustomization(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(name, "kustomization.yaml" | "kustomization.yml" | "Kustomization")
}

/// How long a name may be that an entry could give, in bytes: longer than any reference. What stands in an image's place may
/// be a whole document.
const NAME_MAX: usize = 1024;

/// What the names of a tree's images (without tag and digest, as written) become.
#[derive(Debug, Default)]
pub struct Renames {
    names: FxHashMap<String, Rename>,
}

/// What one name becomes.
#[derive(Debug, Clone)]
struct Rename {
    /// The new name, and in a tree where the same name becomes several, all of them.
    to: BTreeSet<String>,
    rule: Option<Arc<Rule>>,
}

/// An image as an entry puts it together, and what the maps make of it.
struct Mapped {
    name: String,
    suffix: String,
    rule: Option<Arc<Rule>>,
}

impl Renames {
    /// Adds the images of `plan`, changed or not.
    pub fn learn(&mut self, plan: &Plan) {
        for change in &plan.changes {
            self.add(name_of(&change.site.image), name_of(&change.to), change.rule.as_ref());
        }
        for kept in &plan.kept {
            let name = name_of(&kept.site.image);
            self.add(name, name, None);
        }
        for skip in &plan.skips {
            // A placeholder (`CONTROLLER_IMAGE:latest`) has a name that entries give, too.
            let name = name_of(&skip.site.image);
            let is_named =
                || ImageReference::parse(&skip.site.image).is_ok() || ImageReference::parse(name).is_err();
            if name.len() <= NAME_MAX && stays(&skip.reason) && is_named() {
                self.add(name, name, None);
            }
        }
    }

    /// Adds what another part of the tree taught. The order of parts does not matter.
    pub fn merge(&mut self, other: Self) {
        for (name, rename) in other.names {
            for to in rename.to {
                self.add(&name, &to, rename.rule.as_ref());
            }
        }
    }

    fn add(&mut self, from: &str, to: &str, rule: Option<&Arc<Rule>>) {
        let Some(known) = self.names.get_mut(from) else {
            self.names
                .insert(from.to_owned(), Rename { to: BTreeSet::from([to.to_owned()]), rule: rule.cloned() });
            return;
        };
        if !known.to.contains(to) {
            known.to.insert(to.to_owned());
        }
        let place = |rule: &Arc<Rule>| (rule.source_name().to_owned(), rule.line());
        if let Some(rule) = rule
            && known.rule.as_ref().is_none_or(|known| !Arc::ptr_eq(known, rule) && place(rule) < place(known))
        {
            known.rule = Some(Arc::clone(rule));
        }
    }

    /// Adds the names that entries give: one overlay's `newName` may be another's `name`.
    /// Each entry comes with the maps for its file.
    pub fn close(&mut self, entries: &[(&KustomizeImage, &Maps)]) {
        loop {
            let known = self.names.len();
            for &(entry, maps) in entries {
                let names_image =
                    entry.name.as_ref().is_some_and(|name| self.names.contains_key(&name.value));
                let Some(new_name) = entry.new_name.as_ref().filter(|_| names_image) else { continue };
                if let Ok(mapped) = mapped(&new_name.value, entry, maps) {
                    self.add(&new_name.value, &mapped.name, mapped.rule.as_ref());
                }
            }
            if self.names.len() == known {
                return;
            }
        }
    }

    /// Plans what one entry becomes.
    pub(super) fn plan_entry(
        &self,
        entry: &KustomizeImage,
        maps: &Maps,
        mode: KustomizeMode,
        plan: &mut Plan,
    ) {
        let Some(name) = &entry.name else { return };
        let outcome = self.changes(entry, name, maps);
        let unfollowed = |reason: String, plan: &mut Plan| {
            let site = entry_site(entry, name, "name", plan);
            plan.skips.push(Skip { site, reason: SkipReason::Kustomize(reason) });
        };
        if let Ok(changes) = &outcome
            && (changes.is_empty() || mode == KustomizeMode::Follow)
        {
            let entry_image = entry_image(entry, name, maps, plan);
            plan.entry_images.extend(entry_image);
        }
        match outcome {
            Err(reason) => unfollowed(reason, plan),
            Ok(changes) if changes.is_empty() => {}
            Ok(_) if mode == KustomizeMode::Report => {
                unfollowed("would have to follow the images of the tree".to_owned(), plan);
            }
            Ok(changes) => {
                for (key, text, to, rule) in changes {
                    let site = entry_site(entry, text, key, plan);
                    if site.slot.is_none() {
                        unfollowed(Blocked::NotEditable.as_str().to_owned(), plan);
                        continue;
                    }
                    plan.changes.push(Change {
                        site,
                        to: to.into(),
                        rule,
                        other_spelling: None,
                        pinned: false,
                    });
                }
            }
        }
    }

    /// The scalars of an entry that change, with their keys and new values; or why it cannot follow.
    #[allow(clippy::type_complexity)]
    fn changes<'e>(
        &self,
        entry: &'e KustomizeImage,
        name: &'e Text,
        maps: &Maps,
    ) -> Result<Vec<(&'static str, &'e Text, String, Option<Arc<Rule>>)>, String> {
        let rename = self.names.get(&name.value).ok_or_else(|| {
            "names no image of the given files (a remote base, or one that was not given?)".to_owned()
        })?;
        let new_names: Vec<&str> = rename.to.iter().map(String::as_str).collect();
        let [to] = new_names[..] else {
            return Err(format!(
                "{} becomes several images in the tree: {}",
                name.value,
                new_names.join(", ")
            ));
        };
        let mut changes = Vec::new();
        if to != name.value {
            changes.push(("name", name, to.to_owned(), rename.rule.clone()));
        }
        let base = entry.new_name.as_ref().map_or(&name.value, |new_name| &new_name.value);
        let mapped = mapped(base, entry, maps)?;
        if let Some(new_name) = &entry.new_name {
            if mapped.name != new_name.value {
                changes.push(("newName", new_name, mapped.name.clone(), mapped.rule.clone()));
            }
        } else if mapped.name != to {
            let text = format!("{base}{}", suffix(entry));
            return Err(format!(
                "{text} would become {}{}, but {base} becomes {to}",
                mapped.name, mapped.suffix
            ));
        }
        if mapped.suffix != suffix(entry) {
            return Err(format!("a rule changes the tag or digest of {base}{}", suffix(entry)));
        }
        Ok(changes)
    }
}

/// The image that an entry puts together, to be pinned; `None` for an entry that leaves images as they are but for their
/// name, which is what the maps are asked about already, and for one that sets a digest alone.
fn entry_image(entry: &KustomizeImage, name: &Text, maps: &Maps, plan: &Plan) -> Option<EntryImage> {
    let base = entry.new_name.as_ref().unwrap_or(name);
    let tag = entry.new_tag.as_ref().filter(|tag| !tag.value.is_empty());
    let digest = entry.digest.as_ref().filter(|digest| !digest.value.is_empty());
    let (at, sets_tag) = match (tag, digest, &entry.new_name) {
        (Some(tag), _, _) => (entry.digest.as_ref().unwrap_or(tag), true),
        (None, None, Some(new_name)) => (new_name, false),
        (None, Some(_), _) | (None, None, None) => return None,
    };
    let mapped = mapped(&base.value, entry, maps).ok()?;
    let mut site = entry_site(entry, at, if sets_tag { "digest" } else { "newName" }, plan);
    site.image = format!("{}{}", base.value, suffix(entry));
    site.slot = entry.digest_slot;
    Some(EntryImage {
        site,
        to: format!("{}{}", mapped.name, mapped.suffix),
        name: name.value.clone(),
        sets_tag,
    })
}

/// What the maps make of `name` with the entry's tag and digest.
fn mapped(name: &str, entry: &KustomizeImage, maps: &Maps) -> Result<Mapped, String> {
    let text = format!("{name}{}", suffix(entry));
    let reference = match classify(&text) {
        Value::Reference(reference) => reference,
        Value::Templated => return Err(format!("{text} is templated")),
        Value::Encrypted => return Err(format!("{text} is encrypted")),
        Value::Invalid(error) => return Err(format!("{text} is not a valid image reference: {error}")),
    };
    let decision = maps.decide(&reference);
    let result = match decision.outcome {
        Outcome::Changed(result) => result.to_string(),
        Outcome::Kept | Outcome::NoSwap | Outcome::AtTarget(_) | Outcome::Unmapped => text.clone(),
        Outcome::Chained { .. } | Outcome::Cycle { .. } | Outcome::Invalid { .. } => {
            return Err(format!("the rules for {text} do not lead to one image"));
        }
    };
    let name = name_of(&result).to_owned();
    Ok(Mapped { suffix: result[name.len()..].to_owned(), name, rule: decision.rule })
}

/// The tag and digest that an entry sets, as a reference has them.
fn suffix(entry: &KustomizeImage) -> String {
    let part = |sign: char, text: &Option<Text>| match text {
        Some(text) if !text.value.is_empty() => format!("{sign}{}", text.value),
        _ => String::new(),
    };
    part(':', &entry.new_tag) + &part('@', &entry.digest)
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
        | SkipReason::Kustomize(_) => false,
    }
}

/// `image`, a reference, without tag and digest. Without parsing it again: a run does this twice for each image.
fn name_of(image: &str) -> &str {
    let without_digest = memchr(b'@', image.as_bytes()).map_or(image, |at| &image[..at]);
    let path = memrchr(b'/', without_digest.as_bytes()).map_or(0, |slash| slash + 1);
    let colon = memchr(b':', &without_digest.as_bytes()[path..]);
    colon.map_or(without_digest, |colon| &without_digest[..path + colon])
}

fn entry_site(entry: &KustomizeImage, text: &Text, key: &str, plan: &Plan) -> Site {
    let mut path: FieldPath = entry.path.clone();
    path.push(Segment::Key(key));
    Site {
        document: entry.document,
        position: text.position,
        span: text.span,
        path,
        place: Place::RenderInput,
        image: text.value.clone(),
        slot: text.slot(),
        resource: entry.resource.map(|index| Arc::clone(&plan.resources[index])),
        container: None,
        other_containers: Vec::new(),
    }
}
