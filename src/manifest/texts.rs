//! All texts of a document that look like images, wherever they stand: what the finder, which is in a hurry, does not look at.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use super::documents;
use super::event::Scalar;
use super::lines::{Lines, Position};
use super::mention;
use super::occurrence::Resource;
use super::path::{FieldPath, Segment};
use super::scalar::{image_text, is_string};
use super::tree::{self, Node};
use super::{Span, scalar};

/// A text that looks like an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageText {
    /// The image.
    pub image: String,
    /// The document of the file, from 0.
    pub document: usize,
    /// The way to it.
    pub path: FieldPath,
    /// The scalar that holds it.
    pub span: Span,
    /// Where that starts.
    pub position: Position,
    /// The resource whose document it is.
    pub resource: Option<Resource>,
}

/// The texts of `text` that look like images, but for those in scalars that have an image at a place that is `known`.
/// None of what does not parse.
#[must_use]
pub fn image_texts(text: &str, known: &BTreeSet<usize>) -> Vec<ImageText> {
    let Ok(trees) = tree::read(text) else { return Vec::new() };
    let mut walk =
        Walk { text, lines: Lines::new(text), known, seen: FxHashSet::default(), found: Vec::new() };
    for root in trees.iter().filter_map(|tree| tree.root.as_ref()) {
        let before = walk.found.len();
        root.each_scalar(&mut |scalar, path| walk.scalar(scalar, path));
        let resource = resource(root);
        walk.found[before..].iter_mut().for_each(|found| found.resource.clone_from(&resource));
    }
    walk.found.sort_by_key(|found| found.span);
    let starts = document_starts(text);
    for found in &mut walk.found {
        found.document = starts.partition_point(|start| *start <= found.span.start).saturating_sub(1);
    }
    walk.found
}

/// Where the documents of `text` start.
pub(super) fn document_starts(text: &str) -> Vec<usize> {
    let spans = documents::split(text, 0, true).unwrap_or_default();
    let is_document = |span: &Span| documents::count(span.of(text).unwrap_or_default().as_bytes()) != Some(0);
    spans.iter().filter(|span| is_document(span)).map(|span| span.start).collect()
}

/// The resource that a document is.
pub(super) fn resource(root: &Node<'_>) -> Option<Resource> {
    let text = |node: Option<&Node<'_>>| node.and_then(Node::text).map(str::to_owned);
    let metadata = root.get("metadata");
    Some(Resource {
        api_version: text(root.get("apiVersion"))?,
        kind: text(root.get("kind"))?,
        name: text(metadata.and_then(|metadata| metadata.get("name"))),
        namespace: text(metadata.and_then(|metadata| metadata.get("namespace"))),
        ..Resource::default()
    })
}

struct Walk<'a, 'k> {
    text: &'a str,
    lines: Lines<'a>,
    known: &'k BTreeSet<usize>,
    seen: FxHashSet<usize>,
    found: Vec<ImageText>,
}

impl Walk<'_, '_> {
    fn scalar(&mut self, scalar: &Scalar<'_>, path: &FieldPath) {
        let is_known =
            || self.known.range(scalar.start..scalar.span.end.max(scalar.start + 1)).next().is_some();
        if !is_string(scalar) || is_known() || !self.seen.insert(scalar.start) {
            return;
        }
        let value = image_text(scalar);
        let key = path.segments().rev().find_map(|segment| match segment {
            Segment::Key(key) => Some(key),
            Segment::Index(_) => None,
        });
        let in_status = path.segments().next() == Some(Segment::Key("status"));
        let is_named = key.is_some_and(mention::names_image) && mention::is_reference_like(value);
        let images: Vec<String> = if mention::is_image_like(value) || is_named {
            vec![value.to_owned()]
        } else {
            let parts = mention::images_of_value(value).into_iter();
            let parts = parts.map(|part| value[part.start..part.end].to_owned());
            parts.filter(|image| mention::is_image_like(image)).collect()
        };
        if in_status {
            return;
        }
        for image in images {
            let end = scalar::editable(self.text, scalar).map_or(scalar.span.end, |edit| edit.end);
            self.found.push(ImageText {
                image,
                document: 0,
                path: path.clone(),
                span: Span::new(scalar.start, end),
                position: self.lines.position(scalar.start),
                resource: None,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_looks_like_an_image_anywhere() {
        let text = "# c\n---\nkind: ConfigMap\napiVersion: v1\ndata:\n  a: quay.io/a/b:1\n  b: text\n  c: x=quay.io/c:1,y=quay.io/d:2\n---\n\
                    metadata:\n  annotations: {x: quay.io/e:1}\nspec:\n  sidecarImage: team/f\n  images: [g:1, g2]\n  \
                    known: quay.io/h:1\nstatus: {image: quay.io/i:1}\nargs: ['--x=quay.io/k:1']\n";
        // Of an argument the image is known by where it stands in it.
        let known = ["quay.io/h", "quay.io/k"].map(|image| text.find(image).unwrap()).into_iter().collect();
        let found: Vec<(usize, String)> =
            image_texts(text, &known).into_iter().map(|found| (found.document, found.image)).collect();
        let expected = [
            (0, "quay.io/a/b:1"),
            (0, "quay.io/c:1"),
            (0, "quay.io/d:2"),
            (1, "quay.io/e:1"),
            (1, "team/f"),
            (1, "g:1"),
        ];
        assert_eq!(found, expected.map(|(document, image)| (document, image.to_owned())));
    }
}
