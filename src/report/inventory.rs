//! Every image with its place, in the formats of the inventory.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;

use crate::manifest::{KustomizeImage, Place};
use crate::maps::Rule;
use crate::rewrite::{Plan, Site};

use super::json;
use super::record::{ImageRecord, RuleRecord};
use super::words::{escaped, quoted};

/// An image of the inventory.
#[derive(Debug)]
pub struct Listed {
    /// The file as given, or `-` for standard input.
    pub file: String,
    /// The image and its place.
    pub site: Site,
    /// See [`SkipReason::status`](crate::rewrite::SkipReason::status); `ok` otherwise.
    pub status: &'static str,
    /// What the maps make of it; the image itself where they leave it alone.
    pub target: Option<Arc<str>>,
    rule: Option<Arc<Rule>>,
}

/// The images of a file, in the order of its text; with `all`, also what is only mentioned.
#[must_use]
pub fn of_plan(file: &str, plan: &mut Plan, all: bool) -> Vec<Listed> {
    let mut listed = Vec::new();
    let mut add = |site: Site, status, target: Option<Arc<str>>, rule: Option<Arc<Rule>>| {
        listed.push(Listed { file: file.to_owned(), site, status, target, rule });
    };
    // A registry that a chart puts before names is no image.
    let is_image = |site: &Site| all || site.place != Place::Registry;
    for change in plan.changes.drain(..).filter(|change| is_image(&change.site)) {
        add(change.site, "ok", Some(change.to), change.rule);
    }
    for kept in plan.kept.drain(..).filter(|kept| is_image(&kept.site)) {
        let target = Arc::from(kept.site.image.as_str());
        add(kept.site, "ok", Some(target), kept.rule);
    }
    for problem in plan.problems.drain(..) {
        let target = Arc::from(problem.site.image.as_str());
        add(problem.site, "ok", Some(target), None);
    }
    for skip in plan.skips.drain(..).filter(|skip| is_image(&skip.site)) {
        let target = Arc::from(skip.site.image.as_str());
        add(skip.site, skip.reason.status(), Some(target), None);
    }
    if all {
        for site in plan.unchecked.drain(..) {
            let status = status_of(&site.image);
            add(site, status, None, None);
        }
        for entry in &plan.kustomize_images {
            if let Some(site) = entry_site(entry, plan) {
                let status = status_of(&site.image);
                add(site, status, None, None);
            }
        }
    }
    listed.sort_by_key(|listed| listed.site.span);
    listed
}

fn status_of(image: &str) -> &'static str {
    match crate::rewrite::classify(image) {
        crate::rewrite::ImageValue::Reference(_) => "ok",
        crate::rewrite::ImageValue::Templated => "templated",
        crate::rewrite::ImageValue::Encrypted => "encrypted",
        crate::rewrite::ImageValue::Invalid(_) => "invalid",
    }
}

/// The image that a Kustomization's entry puts together.
fn entry_site(entry: &KustomizeImage, plan: &Plan) -> Option<Site> {
    let base = entry.new_name.as_ref().or(entry.name.as_ref())?;
    let mut image = base.value.clone();
    for (sign, part) in [(':', &entry.new_tag), ('@', &entry.digest)] {
        // An empty part is as good as none to kustomize.
        if let Some(part) = part.as_ref().filter(|part| !part.value.is_empty()) {
            let _ = write!(image, "{sign}{}", part.value);
        }
    }
    Some(Site {
        document: entry.document,
        position: base.position,
        span: base.span,
        path: entry.path.clone(),
        place: Place::RenderInput,
        image,
        slot: None,
        resource: entry.resource.map(|index| Arc::clone(&plan.resources[index])),
        container: None,
        other_containers: Vec::new(),
    })
}

/// A line of `--format json`.
#[derive(Serialize)]
struct ListedLine<'a> {
    #[serde(flatten)]
    image: ImageRecord<'a>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(skip_serializing_if = "ListedRule::is_left_out")]
    rule: ListedRule<'a>,
}

/// What a line says of the rule of its image.
#[derive(Serialize)]
#[serde(untagged)]
enum ListedRule<'a> {
    /// Nothing: there are no maps.
    LeftOut,
    /// `null`: no rule is about the image.
    NoRule,
    By(RuleRecord<'a>),
}

