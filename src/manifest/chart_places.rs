//! Places of manifests at which there is what charts have in their files: values of which templates make images, and
//! templates. Istio's operator and its sidecar injector have both.

use std::fmt;

use super::data_spec::DataSpec;
use super::fields::{FieldSpec, FieldSpecError};
use super::occurrence::Resource;
use super::path::{FieldPath, Segment};
use super::tree::Node;

/// A place with a part of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChartPlace {
    pub(super) content: ChartContent,
    at: At,
}

/// What stands at such a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartContent {
    /// Values, as in a chart's `values.yaml`.
    Values,
    /// A template, or a text whose texts are templates.
    Template,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum At {
    /// A mapping, or a text that holds one.
    Field(FieldSpec),
    /// A value of `data`.
    Data(DataSpec),
}

impl ChartPlace {
    /// The place that `text` names, a field or data of a kind.
    pub(super) fn parse(content: ChartContent, text: &str) -> Result<Self, FieldSpecError> {
        let at = match DataSpec::parse(text) {
            Some(data) => At::Data(data),
            None => At::Field(text.parse()?),
        };
        Ok(Self { content, at })
    }

    /// A text that every document has which has this place; empty when there is none.
    pub(super) fn literal(&self) -> &str {
        match &self.at {
            At::Field(field) => field.resource_literal(),
            At::Data(data) => data.name.literal(),
        }
    }

    /// Whether resources of this kind and name may have this place.
    pub(super) fn is_in(&self, group: &str, kind: &str, name: &str) -> bool {
        match &self.at {
            At::Field(field) => field.is_in(group, kind),
            At::Data(data) => data.kind == kind && data.name.matches(name),
        }
    }

    /// The nodes of `root`, the resource, that are at this place, with the ways to them from it.
    pub(super) fn find<'n, 'a>(
        &self,
        resource: &Resource,
        root: &'n Node<'a>,
    ) -> Vec<(FieldPath, &'n Node<'a>)> {
        let name = resource.name.as_deref().unwrap_or_default();
        if !self.is_in(resource.group(), &resource.kind, name) {
            return Vec::new();
        }
        match &self.at {
            At::Field(field) => field.find(root),
            At::Data(data) => {
                let Some(Node::Mapping(pairs)) = root.get("data") else { return Vec::new() };
                (pairs.iter())
                    .filter(|(key, _)| data.key.matches(&key.value))
                    .map(|(key, node)| {
                        ([Segment::Key("data"), Segment::Key(&key.value)].into_iter().collect(), node)
                    })
                    .collect()
            }
        }
    }
}

impl fmt::Display for ChartPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.content {
            ChartContent::Values => "values:",
            ChartContent::Template => "template:",
        })?;
        match &self.at {
            At::Field(field) => field.fmt(f),
            At::Data(data) => data.fmt(f),
        }
    }
}
