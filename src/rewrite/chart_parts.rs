//! Plans for the parts of charts that stand in manifests, as in Istio's sidecar injector: each is planned as the file of a
//! chart is, and its plan carried to the text around.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::manifest::edit::Edit;
use crate::manifest::{
    Blocked, Chart, ChartPart, ChartPartContent, Defaults, FieldPath, FoundImage, Lines, Nested, Place,
    Resource, Span, ValuesReader,
};

use super::engine::Engine;
use super::formats::{Planned, leave_to_others};
use super::memory::Memory;
use super::plan::{Change, Decided, Plan, Skip, SkipReason};
use super::problem::Problem;
use super::site::Site;

impl Engine {
    /// Adds to `plan`, made of `text`, what becomes of the parts of charts in its manifests.
    ///
    /// There may be as many of them as lines, so that what looks at the whole text or plan does it once for all.
    pub(super) fn chart_parts(&self, text: &str, memory: &mut Memory, plan: &mut Plan) {
        let parts = self.scanner.chart_parts(text);
        if parts.is_empty() {
            return;
        }
        let with_values: FxHashSet<(usize, Arc<Resource>)> = (parts.iter())
            .filter(|part| !matches!(part.content, ChartPartContent::Template(_)))
            .map(|part| (part.document, Arc::clone(&part.resource)))
            .collect();
        leave_to_texts(plan, &parts);
        let mut values = ValuesReader::new(text);
        let found: Vec<Vec<FoundImage>> = (parts.iter())
            .map(|part| match &part.content {
                ChartPartContent::Values(root) => values.find(root, &Defaults::default()),
                _ => Vec::new(),
            })
            .collect();
        leave_to_others(plan, found.iter().flatten());
        let mut planned = Planned::default();
        planned.learn(plan);
        let mut lines = Lines::new(text);
        for (part, found) in parts.into_iter().zip(found) {
            let ChartPart { document, path, resource, content, blocked } = part;
            let has_values = with_values.contains(&(document, Arc::clone(&resource)));
            let around = Around { document, path, resource, blocked };
            let mut own = Plan::default();
            match content {
                ChartPartContent::Values(_) => {
                    let mut inner = Plan::default();
                    self.plan_found(planned.without(found), memory, &mut inner);
                    self.place(inner, &around, &mut own, |site| Some(site.span), Some);
                }
                ChartPartContent::ValuesText(nested) => {
                    let inner = self.plan_values(nested.text(), &Chart::default(), true, memory);
                    self.carry(inner, &mut lines, &nested, &around, &mut own);
                }
                ChartPartContent::Template(nested) => {
                    let mut inner = self.plan_template(nested.text(), memory);
                    for skip in inner.skips.iter_mut().filter(|skip| has_values && is_filled_in(skip)) {
                        skip.reason = SkipReason::FilledIn;
                    }
                    self.carry(inner, &mut lines, &nested, &around, &mut own);
                }
                ChartPartContent::Untold { start } => {
                    let site = around.site(&mut lines, start);
                    let reason = SkipReason::Blocked(Blocked::NotEditable);
                    own.skips.push(Skip { site, reason });
                }
            }
            planned.learn(&own);
            plan.changes.append(&mut own.changes);
            plan.kept.append(&mut own.kept);
            plan.skips.append(&mut own.skips);
            plan.problems.append(&mut own.problems);
            plan.unchecked.append(&mut own.unchecked);
        }
        plan.changes.sort_by_key(|change| change.site.span);
        plan.kept.sort_by_key(|kept| kept.site.span);
        plan.skips.sort_by_key(|skip| skip.site.span);
        plan.unchecked.sort_by_key(|site| site.span);
    }

    /// Adds `own`, the plan of a text within that of `lines`, to `plan`.
    fn carry(&self, own: Plan, lines: &mut Lines<'_>, nested: &Nested<'_>, around: &Around, plan: &mut Plan) {
        for error in &own.errors {
            let mut site = around.site(lines, nested.start());
            site.image = "values".to_owned();
            plan.skips.push(Skip { site, reason: SkipReason::Unclear(error.to_string()) });
        }
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

/// Has `plan` leave to `parts` what is mentioned within those that are texts, or in the scalars that they stand in.
fn leave_to_texts(plan: &mut Plan, parts: &[ChartPart<'_>]) {
    let (mut starts, mut paths, mut lengths) =
        (FxHashSet::default(), FxHashSet::default(), BTreeSet::default());
    for part in parts {
        let (ChartPartContent::ValuesText(nested) | ChartPartContent::Template(nested)) = &part.content
        else {
            continue;
        };
        starts.insert(nested.start());
        paths.insert((part.document, part.path.clone()));
        lengths.insert(part.path.len());
    }
    let is_within = |site: &Site| {
        lengths.range(..=site.path.len()).any(|length| {
            let start: FieldPath = site.path.segments().take(*length).collect();
            paths.contains(&(site.document, start))
        })
    };
    plan.unchecked.retain(|site| !(starts.contains(&site.span.start) || is_within(site)));
}

/// What stands around a part of a chart.
struct Around {
    document: usize,
    path: FieldPath,
    resource: Arc<Resource>,
    blocked: Option<Blocked>,
}

impl Around {
    /// The part itself as a site, where it starts in the text of `lines`.
    fn site(&self, lines: &mut Lines<'_>, start: usize) -> Site {
        Site {
            document: self.document,
            position: lines.position(start),
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
