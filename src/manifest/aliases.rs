//! Documents with anchors and aliases. The events are replayed to the finder with each alias standing for
//! what its anchor holds, so that it is known at which places every scalar ends up; the text is never
//! expanded. A scalar that an alias brings elsewhere is edited at its anchor only when each of those places
//! is an image.

use std::collections::hash_map::Entry;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Span;
use super::event::{AnchorId, Event, Scalar, ScalarStyle, Sink, Tag};
use super::finder::{Finder, Finding, Found, Reach};
use super::occurrence::Blocked;

/// How deep aliases may lead to aliases.
const MAX_DEPTH: usize = 64;

/// How many events a document may replay beyond ten for each of its own.
const SPARE_EVENTS: usize = 250_000;

/// Feeds `events`, one document, to `finder` with aliases and merge keys followed, and says what is there.
///
/// # Errors
/// A message, when the aliases lead to more places than anyone could mean (an alias bomb).
pub(super) fn find<'a>(events: &[Event<'a>], finder: &mut Finder<'a, '_>) -> Result<Found<'a>, String> {
    let replay = Replay::new(events, finder);
    let uses = replay.run()?;
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
        if finding.kustomize_part().is_some() {
            if uses.get(&start).is_some_and(|&uses| uses > 0) {
                finding.blocked = Some(Blocked::SharedAnchor);
            }
            parts.push(finding);
            continue;
        }
        let image = usize::from(finding.reach == Reach::Alias && finding.place.is_site());
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
    events: &'e [Event<'a>],
    finder: &'f mut Finder<'a, 's>,
    /// For each start, the index of its end; for everything else, its own index.
    ends: Vec<usize>,
    /// Where each anchor's node starts.
    anchors: FxHashMap<AnchorId, usize>,
    /// Anchors that an alias names.
    named: FxHashSet<AnchorId>,
    /// Starts of mappings that have a merge key.
    merging: FxHashSet<usize>,
    /// Anchors whose nodes are being replayed.
    active: Vec<AnchorId>,
    /// How often aliases bring the scalar that starts there to a place.
    uses: FxHashMap<usize, usize>,
    budget: usize,
}

