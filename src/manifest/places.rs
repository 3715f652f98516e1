//! The places in use where images stand besides containers and image volumes: fields by kind, variables, arguments,
//! annotations and data. Those that are known are data, in `places.txt`; the user's come on top.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::image::ImageReference;

use super::chart_places::{ChartContent, ChartPlace};
use super::data_spec::DataSpec;
use super::fields::{FieldSpec, FieldSpecError, FieldTable};
use super::formats::FormatSpec;
use super::mention::{self, Part};
use super::name_glob::{Matching, NameGlob, NameGlobs};
use super::occurrence::Resource;
use super::path::{FieldPath, Segment};

/// The places that are known.
const KNOWN: &str = include_str!("places.txt");

/// A place where images stand, as users name it.
///
/// | written | what it is |
/// |---|---|
/// | `apps.example.com/Widget:spec.engine.image` | a field of a kind, as [`FieldSpec`] says |
/// | `env:RELATED_IMAGE_*` | the value of a container's variable |
/// | `arg:--reloader-image` | what follows a flag in `args` or `command`, behind `=` or as the next word |
/// | `annotation:example.com/image` | the value of an annotation |
/// | `data:ConfigMap NAME:KEY` | a value of a ConfigMap's `data`: an image, or a manifest that holds images |
/// | `values:install.istio.io/IstioOperator:spec.values` | values as charts have them: a mapping, or a text that holds one |
/// | `template:ConfigMap NAME:KEY` | a template as charts have them, or a mapping of some, in a text |
/// | `images-list:components[].images` | the elements of a list, in any document: a path from its root, or from that of a resource |
/// | `helm-values`, `templates`, `compose` … | files that are no manifests, as [`FormatSpec`] says |
///
/// In names `*` stands for any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceSpec(SpecKind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum SpecKind {
    Field(FieldSpec),
    Env(NameGlob),
    Argument(NameGlob),
    Annotation(NameGlob),
    Data(DataSpec),
    /// What charts have in their files.
    Chart(ChartPlace),
    /// A list of images in any document. The path leads to its elements.
    ImagesList(FieldSpec),
    /// Files that are no manifests.
    Format(FormatSpec),
}

/// Why a place cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceSpecError {
    /// It is a field, and its kind or path is not right.
    #[error(transparent)]
    Field(#[from] FieldSpecError),
    /// A name is missing.
    #[error("'{text}' names nothing; expected {expected}")]
    Empty {
        /// The place as written.
        text: String,
        /// What it should look like.
        expected: &'static str,
    },
    /// `data:` without kind, name and key.
    #[error("'{text}' is not data of a kind; expected data:ConfigMap NAME:KEY")]
    Data {
        /// The place as written.
        text: String,
    },
}

impl PlaceSpec {
    /// Whether it is about files that are no manifests.
    #[must_use]
    pub fn is_format(&self) -> bool {
        matches!(self.0, SpecKind::Format(_))
    }
}

impl FromStr for PlaceSpec {
    type Err = PlaceSpecError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = |name: &str, expected| match name {
            "" => Err(PlaceSpecError::Empty { text: text.to_owned(), expected }),
            name => Ok(NameGlob::new(name)),
        };
        let kind = match text.split_once(':') {
            Some(("env", rest)) => SpecKind::Env(name(rest, "env:NAME")?),
            Some(("arg", rest)) => SpecKind::Argument(name(rest, "arg:--FLAG")?),
            Some(("annotation", rest)) => SpecKind::Annotation(name(rest, "annotation:NAME")?),
            Some(("data", rest)) => match DataSpec::parse(rest) {
                Some(data) => SpecKind::Data(data),
                None => return Err(PlaceSpecError::Data { text: text.to_owned() }),
            },
            Some(("values", rest)) => SpecKind::Chart(ChartPlace::parse(ChartContent::Values, rest)?),
            Some(("template", rest)) => SpecKind::Chart(ChartPlace::parse(ChartContent::Template, rest)?),
            Some(("images-list", "")) => {
                return Err(PlaceSpecError::Empty { text: text.to_owned(), expected: "images-list:PATH" });
            }
            Some(("images-list", path)) => {
                let elements = if path.ends_with("[]") { "" } else { "[]" };
                SpecKind::ImagesList(format!("*:{path}{elements}").parse()?)
            }
            parts => {
                let (name, glob) = parts.map_or((text, None), |(name, glob)| (name, Some(glob)));
                match FormatSpec::new(name, glob) {
                    Some(format) => SpecKind::Format(format),
                    None => SpecKind::Field(text.parse()?),
                }
            }
        };
        Ok(Self(kind))
    }
}

