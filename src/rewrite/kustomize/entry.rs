//! What one entry that changes images by their name becomes.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::manifest::{Blocked, FieldPath, KustomizeImage, Place, Segment, Text};
use crate::maps::{Maps, Outcome, Rule};

use super::super::image_value::{ImageValue, classify};
use super::super::plan::{Change, EntryImage, Plan, Skip, SkipReason};
use super::super::problem::{Problem, ProblemKind};
use super::super::site::Site;
use super::KustomizeMode;
use super::renames::{Rename, Renames, name_of};

/// An image as an entry puts it together, and what the maps make of it.
pub(super) struct Mapped {
    pub(super) name: String,
    pub(super) suffix: String,
    pub(super) rule: Option<Arc<Rule>>,
}

/// A scalar of an entry that changes.
struct Part<'e> {
    key: &'static str,
    text: &'e Text,
    to: String,
    rule: Option<Arc<Rule>>,
}

/// Why an entry cannot follow.
enum Unfollowed {
    /// It is left alone.
    Left(String),
    /// It must not be left at that.
    Problem(ProblemKind),
}

impl From<String> for Unfollowed {
    fn from(reason: String) -> Self {
        Self::Left(reason)
    }
}

/// What an entry makes of the images that it applies to: their name, tag and digest.
type Effect<'e> = [Option<&'e str>; 3];

fn effect(entry: &KustomizeImage) -> Effect<'_> {
    [&entry.new_name, &entry.new_tag, &entry.digest].map(|text| text.as_ref().map(|text| text.value.as_str()))
}

/// The entries of a file, by the names that they are for and what they do.
pub(in crate::rewrite) struct Siblings<'e>(FxHashSet<(&'e str, Effect<'e>)>);

impl<'e> Siblings<'e> {
    pub(in crate::rewrite) fn new(entries: &'e [KustomizeImage]) -> Self {
        let name = |entry: &'e KustomizeImage| entry.name.as_ref().map(|name| name.value.as_str());
        Self(entries.iter().filter_map(|entry| Some((name(entry)?, effect(entry)))).collect())
    }

    /// Whether an entry for `name` makes the same of its images as `entry` does.
    fn has_like(&self, name: &str, entry: &KustomizeImage) -> bool {
        self.0.contains(&(name, effect(entry)))
    }
}

impl Renames {
    /// Plans what one entry becomes; `siblings` are the entries of its file.
    pub(in crate::rewrite) fn plan_entry(
        &self,
        entry: &KustomizeImage,
        siblings: &Siblings<'_>,
        maps: &Maps,
        mode: KustomizeMode,
        plan: &mut Plan,
    ) {
        let Some(name) = &entry.name else { return };
        let renders_chart = entry.resource.is_some_and(|index| plan.resources[index].kind == "HelmRelease");
        let outcome = if renders_chart {
            of_chart(entry, name, maps)
        } else {
            let is_sorted =
                entry.resource.is_some_and(|index| plan.resources[index].group() == "argoproj.io");
            match self.reordered().filter(|_| is_sorted) {
                Some([one, other]) => Err(Unfollowed::Left(format!(
                    "Argo CD sorts entries by name, and once they are rewritten that of {one}, which gives the name of \
                     {other}, would come at another place: name each image by one entry"
                ))),
                None => self.changes(entry, name, siblings, maps),
            }
        };
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
            Err(Unfollowed::Left(reason)) => unfollowed(reason, plan),
            Err(Unfollowed::Problem(kind)) => {
                let site = entry_site(entry, name, "name", plan);
                plan.problems.push(Problem { site, kind });
            }
            Ok(changes) if changes.is_empty() => {}
            Ok(_) if mode == KustomizeMode::Report => {
                unfollowed("would have to follow the images of the tree".to_owned(), plan);
            }
            Ok(changes) => {
                for Part { key, text, to, rule } in changes {
                    let site = entry_site(entry, text, key, plan);
                    if site.slot.is_none() {
                        unfollowed(Blocked::NotEditable.as_str().to_owned(), plan);
                        continue;
                    }
                    let to = to.into();
                    plan.changes.push(Change::new(site, to, rule));
                }
            }
        }
    }

    /// The scalars of an entry that change; or why it cannot follow.
    fn changes<'e>(
        &self,
        entry: &'e KustomizeImage,
        name: &'e Text,
        siblings: &Siblings<'_>,
        maps: &Maps,
    ) -> Result<Vec<Part<'e>>, Unfollowed> {
        let Some(rename) = self.of(&name.value) else {
            return Err(self.names_nothing(name));
        };
        let new_names: Vec<&str> = rename.to.iter().map(String::as_str).collect();
        let [to] = new_names[..] else {
            let reason =
                format!("{} becomes several images in the tree: {}", name.value, new_names.join(", "));
            return Err(reason.into());
        };
        let mut others = self.others(&name.value, to).filter(|other| !siblings.has_like(other, entry));
        if let Some(other) = others.next() {
            return Err(Unfollowed::Problem(ProblemKind::OneName {
                names: [name.value.clone(), other.to_owned()],
                becomes: to.to_owned(),
            }));
        }
        let mut changes = Vec::new();
        if to != name.value {
            let rule = rename.rule.clone();
            changes.push(Part { key: "name", text: name, to: to.to_owned(), rule });
        }
        let base = entry.new_name.as_ref().map_or(&name.value, |new_name| &new_name.value);
        let mapped = mapped_with_tags(base, entry, rename, maps)?;
        let own = suffix(entry);
        let changes_suffix = !own.is_empty() && mapped.suffix != own;
        if let Some(new_name) = &entry.new_name {
            if mapped.name != new_name.value {
                changes.push(Part { key: "newName", text: new_name, to: mapped.name, rule: mapped.rule });
            }
        } else if mapped.name != to {
            let text = format!("{base}{}", suffix(entry));
            let Mapped { name, suffix, .. } = mapped;
            return Err(format!("{text} would become {name}{suffix}, but {base} becomes {to}").into());
        }
        if changes_suffix {
            return Err(changes_tag(base, entry).into());
        }
        Ok(changes)
    }

    /// Why an entry cannot follow whose `name` the tree does not have.
    fn names_nothing(&self, name: &Text) -> Unfollowed {
        if let Some(other) = self.others(&name.value, &name.value).next() {
            let names = [name.value.clone(), other.to_owned()];
            return Unfollowed::Problem(ProblemKind::OneName { names, becomes: name.value.clone() });
        }
        let reason = if is_pattern(&name.value) {
            "is a pattern to kustomize, and patterns do not follow: give each image that it stands for an entry"
        } else {
            "names no image of the given files (a remote base, or one that was not given?)"
        };
        reason.to_owned().into()
    }
}

