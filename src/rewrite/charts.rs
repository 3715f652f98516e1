//! Images that a chart puts together from several values: what becomes of each value so that what the chart makes is what the
//! maps say.

use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::image::ImageReference;
use crate::manifest::edit::Edit;
use crate::manifest::{EmptyDigest, FoundImage, FoundKind, NamePart, Place, Text, is_registry};
use crate::maps::{Outcome, Rest, Rule, StartOutcome};

use super::engine::{Engine, problem};
use super::memory::Memory;
use super::parts::{Name, Part, Values, groups, solve};
use super::plan::{Change, Decided, DigestSlot, Plan, Skip, SkipReason};
use super::problem::{Problem, ProblemKind};
use super::site::Site;

/// The images of one values file, which may share registries.
#[derive(Debug, Default)]
pub(super) struct ChartImages {
    images: Vec<ChartImage>,
}

/// An image, and what the maps say of it.
#[derive(Debug)]
struct ChartImage {
    site: Site,
    found: FoundImage,
    verdict: Verdict,
}

#[derive(Debug)]
enum Verdict {
    Becomes {
        name: String,
        rule: Option<Arc<Rule>>,
        /// The new tag, where an `[EXACT]` rule sets one.
        tag: Option<String>,
    },
    Stays {
        rule: Option<Arc<Rule>>,
        unmapped: bool,
    },
    LeftAlone(SkipReason),
    Fails(ProblemKind),
}

impl ChartImages {
    /// Asks the maps about an image.
    pub(super) fn add(&mut self, found: FoundImage, engine: &Engine, memory: &mut Memory) {
        let Some(text) = found.main_text() else { return };
        let (place, shown) = match &found.kind {
            FoundKind::Start(text) => (Place::Registry, text.value.clone()),
            _ => (Place::Parts, format!("{}{}", name_of(&found), suffix_of(&found))),
        };
        let site = Site::of_found(&found, text, place, shown);
        let verdict = match found.blocked {
            Some(blocked) => Verdict::LeftAlone(SkipReason::Blocked(blocked)),
            None => verdict(&found, &site, engine, memory),
        };
        self.images.push(ChartImage { site, found, verdict });
    }

    /// Adds to `plan` what becomes of the images.
    pub(super) fn add_to_plan(self, plan: &mut Plan) {
        let mut tags = FxHashSet::default();
        let shared_tags: FxHashSet<usize> = (self.images.iter())
            .filter(|image| !image.found.is_variant)
            .filter_map(|image| tag_of(&image.found))
            .map(|text| text.span.start)
            .filter(|start| !tags.insert(*start))
            .collect();
        let names: Vec<Name<'_>> = self.images.iter().map(|image| image.name()).collect();
        // The images of a group share its values, of which there may be as many as images.
        let mut solved: FxHashMap<usize, Rc<Values>> = FxHashMap::default();
        let groups = groups(&names);
        for group in &groups {
            let sharing: Vec<&Name<'_>> = group.iter().map(|number| &names[*number]).collect();
            if let Some(values) = solve(&sharing).map(Rc::new) {
                solved.extend(group.iter().map(|number| (*number, Rc::clone(&values))));
            }
        }
        drop(names);
        for (number, image) in self.images.into_iter().enumerate() {
            if image.found.is_variant {
                continue;
            }
            image.add_to_plan(solved.get(&number).map(Rc::as_ref), &shared_tags, plan);
        }
    }
}

