//! What a rewrite of one text would do: changes, what is left alone and why, and what is wrong.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::manifest::edit::Edit;
use crate::manifest::{
    Blocked, DocumentError, KustomizeImage, Layers, Notes, Position, Resource, ScalarStyle, Slot,
};
use crate::maps::Rule;

use super::input::Input;
use super::problem::Problem;
use super::site::Site;

/// An image that becomes another.
#[derive(Debug, Clone)]
pub struct Change {
    /// The image.
    pub site: Site,
    /// What it becomes, with its digest where one was found.
    pub to: Arc<str>,
    /// The rule that says so; of a Kustomization's entry that follows, the rule of the image it names.
    pub rule: Option<Arc<Rule>>,
    /// An `[EXACT]` rule names the same image in another spelling, and so does not apply.
    pub other_spelling: Option<Arc<Rule>>,
    /// Whether its digest was set here, and not by the maps.
    pub pinned: bool,
    /// The edits that write it, where it does not stand in the text as one value; else empty.
    pub edits: Vec<Edit>,
}

impl Change {
    /// A change that the maps ask for, of an image that stands in the text as one value.
    pub(super) fn new(site: Site, to: Arc<str>, rule: Option<Arc<Rule>>) -> Self {
        Self { site, to, rule, other_spelling: None, pinned: false, edits: Vec::new() }
    }

    /// Whether the image is the whole of a string as JSON has it, so that the new image is that string's new value.
    #[must_use]
    pub fn is_whole_string(&self) -> bool {
        let is_string = |slot: Slot| {
            slot.style == ScalarStyle::DoubleQuoted
                && slot.within == Layers::default()
                && slot.new_key.is_none()
        };
        self.edits.is_empty() && self.site.slot.is_some_and(is_string)
    }

    /// The edits that write it.
    pub fn edits(&self) -> impl Iterator<Item = Edit> {
        let slot = self.site.slot.filter(|_| self.edits.is_empty());
        self.edits.iter().cloned().chain(slot.map(|slot| slot.edit(&self.to)))
    }

    /// A change that only gives the image a digest.
    pub(super) fn to_digest(site: Site, to: Arc<str>) -> Self {
        Self { pinned: true, ..Self::new(site, to, None) }
    }
}

/// An image that is left alone though it is no plain reference or the user asked for it.
#[derive(Debug, Clone)]
pub struct Skip {
    /// The image.
    pub site: Site,
    /// Why.
    pub reason: SkipReason,
}

impl Skip {
    /// Whether it stands where an image does, and is none that could be pulled.
    fn is_no_image(&self) -> bool {
        matches!(self.reason, SkipReason::Templated | SkipReason::Encrypted | SkipReason::Invalid(_))
    }
}

/// Why an image is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// A template's placeholder.
    Templated,
    /// Encrypted by SOPS.
    Encrypted,
    /// No valid reference; with the reason.
    Invalid(String),
    /// The finder says so.
    Blocked(Blocked),
    /// A skip rule names it.
    SkipRule,
    /// `image: auto`, which Istio fills in.
    Auto,
    /// A template's placeholder, filled in from values that stand beside the template and are rewritten.
    FilledIn,
    /// A Kustomization's entry that cannot follow; with the reason.
    Kustomize(String),
    /// Something else of a Kustomization by which what is built has other images; with the reason.
    Build(String),
    /// Which image it is, or what becomes of it, cannot be told; with the reason.
    Unclear(String),
}