impl<'e, 'a, 'f, 's> Replay<'e, 'a, 'f, 's> {
    fn new(events: &'e [Event<'a>], finder: &'f mut Finder<'a, 's>) -> Self {
        let mut replay = Self {
            events,
            finder,
            ends: (0..events.len()).collect(),
            anchors: FxHashMap::default(),
            named: FxHashSet::default(),
            merging: FxHashSet::default(),
            active: Vec::new(),
            uses: FxHashMap::default(),
            budget: SPARE_EVENTS + 10 * events.len(),
        };
        replay.index();
        replay
    }

    /// Finds the ends, anchors and merge keys.
    fn index(&mut self) {
        struct Open {
            start: usize,
            is_map: bool,
            nodes: usize,
        }
        let mut open: Vec<Open> = Vec::new();
        for (i, event) in self.events.iter().enumerate() {
            let (anchor, opens) = match event {
                Event::MappingStart { anchor, .. } => (*anchor, Some(true)),
                Event::SequenceStart { anchor, .. } => (*anchor, Some(false)),
                Event::Scalar(scalar) => (scalar.anchor, None),
                Event::Alias { anchor, .. } => {
                    self.named.extend(*anchor);
                    (None, None)
                }
                Event::MappingEnd | Event::SequenceEnd => {
                    if let Some(closed) = open.pop() {
                        self.ends[closed.start] = i;
                    }
                    continue;
                }
            };
            if let Some(anchor) = anchor {
                self.anchors.insert(anchor, i);
            }
            if let Some(parent) = open.last_mut() {
                let is_key = parent.is_map && parent.nodes.is_multiple_of(2);
                parent.nodes += 1;
                if is_key && is_merge(event) {
                    self.merging.insert(parent.start);
                }
            }
            if let Some(is_map) = opens {
                open.push(Open { start: i, is_map, nodes: 0 });
            }
        }
    }

    fn run(mut self) -> Result<FxHashMap<usize, usize>, String> {
        let mut at = 0;
        while at < self.events.len() {
            self.node(at, Reach::Own, false)?;
            at = self.ends[at] + 1;
        }
        Ok(self.uses)
    }

    /// Replays the node that starts at event `at`. `anchored`: it stands in a node whose anchor is used.
    fn node(&mut self, at: usize, reach: Reach, anchored: bool) -> Result<(), String> {
        let end = self.ends[at];
        // Nodes that need no care are fed on as they are, without recursion: documents may be deep.
        let mut next = at;
        let mut within = Vec::new();
        while next <= end {
            while within.last().is_some_and(|&until| next > until) {
                within.pop();
            }
            let in_anchor = anchored || !within.is_empty();
            match &self.events[next] {
                Event::Alias { anchor: Some(anchor), span } => {
                    self.alias(*anchor, *span, reach, in_anchor)?;
                    next += 1;
                }
                Event::MappingStart { anchor, .. } if self.merging.contains(&next) => {
                    let in_anchor = in_anchor || anchor.is_some_and(|a| self.named.contains(&a));
                    self.merged_mapping(next, reach, in_anchor)?;
                    next = self.ends[next] + 1;
                }
                event @ (Event::MappingStart { anchor, .. } | Event::SequenceStart { anchor, .. }) => {
                    if anchor.is_some_and(|a| self.named.contains(&a)) {
                        within.push(self.ends[next]);
                    }
                    self.feed(event.clone(), reach)?;
                    next += 1;
                }
                event => {
                    self.feed(event.clone(), reach)?;
                    next += 1;
                }
            }
        }
        Ok(())
    }

    fn alias(&mut self, anchor: AnchorId, span: Span, reach: Reach, in_anchor: bool) -> Result<(), String> {
        let target = self.anchors.get(&anchor).copied();
        let Some(target) = target.filter(|_| !self.active.contains(&anchor)) else {
            return self.feed(nothing(span), reach);
        };
        if self.active.len() == MAX_DEPTH {
            return Err(format!("aliases lead to aliases more than {MAX_DEPTH} deep"));
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
        self.feed(self.events[at].clone(), reach)?;
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
        if depth == MAX_DEPTH {
            return Err(format!("merges lead to merges more than {MAX_DEPTH} deep"));
        }
        let end = self.ends[mapping];
        let mut merges = Vec::new();
        let mut own = Vec::new();
        let mut key = mapping + 1;
        while key < end {
            let value = self.ends[key] + 1;
            if is_merge(&self.events[key]) {
                merges.push(value);
            } else if let Event::Scalar(scalar) = &self.events[key] {
                if !have.contains(&*scalar.value) {
                    own.push(scalar.value.to_string());
                    self.node(key, reach, in_anchor)?;
                    self.node(value, reach, in_anchor)?;
                }
            } else {
                self.node(key, reach, in_anchor)?;
                self.node(value, reach, in_anchor)?;
            }
            key = self.ends[value] + 1;
        }
        have.extend(own);
        for merge in merges {
            let sources = match &self.events[merge] {
                Event::SequenceStart { .. } => {
                    let mut sources = Vec::new();
                    let mut element = merge + 1;
                    while element < self.ends[merge] {
                        sources.push(element);
                        element = self.ends[element] + 1;
                    }
                    sources
                }
                _ => vec![merge],
            };
            for source in sources {
                let (source, reach) = match &self.events[source] {
                    Event::Alias { anchor: Some(anchor), .. } => {
                        let Some(&target) = self.anchors.get(anchor) else { continue };
                        (target, Self::through_alias(reach, in_anchor))
                    }
                    _ => (source, reach),
                };
                if matches!(self.events[source], Event::MappingStart { .. }) {
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
        self.finder.reach = reach;
        self.finder.event(event);
        Ok(())
    }
}

/// Whether a key is a merge key: plain `<<`, bare or tagged `!!merge`.
fn is_merge(event: &Event<'_>) -> bool {
    matches!(event, Event::Scalar(s) if s.value == "<<"
        && s.style == ScalarStyle::Plain
        && matches!(s.tag, Tag::None | Tag::Merge))
}

/// What stands for an alias that leads nowhere.
fn nothing<'a>(span: Span) -> Event<'a> {
    Event::Scalar(Scalar::bare("".into(), span, span.start, ScalarStyle::Plain))
}
