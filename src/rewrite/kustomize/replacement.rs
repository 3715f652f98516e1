//! Replacements and variables of Kustomizations, which copy values into images and out of them.

use crate::image::ImageReference;
use crate::manifest::tree::Node;
use crate::manifest::{FieldPath, Segment};

use super::input::{Context, Reading, step};

/// What is said of a replacement that fills an image with what is none.
const SOURCE_IS_NO_IMAGE: &str = "what it puts here stands where no image is known, and stays as it is: name that \
    place, with --data or --field";

/// What is said of a replacement that changes a part of an image.
const PART_OF_IMAGE: &str = "puts a part of an image in its place, and is written for the image as it was";

/// What is said of a replacement that copies an image to another place.
const COPIES_IMAGE: &str = "gets the rewritten image, or a part of it, in a place where no image is known";

/// How a part of a value is named: what it is split by, and which part.
struct Split<'n> {
    delimiter: &'n str,
    index: i64,
}

impl<'n> Split<'n> {
    /// What `options` of a replacement say; `None` when they mean the whole value.
    fn of(options: Option<&'n Node<'_>>) -> Option<Self> {
        let options = options?;
        let delimiter = options.get("delimiter").and_then(Node::text).filter(|text| !text.is_empty())?;
        let index = options.get("index").and_then(Node::text).and_then(|text| text.parse().ok());
        Some(Self { delimiter, index: index.unwrap_or(0) })
    }

    /// Whether the part stays the same when an image becomes another.
    fn is_behind_the_name(&self, context: Context<'_>) -> bool {
        let names_port =
            context.maps.rules().any(|rule| rule.value().contains(':') || rule.key().contains(':'));
        match self.delimiter {
            ":" => self.index != 0 && !names_port && !context.changes_tags(),
            "@" => self.index != 0 && !context.changes_tags(),
            _ => false,
        }
    }
}

/// The keys of a field's path as kustomize writes it: `spec.containers.[name=web].image`. Elements of lists are left out.
fn keys(path: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut key = String::new();
    let mut in_brackets = false;
    let mut chars = path.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => key.extend(chars.next()),
            '[' => in_brackets = true,
            ']' => in_brackets = false,
            '.' if !in_brackets => keys.push(std::mem::take(&mut key)),
            _ if in_brackets => {}
            c => key.push(c),
        }
    }
    keys.push(key);
    keys.retain(|key| !(key.is_empty() || key == "*" || key.parse::<usize>().is_ok()));
    keys
}

impl Reading<'_> {
    /// Whether a field of the resource that `selector` names holds an image that is rewritten.
    fn is_image(&self, selector: Option<&Node<'_>>, path: &str) -> bool {
        let text = |key| selector.and_then(|node| node.get(key)).and_then(Node::text);
        let group = text("group").or_else(|| {
            let version = text("apiVersion")?;
            Some(version.rsplit_once('/').map_or("", |(group, _)| group))
        });
        let keys = keys(path);
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        self.context.scanner.finds_at(group, text("kind"), text("name"), &keys)
    }

    /// One replacement.
    pub(super) fn replacement(&mut self, node: &Node<'_>, path: &FieldPath) {
        let source = node.get("source");
        let literal = match node.get("sourceValue") {
            Some(Node::Scalar(scalar)) => Some(scalar),
            _ => None,
        };
        let field = source.and_then(|source| source.get("fieldPath"));
        let source_path = field.and_then(Node::text).unwrap_or("metadata.name");
        let from_image = literal.is_none() && self.is_image(source, source_path);
        let source_split = Split::of(source.and_then(|source| source.get("options")));
        let Some(Node::Sequence(targets)) = node.get("targets") else { return };
        let mut is_image = false;
        for (number, target) in targets.iter().enumerate() {
            let to_image = Split::of(target.get("options"));
            let Some(Node::Sequence(fields)) = target.get("fieldPaths") else { continue };
            for (at, field) in fields.iter().enumerate() {
                let Node::Scalar(field) = field else { continue };
                let into_image = self.is_image(target.get("select"), &field.value);
                let reason = match (into_image, &to_image) {
                    // The source alone makes the image.
                    (true, None) if literal.is_some() => {
                        is_image = true;
                        continue;
                    }
                    (true, None) if from_image && source_split.is_none() => continue,
                    (true, None) => Some(SOURCE_IS_NO_IMAGE),
                    (true, Some(split)) => {
                        let is_safe = split.is_behind_the_name(self.context)
                            && source_split
                                .as_ref()
                                .is_none_or(|split| !from_image || split.is_behind_the_name(self.context));
                        let whole_image = from_image && source_split.is_none();
                        (!is_safe || whole_image).then_some(PART_OF_IMAGE)
                    }
                    (false, _) if from_image => {
                        let is_safe =
                            source_split.as_ref().is_some_and(|split| split.is_behind_the_name(self.context));
                        (!is_safe).then_some(COPIES_IMAGE)
                    }
                    (false, _) => None,
                };
                if let Some(reason) = reason {
                    let segments = [
                        Segment::Key("targets"),
                        Segment::Index(number),
                        Segment::Key("fieldPaths"),
                        Segment::Index(at),
                    ];
                    let path = segments.into_iter().fold(path.clone(), |path, next| step(&path, next));
                    self.limit(field, path, reason);
                }
            }
        }
        if let Some(literal) = literal.filter(|_| is_image)
            && ImageReference::parse(&literal.value).is_ok()
        {
            self.literal(literal, step(path, Segment::Key("sourceValue")));
        }
    }

    /// One variable.
    pub(super) fn variable(&mut self, node: &Node<'_>, path: &FieldPath) {
        let (Some(Node::Scalar(name)), Some(field)) = (node.get("name"), node.get("fieldref")) else {
            return;
        };
        let field = field.get("fieldpath").or(field.get("fieldPath")).and_then(Node::text);
        if self.is_image(node.get("objref"), field.unwrap_or("metadata.name")) {
            let reason = "copies an image; wherever it goes, the rewritten image goes, too";
            self.limit(name, step(path, Segment::Key("name")), reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_keys_of_paths() {
        for (path, want) in [
            ("spec.template.spec.containers.[name=a.b].image", "spec/template/spec/containers/image"),
            ("spec.containers.0.image", "spec/containers/image"),
            ("spec.containers.*.image", "spec/containers/image"),
            ("data.a\\.b", "data/a.b"),
            ("metadata.annotations.[a.b/c]", "metadata/annotations"),
        ] {
            assert_eq!(keys(path).join("/"), want, "{path}");
        }
    }
}
