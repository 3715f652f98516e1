//! The finder: a state machine over structural events that says where images are. Every reader drives this
//! one, so an image that one surface finds is an image that every surface finds.
//!
//! It keeps a frame for each open collection. A path is built only when something is found, and what cannot
//! be told yet (the kind of a resource may come after its spec) waits, pending, until its collection closes.

mod child;
mod entries;
mod finding;
mod frame;
mod parameters;
mod repeated;
mod settle;
mod sink;
mod steps;
mod value;

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::event::{Event, Scalar, Sink};
use super::keys::Key;
use super::occurrence::{NoteKind, Place};
use super::path::{FieldPath, Segment};
use super::places::Places;
use super::role::Role;
pub(super) use entries::Override;
use finding::Claim;
pub(super) use finding::{EntryKey, Finding, Found, FoundNote, ImageParts, Reach};
use frame::{Facts, Frame, SEEN_IMAGE};
use steps::Passed;

/// The state machine. Feed it the events of one document, then [`Finder::finish`].
#[derive(Debug)]
pub(super) struct Finder<'a, 's> {
    places: &'s Places,
    disable_label: &'s str,
    frames: Vec<Frame<'a>>,
    facts: Vec<Facts<'a>>,
    free_facts: Vec<usize>,
    found: Found<'a>,
    /// How the events at hand are reached.
    reach: Reach,
    /// Of scalars that aliases bring to many places, the finding that stands for all these in one list.
    repeated: FxHashMap<(usize, usize), usize>,
    /// How many steps all paths together may yet have.
    steps_left: usize,
    /// The steps that the path that was made last shares with others.
    passed: Vec<Passed>,
}

impl<'a, 's> Finder<'a, 's> {
    pub(super) fn new(places: &'s Places, disable_label: &'s str) -> Self {
        Self {
            places,
            disable_label,
            frames: Vec::with_capacity(32),
            facts: Vec::new(),
            free_facts: Vec::new(),
            found: Found::default(),
            reach: Reach::Own,
            repeated: FxHashMap::default(),
            steps_left: usize::MAX,
            passed: Vec::new(),
        }
    }

    /// Finds things only as long as the paths to them have no more than `steps` steps together, and says in
    /// [`Found::is_too_much`] when they had.
    pub(super) fn with_step_limit(mut self, steps: usize) -> Self {
        self.steps_left = steps;
        self
    }

    /// Forgets the document that is being read.
    pub(super) fn reset(&mut self) {
        self.frames.clear();
        self.facts.clear();
        self.free_facts.clear();
        self.found = Found::default();
        self.reach = Reach::Own;
        self.repeated.clear();
        self.passed.clear();
    }

    /// Whether the events of the document must be resolved before they are heard: it has a merge key.
    pub(super) fn must_be_replayed(&self) -> bool {
        self.found.must_be_replayed
    }

