//! Images in the values of a Helm chart, found by the habits that charts have: nobody knows for sure but the chart's
//! templates, and so what follows no habit is said to be unclear.

use rustc_hash::FxHashSet;

use super::anchors::Places;
use super::before_names::BeforeNames;
use super::defaults::Defaults;
use super::fields::text_of;
use super::found::{EmptyDigest, FoundImage, FoundKind, NamePart};
use super::groups::{Group, is_image_key};
use crate::image::ImageReference;
use crate::manifest::event::{Scalar, ScalarStyle};
use crate::manifest::path::{FieldPath, Segment};
use crate::manifest::scalar::is_string;
use crate::manifest::tree::{self, Node};
use crate::manifest::{Blocked, Lines, ParseError, Text, mention};

/// The first document of a values file, which is all that Helm reads.
///
/// # Errors
/// What is neither YAML nor JSON.
pub fn parse_values(text: &str) -> Result<Option<Node<'_>>, ParseError> {
    Ok(tree::read(text)?.into_iter().next().and_then(|tree| tree.root))
}

/// Finds the images of values, of which one text may hold several.
#[derive(Debug)]
pub struct ValuesReader<'a> {
    text: &'a str,
    lines: Lines<'a>,
    has_anchors: bool,
}

impl<'a> ValuesReader<'a> {
    /// For values that are read from `text`.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, lines: Lines::new(text), has_anchors: memchr::memchr(b'&', text.as_bytes()).is_some() }
    }

    /// The images of the values `root` that come on top of `defaults`.
    pub fn find(&mut self, root: &Node<'_>, defaults: &Defaults) -> Vec<FoundImage> {
        let has_anchors = self.has_anchors;
        let mut finder = ValuesFinder {
            text: self.text,
            lines: &mut self.lines,
            root,
            defaults,
            has_hub: has_hub(root),
            before_names: BeforeNames::new(root, defaults),
            found: Vec::new(),
            starts: Vec::new(),
            taken: FxHashSet::default(),
        };
        finder.node(root, &mut Vec::new());
        let mut found = finder.finish(has_anchors);
        found.shrink_to_fit();
        found
    }
}

pub(super) struct ValuesFinder<'a, 'v> {
    text: &'a str,
    lines: &'v mut Lines<'a>,
    root: &'v Node<'v>,
    pub(super) defaults: &'v Defaults,
    pub(super) before_names: BeforeNames<'v>,
    /// Whether some key `hub` of a string is there, as in Istio's charts: names stand by themselves then.
    has_hub: bool,
    found: Vec<FoundImage>,
    /// Registries that stand before names elsewhere.
    starts: Vec<FoundImage>,
    /// Where scalars start that are parts of images.
    taken: FxHashSet<usize>,
}

fn has_hub(node: &Node<'_>) -> bool {
    match node {
        Node::Scalar(_) => false,
        Node::Sequence(items) => items.iter().any(has_hub),
        Node::Mapping(pairs) => pairs.iter().any(|(key, value)| {
            key.value == "hub" && value.text().is_some_and(|text| !text.is_empty()) || has_hub(value)
        }),
    }
}