impl ListedRule<'_> {
    fn is_left_out(&self) -> bool {
        matches!(self, Self::LeftOut)
    }
}

/// A JSON object for each image; with maps, with its target and rule.
#[must_use]
pub fn json(listed: &[Listed], with_maps: bool) -> String {
    let mut out = String::new();
    for entry in listed {
        let rule = match &entry.rule {
            _ if !with_maps => ListedRule::LeftOut,
            Some(rule) => ListedRule::By(RuleRecord::from(&**rule)),
            None => ListedRule::NoRule,
        };
        json::line(
            &mut out,
            &ListedLine {
                image: ImageRecord::new(&entry.file, &entry.site),
                status: entry.status,
                target: entry.target.as_deref().filter(|_| with_maps),
                rule,
            },
        );
    }
    out
}

/// A line for each image.
#[must_use]
pub fn text(listed: &[Listed], with_maps: bool) -> String {
    let mut out = String::new();
    for Listed { file, site, status, target, .. } in listed {
        let position = site.position;
        let file = escaped(file);
        let _ = write!(out, "{file}:{}:{}: {}", position.line, position.column, quoted(&site.image));
        if let Some(target) = target.as_deref().filter(|target| with_maps && *target != site.image) {
            let _ = write!(out, " -> {target}");
        }
        out.push_str(" (");
        if let Some(resource) = &site.resource {
            out.push_str(&resource.kind);
            if let Some(name) = &resource.name {
                out.push(' ');
                out.extend(resource.namespace.as_deref().into_iter().flat_map(|namespace| [namespace, "/"]));
                out.push_str(name);
            }
            out.push_str(", ");
        }
        let path = site.path.to_string();
        let _ = write!(out, "document {}, {}", site.document, escaped(&path));
        let place = Some(site.place.as_str()).filter(|_| !site.place.is_site());
        let remarks = Some(*status).filter(|status| *status != "ok").into_iter().chain(place);
        out.extend(remarks.flat_map(|remark| [", ", remark]));
        out.push_str(")\n");
    }
    out
}

/// The header of [`table`].
#[must_use]
pub fn table_header(delimiter: u8, with_maps: bool) -> String {
    let mut header = vec![
        "file",
        "document",
        "path",
        "line",
        "column",
        "image",
        "apiVersion",
        "kind",
        "namespace",
        "name",
        "status",
    ];
    if with_maps {
        header.extend(["target", "rule"]);
    }
    let mut table = Table::new(delimiter);
    table.row(header);
    table.into_text()
}

/// A row for each image, its values kept apart by `delimiter`.
#[must_use]
pub fn table(listed: &[Listed], delimiter: u8, with_maps: bool) -> String {
    let mut table = Table::new(delimiter);
    for Listed { file, site, status, target, rule } in listed {
        let resource = site.resource.as_deref();
        let mut row = vec![
            file.clone(),
            site.document.to_string(),
            site.path.to_string(),
            site.position.line.to_string(),
            site.position.column.to_string(),
            site.image.clone(),
            resource.map_or(String::new(), |r| r.api_version.clone()),
            resource.map_or(String::new(), |r| r.kind.clone()),
            resource.and_then(|r| r.namespace.clone()).unwrap_or_default(),
            resource.and_then(|r| r.name.clone()).unwrap_or_default(),
            (*status).to_owned(),
        ];
        if with_maps {
            row.push(target.as_deref().unwrap_or_default().to_owned());
            row.push(rule.as_ref().map_or(String::new(), |r| format!("{}::{}", r.key(), r.value())));
        }
        table.row(row);
    }
    table.into_text()
}

/// Rows of values kept apart by commas or tabs, in quotes where they need it.
pub(super) struct Table(csv::Writer<Vec<u8>>);

impl Table {
    pub(super) fn new(delimiter: u8) -> Self {
        Self(csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new()))
    }

    pub(super) fn row(&mut self, row: impl IntoIterator<Item: AsRef<[u8]>>) {
        self.0.write_record(row).expect("rows of one length are written to memory");
    }

    pub(super) fn into_text(self) -> String {
        let bytes = self.0.into_inner().expect("memory takes every row");
        String::from_utf8(bytes).expect("the rows are UTF-8")
    }
}