/// Whether kustomize, which takes names for regular expressions, takes `name` for more than one.
fn is_pattern(name: &str) -> bool {
    name.contains(['*', '+', '?', '(', ')', '[', ']', '|', '^', '\\', '{', '}'])
}

/// What changes of an entry that applies to what a chart renders when it is installed. These images are not rewritten, so
/// its `name` stays.
fn of_chart<'e>(entry: &'e KustomizeImage, name: &Text, maps: &Maps) -> Result<Vec<Part<'e>>, Unfollowed> {
    let base = entry.new_name.as_ref().map_or(&name.value, |new_name| &new_name.value);
    let mapped = mapped(&format!("{base}{}", suffix(entry)), maps)?;
    if mapped.suffix != suffix(entry) {
        return Err(changes_tag(base, entry).into());
    }
    match &entry.new_name {
        _ if mapped.name == *base => Ok(Vec::new()),
        Some(new_name) => {
            Ok(vec![Part { key: "newName", text: new_name, to: mapped.name, rule: mapped.rule }])
        }
        None => {
            let reason =
                format!("a chart renders this image, which stays as it is: give newName {}", mapped.name);
            Err(reason.into())
        }
    }
}

/// What the maps make of `base` with the entry's tag and digest, or where it sets none with those of each image that it
/// applies to.
fn mapped_with_tags(
    base: &str,
    entry: &KustomizeImage,
    rename: &Rename,
    maps: &Maps,
) -> Result<Mapped, Unfollowed> {
    let own = suffix(entry);
    if !own.is_empty() || rename.suffixes.is_empty() {
        return Ok(mapped(&format!("{base}{own}"), maps)?);
    }
    let mut first: Option<Mapped> = None;
    for (suffix, becomes) in &rename.suffixes {
        let image = format!("{base}{suffix}");
        let mapped = mapped(&image, maps)?;
        if mapped.suffix != *becomes {
            let reason =
                format!("{image} would become {}{}, a name with another tag", mapped.name, mapped.suffix);
            return Err(reason.into());
        }
        match &first {
            Some(first) if first.name != mapped.name => {
                let reason = format!(
                    "{base} would become {} and {}, by the tags of the images that it applies to",
                    first.name, mapped.name
                );
                return Err(reason.into());
            }
            Some(_) => {}
            None => first = Some(mapped),
        }
    }
    first.ok_or_else(|| changes_tag(base, entry).into())
}

fn changes_tag(base: &str, entry: &KustomizeImage) -> String {
    format!("a rule changes the tag or digest of {base}{}", suffix(entry))
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
    let mapped = mapped(&format!("{}{}", base.value, suffix(entry)), maps).ok()?;
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

/// What the maps make of the image `text`.
pub(super) fn mapped(text: &str, maps: &Maps) -> Result<Mapped, String> {
    let reference = match classify(text) {
        ImageValue::Reference(reference) => reference,
        ImageValue::Templated => return Err(format!("{text} is templated")),
        ImageValue::Encrypted => return Err(format!("{text} is encrypted")),
        ImageValue::Invalid(error) => return Err(format!("{text} is not a valid image reference: {error}")),
    };
    let decision = maps.decide(&reference);
    let result = match decision.outcome {
        Outcome::Changed(result) => result.to_string(),
        Outcome::Kept | Outcome::NoSwap | Outcome::AtTarget(_) | Outcome::Unmapped => text.to_owned(),
        Outcome::Chained { .. } | Outcome::Cycle { .. } | Outcome::Invalid { .. } => {
            return Err(format!("the rules for {text} do not lead to one image"));
        }
    };
    let name = name_of(&result).to_owned();
    Ok(Mapped { suffix: result[name.len()..].to_owned(), name, rule: decision.rule })
}

/// The tag and digest that an entry sets, as a reference has them.
pub(super) fn suffix(entry: &KustomizeImage) -> String {
    let part = |sign: char, text: &Option<Text>| match text {
        Some(text) if !text.value.is_empty() => format!("{sign}{}", text.value),
        _ => String::new(),
    };
    part(':', &entry.new_tag) + &part('@', &entry.digest)
}

pub(super) fn entry_site(entry: &KustomizeImage, text: &Text, key: &str, plan: &Plan) -> Site {
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