impl fmt::Display for PlaceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            SpecKind::Field(field) => field.fmt(f),
            SpecKind::Env(name) => write!(f, "env:{name}"),
            SpecKind::Argument(flag) => write!(f, "arg:{flag}"),
            SpecKind::Annotation(name) => write!(f, "annotation:{name}"),
            SpecKind::Data(data) => write!(f, "data:{data}"),
            SpecKind::Chart(place) => place.fmt(f),
            SpecKind::ImagesList(elements) => {
                let elements = elements.to_string();
                let path = elements.trim_start_matches("*:").trim_end_matches("[]");
                write!(f, "images-list:{path}")
            }
            SpecKind::Format(format) => format.fmt(f),
        }
    }
}

/// The places in use: `core` has none (images of containers and image volumes are found without), `known` those of
/// the table, `all` these and every key `image` of a resource.
#[derive(Debug, Clone, Default)]
pub struct Places {
    pub(super) fields: FieldTable,
    env: NameGlobs,
    /// Somebody asked for a variable by its name, so that its value may be a bare word.
    has_named_variables: bool,
    arguments: NameGlobs,
    annotations: NameGlobs,
    data: Vec<DataSpec>,
    charts: Vec<ChartPlace>,
    /// Lists of images in any document.
    lists: Vec<FieldSpec>,
    formats: Vec<FormatSpec>,
    any_image: bool,
    /// What looks like a container is one, and a parameter that alone makes an image is that image.
    shapes: bool,
    asked: Vec<Asked>,
}

/// A place that somebody asked for, who would like to hear when nothing stands there. Clones share what was found.
#[derive(Debug, Clone)]
struct Asked {
    spec: PlaceSpec,
    found: Arc<AtomicBool>,
}

impl Places {
    /// None.
    #[must_use]
    pub fn core() -> Self {
        Self::default()
    }

