//! Images within a scalar: those of a text that stands as a string, and those that are a part of one.

use crate::manifest::embedded::Embedded;
use crate::manifest::event::Scalar;
use crate::manifest::fast::FastReader;
use crate::manifest::finder::{Finding, ImageParts};
use crate::manifest::layers::{self, Layers};
use crate::manifest::mention::Part;
use crate::manifest::occurrence::{Blocked, KustomizeImage, Occurrence, Place, Resource, Text};
use crate::manifest::path::{FieldPath, Segment};
use crate::manifest::{ScalarStyle, Span, mention, scalar};

use super::Run;

/// The way to `inner` of a text, or of one of its documents, that stands at `path`.
fn below(path: &FieldPath, document: Option<usize>, inner: &FieldPath) -> FieldPath {
    let mut path = path.clone();
    path.extend(document.map(Segment::Index));
    path.extend(inner.segments());
    path
}

/// Whether it is the `image` of an element of a list, as the images of a chart's annotation are.
fn is_listed_image(occurrence: &Occurrence) -> bool {
    let steps: Vec<Segment<'_>> = occurrence.path.segments().collect();
    let is_one = matches!(steps[..], [Segment::Index(_), Segment::Key("image")]);
    occurrence.place == Place::Mention && is_one
}

impl<'a> Run<'a, '_> {
    /// Adds what is found in a text that stands as a scalar, with its places in the text around.
    pub(super) fn text_within(&mut self, finding: Finding<'a>, document: usize, resource: Option<usize>) {
        let Finding { path, scalar, blocked, flow, place, .. } = finding;
        let embedded = Embedded::new(self.original, &scalar).filter(|_| self.depth < layers::DEPTH_MAX);
        let inner = embedded.as_ref().map(|embedded| {
            self.scanner.scan_within(&embedded.value, &mut FastReader::default(), self.depth + 1)
        });
        let read = embedded.zip(inner).filter(|(_, inner)| inner.errors.is_empty());
        let Some((embedded, inner)) = read else {
            self.mentions_within(&path, &scalar, flow, document, resource);
            return;
        };
        let first_resource = self.scan.resources.len();
        let several = inner.documents > 1;
        self.scan.resources.extend(inner.resources.into_iter().map(|resource| {
            let depth = path.len() + usize::from(several) + resource.depth;
            Resource { depth, ..resource }
        }));
        for occurrence in inner.occurrences {
            let is_annotated = place == Place::Annotation && is_listed_image(&occurrence);
            let text = self.carried(occurrence.text, &embedded, blocked);
            self.scan.occurrences.push(Occurrence {
                document,
                place: if is_annotated { place } else { occurrence.place },
                path: below(&path, several.then_some(occurrence.document), &occurrence.path),
                text,
                resource: occurrence.resource.map(|index| first_resource + index).or(resource),
                blocked: blocked.or(occurrence.blocked),
                ..occurrence
            });
        }
        for entry in inner.kustomize_images {
            // A patch may have a key `images`; an entry says what it belongs to.
            let Some(index) = entry.resource else { continue };
            let mut carried = |text: Option<Text>| text.map(|text| self.carried(text, &embedded, blocked));
            let entry = KustomizeImage {
                document,
                path: below(&path, several.then_some(entry.document), &entry.path),
                name: carried(entry.name),
                new_name: carried(entry.new_name),
                new_tag: carried(entry.new_tag),
                digest: carried(entry.digest),
                digest_slot: None,
                resource: Some(first_resource + index),
            };
            self.scan.kustomize_images.push(entry);
        }
    }

    /// A text of the string `embedded`, with its place in the text around.
    fn carried(&mut self, text: Text, embedded: &Embedded<'_>, blocked: Option<Blocked>) -> Text {
        let within = text.within.within(embedded.style());
        let edit = text.edit.zip(within).and_then(|(edit, _)| embedded.outer(edit));
        let start = embedded.position(text.span.start);
        let position = self.lines.position(start);
        Text {
            span: edit.unwrap_or(Span::new(start, start)),
            edit: edit.filter(|_| blocked.is_none()),
            within: within.unwrap_or_default(),
            position,
            ..text
        }
    }

    /// Adds the images that a text seems to hold which cannot be read as a manifest or patch.
    pub(super) fn mentions_within(
        &mut self,
        path: &FieldPath,
        scalar: &Scalar<'a>,
        flow: bool,
        document: usize,
        resource: Option<usize>,
    ) {
        for image in mention::images_in(&scalar.value) {
            let text = Text {
                value: image.to_owned(),
                span: scalar.span,
                edit: None,
                style: scalar.style,
                flow,
                refuses_brackets: false,
                within: Layers::default(),
                position: self.lines.position(scalar.start),
            };
            self.scan.occurrences.push(Occurrence {
                document,
                place: Place::Mention,
                path: path.clone(),
                text,
                resource,
                container: None,
                other_containers: Vec::new(),
                blocked: None,
            });
        }
    }

    /// The text of what stands as one image: a scalar, or a part of it.
    pub(super) fn text_of(&mut self, finding: &Finding<'a>) -> Text {
        let scalar = &finding.scalar;
        if let ImageParts::One(part) = finding.parts {
            return self.part_of(finding, part);
        }
        let edit = scalar::editable(self.original, scalar).filter(|_| finding.blocked.is_none());
        let content_end = edit.map_or(scalar.span.end, |edit| edit.end);
        Text {
            value: scalar::image_text(scalar).to_owned(),
            span: Span::new(scalar.start, content_end),
            edit,
            style: scalar.style,
            flow: finding.flow,
            refuses_brackets: false,
            within: Layers::default(),
            position: self.lines.position(scalar.start),
        }
    }

    /// The part of a scalar that is an image: `nginx` of `--image=nginx`. It is written as it is, whatever the scalar's
    /// style, since an image needs no escapes.
    pub(super) fn part_of(&mut self, finding: &Finding<'a>, part: Part) -> Text {
        let embedded = Embedded::new(self.original, &finding.scalar);
        self.part_in(finding, embedded.as_ref(), part)
    }

    /// Adds the images that are `parts` of one scalar.
    pub(super) fn parts_within(
        &mut self,
        finding: &Finding<'a>,
        parts: &[Part],
        document: usize,
        resource: Option<usize>,
    ) {
        let embedded = Embedded::new(self.original, &finding.scalar);
        for part in parts {
            let text = self.part_in(finding, embedded.as_ref(), *part);
            self.scan.occurrences.push(Occurrence {
                document,
                place: finding.place,
                path: finding.path.clone(),
                text,
                resource,
                container: finding.container.clone(),
                other_containers: finding.other_containers.clone(),
                blocked: finding.blocked,
            });
        }
    }

    /// The part of the scalar that is `embedded`, if it can be told which bytes spell what.
    fn part_in(&mut self, finding: &Finding<'a>, embedded: Option<&Embedded<'_>>, part: Part) -> Text {
        let Part { start, end } = part;
        let scalar = &finding.scalar;
        let span = embedded.and_then(|embedded| embedded.outer(Span::new(start, end)));
        let at = span.map_or(scalar.start, |span| span.start);
        Text {
            value: scalar.value[start..end].to_owned(),
            span: span.unwrap_or(Span::new(at, at)),
            edit: span.filter(|_| finding.blocked.is_none()),
            style: ScalarStyle::Literal,
            flow: finding.flow,
            refuses_brackets: scalar.style == ScalarStyle::Plain && (finding.flow || start == 0),
            within: Layers::default(),
            position: self.lines.position(at),
        }
    }
}