    /// Ends the document and says what is in it.
    pub(super) fn finish(&mut self) -> Found<'a> {
        let mut found = std::mem::take(&mut self.found);
        self.reset();
        found.findings.retain_mut(|finding| match finding.claim {
            Claim::Settled | Claim::Text | Claim::Prose => true,
            Claim::Data => {
                finding.claim = Claim::Prose;
                true
            }
            // A Kustomization needs no kind; whether this is one, the file's name tells.
            Claim::Kustomize(_) => finding.resource.is_some() || finding.path.len() == 3,
            Claim::Field if self.places.is_listed(&finding.path, &finding.scalar.value) => {
                (finding.claim, finding.place) = (Claim::Settled, Place::Field);
                true
            }
            Claim::Field | Claim::Shape => finding.settle_as_mention(0),
            Claim::PodVolume
            | Claim::ImageName
            | Claim::Variable
            | Claim::Parameter
            | Claim::OfElement(_)
            | Claim::OfShape(_) => false,
        });
        found
    }

    /// An alias that is not followed.
    fn alias(&mut self, is_defined: bool, start: usize) {
        self.found.has_anchors = true;
        let in_image = self.frames.last().is_some_and(|f| f.role == Role::Container && f.key == Key::Image);
        if in_image && self.value_expected() {
            let kind = if is_defined { NoteKind::Alias } else { NoteKind::UndefinedAlias };
            self.note(kind, start);
        }
        self.node_done();
    }

    /// Says that the value at hand is an alias of something that was heard already.
    pub(super) fn note_alias(&mut self, start: usize) {
        let frame = self.frames.last();
        if frame.is_some_and(|f| f.role == Role::Container && f.key == Key::Image && !f.at_key) {
            self.note(NoteKind::Alias, start);
        }
    }

    /// Notes something about the value at hand that starts at `offset`.
    fn note(&mut self, kind: NoteKind, offset: usize) {
        let mut notes = std::mem::take(&mut self.found.notes);
        notes.add(kind, || {
            let path = self.path();
            (!self.found.is_too_much).then_some(FoundNote { kind, path, offset })
        });
        self.found.notes = notes;
    }

    /// Hears an event that is reached so, of a document whose aliases are followed.
    pub(super) fn follow(&mut self, reach: Reach, event: Event<'a>) {
        self.reach = reach;
        self.event(event);
    }

    fn value_expected(&self) -> bool {
        self.frames.last().is_some_and(|f| !f.is_map || !f.at_key)
    }

    /// A collection opens.
    fn open(&mut self, is_map: bool, flow: bool) {
        let role = self.role_of_child(is_map);
        let (outer_flow, may_hold_field) = match self.frames.last() {
            Some(parent) => (parent.flow, !is_map && parent.may_hold_field && parent.key != Key::Image),
            None => (false, false),
        };
        self.frames.push(Frame {
            role,
            is_map,
            flow: flow | outer_flow,
            at_key: is_map,
            may_hold_field,
            has_containers: false,
            flag_before: None,
            disabled: false,
            seen: 0,
            key: Key::Other,
            key_bytes: Cow::Borrowed(b""),
            key_start: 0,
            index: 0,
            facts: None,
            first: self.found.findings.len(),
        });
    }

    /// Notes when the innermost mapping has `key` for the second time.
    fn note_duplicate(&mut self, key: Key) {
        let bit = match key {
            Key::Image => SEEN_IMAGE,
            Key::Containers => 2,
            Key::InitContainers => 4,
            Key::Kind => 16,
            Key::Spec => 32,
            _ => 8,
        };
        let Some(frame) = self.frames.last_mut() else { return };
        let (again, at) = (frame.seen & bit != 0, frame.key_start);
        frame.seen |= bit;
        if again {
            let kind = match key {
                Key::Kind | Key::Spec => NoteKind::TwoManifests,
                _ => NoteKind::DuplicateKey,
            };
            self.note(kind, at);
        }
    }

    /// A node is whole: in a mapping, a key gives way to its value and a value to the next key.
    fn node_done(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            if frame.is_map {
                frame.at_key = !frame.at_key;
            } else {
                frame.index += 1;
            }
        }
    }

    /// The innermost sequence closes.
    fn close_sequence(&mut self) {
        self.frames.pop();
        self.node_done();
    }

    /// The innermost mapping closes.
    fn close_mapping(&mut self) {
        // Most mappings say nothing that matters, and have nothing in them that waits for it.
        if self.frames.last().is_none_or(|f| f.facts.is_none() && f.first == self.found.findings.len()) {
            self.frames.pop();
            self.node_done();
        } else {
            self.close_telling_mapping();
        }
    }

    #[inline(never)]
    fn close_telling_mapping(&mut self) {
        let depth = self.frames.len().saturating_sub(1);
        let Some(frame) = self.frames.pop() else { return };
        let mut facts = frame.facts.map(|index| {
            self.free_facts.push(index);
            std::mem::take(&mut self.facts[index])
        });
        if let Some(facts) = &mut facts {
            self.found.may_have_chart |= facts.may_have_chart(self.places);
            self.render_input(&frame, facts);
        }
        if self.found.findings.len() > frame.first {
            if facts.is_some() || self.concerns_its_findings(&frame, depth) {
                self.settle(&frame, depth, facts.as_ref());
            }
            if self.found.findings.last().is_some_and(|last| last.reach == Reach::Alias) {
                self.count_repeated(frame.first);
            }
        }
        self.node_done();
    }

    /// Whether a mapping at `depth` that says nothing of itself changes anything about what was found in it.
    fn concerns_its_findings(&self, frame: &Frame<'a>, depth: usize) -> bool {
        frame.disabled
            || frame.has_containers
            || frame.role == Role::Element
            || self.found.findings[frame.first..].iter().any(|finding| finding.path.len() == depth + 1)
    }

    /// Whether the mapping that closes is a document, or an element of `items`.
    fn at_root(&self) -> bool {
        match &self.frames[..] {
            [] => true,
            [.., list, items] => !items.is_map && list.is_map && *list.key_bytes == *b"items",
            [_] => false,
        }
    }

    /// Adds the parts of `image: {registry, repository, tag}` put together.
    fn render_input(&mut self, frame: &Frame<'a>, facts: &mut Facts<'a>) {
        let Some(repository) = facts.repository.take() else { return };
        let parent = self.frames.last();
        let named = parent.is_some_and(|p| p.is_map && p.key_text().to_ascii_lowercase().ends_with("image"));
        if repository.value.is_empty() || !(named || facts.tag.is_some() || facts.digest.is_some()) {
            return;
        }
        let value = facts.put_together(&repository.value);
        let mut path = self.path();
        path.push(Segment::Key("repository"));
        let scalar = Scalar { value: Cow::Owned(value), ..repository };
        self.push(Claim::Settled, Place::RenderInput, path, scalar, frame.flow);
    }

    fn push_here(&mut self, claim: Claim, place: Place, scalar: Scalar<'a>) {
        let path = self.path();
        let flow = self.frames.last().is_some_and(|f| f.flow);
        self.push(claim, place, path, scalar, flow);
    }

    fn push(&mut self, claim: Claim, place: Place, path: FieldPath, scalar: Scalar<'a>, flow: bool) {
        if self.found.is_too_much {
            return;
        }
        self.found.findings.push(Finding {
            claim,
            place,
            path,
            scalar,
            parts: ImageParts::Whole,
            flow,
            reach: self.reach,
            times: 1,
            resource: None,
            container: None,
            name: None,
            other_containers: Vec::new(),
            blocked: None,
        });
    }

    /// The facts of the mapping at `frame`.
    fn facts_of(&mut self, frame: usize) -> &mut Facts<'a> {
        let index = *self.frames[frame].facts.get_or_insert_with(|| {
            self.free_facts.pop().unwrap_or_else(|| {
                self.facts.push(Facts::default());
                self.facts.len() - 1
            })
        });
        &mut self.facts[index]
    }
}
