//! The function itself: a ResourceList and an engine in, edits and results out.

use crate::manifest::edit::Edit;
use crate::manifest::{Blocked, FieldPath, NoteKind, Segment};
use crate::maps::{Maps, MapsNotice, Rule};
use crate::rewrite::{Change, Engine, Plan, Site, Skip, SkipReason, Uses};

use super::function_config::OnUnmapped;
use super::resource_list::ResourceList;
use super::result::{FunctionResult, Severity};
use super::summary::Summary;

/// How many rules that matched nothing are named.
const NAMED_MAX: usize = 5;

/// What the function is asked for besides rewriting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FunctionOptions {
    /// What to do about an image that no rule covers.
    pub on_unmapped: OnUnmapped,
    /// Change nothing, and fail when an image would change.
    pub validate: bool,
    /// How much an image matters whose digest was not found; `None` when it is passed over.
    pub missing_digests: Option<Severity>,
}

/// How the function ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Ending {
    /// Done, or nothing to do.
    #[default]
    Done,
    /// Something would change, and [`FunctionOptions::validate`] forbids it.
    WouldChange,
    /// An error.
    Failed,
}

/// What the function did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// How it ends.
    pub ending: Ending,
    /// What it tells its host: errors first.
    pub results: Vec<FunctionResult>,
    /// The edits of the text, in order; none but of `results` when it does not end well.
    pub edits: Vec<Edit>,
}

/// Fails for reasons that have nothing to do with the items: no item is edited.
#[must_use]
pub fn failed(list: &ResourceList<'_>, reasons: &[String]) -> Verdict {
    let error = |message: &String| FunctionResult::new(Severity::Error, message);
    let mut results: Vec<_> = reasons.iter().map(error).collect();
    if results.len() > 1 {
        let summary = format!("imageswap: {} errors, nothing is changed", results.len());
        results.insert(0, FunctionResult::new(Severity::Error, &summary));
    }
    with_results(list, Verdict { ending: Ending::Failed, results, edits: Vec::new() })
}

/// Rewrites the images of `list` as `engine` says. `notices` are about the rules.
///
/// When there is an error, or with [`FunctionOptions::validate`], only `results` are set.
#[must_use]
pub fn run(
    list: &ResourceList<'_>,
    engine: &Engine,
    options: FunctionOptions,
    notices: &[MapsNotice],
) -> Verdict {
    conclude(list, &plan(list, engine), &engine.maps, options, notices)
}

/// What becomes of the images of `list`, before anything is said of it: nothing outside the items is touched.
#[must_use]
pub fn plan(list: &ResourceList<'_>, engine: &Engine) -> Plan {
    let mut plan = engine.plan_alone(list.text());
    stay_in_items(list, &mut plan);
    plan
}

/// What is to be said of `plan`, a plan of `list`, and the edits to be made.
#[must_use]
pub fn conclude(
    list: &ResourceList<'_>,
    plan: &Plan,
    maps: &Maps,
    options: FunctionOptions,
    notices: &[MapsNotice],
) -> Verdict {
    with_results(list, judge(plan, maps, options, notices))
}

/// What is to be said of `plan`, which was made with `maps`, and whether its edits are to be made: the function without
/// its envelope, as the legacy plugin of kustomize needs it.
#[must_use]
pub fn judge(plan: &Plan, maps: &Maps, options: FunctionOptions, notices: &[MapsNotice]) -> Verdict {
    let mut summary = Summary {
        changes: plan.changes.len(),
        images: plan.changes.len() + plan.kept.len() + plan.skips.len() + plan.problems.len(),
        unchecked: plan.unchecked.len(),
        ..Summary::default()
    };
    plan.skips.iter().for_each(|skip| summary.skip(skip));
    let warnings = warnings(plan, options, notices);
    let errors = errors(plan, options);
    let unwanted = if options.validate { unwanted(plan) } else { Vec::new() };
    let ending = match (errors.is_empty(), unwanted.is_empty()) {
        (true, true) => Ending::Done,
        (true, false) => Ending::WouldChange,
        (false, _) => Ending::Failed,
    };
    let (mut results, mut edits) = (Vec::new(), Vec::new());
    if ending == Ending::Done {
        if summary.changes > 0 || !warnings.is_empty() {
            let message = format!("imageswap: {}", summary.text("changed"));
            results.push(FunctionResult::new(Severity::Info, &message));
        }
        results.extend(warnings);
        results.extend(plan.changes.iter().map(|change| {
            let message = sentence(&change.site.image, &change.to, change.rule.as_deref());
            FunctionResult::about(Severity::Info, &change.site, &message, Some(change.to.to_string()))
        }));
        if summary.images > 0 {
            results.extend(unused(plan, maps));
        }
        edits = plan.edits();
    } else {
        let count = errors.len() + unwanted.len();
        if count > 1 {
            let noun = if errors.is_empty() { String::new() } else { format!("{} errors, ", errors.len()) };
            let message = format!("imageswap: {noun}{}; nothing is changed", summary.text("would change"));
            results.push(FunctionResult::new(Severity::Error, &message));
        }
        results.extend(errors);
        results.extend(unwanted);
        results.extend(warnings);
    }
    Verdict { ending, results, edits }
}

/// `nginx -> m.io/nginx by registry rule docker.io::m.io (functionConfig spec.maps:1)`
fn sentence(from: &str, to: &str, rule: Option<&Rule>) -> String {
    rule.map_or_else(|| format!("{from} -> {to}"), |rule| format!("{from} -> {to} by {rule}"))
}

