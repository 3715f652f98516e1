//! An image as a JSON object: one shape for every command that lists images.

use serde::Serialize;

use crate::maps::Rule;
use crate::rewrite::Site;

/// An image with its place, as inventories and reports print it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageRecord<'a> {
    /// The file as given, or `-` for standard input.
    pub file: &'a str,
    /// The document of the file, from 0.
    pub document: usize,
    /// The way to the image from the document's root.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// First byte of the scalar as it stands, quotes included.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// The image as written.
    pub image: &'a str,
    /// Of the resource it belongs to.
    pub api_version: Option<&'a str>,
    /// Of the resource.
    pub kind: Option<&'a str>,
    /// Of the resource.
    pub namespace: Option<&'a str>,
    /// Of the resource.
    pub name: Option<&'a str>,
    /// Why it counts as an image; see [`Place::as_str`](crate::manifest::Place::as_str).
    pub place: &'static str,
}

impl<'a> ImageRecord<'a> {
    /// The record of `site` in `file`.
    #[must_use]
    pub fn new(file: &'a str, site: &'a Site) -> Self {
        let resource = site.resource.as_deref();
        Self {
            file,
            document: site.document,
            path: site.path.to_string(),
            line: site.position.line,
            column: site.position.column,
            start: site.span.start,
            end: site.span.end,
            image: &site.image,
            api_version: resource.map(|r| r.api_version.as_str()).filter(|text| !text.is_empty()),
            kind: resource.map(|r| r.kind.as_str()).filter(|text| !text.is_empty()),
            namespace: resource.and_then(|r| r.namespace.as_deref()),
            name: resource.and_then(|r| r.name.as_deref()),
            place: site.place.as_str(),
        }
    }
}

/// A rule as a JSON object.
#[derive(Debug, Serialize)]
pub struct RuleRecord<'a> {
    /// exact, replace, registry, path, noswap, default or legacy.
    pub kind: &'static str,
    /// Its left side.
    pub key: &'a str,
    /// Its right side.
    pub value: &'a str,
    /// Where it stands.
    pub file: &'a str,
    /// Its line there, from 1.
    pub line: usize,
}

impl<'a> From<&'a Rule> for RuleRecord<'a> {
    fn from(rule: &'a Rule) -> Self {
        Self {
            kind: rule.kind().as_str(),
            key: rule.key(),
            value: rule.value(),
            file: rule.source_name(),
            line: rule.line(),
        }
    }
}
