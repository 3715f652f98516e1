//! JSON patches (RFC 6902), which change images of the kinds that they are for.

use crate::manifest::tree::{self, Node};
use crate::manifest::{FieldPath, Segment};

use super::super::input::{Input, Target};
use super::input::{Context, step};

impl Target {
    /// The target that a Kustomization gives a patch, if it says a kind.
    pub(super) fn of(target: Option<&Node<'_>>) -> Option<Self> {
        let text = |key| target?.get(key).and_then(Node::text).map(str::to_owned);
        Some(Self { group: text("group"), kind: text("kind")? })
    }

    /// The ways to the values of the JSON patch `text` that are images of this kind, `path` being the way to the patch.
    /// Those of containers are images of any kind, and left out.
    pub(super) fn patched_images(
        &self,
        context: Context<'_>,
        text: &str,
        path: &FieldPath,
    ) -> Vec<FieldPath> {
        let Ok(trees) = tree::read(text) else { return Vec::new() };
        let [tree::Tree { root: Some(Node::Sequence(operations)), .. }] = &trees[..] else {
            return Vec::new();
        };
        let is_image = |operation: &Node<'_>| {
            let field = operation.get("path").and_then(Node::text).unwrap_or_default();
            let keys: Vec<String> = field
                .split('/')
                .skip(1)
                .map(|key| key.replace("~1", "/").replace("~0", "~"))
                .filter(|key| key != "-" && key.parse::<usize>().is_err())
                .collect();
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let (group, kind) = (self.group.as_deref(), Some(self.kind.as_str()));
            context.scanner.finds_at(group, kind, None, &keys)
                && !context.scanner.finds_at(None, None, None, &keys)
        };
        let images = operations.iter().enumerate().filter(|(_, operation)| is_image(operation));
        images.map(|(number, _)| step(&step(path, Segment::Index(number)), Segment::Key("value"))).collect()
    }
}

impl Input {
    /// The ways to the values of the patch `text` that are images of the kind that this Kustomization says it is for.
    pub(in crate::rewrite) fn patched_images(&self, context: Context<'_>, text: &str) -> Vec<FieldPath> {
        let images = |target: &Target| target.patched_images(context, text, &FieldPath::default());
        self.target.as_ref().map_or_else(Vec::new, images)
    }
}