impl SkipReason {
    /// A short name to count by.
    #[must_use]
    pub fn category(&self) -> &'static str {
        match self {
            Self::Templated => "templated",
            Self::Encrypted => "encrypted",
            Self::Invalid(_) => "invalid",
            Self::Blocked(Blocked::DisableLabel) => "disabled by label",
            Self::Blocked(Blocked::OwnKind) => "in tool configuration",
            Self::Blocked(Blocked::SharedAnchor) => "sharing an anchor",
            Self::Blocked(Blocked::NotEditable) => "not editable",
            Self::SkipRule => "by --skip",
            Self::Auto => "auto",
            Self::FilledIn => "filled in from values",
            Self::Kustomize(_) => "in kustomize images",
            Self::Build(_) => "in kustomize builds",
            Self::Unclear(_) => "unclear",
        }
    }

    /// The reason in words.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Templated => "a template fills this in".to_owned(),
            Self::Encrypted => "encrypted".to_owned(),
            Self::Invalid(reason) => format!("not a valid image reference: {reason}"),
            Self::Blocked(blocked) => blocked.as_str().to_owned(),
            Self::SkipRule => "a skip rule names it".to_owned(),
            Self::Auto => "Istio fills this in".to_owned(),
            Self::FilledIn => {
                "it is filled in from the values of the same resource, which are looked at".to_owned()
            }
            Self::Kustomize(reason) | Self::Build(reason) | Self::Unclear(reason) => reason.clone(),
        }
    }

    /// The status that inventories give such an image.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self {
            Self::Templated | Self::FilledIn => "templated",
            Self::Encrypted => "encrypted",
            Self::Invalid(_) => "invalid",
            Self::Blocked(_) | Self::SkipRule | Self::Auto | Self::Kustomize(_) | Self::Build(_) => "skipped",
            Self::Unclear(_) => "unclear",
        }
    }

    /// Whether `--strict` makes an error of it: what nobody asked to be left alone.
    #[must_use]
    pub fn fails_strict(&self) -> bool {
        match self {
            Self::Templated
            | Self::Encrypted
            | Self::Invalid(_)
            | Self::Kustomize(_)
            | Self::Build(_)
            | Self::Unclear(_)
            | Self::Blocked(Blocked::SharedAnchor | Blocked::NotEditable) => true,
            Self::Blocked(Blocked::DisableLabel | Blocked::OwnKind)
            | Self::SkipRule
            | Self::Auto
            | Self::FilledIn => false,
        }
    }
}

/// An image whose digest was wanted and not found.
#[derive(Debug, Clone)]
pub struct MissingDigest {
    /// The image.
    pub site: Site,
    /// The reference that was looked up.
    pub lookup: String,
    /// Why there is no digest.
    pub reason: Arc<str>,
}

impl MissingDigest {
    /// That there is no digest, and why.
    #[must_use]
    pub fn message(&self) -> String {
        // What registries say names the reference already.
        match self.reason.strip_prefix(self.lookup.as_str()) {
            Some(_) => format!("no digest for {}", self.reason),
            None => format!("no digest for {}: {}", self.lookup, self.reason),
        }
    }
}

/// An image that a Kustomization's entry puts together, for which the entry may get a digest.
#[derive(Debug, Clone)]
pub struct EntryImage {
    /// The entry's digest, or where it goes. `image` is the image before the maps, with the tag and digest that the entry
    /// sets.
    pub site: Site,
    /// The image after them.
    pub to: String,
    /// The images that the entry applies to.
    pub name: String,
    /// Whether the entry sets a tag. One that does not keeps the tag and digest of each image it renames.
    pub sets_tag: bool,
}

/// An image that is built with an entry of a Kustomization.
#[derive(Debug, Clone)]
pub struct BuiltImage {
    /// The image before the maps.
    pub image: String,
    /// The image after them.
    pub to: String,
}

/// An image that the maps leave as it is.
#[derive(Debug, Clone)]
pub struct Decided {
    /// The image.
    pub site: Site,
    /// The rule that leaves it as it is, or whose target it lies under.
    pub rule: Option<Arc<Rule>>,
    /// No rule applied, and it does not lie under a target.
    pub unmapped: bool,
}

/// Where an image that stands in parts takes a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DigestSlot {
    /// Where it is written.
    pub slot: Slot,
    /// Whether it stands there without its algorithm.
    pub is_bare: bool,
}

impl DigestSlot {
    /// The edit that writes `digest` there.
    pub(super) fn edit(&self, digest: &str) -> Edit {
        let bare = digest.split_once(':').map_or(digest, |(_, hex)| hex);
        self.slot.edit(if self.is_bare { bare } else { digest })
    }
}

