//! The parts of charts that stand in manifests: values and templates, with the way from their text to the text around.

use std::sync::Arc;

use super::chart_places::ChartContent;
use super::edit::Edit;
use super::embedded::Embedded;
use super::event::Scalar;
use super::layers::Layers;
use super::occurrence::{Blocked, Resource};
use super::path::{FieldPath, Segment};
use super::places::Places;
use super::texts::{document_starts, resource};
use super::tree::{self, Node};

/// A part of a chart in a manifest.
#[derive(Debug)]
pub struct ChartPart<'a> {
    /// The document of the file, from 0.
    pub document: usize,
    /// The way to it.
    pub path: FieldPath,
    /// The resource it belongs to.
    pub resource: Arc<Resource>,
    /// What it is.
    pub content: ChartPartContent<'a>,
    /// Why nothing of it may be edited.
    pub blocked: Option<Blocked>,
}

/// What such a part is.
#[derive(Debug)]
pub enum ChartPartContent<'a> {
    /// Values, as a mapping of the manifest.
    Values(Node<'a>),
    /// Values, as a text within the manifest.
    ValuesText(Arc<Nested<'a>>),
    /// A template, as a text within the manifest.
    Template(Arc<Nested<'a>>),
    /// A scalar that holds one of these, and is written so that it cannot be told which bytes spell what.
    Untold {
        /// Where the scalar starts.
        start: usize,
    },
}

/// A text that stands as the string of a scalar, which may itself stand in such a text.
#[derive(Debug)]
pub struct Nested<'a> {
    embedded: Embedded<'a>,
    /// The text that the scalar stands in, unless that is the file's. Many texts may stand in the same.
    around: Option<Arc<Nested<'a>>>,
    /// Where the outermost scalar starts.
    start: usize,
}

impl<'a> Nested<'a> {
    fn new(text: &str, scalar: &Scalar<'a>) -> Option<Self> {
        let embedded = Embedded::new(text, scalar)?;
        Some(Self { embedded, around: None, start: scalar.start })
    }

    /// The string of `scalar`, which stands in this text.
    fn within(self: &Arc<Self>, scalar: &Scalar<'_>) -> Option<Self> {
        let embedded = Embedded::new(self.text(), scalar)?.into_owned();
        Some(Self { embedded, around: Some(Arc::clone(self)), start: self.start })
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.embedded.value
    }

    /// Where the outermost scalar starts that it stands in.
    #[must_use]
    pub fn start(&self) -> usize {
        self.start
    }

    /// An edit of the text as one of the text around; `None` where the styles of the scalars do not allow that.
    #[must_use]
    pub fn edit(&self, edit: &Edit) -> Option<Edit> {
        let mut edit = edit.clone();
        for embedded in self.outwards() {
            let layers = Layers::default().within(embedded.style())?;
            edit = Edit { span: embedded.outer(edit.span)?, text: layers.spell(&edit.text).into_owned() };
        }
        Some(edit)
    }

    /// Where the character at `offset` of the text is written in the text around.
    #[must_use]
    pub fn position(&self, offset: usize) -> usize {
        self.outwards().fold(offset, |offset, embedded| embedded.position(offset))
    }

    /// The scalars that it stands in, the innermost first.
    fn outwards(&self) -> impl Iterator<Item = &Embedded<'a>> {
        let texts = std::iter::successors(Some(self), |nested| nested.around.as_deref());
        texts.map(|nested| &nested.embedded)
    }
}

/// The parts of charts that the manifests of `text` have at `places`. None of what does not parse.
pub(super) fn find<'a>(text: &'a str, places: &Places, disable_label: &str) -> Vec<ChartPart<'a>> {
    let mut found = Vec::new();
    let starts = document_starts(text);
    let read = tree::read_each(text, |tree| {
        let Some(root) = tree.root else { return };
        let document = |node: &Node<'_>| {
            let mut first = None;
            node.each_scalar(&mut |scalar, _| first = first.or(Some(scalar.start)));
            starts.partition_point(|start| *start <= first.unwrap_or(0)).saturating_sub(1)
        };
        let mut walk = Walk { text, places, disable_label, document: document(&root), found: &mut found };
        walk.resource(&root, &FieldPath::default());
    });
    if read.is_err() {
        return Vec::new();
    }
    found
}

struct Walk<'a, 'w> {
    text: &'a str,
    places: &'w Places,
    disable_label: &'w str,
    document: usize,
    found: &'w mut Vec<ChartPart<'a>>,
}

impl<'a> Walk<'a, '_> {
    /// Looks at a resource, or at those of a list.
    fn resource(&mut self, root: &Node<'a>, path: &FieldPath) {
        if let Some(Node::Sequence(items)) = root.get("items") {
            for (index, item) in items.iter().enumerate() {
                let path: FieldPath =
                    path.segments().chain([Segment::Key("items"), Segment::Index(index)]).collect();
                self.resource(item, &path);
            }
            return;
        }
        let Some(resource) = resource(root) else { return };
        let resource = Arc::new(Resource { depth: path.len(), ..resource });
        let labels = root.get("metadata").and_then(|metadata| metadata.get("labels"));
        let label = labels.and_then(|labels| labels.get(self.disable_label)).and_then(Node::text);
        let blocked = (label == Some("disabled")).then_some(Blocked::DisableLabel);
        for place in self.places.chart_places() {
            for (below, node) in place.find(&resource, root) {
                let path: FieldPath = path.segments().chain(below.segments()).collect();
                let parts = contents(self.text, place.content, node);
                if !parts.is_empty() {
                    self.places.found_chart(place);
                }
                self.found.extend(parts.into_iter().map(|(below, content)| ChartPart {
                    document: self.document,
                    path: path.segments().chain(below.segments()).collect(),
                    resource: Arc::clone(&resource),
                    content,
                    blocked,
                }));
            }
        }
    }
}

/// What stands in `node`, with the ways to it from there.
fn contents<'a>(
    text: &str,
    content: ChartContent,
    node: &Node<'a>,
) -> Vec<(FieldPath, ChartPartContent<'a>)> {
    let here = FieldPath::default;
    let scalar = match node {
        Node::Mapping(_) if content == ChartContent::Values => {
            return vec![(here(), ChartPartContent::Values(node.clone()))];
        }
        Node::Scalar(scalar) if !node.is_null() => scalar,
        Node::Scalar(_) | Node::Sequence(_) | Node::Mapping(_) => return Vec::new(),
    };
    let untold = || ChartPartContent::Untold { start: scalar.span.start };
    let Some(nested) = Nested::new(text, scalar).map(Arc::new) else {
        return vec![(here(), untold())];
    };
    if content == ChartContent::Values {
        return vec![(here(), ChartPartContent::ValuesText(nested))];
    }
    // A text of texts, or where it cannot be read as one a template itself.
    let mut parts = Vec::new();
    let mut is_mapping = false;
    if let Ok([tree]) = tree::read(nested.text()).as_deref()
        && let Some(root @ Node::Mapping(_)) = &tree.root
    {
        is_mapping = true;
        root.each_scalar(&mut |inner, path| {
            if inner.value.contains("image") && inner.value.contains('\n') {
                let content = nested.within(inner).map(|inner| ChartPartContent::Template(Arc::new(inner)));
                parts.push((path.clone(), content.unwrap_or_else(untold)));
            }
        });
    }
    if !is_mapping || parts.is_empty() {
        parts.push((here(), ChartPartContent::Template(nested)));
    }
    parts
}
