//! Documents with anchors and aliases. The events are replayed to the finder with each alias standing for
//! what its anchor holds, so that it is known at which places every scalar ends up; the text is never
//! expanded. A scalar that an alias brings elsewhere is edited at its anchor only when each of those places
//! is an image.

use std::collections::hash_map::Entry;

use rustc_hash::{FxHashMap, FxHashSet};

use super::document_events::{DocumentEvents, is_merge};
use super::event::{AnchorId, Event, Scalar, ScalarStyle};
use super::finder::{Finder, Finding, Found, Reach};
use super::occurrence::Blocked;
use super::{ParseError, Span};

/// How deep aliases may lead to aliases.
const DEPTH_MAX: usize = 64;

/// How many events a document may replay beyond ten for each of its own.
const SPARE_EVENTS: usize = 250_000;

/// Feeds `events`, one document, to `finder` with aliases and merge keys followed, and says what is there.
///
/// # Errors
/// When the aliases lead to more places than anyone could mean (an alias bomb).
pub(super) fn find<'a>(
    events: &DocumentEvents<'a>,
    finder: &mut Finder<'a, '_>,
) -> Result<Found<'a>, ParseError> {
    events.check()?;
    let error = |message| ParseError { offset: events.first_offset(), message };
    let uses = Replay::new(events, finder).run().map_err(error)?;
    let mut found = finder.finish();
    found.findings = judge(std::mem::take(&mut found.findings), &uses);
    Ok(found)
}

/// What [`judge`] knows of one scalar.
struct Shared<'a> {
    /// The finding to keep.
    finding: Finding<'a>,
    /// How many of the places it is brought to are images that may be edited.
    images: usize,
}

/// One finding for each scalar: blocked where an alias brings it to a place that is no image.
fn judge<'a>(findings: Vec<Finding<'a>>, uses: &FxHashMap<usize, usize>) -> Vec<Finding<'a>> {
    let mut parts = Vec::new();
    let mut order = Vec::new();
    let mut shared: FxHashMap<(usize, usize), Shared<'a>> = FxHashMap::default();
    for mut finding in findings {
        let start = finding.scalar.start;
        let place = finding.start();
        if finding.reach == Reach::AliasWithinAnchor {
            continue;
        }
        if finding.entry_key().is_some() {
            if uses.get(&start).is_some_and(|&uses| uses > 0) {
                finding.blocked = Some(Blocked::SharedAnchor);
            }
            parts.push(finding);
            continue;
        }
        let image = if finding.reach == Reach::Alias && finding.place.is_site() { finding.times } else { 0 };
        match shared.entry(place) {
            Entry::Vacant(entry) => {
                order.push(place);
                entry.insert(Shared { finding, images: image });
            }
            Entry::Occupied(mut entry) => {
                let known = entry.get_mut();
                known.images += image;
                let blocked = known.finding.blocked.or(finding.blocked);
                let mut containers = std::mem::take(&mut known.finding.other_containers);
                containers.extend(known.finding.container.iter().chain(&finding.container).cloned());
                let better = finding.place.is_site()
                    && (!known.finding.place.is_site() || known.finding.reach != Reach::Own);
                if better && (finding.reach == Reach::Own || !known.finding.place.is_site()) {
                    known.finding = finding;
                }
                known.finding.blocked = blocked;
                known.finding.other_containers = containers;
            }
        }
    }
    let mut judged = parts;
    for place in order {
        let Some(Shared { mut finding, images }) = shared.remove(&place) else { continue };
        let uses = uses.get(&finding.scalar.start).copied().unwrap_or(0);
        if finding.place.is_site() && images < uses && finding.blocked.is_none() {
            finding.blocked = Some(Blocked::SharedAnchor);
        }
        judged.push(finding);
    }
    judged
}

struct Replay<'e, 'a, 'f, 's> {
    events: &'e DocumentEvents<'a>,
    finder: &'f mut Finder<'a, 's>,
    /// Anchors whose nodes are being replayed.
    active: Vec<AnchorId>,
    /// How often aliases bring the scalar that starts there to a place.
    uses: FxHashMap<usize, usize>,
    budget: usize,
}

impl<'e, 'a, 'f, 's> Replay<'e, 'a, 'f, 's> {
    fn new(events: &'e DocumentEvents<'a>, finder: &'f mut Finder<'a, 's>) -> Self {
        let budget = SPARE_EVENTS + 10 * events.len();
        Self { events, finder, active: Vec::new(), uses: FxHashMap::default(), budget }
    }

    fn run(mut self) -> Result<FxHashMap<usize, usize>, String> {
        let mut at = 0;
        while at < self.events.len() {
            self.node(at, Reach::Own, false)?;
            at = self.events.end(at) + 1;
        }
        Ok(self.uses)
    }

