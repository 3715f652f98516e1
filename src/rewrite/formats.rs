//! Plans for files that are no manifests: values and templates of charts, and formats whose images stand at known paths.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::manifest::edit::{self, Edit};
use crate::manifest::{
    Chart, Defaults, FieldPath, FoundImage, FoundKind, Occurrence, PathFormat, Place, Span, ValuesReader,
    find_fields, image_texts, literal_start, parse_values, template_values,
};
use crate::maps::{Outcome, Rest, StartOutcome};

use super::charts::ChartImages;
use super::engine::{Engine, problem};
use super::image_value::{ImageValue, classify};
use super::memory::Memory;
use super::plan::{Change, Decided, Plan, Skip, SkipReason};
use super::problem::Problem;
use super::site::Site;

impl Engine {
    /// Plans the rewrite of the values of `chart`; `is_own`: this is its `values.yaml`, on which others come.
    #[must_use]
    pub fn plan_values(&self, text: &str, chart: &Chart, is_own: bool, memory: &mut Memory) -> Plan {
        let mut plan = self.plan(text, false, memory);
        let Ok(Some(root)) = parse_values(text) else { return plan };
        let defaults = Defaults::of(chart, is_own, &mut |values, chart| {
            let plan = self.plan_values(values, chart, true, memory);
            edit::apply(values, &plan.edits()).unwrap_or_else(|_| values.to_owned())
        });
        let found = ValuesReader::new(text).find(&root, &defaults);
        let found = take_over(&mut plan, found);
        self.plan_found(found, memory, &mut plan);
        plan
    }

    /// Adds to `plan` what becomes of the images that were found in values.
    pub(super) fn plan_found(&self, found: Vec<FoundImage>, memory: &mut Memory, plan: &mut Plan) {
        memory.reset_if_maps_changed(&self.maps);
        let mut images = ChartImages::default();
        for image in found {
            match image.kind {
                FoundKind::Whole(_) => self.whole(&image, memory, plan),
                FoundKind::Parts { .. } | FoundKind::Start(_) => images.add(image, self, memory),
                FoundKind::Unclear { ref text, ref why } => {
                    let site = Site::of_found(&image, text, Place::Parts, text.value.clone());
                    plan.skips.push(Skip { site, reason: SkipReason::Unclear(why.clone()) });
                }
            }
        }
        images.add_to_plan(plan);
        sort(plan);
    }

    /// Plans the rewrite of a file whose images stand at the paths of `format`.
    #[must_use]
    pub fn plan_paths(&self, text: &str, format: &PathFormat, memory: &mut Memory) -> Plan {
        let mut plan = self.plan(text, false, memory);
        let Ok(found) = find_fields(text, format) else { return plan };
        for image in take_over(&mut plan, found) {
            self.whole(&image, memory, &mut plan);
        }
        sort(&mut plan);
        plan
    }

    /// Plans the rewrite of a chart's template: references whose registry and path are written out.
    #[must_use]
    pub fn plan_template(&self, text: &str, memory: &mut Memory) -> Plan {
        memory.reset_if_maps_changed(&self.maps);
        let mut plan = Plan { documents: 1, ..Plan::default() };
        for found in template_values(text) {
            let mut path = FieldPath::default();
            path.push(crate::manifest::Segment::Key(found.key));
            let mut site = Site {
                document: 0,
                position: found.position,
                span: found.span,
                path,
                place: if found.is_image { Place::Template } else { Place::Mention },
                image: found.value.to_owned(),
                slot: None,
                resource: None,
                container: None,
                other_containers: Vec::new(),
            };
            if !found.is_image {
                plan.unchecked.push(site);
            } else if literal_start(found.value).is_some() {
                self.open(site, found.span.start, &mut plan);
            } else {
                match memory.decide(&self.maps, found.value) {
                    Err(reason) => plan.skips.push(Skip { site, reason }),
                    Ok(ruling) => {
                        let (rule, other_spelling) =
                            (ruling.decision.rule.clone(), ruling.other_spelling.clone());
                        match &ruling.decision.outcome {
                            Outcome::Changed(to) => {
                                let edits = vec![Edit { span: found.span, text: to.to_string() }];
                                let to = Arc::clone(to);
                                plan.changes.push(Change {
                                    other_spelling,
                                    edits,
                                    ..Change::new(site, to, rule)
                                });
                            }
                            outcome if outcome.is_error() => {
                                let kind = problem(rule.as_deref(), outcome);
                                plan.problems.extend(kind.map(|kind| Problem { site, kind }));
                            }
                            outcome => {
                                site.slot = None;
                                let unmapped = *outcome == Outcome::Unmapped;
                                plan.kept.push(Decided { site, rule, unmapped });
                            }
                        }
                    }
                }
            }
        }
        plan
    }

