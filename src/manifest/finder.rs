//! The finder: a state machine over structural events that says where images are. Every reader drives this
//! one, so an image that one surface finds is an image that every surface finds.
//!
//! It keeps a frame for each open collection. A path is built only when something is found, and what cannot
//! be told yet (the kind of a resource may come after its spec) waits, pending, until its collection closes.

mod entries;
mod finding;
mod frame;
mod parameters;
mod repeated;
mod role;
mod sink;
mod steps;
mod value;

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::event::{Event, Scalar, Sink};
use super::keys::Key;
use super::occurrence::{Blocked, NoteKind, Place, Resource};
use super::path::{FieldPath, Segment};
use super::places::Places;
pub(super) use entries::Override;
use entries::{is_override, is_part_of_entry};
use finding::Claim;
pub(super) use finding::{EntryKey, Finding, Found, FoundNote, Reach};
pub(super) use frame::Role;
use frame::{Facts, Frame, Patched};
use parameters::ParameterUses;
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
    pub(super) fn within(mut self, steps: usize) -> Self {
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
            Claim::PodVolume | Claim::ImageName | Claim::Variable | Claim::Parameter => false,
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
        let parent = self.frames.last();
        let outer_flow = parent.is_some_and(|f| f.flow);
        let may_hold_field = !is_map && parent.is_some_and(|f| f.may_hold_field && f.key != Key::Image);
        self.frames.push(Frame {
            role,
            is_map,
            flow: flow || outer_flow,
            at_key: is_map,
            may_hold_field,
            has_containers: false,
            flag_before: None,
            disabled: false,
            seen: 0,
            key: Key::Other,
            key_text: Cow::Borrowed(""),
            key_start: 0,
            index: 0,
            facts: None,
            first: self.found.findings.len(),
        });
    }

    /// Notes when the innermost mapping has `key` for the second time.
    fn note_duplicate(&mut self, key: Key) {
        let bit = match key {
            Key::Image => 1,
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

    fn close_telling_mapping(&mut self) {
        let depth = self.frames.len().saturating_sub(1);
        let Some(frame) = self.frames.pop() else { return };
        let mut facts = frame.facts.map(|index| {
            self.free_facts.push(index);
            std::mem::take(&mut self.facts[index])
        });
        if let Some(facts) = &mut facts {
            self.render_input(&frame, facts);
        }
        if self.found.findings.len() > frame.first {
            self.settle(&frame, depth, facts.as_ref());
            if self.found.findings.last().is_some_and(|last| last.reach == Reach::Alias) {
                self.count_repeated(frame.first);
            }
        }
        self.node_done();
    }

    /// Whether the mapping that closes is a document, or an element of `items`.
    fn at_root(&self) -> bool {
        match &self.frames[..] {
            [] => true,
            [.., list, items] => !items.is_map && list.is_map && list.key_text == "items",
            [_] => false,
        }
    }

    /// Settles what was pending on the mapping that closes.
    fn settle(&mut self, frame: &Frame<'a>, depth: usize, facts: Option<&Facts<'a>>) {
        let at_root = self.at_root();
        let resource = facts.and_then(|facts| facts.resource(depth, at_root));
        let pending = &mut self.found.findings;
        let parameters = ParameterUses::of(resource.as_ref(), &pending[frame.first..]);
        let says_kind = resource.as_ref().is_some_and(|r| !r.kind.is_empty());
        let own_kind = resource.as_ref().is_some_and(Resource::is_configuration);
        let index = resource.is_some().then_some(self.found.resources.len());
        let patched = facts.and_then(|facts| facts.patched);
        let name = facts.and_then(|facts| facts.name.as_deref()).unwrap_or_default();
        // Where a tag of an ImageStream comes from is an image only of this kind.
        let from_image =
            frame.role == Role::From && facts.is_some_and(|f| f.kind.as_deref() == Some("DockerImage"));
        let is_shaped = frame.looks_like_a_container() && !name.is_empty();
        let container =
            Some(name).filter(|name| !name.is_empty() && (frame.role == Role::Container || is_shaped));
        let places = self.places;
        let mut more = Vec::new();
        let mut claimed = false;
        let mut settle = |finding: &mut Finding<'a>| {
            let length = finding.path.len();
            match finding.claim {
                Claim::PodVolume if frame.has_containers && length == depth + 4 => {
                    finding.claim = Claim::Settled;
                }
                Claim::ImageName if length == depth + 1 => {
                    if patched == Some(Patched::ContainerImage) {
                        finding.place = Place::Patch;
                    } else if patched != Some(Patched::OtherImage) {
                        return false;
                    }
                    finding.claim = Claim::Settled;
                }
                Claim::Variable if length == depth + 1 => {
                    if !finding.settle_variable(name, places, &mut more) {
                        return false;
                    }
                }
                Claim::Data => {
                    if let Some(resource) = &resource {
                        finding.settle_data(resource, places);
                    }
                }
                Claim::Field if frame.role == Role::From && length == depth + 1 && !from_image => {
                    return false;
                }
                Claim::Field if patched.is_some_and(|patched| finding.is_in_patch(depth, patched)) => {
                    finding.claim = Claim::Settled;
                    finding.place = Place::Patch;
                }
                Claim::Field if is_shaped && length == depth + 1 && finding.is_under("image") => {
                    finding.claim = Claim::Shape;
                }
                Claim::Parameter if length == depth + 1 => finding.name = Some(name.to_owned()),
                Claim::Parameter => match &parameters {
                    Some(uses) if places.has_shapes() && uses.settle(finding) => {}
                    Some(_) => return false,
                    None if says_kind => return false,
                    None => {}
                },
                Claim::Field | Claim::Shape => {
                    if let Some(resource) = &resource {
                        if is_override(resource, &finding.path) {
                            finding.claim = Claim::Kustomize(EntryKey::Whole);
                            finding.place = Place::RenderInput;
                        } else if places.has_field(resource, &finding.path, &finding.scalar.value) {
                            finding.claim = Claim::Settled;
                            finding.place = Place::Field;
                        } else if finding.claim == Claim::Shape
                            && places.has_shapes()
                            && !finding.is_in_status(resource.depth)
                        {
                            finding.claim = Claim::Settled;
                            finding.place = Place::Container;
                        } else if !finding.settle_as_mention(depth) {
                            return false;
                        }
                    }
                }
                Claim::Kustomize(key) if says_kind && finding.resource.is_none() => {
                    if !resource.as_ref().is_some_and(|r| is_part_of_entry(r, &finding.path)) {
                        if key != EntryKey::NewName {
                            return false;
                        }
                        // Flux, Argo CD: an `images` list that another program applies.
                        finding.claim = Claim::Settled;
                        finding.place = Place::RenderInput;
                    }
                }
                Claim::Settled
                | Claim::PodVolume
                | Claim::ImageName
                | Claim::Kustomize(_)
                | Claim::Variable
                | Claim::Text
                | Claim::Prose => {}
            }
            if let Some(resource) = resource.as_ref().filter(|_| finding.place.is_site()) {
                places.found_field(resource, &finding.path);
            }
            if frame.disabled && finding.blocked.is_none() {
                finding.blocked = Some(Blocked::DisableLabel);
            }
            if own_kind {
                finding.blocked = Some(Blocked::OwnKind);
            }
            if finding.container.is_none() {
                finding.container = container.map(str::to_owned);
            }
            if finding.resource.is_none() && index.is_some() {
                finding.resource = index;
                claimed = true;
            }
            true
        };
        let mut kept = frame.first;
        for at in frame.first..pending.len() {
            if settle(&mut pending[at]) {
                if kept < at {
                    pending.swap(kept, at);
                }
                kept += 1;
            }
        }
        pending.truncate(kept);
        pending.append(&mut more);
        if claimed && let Some(resource) = resource {
            self.found.resources.push(resource);
        }
    }

    /// Adds the parts of `image: {registry, repository, tag}` put together.
    fn render_input(&mut self, frame: &Frame<'a>, facts: &mut Facts<'a>) {
        let Some(repository) = facts.repository.take() else { return };
        let parent = self.frames.last();
        let named = parent.is_some_and(|p| p.is_map && p.key_text.to_ascii_lowercase().ends_with("image"));
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
            part: None,
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