    /// Replays the node that starts at event `at`. `anchored`: it stands in a node whose anchor is used.
    fn node(&mut self, at: usize, reach: Reach, anchored: bool) -> Result<(), String> {
        let end = self.events.end(at);
        // Nodes that need no care are fed on as they are, without recursion: documents may be deep.
        let mut next = at;
        let mut within = Vec::new();
        while next <= end {
            while within.last().is_some_and(|&until| next > until) {
                within.pop();
            }
            let in_anchor = anchored || !within.is_empty();
            if let Some((Some(anchor), span)) = self.events.alias(next) {
                self.alias(anchor, span, reach, in_anchor)?;
                next += 1;
                continue;
            }
            if let Some(start) = self.events.start(next) {
                let is_named = start.anchor.is_some_and(|anchor| self.events.is_named(anchor));
                if start.merges {
                    self.merged_mapping(next, reach, in_anchor || is_named)?;
                    next = self.events.end(next) + 1;
                    continue;
                }
                if is_named {
                    within.push(self.events.end(next));
                }
            }
            self.feed(self.events.get(next), reach)?;
            next += 1;
        }
        Ok(())
    }

    fn alias(&mut self, anchor: AnchorId, span: Span, reach: Reach, in_anchor: bool) -> Result<(), String> {
        let target = self.events.anchored(anchor);
        let Some(target) = target.filter(|_| !self.active.contains(&anchor)) else {
            return self.feed(nothing(span), reach);
        };
        if self.active.len() == DEPTH_MAX {
            return Err(format!("aliases lead to aliases more than {DEPTH_MAX} deep"));
        }
        self.finder.note_alias(span.start);
        self.active.push(anchor);
        self.node(target, Self::through_alias(reach, in_anchor), false)?;
        self.active.pop();
        Ok(())
    }

    /// How what an alias brings is reached.
    fn through_alias(reach: Reach, in_anchor: bool) -> Reach {
        match reach {
            Reach::Own if in_anchor => Reach::AliasWithinAnchor,
            Reach::Own | Reach::Alias => Reach::Alias,
            Reach::AliasWithinAnchor => Reach::AliasWithinAnchor,
        }
    }

    /// Replays a mapping with `<<`: its own pairs, then those that the merges bring and it does not have.
    fn merged_mapping(&mut self, at: usize, reach: Reach, in_anchor: bool) -> Result<(), String> {
        self.feed(self.events.get(at), reach)?;
        let mut have = FxHashSet::default();
        self.pairs(at, reach, in_anchor, &mut have, 0)?;
        self.feed(Event::MappingEnd, reach)
    }

    fn pairs(
        &mut self,
        mapping: usize,
        reach: Reach,
        in_anchor: bool,
        have: &mut FxHashSet<String>,
        depth: usize,
    ) -> Result<(), String> {
        self.charge()?;
        if depth == DEPTH_MAX {
            return Err(format!("merges lead to merges more than {DEPTH_MAX} deep"));
        }
        let end = self.events.end(mapping);
        let mut merges = Vec::new();
        let mut own = Vec::new();
        let mut key = mapping + 1;
        while key < end {
            let value = self.events.end(key) + 1;
            let event = self.events.get(key);
            if is_merge(&event) {
                merges.push(value);
            } else if let Event::Scalar(scalar) = event {
                if !have.contains(&*scalar.value) {
                    own.push(scalar.value.into_owned());
                    self.node(key, reach, in_anchor)?;
                    self.node(value, reach, in_anchor)?;
                }
            } else {
                self.node(key, reach, in_anchor)?;
                self.node(value, reach, in_anchor)?;
            }
            key = self.events.end(value) + 1;
        }
        have.extend(own);
        for merge in merges {
            let mut sources = vec![merge];
            if self.events.start(merge).is_some_and(|start| !start.is_map) {
                sources.clear();
                let mut element = merge + 1;
                while element < self.events.end(merge) {
                    sources.push(element);
                    element = self.events.end(element) + 1;
                }
            }
            for source in sources {
                let (source, reach) = match self.events.alias(source) {
                    Some((Some(anchor), _)) => {
                        let Some(target) = self.events.anchored(anchor) else { continue };
                        (target, Self::through_alias(reach, in_anchor))
                    }
                    _ => (source, reach),
                };
                if self.events.start(source).is_some_and(|start| start.is_map) {
                    self.pairs(source, reach, in_anchor, have, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    fn charge(&mut self) -> Result<(), String> {
        self.budget = self.budget.checked_sub(1).ok_or("aliases lead to too many places (an alias bomb)")?;
        Ok(())
    }

    fn feed(&mut self, event: Event<'a>, reach: Reach) -> Result<(), String> {
        self.charge()?;
        if let (Reach::Alias, Event::Scalar(scalar)) = (reach, &event) {
            *self.uses.entry(scalar.start).or_default() += 1;
        }
        self.finder.follow(reach, event);
        Ok(())
    }
}

/// What stands for an alias that leads nowhere.
fn nothing<'a>(span: Span) -> Event<'a> {
    Event::Scalar(Scalar::bare("".into(), span, span.start, ScalarStyle::Plain))
}