impl<'v> ValuesFinder<'_, 'v> {
    fn node(&mut self, node: &'v Node<'v>, path: &mut Vec<String>) {
        match node {
            Node::Scalar(_) => {}
            Node::Sequence(items) => {
                let key = path.last().cloned().unwrap_or_default();
                for (index, item) in items.iter().enumerate() {
                    path.push(format!("[{index}]"));
                    match item {
                        Node::Scalar(scalar) if is_image_key(&key) && is_string(scalar) => {
                            self.string(scalar, path, false);
                        }
                        _ => self.node(item, path),
                    }
                    path.pop();
                }
            }
            Node::Mapping(pairs) => {
                self.mapping(pairs, path);
                for (key, value) in pairs {
                    path.push(key.value.clone().into_owned());
                    self.node(value, path);
                    path.pop();
                }
            }
        }
    }

    fn mapping(&mut self, pairs: &'v [(Scalar<'v>, Node<'v>)], path: &mut Vec<String>) {
        for group in Group::of_mapping(pairs, path, self) {
            self.group(group, path);
        }
        let has = |wanted: &str| pairs.iter().any(|(key, _)| key.value == wanted);
        let has_name = has("name");
        let siblings = Siblings { tag: has("tag"), name: has("repository") || has("image") };
        for (key, value) in pairs {
            let Node::Scalar(scalar) = value else { continue };
            if self.taken.contains(&scalar.start) || value.is_null() || scalar.value.is_empty() {
                continue;
            }
            path.push(key.value.clone().into_owned());
            if is_registry_of_many(path, &scalar.value, siblings) {
                self.start(scalar, path);
            } else if is_image_key(&key.value) && is_string(scalar) {
                let is_container =
                    has_name && path.iter().rev().nth(1).is_some_and(|step| step.starts_with('['));
                self.string(scalar, path, is_container);
            }
            path.pop();
        }
    }

    fn group(&mut self, group: Group<'v>, path: &mut Vec<String>) {
        let Group { name, variants, tag, digest, empty_digest, main, unclear } = group;
        let texts = name.iter().filter_map(GroupPart::own).chain(tag).chain(digest);
        self.taken.extend(texts.map(|scalar| scalar.start));
        path.push(main.to_owned());
        let kind = match unclear {
            Some((scalar, why)) => FoundKind::Unclear { text: self.text_of(scalar), why },
            None => FoundKind::Parts {
                name: name
                    .into_iter()
                    .map(|part| part.into_name_part(|scalar| self.text_of(scalar)))
                    .collect(),
                tag: tag.map(|scalar| self.text_of(scalar)),
                digest: digest.map(|scalar| self.text_of(scalar)),
                empty_digest: empty_digest
                    .map(|(scalar, is_bare)| EmptyDigest { text: self.text_of(scalar), is_bare }),
            },
        };
        let is_clear = matches!(kind, FoundKind::Parts { .. });
        self.push(path, kind);
        for name in variants.into_iter().filter(|_| is_clear) {
            let name = name.into_iter().map(|part| part.into_name_part(|scalar| self.text_of(scalar)));
            let name = name.collect();
            let tag = tag.map(|scalar| self.text_of(scalar));
            let digest = digest.map(|scalar| self.text_of(scalar));
            let kind = FoundKind::Parts { name, tag, digest, empty_digest: None };
            let (path, document, blocked) = (field_path(path), 0, None);
            self.found.push(FoundImage { path, document, kind, blocked, is_variant: true });
        }
        path.pop();
    }

    /// A string under a key that says image.
    fn string(&mut self, scalar: &Scalar<'_>, path: &[String], is_container: bool) {
        let value = scalar.value.trim_end();
        let is_image = path.last().is_some_and(|key| key == "image");
        if value.contains("://") || value.contains(['\n', ' ']) && !value.contains("{{") {
            return;
        }
        let kind = if mention::is_reference_like(value) || value.contains("{{") || is_container {
            FoundKind::Whole(self.text_of(scalar))
        } else if is_image && !self.has_hub && ImageReference::parse(value).is_ok() {
            if self.is_whole_image_of_template(path) {
                FoundKind::Whole(self.text_of(scalar))
            } else {
                let why = "it is a bare name, and no template begins an image with it: a registry may come before it";
                FoundKind::Unclear { text: self.text_of(scalar), why: why.to_owned() }
            }
        } else {
            return;
        };
        self.push(path, kind);
    }

    /// Whether a template has a line `image:` that begins with the value at `path`.
    fn is_whole_image_of_template(&self, path: &[String]) -> bool {
        let value = format!(".Values.{}", path.join("."));
        let begins = |line: &str| {
            let Some((_, behind)) = line.split_once("image:") else { return false };
            let behind = behind.trim_start().trim_start_matches(['"', '\'']);
            let Some(action) = behind.strip_prefix("{{") else { return false };
            let action = action.trim_start_matches('-').trim_start();
            action
                .strip_prefix(&value)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '.'))
        };
        self.defaults.templates.iter().any(|text| text.lines().any(begins))
    }

    /// A registry that stands before names elsewhere.
    fn start(&mut self, scalar: &Scalar<'_>, path: &[String]) {
        let text = self.text_of(scalar);
        let image = FoundImage {
            path: field_path(path),
            document: 0,
            kind: FoundKind::Start(text),
            blocked: None,
            is_variant: false,
        };
        self.starts.push(image);
    }

    fn push(&mut self, path: &[String], kind: FoundKind) {
        let (path, document, blocked) = (field_path(path), 0, None);
        self.found.push(FoundImage { path, document, kind, blocked, is_variant: false });
    }

    fn text_of(&mut self, scalar: &Scalar<'_>) -> Text {
        let mut text = text_of(self.text, self.lines, scalar);
        if !matches!(scalar.style, ScalarStyle::Literal | ScalarStyle::Folded) {
            text.value = scalar.value.clone().into_owned();
        }
        text
    }

    /// Adds the registries whose images are not all here, and what is known of anchors.
    fn finish(mut self, has_anchors: bool) -> Vec<FoundImage> {
        let used: FxHashSet<usize> =
            self.found.iter().flat_map(FoundImage::texts).map(|text| text.span.start).collect();
        let has_others = !self.defaults.dependencies.is_empty();
        let starts = std::mem::take(&mut self.starts);
        self.found.extend(starts.into_iter().filter(|image| {
            has_others || image.main_text().is_none_or(|text| !used.contains(&text.span.start))
        }));
        if !has_anchors {
            return self.found;
        }
        let places = Places::new(self.root);
        let used = self.places();
        for image in &mut self.found {
            let is_shared = image.texts().any(|text| places.is_shared(text.span.start, &used));
            image.blocked = is_shared.then_some(Blocked::SharedAnchor);
        }
        self.found
    }

    /// The places of all parts of images.
    fn places(&self) -> FxHashSet<FieldPath> {
        let mut places = FxHashSet::default();
        for image in &self.found {
            places.insert(image.path.clone());
            let mut mapping = image.path.clone();
            mapping.pop();
            for key in ["registry", "repository", "image", "name", "tag", "digest", "sha"] {
                let mut place = mapping.clone();
                place.push(Segment::Key(key));
                places.insert(place);
            }
        }
        places
    }
}