impl ChartImage {
    fn name(&self) -> Name<'_> {
        let own = |text: &'_ Text| text.span.start;
        let parts = match &self.found.kind {
            FoundKind::Parts { name, .. } => name
                .iter()
                .map(|part| match part {
                    NamePart::Own(text) => Part::Own { scalar: own(text), value: &text.value },
                    NamePart::Elsewhere { becomes, .. } => Part::Fixed(becomes),
                })
                .collect(),
            FoundKind::Start(text) => vec![Part::Own { scalar: own(text), value: &text.value }],
            FoundKind::Whole(_) | FoundKind::Unclear { .. } => Vec::new(),
        };
        let becomes = match &self.verdict {
            Verdict::Becomes { name, .. } => Some(name.clone()),
            Verdict::Stays { .. } => Some(name_of(&self.found)),
            Verdict::LeftAlone(_) | Verdict::Fails(_) => None,
        };
        Name { parts, becomes }
    }

    fn add_to_plan(self, values: Option<&Values>, shared_tags: &FxHashSet<usize>, plan: &mut Plan) {
        let Self { site, found, verdict } = self;
        let has_own_name = match &found.kind {
            FoundKind::Parts { name, .. } => name.iter().any(|part| matches!(part, NamePart::Own(_))),
            _ => true,
        };
        if let FoundKind::Parts { empty_digest: Some(EmptyDigest { text, is_bare }), .. } = &found.kind
            && let Some(slot) = text.slot()
        {
            plan.digest_slots.insert(site.span.start, DigestSlot { slot, is_bare: *is_bare });
        }
        let unclear = |site, why: &str| Skip { site, reason: SkipReason::Unclear(why.to_owned()) };
        match (verdict, values) {
            (Verdict::LeftAlone(reason), _) => plan.skips.push(Skip { site, reason }),
            (Verdict::Fails(kind), _) => plan.problems.push(Problem { site, kind }),
            // The image stands elsewhere, and is planned there.
            (Verdict::Stays { .. } | Verdict::Becomes { tag: None, .. }, Some(_)) if !has_own_name => {}
            (Verdict::Stays { rule, unmapped }, _) => plan.kept.push(Decided { site, rule, unmapped }),
            (Verdict::Becomes { .. }, None) => {
                let why =
                    "no change of its keys makes of it, and of all images that share them, what the maps say";
                plan.skips.push(unclear(site, why));
            }
            (Verdict::Becomes { name, rule, tag }, Some(values)) => {
                let edits = edits(&found, values, tag.as_deref());
                let is_shared = tag.is_some()
                    && tag_of(&found).is_some_and(|text| shared_tags.contains(&text.span.start));
                match edits {
                    _ if loses_registry(&found, values) => {
                        let why = "its registry would become one of Docker Hub's organisations, which charts do not take \
                                   for a registry: write docker.io/ before the rule's value";
                        plan.skips.push(unclear(site, why));
                    }
                    _ if is_shared => plan.skips.push(unclear(site, "its tag is that of another image, too")),
                    None => {
                        let why = "one of its keys is written in a way that cannot be edited in place";
                        plan.skips.push(unclear(site, why));
                    }
                    // What changes stands in other values.
                    Some(edits) if edits.is_empty() => {
                        plan.kept.push(Decided { site, rule, unmapped: false });
                    }
                    Some(edits) => {
                        let suffix = tag.map_or_else(|| suffix_of(&found), |tag| format!(":{tag}"));
                        let to = format!("{name}{suffix}").into();
                        plan.changes.push(Change { edits, ..Change::new(site, to, rule) });
                    }
                }
            }
        }
    }
}

/// The edits that give the parts of `found` their new `values`; `None` when one of them cannot be edited.
fn edits(found: &FoundImage, values: &Values, tag: Option<&str>) -> Option<Vec<Edit>> {
    let new_tag = tag_of(found).zip(tag);
    own_parts(found, values)
        .chain(new_tag)
        .filter(|(text, value)| text.value != *value)
        .map(|(text, value)| Some(text.slot()?.edit(value)))
        .collect()
}

/// Whether a part of `found` that is a registry would be none: read again, the image would be another.
fn loses_registry(found: &FoundImage, values: &Values) -> bool {
    matches!(found.kind, FoundKind::Parts { .. })
        && own_parts(found, values).any(|(text, value)| is_registry(&text.value) && !is_registry(value))
}

/// The parts of the name of `found` that stand in its own file, with their new `values`.
fn own_parts<'f>(found: &'f FoundImage, values: &'f Values) -> impl Iterator<Item = (&'f Text, &'f str)> {
    let own: Vec<&Text> = match &found.kind {
        FoundKind::Start(text) => vec![text],
        FoundKind::Parts { name, .. } => name
            .iter()
            .filter_map(|part| match part {
                NamePart::Own(text) => Some(text),
                NamePart::Elsewhere { .. } => None,
            })
            .collect(),
        FoundKind::Whole(_) | FoundKind::Unclear { .. } => Vec::new(),
    };
    own.into_iter().filter_map(|text| Some((text, values.get(&text.span.start)?.as_str())))
}