    /// Adds to `plan`, made of `text`, what else looks like an image, if that is wanted.
    pub fn list_mentions(&self, text: &str, plan: &mut Plan) {
        if !self.lists_mentions || !plan.errors.is_empty() {
            return;
        }
        let sites = sites(plan).chain(&plan.unchecked).map(|site| site.span.start);
        let entries = plan.kustomize_images.iter();
        let parts = entries.flat_map(|entry| [&entry.name, &entry.new_name, &entry.new_tag, &entry.digest]);
        let known: BTreeSet<usize> = sites.chain(parts.flatten().map(|text| text.span.start)).collect();
        plan.unchecked.extend(image_texts(text, &known).into_iter().map(|found| Site {
            document: found.document,
            position: found.position,
            span: found.span,
            path: found.path,
            place: Place::Mention,
            image: found.image,
            slot: None,
            resource: found.resource.map(Arc::new),
            container: None,
            other_containers: Vec::new(),
        }));
        plan.unchecked.sort_by_key(|site| site.span);
    }

    /// Plans an image that is written as one text.
    fn whole(&self, image: &FoundImage, memory: &mut Memory, plan: &mut Plan) {
        let FoundKind::Whole(text) = &image.kind else { return };
        if image.blocked.is_none()
            && classify(&text.value) == ImageValue::Templated
            && let Some(edit) = text.edit
        {
            let quote = usize::from(text.style.is_quoted());
            let site = Site::of_found(image, text, Place::Value, text.value.clone());
            return self.open(site, edit.start + quote, plan);
        }
        let occurrence = Occurrence {
            document: image.document,
            place: Place::Value,
            path: image.path.clone(),
            text: text.clone(),
            resource: None,
            container: None,
            other_containers: Vec::new(),
            blocked: image.blocked,
        };
        self.occurrence(occurrence, &[], memory, plan);
    }

    /// Plans a reference of which a template fills in the rest. `at`: where its text begins.
    fn open(&self, site: Site, at: usize, plan: &mut Plan) {
        let leave = |plan: &mut Plan, site, reason| plan.skips.push(Skip { site, reason });
        let Some(start) = literal_start(&site.image) else {
            return leave(plan, site, SkipReason::Templated);
        };
        let rest = if start.is_name { Rest::Suffix } else { Rest::Path };
        match self.maps.decide_start(start.text, rest) {
            None => leave(plan, site, SkipReason::Templated),
            Some(StartOutcome::Changed { start: new, rule }) => {
                let to = format!("{new}{}", &site.image[start.text.len()..]);
                let edits = vec![Edit { span: Span::new(at, at + start.text.len()), text: new }];
                let site = Site { place: Place::Template, ..site };
                let change = Change { edits, ..Change::new(site, to.into(), Some(rule)) };
                plan.changes.push(change);
            }
            Some(StartOutcome::Unchanged { rule, unmapped }) => {
                plan.kept.push(Decided { site: Site { place: Place::Template, ..site }, rule, unmapped });
            }
            Some(StartOutcome::Failed(outcome, rule)) => {
                let kind = problem(rule.as_deref(), &outcome);
                plan.problems.extend(kind.map(|kind| Problem { site, kind }));
            }
            Some(StartOutcome::Depends { on }) => {
                let on = on.map_or(String::new(), |rule| format!(": {rule}"));
                let why = format!("what it becomes depends on what the template fills in{on}");
                leave(plan, site, SkipReason::Unclear(why));
            }
        }
    }
}

/// Has `plan`, made from what the finder found, leave to others what was `found` by the format: and gives back what of it the
/// finder did not plan already.
fn take_over(plan: &mut Plan, found: Vec<FoundImage>) -> Vec<FoundImage> {
    leave_to_others(plan, &found);
    let mut planned = Planned::default();
    planned.learn(plan);
    planned.without(found)
}

/// Takes from `plan` what is only mentioned, or looks templated, of the texts that were `found` to be images.
pub(super) fn leave_to_others<'f>(plan: &mut Plan, found: impl IntoIterator<Item = &'f FoundImage>) {
    let starts: FxHashSet<usize> =
        found.into_iter().flat_map(FoundImage::texts).map(|text| text.span.start).collect();
    plan.unchecked.retain(|site| !starts.contains(&site.span.start));
    plan.skips.retain(|skip| skip.reason != SkipReason::Templated || !starts.contains(&skip.site.span.start));
}

/// Where the images start that are planned.
#[derive(Debug, Default)]
pub(super) struct Planned(FxHashSet<usize>);

impl Planned {
    /// Adds the images of `plan`.
    pub(super) fn learn(&mut self, plan: &Plan) {
        self.0.extend(sites(plan).map(|site| site.span.start));
    }

    /// What was `found` and is not planned.
    pub(super) fn without(&self, found: Vec<FoundImage>) -> Vec<FoundImage> {
        let is_new = |image: &FoundImage| image.texts().all(|text| !self.0.contains(&text.span.start));
        found.into_iter().filter(is_new).collect()
    }
}

/// The images that are planned.
fn sites(plan: &Plan) -> impl Iterator<Item = &Site> {
    (plan.changes.iter().map(|change| &change.site))
        .chain(plan.kept.iter().map(|kept| &kept.site))
        .chain(plan.skips.iter().map(|skip| &skip.site))
        .chain(plan.problems.iter().map(|problem| &problem.site))
}

fn sort(plan: &mut Plan) {
    plan.changes.sort_by_key(|change| change.site.span);
    plan.kept.sort_by_key(|kept| kept.site.span);
    plan.skips.sort_by_key(|skip| skip.site.span);
}