    /// Those of the table.
    #[must_use]
    pub fn known() -> Self {
        let mut places = Self { shapes: true, ..Self::default() };
        let mut kinds = "";
        for line in KNOWN.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(path) = line.strip_prefix("    ") {
                let specs = FieldSpec::of_each(kinds, path).expect("the known fields are well-formed");
                specs.into_iter().for_each(|spec| places.fields.add(spec));
            } else if line.contains(':') {
                places.add(line.parse().expect("the known places are well-formed"));
            } else {
                kinds = line;
            }
        }
        // Those of the table have more than a bare word to them.
        places.has_named_variables = false;
        places
    }

    /// Those of the table, and every key `image` of a resource (a mapping with `apiVersion` and `kind`) whose value is
    /// a reference with more than a bare word to it. A resource's `status` is passed over.
    #[must_use]
    pub fn all() -> Self {
        Self { any_image: true, ..Self::known() }
    }

    /// Adds a place.
    pub fn add(&mut self, spec: PlaceSpec) {
        match spec.0 {
            SpecKind::Field(field) => self.fields.add(field),
            SpecKind::Env(name) => {
                self.has_named_variables |= name.is_name();
                self.env.add(name);
            }
            SpecKind::Argument(flag) => self.arguments.add(flag),
            SpecKind::Annotation(name) => self.annotations.add(name),
            SpecKind::Data(data) => self.data.push(data),
            SpecKind::Chart(place) => self.charts.push(place),
            SpecKind::ImagesList(elements) => {
                self.fields.add(elements.clone());
                self.lists.push(elements);
            }
            SpecKind::Format(format) => self.formats.push(format),
        }
    }

    /// Adds a place that [`Places::missed`] names as long as nothing is found there.
    pub fn ask(&mut self, spec: PlaceSpec) {
        self.asked.push(Asked { spec: spec.clone(), found: Arc::default() });
        self.add(spec);
    }

    /// The places that were asked for, and at which nothing was found so far, by these or by clones of them.
    pub fn missed(&self) -> impl Iterator<Item = &PlaceSpec> {
        self.asked.iter().filter(|asked| !asked.found.load(Ordering::Relaxed)).map(|asked| &asked.spec)
    }

    /// The formats of files that are asked for.
    pub(super) fn formats(&self) -> &[FormatSpec] {
        &self.formats
    }

    /// Remembers that there are files of this format.
    pub(super) fn found_format(&self, format: &FormatSpec) {
        self.found(|asked| matches!(asked, SpecKind::Format(spec) if spec == format));
    }

    /// Remembers of the places that were asked for that something was found at those that are it.
    fn found(&self, is_it: impl Fn(&SpecKind) -> bool) {
        for asked in self.asked.iter().filter(|asked| is_it(&asked.spec.0)) {
            asked.found.store(true, Ordering::Relaxed);
        }
    }

    /// Remembers that `resource` has an image at `path`.
    #[inline]
    pub(super) fn found_field(&self, resource: &Resource, path: &FieldPath) {
        if !self.asked.is_empty() {
            let (group, kind, depth) = (resource.group(), &resource.kind, resource.depth);
            self.found(|asked| match asked {
                SpecKind::Field(spec) | SpecKind::ImagesList(spec) => spec.matches(group, kind, path, depth),
                SpecKind::Env(_)
                | SpecKind::Argument(_)
                | SpecKind::Annotation(_)
                | SpecKind::Data(_)
                | SpecKind::Chart(_)
                | SpecKind::Format(_) => false,
            });
        }
    }

    /// Remembers that a variable of this name holds an image.
    pub(super) fn found_variable(&self, name: &str) {
        self.found(|asked| matches!(asked, SpecKind::Env(glob) if glob.matches(name)));
    }

    /// Remembers that the flag of `word` stands in arguments.
    pub(super) fn found_argument(&self, word: &str) {
        let flag = word.split('=').next().unwrap_or_default();
        self.found(|asked| matches!(asked, SpecKind::Argument(glob) if glob.matches(flag)));
    }

    /// Remembers that an annotation of this name holds an image.
    pub(super) fn found_annotation(&self, name: &str) {
        self.found(|asked| matches!(asked, SpecKind::Annotation(glob) if glob.matches(name)));
    }

    /// Remembers that `resource` has an image or a manifest at `path`, which leads to a key of its `data`.
    pub(super) fn found_data(&self, resource: &Resource, path: &FieldPath) {
        self.found(|asked| matches!(asked, SpecKind::Data(spec) if spec.matches(resource, path)));
    }

    /// The places with parts of charts.
    pub(super) fn chart_places(&self) -> &[ChartPlace] {
        &self.charts
    }

    /// Whether resources of this kind and name may have parts of charts.
    #[inline]
    pub(super) fn may_have_chart(&self, api_version: &str, kind: &str, name: &str) -> bool {
        let group = || api_version.rsplit_once('/').map_or("", |(group, _)| group);
        self.charts.iter().any(|place| place.is_in(group(), kind, name))
    }

    /// Remembers that a manifest has a part of a chart at this place.
    pub(super) fn found_chart(&self, place: &ChartPlace) {
        self.found(|asked| matches!(asked, SpecKind::Chart(spec) if spec == place));
    }

    /// Whether `resource` has an image at `path` (from the document's root) whose text is `value`.
    pub(super) fn has_field(&self, resource: &Resource, path: &FieldPath, value: &str) -> bool {
        self.fields.contains(resource, path, value)
            || (self.any_image && is_image_of_resource(resource, path, value))
    }

    /// Whether `path`, from the root of a document that is no resource, leads to an element of a list of images whose text
    /// is `value`.
    pub(super) fn is_listed(&self, path: &FieldPath, value: &str) -> bool {
        let is_it = |spec: &FieldSpec| spec.matches("", "", path, 0);
        let is_listed = self.lists.iter().any(|spec| is_it(spec) && spec.takes(value));
        if is_listed {
            self.found(|asked| matches!(asked, SpecKind::ImagesList(spec) if is_it(spec)));
        }
        is_listed
    }

    /// Whether a resource of which group, kind and name are known as far as they are given may have an image under these keys,
    /// those of lists' elements left out.
    pub(super) fn names_keys(
        &self,
        group: Option<&str>,
        kind: Option<&str>,
        name: Option<&str>,
        keys: &[&str],
    ) -> bool {
        let is_data = |spec: &DataSpec| match keys {
            ["data", key] => {
                kind.is_some_and(|kind| kind == spec.kind)
                    && name.is_some_and(|name| spec.name.matches(name))
                    && spec.key.matches(key)
            }
            _ => false,
        };
        self.fields.names_keys(group, kind, keys) || self.data.iter().any(is_data)
    }

    /// Whether what looks like a container is one, and a parameter that alone makes an image is that image.
    pub(super) fn has_shapes(&self) -> bool {
        self.shapes
    }

    /// Whether a variable of this name holds an image.
    pub(super) fn names_variable(&self, name: &str) -> bool {
        self.env.matches(name)
    }

    /// Whether a variable with this value may hold an image, whatever its name.
    pub(super) fn may_be_variable(&self, value: &str) -> bool {
        mention::may_hold_images(value) || (self.has_named_variables && ImageReference::parse(value).is_ok())
    }

    /// The images that a variable of this name holds, as parts of its value. A bare word is one only where the name was
    /// asked for, and not by a pattern.
    pub(super) fn images_of_variable(&self, name: &str, value: &str) -> Vec<Part> {
        let Some(matching) = self.env.matching(name) else { return Vec::new() };
        let mut images = mention::images_of_value(value);
        let is_named = matching == Matching::Name && self.has_named_variables;
        if images.is_empty() && is_named && ImageReference::parse(value).is_ok() {
            images.push(Part { start: 0, end: value.len() });
        }
        images
    }

    /// Whether `word`, one of a command's, may be an image, hold one, or be a flag that takes one; false for most others.
    #[inline]
    pub(super) fn may_be_argument(&self, word: &[u8]) -> bool {
        let has_slash = memchr::memchr(b'/', word).is_some();
        has_slash || (word.first() == Some(&b'-') && self.arguments.may_match(flag_of(word)))
    }

    /// Where the image stands in `word`, an argument whose flag the table has: `--flag=IMAGE`. The end of the word when
    /// the image is the next one. And how the flag was asked for.
    pub(super) fn argument(&self, word: &str) -> Option<(usize, Matching)> {
        if !word.starts_with('-') {
            return None;
        }
        let end = flag_of(word.as_bytes()).len();
        let matching = self.arguments.matching(&word[..end])?;
        Some(((end + 1).min(word.len()), matching))
    }

    /// Whether an annotation of this name holds an image, and by what it was asked for.
    pub(super) fn annotation(&self, name: &str) -> Option<Matching> {
        self.annotations.matching(name)
    }

    /// Whether a key of some resource's `data` holds an image or a manifest.
    pub(super) fn may_be_data(&self, key: &str) -> bool {
        self.data.iter().any(|data| data.key.matches(key))
    }

    /// Whether `resource` has an image or a manifest at `path`, which leads to a key of its `data`, and by what it was asked
    /// for.
    pub(super) fn data(&self, resource: &Resource, path: &FieldPath) -> Option<Matching> {
        let mut asked = self.data.iter().filter(|data| data.matches(resource, path)).peekable();
        asked.peek()?;
        Some(if asked.any(DataSpec::is_name) { Matching::Name } else { Matching::Pattern })
    }

    /// Texts of which a document that lacks the text `image` must hold one to have an image of these places in it;
    /// `None` when that cannot be told.
    pub(super) fn texts_without_image(&self) -> Option<Vec<String>> {
        let mut texts = self.fields.keys_without_image()?;
        let names = [&self.env, &self.arguments, &self.annotations].into_iter().flat_map(NameGlobs::literals);
        let data = self.data.iter().map(|data| data.key.literal());
        for text in names.chain(data).chain(self.charts.iter().map(ChartPlace::literal)) {
            if text.is_empty() {
                return None;
            }
            if !text.contains("image") && !texts.iter().any(|known| known == text) {
                texts.push(text.to_owned());
            }
        }
        Some(texts)
    }
}

