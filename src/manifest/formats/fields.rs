//! Images at certain paths of a document.

use rustc_hash::FxHashSet;

use super::PathFormat;
use super::anchors::Places;
use super::found::{FoundImage, FoundKind};
use crate::manifest::event::Scalar;
use crate::manifest::path::{FieldPath, Segment};
use crate::manifest::scalar::{self, image_text, is_string};
use crate::manifest::tree;
use crate::manifest::{Blocked, Layers, Lines, ParseError, ScalarStyle, Span, Text};

/// What stands before an image in a workflow's `uses`.
const DOCKER: &str = "docker://";

/// The images that `text` has at the paths of `format`.
///
/// # Errors
/// What is neither YAML nor JSON.
pub fn find(text: &str, format: &PathFormat) -> Result<Vec<FoundImage>, ParseError> {
    let mut found = Vec::new();
    let has_anchors = memchr::memchr(b'&', text.as_bytes()).is_some();
    let mut walk = Walk { text, lines: Lines::new(text), format, document: 0, found: Vec::new() };
    for (document, tree) in tree::read(text)?.iter().enumerate() {
        let Some(root) = &tree.root else { continue };
        walk.document = document;
        root.each_scalar(&mut |scalar, path| walk.scalar(scalar, path));
        let start = |image: &FoundImage| image.main_text().map_or(0, |text| text.span.start);
        let used: FxHashSet<FieldPath> = walk.found.iter().map(|image| image.path.clone()).collect();
        walk.found.sort_by_key(start);
        walk.found.dedup_by(|next, before| next.kind == before.kind);
        if has_anchors {
            let places = Places::new(root);
            for image in &mut walk.found {
                let is_shared = places.is_shared(start(image), &used);
                image.blocked = is_shared.then_some(Blocked::SharedAnchor);
            }
        }
        found.append(&mut walk.found);
    }
    Ok(found)
}

struct Walk<'a, 'f> {
    text: &'a str,
    lines: Lines<'a>,
    format: &'f PathFormat,
    document: usize,
    found: Vec<FoundImage>,
}

impl Walk<'_, '_> {
    fn scalar(&mut self, scalar: &Scalar<'_>, path: &FieldPath) {
        if !is_string(scalar) || !self.format.has(path) {
            return;
        }
        let mut text = text_of(self.text, &mut self.lines, scalar);
        // Where an action may stand as well, an image says that it is one.
        let says_so = matches!(path.segments().next_back(), Some(Segment::Key("uses")))
            || path.segments().eq([Segment::Key("runs"), Segment::Key("image")]);
        if text.value.starts_with(DOCKER) {
            self.leave_prefix(&mut text);
        } else if says_so {
            return;
        }
        let (path, document) = (path.clone(), self.document);
        self.found.push(FoundImage {
            path,
            document,
            kind: FoundKind::Whole(text),
            blocked: None,
            is_variant: false,
        });
    }

    /// Has `text` be what stands behind [`DOCKER`]. It can be edited where it is spelled as it is.
    fn leave_prefix(&self, text: &mut Text) {
        let image = text.value.split_off(DOCKER.len());
        let behind = text.edit.and_then(|edit| {
            let quote = usize::from(text.style.is_quoted());
            let start = edit.start + quote + DOCKER.len();
            let span = Span::new(start, edit.end.checked_sub(quote)?);
            (span.of(self.text) == Some(&image)).then_some(span)
        });
        text.refuses_brackets = text.style == ScalarStyle::Plain && text.flow;
        // An image needs no escapes, whatever the scalar's style.
        (text.value, text.edit, text.style) = (image, behind, ScalarStyle::Literal);
    }
}

/// The scalar of `text` as text that may be edited.
pub(super) fn text_of(text: &str, lines: &mut Lines<'_>, scalar: &Scalar<'_>) -> Text {
    let edit = scalar::editable(text, scalar);
    Text {
        value: image_text(scalar).to_owned(),
        span: Span::new(scalar.start, edit.map_or(scalar.span.end, |edit| edit.end)),
        edit,
        style: scalar.style,
        // A tree does not say which of its collections are written in one line; this is good for either.
        flow: true,
        refuses_brackets: false,
        within: Layers::default(),
        position: lines.position(scalar.start),
    }
}

#[cfg(test)]
mod tests {
    use super::super::path_formats;
    use super::*;

    fn images(format: &str, text: &str) -> Vec<String> {
        let format = path_formats().find(|known| known.name == format).unwrap();
        let show = |image: FoundImage| {
            let text = image.main_text().unwrap();
            let mark = if image.blocked.is_some() { "!" } else { "" };
            format!("{mark}{} {}", image.path, text.value)
        };
        find(text, format).unwrap().into_iter().map(show).collect()
    }

    #[test]
    fn finds_images_of_other_formats() {
        let compose =
            "x-base: &base {image: redis}\nservices:\n  a: {image: nginx, build: .}\n  b:\n    <<: *base\n";
        assert_eq!(images("compose", compose), ["services.b.image redis", "services.a.image nginx"]);
        let ci = "image: ruby:3\njob:\n  image: {name: a/b}\n  services: [c, {name: d}]\n  script: [x]\n";
        assert_eq!(
            images("gitlab-ci", ci),
            ["image ruby:3", "job.image.name a/b", "job.services[0] c", "job.services[1].name d"]
        );
        let workflow = "jobs:\n  a:\n    container: node:18\n    services: {db: {image: pg}}\n    steps:\n    - uses: \
                        docker://alpine:3\n    - uses: actions/checkout@v4\n";
        assert_eq!(
            images("github-workflows", workflow),
            ["jobs.a.container node:18", "jobs.a.services.db.image pg", "jobs.a.steps[0].uses alpine:3"]
        );
    }

    #[test]
    fn leaves_alone_what_is_shared_with_something_else() {
        let text = "services:\n  a: {image: &i nginx}\n  b: {hostname: *i}\n";
        assert_eq!(images("compose", text), ["!services.a.image nginx"]);
        let text = "services:\n  a: {image: &i nginx}\n  b: {image: *i}\n";
        assert_eq!(images("compose", text), ["services.a.image nginx"]);
    }
}
