//! Plans for the parts of charts that stand in manifests, as in Istio's sidecar injector: each is planned as the file of a
//! chart is, and its plan carried to the text around.

use std::sync::Arc;

use crate::manifest::edit::Edit;
use crate::manifest::{
    Blocked, Chart, ChartPart, ChartPartContent, Defaults, FieldPath, Lines, Nested, Place, Resource,
    Segment, Span, find_values,
};

use super::engine::Engine;
use super::formats::take_over;
use super::memory::Memory;
use super::plan::{Change, Decided, Plan, Skip, SkipReason};
use super::problem::Problem;
use super::site::Site;

impl Engine {
    /// Adds to `plan`, made of `text`, what becomes of the parts of charts in its manifests.
    pub(super) fn chart_parts(&self, text: &str, memory: &mut Memory, plan: &mut Plan) {
        let parts = self.scanner.chart_parts(text);
        let with_values: Vec<(usize, Resource)> = (parts.iter())
            .filter(|part| !matches!(part.content, ChartPartContent::Template(_)))
            .map(|part| (part.document, part.resource.clone()))
            .collect();
        for part in parts {
            let ChartPart { document, path, resource, content, blocked } = part;
            let has_values = with_values.iter().any(|known| (known.0, &known.1) == (document, &resource));
            let around = Around { document, path, resource: Arc::new(resource), blocked };
            match content {
                ChartPartContent::Values(root) => {
                    let mut own = Plan::default();
                    let found = take_over(plan, find_values(&root, text, &Defaults::default()));
                    self.plan_found(found, memory, &mut own);
                    self.place(own, &around, plan, |site| Some(site.span), Some);
                }
                ChartPartContent::ValuesText(nested) => {
                    let own = self.plan_values(nested.text(), &Chart::default(), true, memory);
                    self.carry(own, text, &nested, &around, plan);
                }
                ChartPartContent::Template(nested) => {
                    let mut own = self.plan_template(nested.text(), memory);
                    for skip in own.skips.iter_mut().filter(|skip| has_values && is_filled_in(skip)) {
                        skip.reason = SkipReason::FilledIn;
                    }
                    self.carry(own, text, &nested, &around, plan);
                }
                ChartPartContent::Untold(scalar) => {
                    let site = around.site(text, scalar.span.start);
                    let reason = SkipReason::Blocked(Blocked::NotEditable);
                    plan.skips.push(Skip { site, reason });
                }
            }
        }
        plan.changes.sort_by_key(|change| change.site.span);
        plan.kept.sort_by_key(|kept| kept.site.span);
        plan.skips.sort_by_key(|skip| skip.site.span);
        plan.unchecked.sort_by_key(|site| site.span);
    }

    /// Adds `own`, the plan of a text within `text`, to `plan`.
    fn carry(&self, own: Plan, text: &str, nested: &Nested<'_>, around: &Around, plan: &mut Plan) {
        around.take_over(plan, nested.start());
        for error in &own.errors {
            let mut site = around.site(text, nested.start());
            site.image = "values".to_owned();
            plan.skips.push(Skip { site, reason: SkipReason::Unclear(error.to_string()) });
        }
        let mut lines = Lines::new(text);
        let mut own = own;
        for site in all_sites(&mut own) {
            site.position = lines.position(nested.position(site.span.start));
        }
        let span = |site: &Site| {
            let (start, end) = (nested.position(site.span.start), nested.position(site.span.end));
            Some(Span::new(start, end.max(start)))
        };
        self.place(own, around, plan, span, |edit| nested.edit(&edit));
    }

    /// Adds `own`, whose images stand below what is `around` them, to `plan`: at the `span` of each site, and with its edits
    /// as `carried`.
    fn place(
        &self,
        own: Plan,
        around: &Around,
        plan: &mut Plan,
        span: impl Fn(&Site) -> Option<Span>,
        carried: impl Fn(Edit) -> Option<Edit>,
    ) {
        let placed = |mut site: Site| {
            site.span = span(&site).unwrap_or(site.span);
            site.path = around.path.segments().chain(site.path.segments()).collect();
            site.document = around.document;
            // It is written by its edits, and not as one value.
            site.slot = None;
            if site.place.is_whole() {
                site.place = Place::Template;
            }
            site.resource = Some(Arc::clone(&around.resource));
            site
        };
        for change in own.changes {
            let edits = match (change.site.slot, change.edits) {
                (Some(slot), edits) if edits.is_empty() => vec![slot.edit(&change.to)],
                (_, edits) => edits,
            };
            let edits: Option<Vec<Edit>> = edits.into_iter().map(&carried).collect();
            let site = placed(change.site);
            match (self.reason_to_skip(&site, around.blocked), edits) {
                (Some(reason), _) => plan.skips.push(Skip { site, reason }),
                (None, None) => {
                    plan.skips.push(Skip { site, reason: SkipReason::Blocked(Blocked::NotEditable) });
                }
                (None, Some(edits)) => {
                    let (to, rule, other_spelling) = (change.to, change.rule, change.other_spelling);
                    plan.changes.push(Change { edits, other_spelling, ..Change::new(site, to, rule) });
                }
            }
        }
        for Decided { site, rule, unmapped } in own.kept {
            plan.kept.push(Decided { site: placed(site), rule, unmapped });
        }
        for Skip { site, reason } in own.skips {
            let site = placed(site);
            let reason = self.reason_to_skip(&site, around.blocked).unwrap_or(reason);
            plan.skips.push(Skip { site, reason });
        }
        for Problem { site, kind } in own.problems {
            let site = placed(site);
            match self.reason_to_skip(&site, around.blocked) {
                Some(reason) => plan.skips.push(Skip { site, reason }),
                None => plan.problems.push(Problem { site, kind }),
            }
        }
        plan.unchecked.extend(own.unchecked.into_iter().map(placed));
    }
}

/// Whether an image is left alone of which a template begins with a placeholder.
fn is_filled_in(skip: &Skip) -> bool {
    skip.reason == SkipReason::Templated && skip.site.image.starts_with("{{")
}

/// What stands around a part of a chart.
struct Around {
    document: usize,
    path: FieldPath,
    resource: Arc<Resource>,
    blocked: Option<Blocked>,
}

impl Around {
    /// Has `plan` leave to the part what is mentioned within it, or in the scalar that starts at `start`.
    fn take_over(&self, plan: &mut Plan, start: usize) {
        let path: Vec<Segment<'_>> = self.path.segments().collect();
        let is_within = |site: &Site| {
            site.document == self.document
                && site.path.len() >= path.len()
                && site.path.segments().zip(&path).all(|(one, other)| one == *other)
        };
        plan.unchecked.retain(|site| !(is_within(site) || site.span.start == start));
    }

    /// The part itself as a site, where it starts in `text`.
    fn site(&self, text: &str, start: usize) -> Site {
        Site {
            document: self.document,
            position: Lines::new(text).position(start),
            span: Span::new(start, start),
            path: self.path.clone(),
            place: Place::Template,
            image: "template".to_owned(),
            slot: None,
            resource: Some(Arc::clone(&self.resource)),
            container: None,
            other_containers: Vec::new(),
        }
    }
}

/// All sites of a plan.
fn all_sites(plan: &mut Plan) -> impl Iterator<Item = &mut Site> {
    (plan.changes.iter_mut().map(|change| &mut change.site))
        .chain(plan.kept.iter_mut().map(|kept| &mut kept.site))
        .chain(plan.skips.iter_mut().map(|skip| &mut skip.site))
        .chain(plan.problems.iter_mut().map(|problem| &mut problem.site))
        .chain(&mut plan.unchecked)
}