/// What stands before the first `=` of an argument.
fn flag_of(word: &[u8]) -> &[u8] {
    memchr::memchr(b'=', word).map_or(word, |equals| &word[..equals])
}

/// Whether `path` leads to a key `image` of `resource` whose `value` can hardly be anything else.
fn is_image_of_resource(resource: &Resource, path: &FieldPath, value: &str) -> bool {
    let mut steps = path.segments_below(resource.depth);
    !resource.api_version.is_empty()
        && !resource.kind.is_empty()
        && steps.next_back() == Some(Segment::Key("image"))
        && steps.next() != Some(Segment::Key("status"))
        && mention::is_reference_like(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_shows_places() {
        for text in [
            "apps.example.com/Widget:spec.*Image",
            "env:RELATED_IMAGE_*",
            "arg:--a-image",
            "annotation:x.io/image",
            "data:ConfigMap a-*:b.yaml",
            "values:x.io/Widget:spec.values",
            "template:ConfigMap a-*:config",
            "images-list:components[].images",
        ] {
            assert_eq!(text.parse::<PlaceSpec>().unwrap().to_string(), text);
        }
        for (text, want) in [
            ("env:", "'env:' names nothing; expected env:NAME"),
            (
                "data:ConfigMap a",
                "'data:ConfigMap a' is not data of a kind; expected data:ConfigMap NAME:KEY",
            ),
            ("data:Pod a:b", "'data:Pod a:b' is not data of a kind; expected data:ConfigMap NAME:KEY"),
            (
                "Widget",
                "field 'Widget': no ':' between kind and path; expected [GROUP/]KIND:PATH, for example apps/Widget:spec.engine.image",
            ),
        ] {
            assert_eq!(text.parse::<PlaceSpec>().unwrap_err().to_string(), want);
        }
    }

    #[test]
    fn the_known_places_are_well_formed() {
        let places = Places::known();
        let resource = |api_version: &str, kind: &str, name: &str| Resource {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            name: Some(name.to_owned()),
            ..Resource::default()
        };
        let path = ["spec", "templates", "", "container", "image"]
            .map(|key| if key.is_empty() { Segment::Index(0) } else { Segment::Key(key) });
        let workflow = resource("argoproj.io/v1alpha1", "Workflow", "w");
        assert!(places.fields.contains(&workflow, &path.into_iter().collect(), "nginx"));
        assert!(places.names_variable("RELATED_IMAGE_X") && !places.names_variable("IMAGE"));
        assert_eq!(places.argument("--prometheus-config-reloader=a"), Some((29, Matching::Name)));
        assert_eq!(places.argument("-nop-image"), Some((10, Matching::Name)));
        assert_eq!(places.argument("--other=a"), None);
        let data: FieldPath =
            [Segment::Key("data"), Segment::Key("queue-sidecar-image")].into_iter().collect();
        let has_data = |kind, name| places.data(&resource("v1", kind, name), &data).is_some();
        assert!(has_data("ConfigMap", "config-deployment"));
        assert!(!has_data("ConfigMap", "other"));
        assert!(!has_data("Secret", "config-deployment"));
    }
}