/// Which keys a mapping has that say what another of its keys means.
#[derive(Debug, Clone, Copy)]
struct Siblings {
    tag: bool,
    /// One for the name of an image.
    name: bool,
}

/// Whether `value`, under the last key of `path`, is a registry that stands before the names of many images.
fn is_registry_of_many(path: &[String], value: &str, siblings: Siblings) -> bool {
    let [.., key] = path else { return false };
    let parent = path.iter().rev().nth(1).map_or("", String::as_str);
    let names_it = match key.as_str() {
        "hub" | "imageRegistry" | "defaultRegistry" | "defaultImageRegistry" => true,
        "registry" => parent == "global" || parent == "image" && !siblings.name,
        key => key.ends_with("ImageRegistry"),
    };
    names_it
        && ImageReference::parse(&format!("{value}/x"))
            .is_ok_and(|image| image.host().is_some() || key == "hub" && siblings.tag)
}

/// The path of keys, and of elements as `[0]`.
fn field_path(path: &[String]) -> FieldPath {
    let segment = |step: &String| match step.strip_prefix('[').and_then(|step| step.strip_suffix(']')) {
        Some(index) => index.parse().map_or(Err(()), |index| Ok(Segment::Index(index))),
        None => Err(()),
    };
    let mut found = FieldPath::default();
    for step in path {
        match segment(step) {
            Ok(index) => found.push(index),
            Err(()) => found.push(Segment::Key(step)),
        }
    }
    found
}

/// What a part of a group is, before it is a text.
#[derive(Debug, Clone)]
pub(super) enum GroupPart<'v> {
    Own(&'v Scalar<'v>),
    Elsewhere { value: String, becomes: String },
}

impl<'v> GroupPart<'v> {
    pub(super) fn own(&self) -> Option<&'v Scalar<'v>> {
        match self {
            Self::Own(scalar) => Some(scalar),
            Self::Elsewhere { .. } => None,
        }
    }

    pub(super) fn value(&self) -> &str {
        match self {
            Self::Own(scalar) => &scalar.value,
            Self::Elsewhere { value, .. } => value,
        }
    }

    fn into_name_part(self, text_of: impl FnOnce(&Scalar<'_>) -> Text) -> NamePart {
        match self {
            Self::Own(scalar) => NamePart::Own(text_of(scalar)),
            Self::Elsewhere { value, becomes } => NamePart::Elsewhere { value, becomes },
        }
    }
}