fn name_of(found: &FoundImage) -> String {
    match &found.kind {
        FoundKind::Parts { name, .. } => name.iter().map(NamePart::value).collect::<Vec<_>>().join("/"),
        FoundKind::Start(text) | FoundKind::Whole(text) | FoundKind::Unclear { text, .. } => {
            text.value.clone()
        }
    }
}

fn tag_of(found: &FoundImage) -> Option<&Text> {
    match &found.kind {
        FoundKind::Parts { tag, .. } => tag.as_ref(),
        FoundKind::Whole(_) | FoundKind::Start(_) | FoundKind::Unclear { .. } => None,
    }
}

/// Tag and digest as a reference has them.
fn suffix_of(found: &FoundImage) -> String {
    let FoundKind::Parts { tag, digest, .. } = &found.kind else { return String::new() };
    let tag = tag.as_ref().map_or(String::new(), |tag| format!(":{}", tag.value));
    let digest = digest.as_ref().map_or(String::new(), |digest| match digest.value.contains(':') {
        true => format!("@{}", digest.value),
        false => format!("@sha256:{}", digest.value),
    });
    tag + &digest
}

/// What the maps say of the image. Charts may add to tags (`-distroless`), and fill in missing ones, so that they count only
/// where a rule looks at them.
fn verdict(found: &FoundImage, site: &Site, engine: &Engine, memory: &mut Memory) -> Verdict {
    let name = name_of(found);
    let rest = if matches!(found.kind, FoundKind::Start(_)) { Rest::Path } else { Rest::Suffix };
    match engine.maps.decide_start(&name, rest) {
        None => match memory.decide(&engine.maps, &name) {
            Err(reason) => Verdict::LeftAlone(reason),
            Ok(_) => Verdict::LeftAlone(SkipReason::Unclear("it is no name of an image".to_owned())),
        },
        Some(StartOutcome::Changed { start, rule }) => {
            Verdict::Becomes { name: start, rule: Some(rule), tag: None }
        }
        Some(StartOutcome::Unchanged { rule, unmapped }) => Verdict::Stays { rule, unmapped },
        Some(StartOutcome::Failed(outcome, rule)) => match problem(rule.as_deref(), &outcome) {
            Some(kind) => Verdict::Fails(kind),
            None => Verdict::LeftAlone(SkipReason::Unclear("the maps decide nothing".to_owned())),
        },
        Some(StartOutcome::Depends { on }) => {
            let on = on.map_or(String::new(), |rule| format!(": {rule}"));
            let unclear = |what: &str| {
                Verdict::LeftAlone(SkipReason::Unclear(format!("what it becomes depends on {what}{on}")))
            };
            match rest {
                Rest::Path => unclear("the images that the chart makes with it"),
                Rest::Suffix if tag_of(found).is_none() => unclear("its tag, which the chart fills in"),
                Rest::Suffix => by_tag(site, engine, memory)
                    .unwrap_or_else(|| unclear("its tag or digest in a way that its keys cannot follow")),
            }
        }
    }
}

/// What the maps say of the image with its tag; `None` when its keys cannot say that.
fn by_tag(site: &Site, engine: &Engine, memory: &mut Memory) -> Option<Verdict> {
    let ruling = match memory.decide(&engine.maps, &site.image) {
        Ok(ruling) => ruling,
        Err(reason) => return Some(Verdict::LeftAlone(reason)),
    };
    let rule = ruling.decision.rule.clone();
    Some(match &ruling.decision.outcome {
        Outcome::Changed(to) => {
            let (before, after) = (ImageReference::parse(&site.image).ok()?, ImageReference::parse(to).ok()?);
            if before.digest() != after.digest() || before.digest().is_some() && before.tag() != after.tag() {
                return None;
            }
            let tag = after.tag()?;
            let tag = (before.tag() != Some(tag)).then(|| tag.to_owned());
            Verdict::Becomes { name: after.name().to_owned(), rule, tag }
        }
        outcome if outcome.is_error() => Verdict::Fails(problem(rule.as_deref(), outcome)?),
        outcome => Verdict::Stays { rule, unmapped: *outcome == Outcome::Unmapped },
    })
}