fn errors(plan: &Plan, options: FunctionOptions) -> Vec<FunctionResult> {
    let mut errors: Vec<_> = plan
        .errors
        .iter()
        .map(|error| FunctionResult::new(Severity::Error, &format!("the input cannot be read: {error}")))
        .collect();
    errors.extend(plan.problems.iter().map(|problem| {
        let message = format!("{}: {}", problem.site.image, problem.kind);
        FunctionResult::about(Severity::Error, &problem.site, &message, None)
    }));
    if options.on_unmapped == OnUnmapped::Error {
        errors.extend(unmapped(plan, Severity::Error));
    }
    if options.missing_digests == Some(Severity::Error) {
        errors.extend(missing_digests(plan, Severity::Error));
    }
    errors
}

/// The changes that [`FunctionOptions::validate`] forbids.
fn unwanted(plan: &Plan) -> Vec<FunctionResult> {
    let result = |change: &Change| {
        let message =
            format!("would change: {}", sentence(&change.site.image, &change.to, change.rule.as_deref()));
        FunctionResult::about(Severity::Error, &change.site, &message, Some(change.to.to_string()))
    };
    plan.changes.iter().map(result).collect()
}

fn warnings(plan: &Plan, options: FunctionOptions, notices: &[MapsNotice]) -> Vec<FunctionResult> {
    let mut warnings: Vec<_> =
        notices.iter().map(|notice| FunctionResult::new(Severity::Warning, &notice.to_string())).collect();
    if options.on_unmapped == OnUnmapped::Warn {
        warnings.extend(unmapped(plan, Severity::Warning));
    }
    if options.missing_digests == Some(Severity::Warning) {
        warnings.extend(missing_digests(plan, Severity::Warning));
    }
    // What somebody asked to be left alone is only counted.
    warnings.extend(plan.skips.iter().filter(|skip| skip.reason.fails_strict()).map(|skip| {
        let image = if skip.site.image.is_empty() { "\"\"" } else { &skip.site.image };
        let message = format!("{image} left alone: {}", skip.reason.message());
        FunctionResult::about(Severity::Warning, &skip.site, &message, None)
    }));
    warnings.extend(plan.notes.iter().filter(|note| note.kind != NoteKind::Alias).map(|note| {
        FunctionResult::new(Severity::Warning, &format!("{}: {}", note.path, note.kind.as_str()))
    }));
    let more = plan.notes.not_kept().filter(|(kind, _)| *kind != NoteKind::Alias);
    warnings.extend(more.map(|(kind, more)| {
        FunctionResult::new(Severity::Warning, &format!("{more} more notes: {}", kind.as_str()))
    }));
    warnings
}

/// That rules decided about no image: one may be mistyped.
fn unused(plan: &Plan, maps: &Maps) -> Option<FunctionResult> {
    let mut uses = Uses::default();
    uses.learn_rules(plan);
    let unused: Vec<&Rule> = uses.unused_rules(maps).collect();
    let named: Vec<String> = unused.iter().take(NAMED_MAX).map(|rule| rule.to_line()).collect();
    let more = match unused.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let noun = match unused.len() {
        0 => return None,
        1 => "1 rule".to_owned(),
        rules => format!("{rules} rules"),
    };
    let message = format!("imageswap: {noun} matched no image: {}{more}", named.join(", "));
    Some(FunctionResult::new(Severity::Info, &message))
}

fn unmapped(plan: &Plan, severity: Severity) -> impl Iterator<Item = FunctionResult> {
    plan.kept.iter().filter(|kept| kept.unmapped).map(move |kept| {
        let message = format!("no rule covers {}", kept.site.image);
        FunctionResult::about(severity, &kept.site, &message, None)
    })
}

fn missing_digests(plan: &Plan, severity: Severity) -> impl Iterator<Item = FunctionResult> {
    plan.missing_digests.iter().map(move |missing| {
        let message = format!("{}: {}", missing.site.image, missing.message());
        FunctionResult::about(severity, &missing.site, &message, None)
    })
}

/// Takes out of `plan` what does not stand in the items, and what would be edited elsewhere.
fn stay_in_items(list: &ResourceList<'_>, plan: &mut Plan) {
    let in_items = |path: &FieldPath| path.segments().next() == Some(Segment::Key("items"));
    let is_item = |site: &Site| in_items(&site.path);
    plan.changes.retain(|change| is_item(&change.site));
    plan.kept.retain(|kept| is_item(&kept.site));
    plan.problems.retain(|problem| is_item(&problem.site));
    plan.unchecked.retain(is_item);
    plan.entry_images.retain(|entry| is_item(&entry.site));
    plan.notes.retain(|note| in_items(&note.path));
    // Kptfiles and our own configuration are items like others to hosts, and nobody's images.
    plan.skips.retain(|skip| is_item(&skip.site) && skip.reason != SkipReason::Blocked(Blocked::OwnKind));
    let is_outside = |site: &Site| site.slot.is_some_and(|slot| !list.is_in_items(slot.span));
    let (outside, inside) =
        std::mem::take(&mut plan.changes).into_iter().partition(|change| is_outside(&change.site));
    plan.changes = inside;
    plan.skips.extend(
        Vec::into_iter(outside)
            .map(|change| Skip { site: change.site, reason: SkipReason::Blocked(Blocked::SharedAnchor) }),
    );
    for kept in plan.kept.iter_mut().filter(|kept| is_outside(&kept.site)) {
        kept.site.slot = None;
    }
}

/// Adds the edit that sets the results. Where the text has no place for them, the exit code and standard error
/// tell alone.
fn with_results(list: &ResourceList<'_>, mut verdict: Verdict) -> Verdict {
    verdict.edits.extend(list.set_results(&verdict.results).ok().flatten());
    verdict.edits.sort_by_key(|edit| edit.span);
    verdict
}
