//! Images within a scalar: those of a text that stands as a string, and those that are a part of one.

use crate::manifest::embedded::{self, Embedded, Layers};
use crate::manifest::event::Scalar;
use crate::manifest::fast::FastReader;
use crate::manifest::finder::Finding;
use crate::manifest::mention::Part;
use crate::manifest::occurrence::{Occurrence, Place, Resource, Text};
use crate::manifest::path::{FieldPath, Segment};
use crate::manifest::{ScalarStyle, Span, mention};

use super::Run;

impl<'a> Run<'a, '_> {
    /// Adds what is found in a text that stands as a scalar, with its places in the text around.
    pub(super) fn text_within(&mut self, finding: Finding<'a>, document: usize, resource: Option<usize>) {
        let Finding { path, scalar, blocked, flow, .. } = finding;
        let embedded = Embedded::new(self.original, &scalar).filter(|_| self.depth < embedded::DEPTH_MAX);
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
            let text = occurrence.text;
            let within = text.within.within(embedded.style());
            let edit = text.edit.zip(within).and_then(|(edit, _)| embedded.outer(edit));
            let position = self.lines.position(embedded.position(text.span.start));
            let start = embedded.position(text.span.start);
            let span = edit.unwrap_or(Span::new(start, start));
            let mut full = path.clone();
            if several {
                full.push(Segment::Index(occurrence.document));
            }
            occurrence.path.segments().for_each(|segment| full.push(segment));
            self.scan.occurrences.push(Occurrence {
                document,
                path: full,
                text: Text {
                    span,
                    edit: edit.filter(|_| blocked.is_none()),
                    within: within.unwrap_or_default(),
                    position,
                    ..text
                },
                resource: occurrence.resource.map(|index| first_resource + index).or(resource),
                blocked: blocked.or(occurrence.blocked),
                ..occurrence
            });
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

    /// The part of a scalar that is an image: `nginx` of `--image=nginx`. It is written as it is, whatever the scalar's
    /// style, since an image needs no escapes.
    pub(super) fn part_of(&mut self, finding: &Finding<'a>, part: Part) -> Text {
        let Part { start, end } = part;
        let scalar = &finding.scalar;
        let embedded = Embedded::new(self.original, scalar);
        let span = embedded.as_ref().and_then(|embedded| embedded.outer(Span::new(start, end)));
        let at = span.map_or(scalar.start, |span| span.start);
        Text {
            value: scalar.value[start..end].to_owned(),
            span: span.unwrap_or(Span::new(at, at)),
            edit: span.filter(|_| finding.blocked.is_none()),
            style: ScalarStyle::Literal,
            flow: finding.flow,
            within: Layers::default(),
            position: self.lines.position(at),
        }
    }
}