/// What a rewrite of one text would do.
#[derive(Debug, Default)]
pub struct Plan {
    /// How many documents the text has.
    pub documents: usize,
    /// How many of them the fast reader did not read.
    pub read_slowly: usize,
    /// Images that become others, in the order of the text.
    pub changes: Vec<Change>,
    /// Images that the maps leave as they are.
    pub kept: Vec<Decided>,
    /// Images that are left alone for another reason.
    pub skips: Vec<Skip>,
    /// What fails the run.
    pub problems: Vec<Problem>,
    /// Images whose digest was wanted and not found. They stand among the others as well, without it.
    pub missing_digests: Vec<MissingDigest>,
    /// Images that charts put together, and text that looks like images: neither is checked.
    pub unchecked: Vec<Site>,
    /// A Kustomization's entries, to be followed when the whole tree is known.
    pub kustomize_images: Vec<KustomizeImage>,
    /// The images that a Kustomization's entries put together, as far as they follow the tree.
    pub entry_images: Vec<EntryImage>,
    /// The images that are built with a Kustomization's entries: filled in by [`Engine::list_built`](super::Engine).
    pub built: Vec<BuiltImage>,
    /// Entries of which it is not known which images are built with them, with the reason. They are among the skips as
    /// well where they do not follow the tree.
    pub unbuilt: Vec<Skip>,
    /// What the Kustomizations of the text build from.
    pub kustomize_inputs: Vec<Input>,
    /// Where what they build has other images, as far as the text tells: among the skips once entries are followed.
    pub kustomize_limits: Vec<Skip>,
    /// Where images that stand in parts take a digest, by where their sites start.
    pub digest_slots: FxHashMap<usize, DigestSlot>,
    /// Resources that `kustomize_images` refer to.
    pub resources: Vec<Arc<Resource>>,
    /// What authors should know.
    pub notes: Notes,
    /// Documents that do not parse; nothing of the text may be edited then.
    pub errors: Vec<DocumentError>,
}

impl Plan {
    /// The images that will be pulled, each with what it becomes: those that stand in the text, as far as they are known, and
    /// those that are built with entries.
    pub fn images(&self) -> impl Iterator<Item = (&str, &str)> {
        let is_known = |site: &Site| site.place.is_site() && site.unknown_rest().is_none();
        let changes = self.changes.iter().filter(move |change| is_known(&change.site));
        let changes = changes.map(|change| (change.site.image.as_str(), &*change.to));
        let kept = self.kept.iter().filter(move |kept| is_known(&kept.site));
        let kept = kept.map(|kept| (kept.site.image.as_str(), kept.site.image.as_str()));
        changes.chain(kept).chain(self.built.iter().map(|built| (built.image.as_str(), built.to.as_str())))
    }

    /// A sentence for each place of the file `name` of which it is not known which images come of it, or where there is none
    /// that can be pulled.
    pub fn unknown<'p>(&'p self, name: &'p str) -> impl Iterator<Item = String> + 'p {
        let changes = self.changes.iter().map(|change| &change.site);
        let sites = changes.chain(self.kept.iter().map(|kept| &kept.site));
        let rest = sites.filter_map(|site| Some((site, site.unknown_rest()?.to_owned())));
        let skips = self.skips.iter().filter(|skip| skip.is_no_image());
        rest.chain(skips.map(|skip| (&skip.site, skip.reason.message()))).map(move |(site, why)| {
            let (Position { line, column }, image) = (site.position, &site.image);
            format!("{name}:{line}:{column}: {image}: {why}")
        })
    }

    /// A sentence for each entry of the file `name` of which it is not known which images are built with it: its place, what is
    /// `not_done` with them, and why.
    pub fn unbuilt_in<'p>(&'p self, name: &'p str, not_done: &'p str) -> impl Iterator<Item = String> + 'p {
        self.unbuilt.iter().map(move |Skip { site, reason }| {
            let (Position { line, column }, image) = (site.position, &site.image);
            format!("{name}:{line}:{column}: {image}: {not_done}: {}", reason.message())
        })
    }

    /// The edits of the text, sorted by position. This is where new values are encoded: last, when no more is
    /// decided.
    #[must_use]
    pub fn edits(&self) -> Vec<Edit> {
        let mut edits: Vec<Edit> = self.changes.iter().flat_map(Change::edits).collect();
        edits.sort_by_key(|edit| edit.span);
        // Images may share a registry.
        edits.dedup();
        edits
    }
}
