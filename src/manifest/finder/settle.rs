//! What becomes of findings when a mapping closes that they stand in, and so has said all of itself.

use crate::manifest::occurrence::{Blocked, Place, Resource};
use crate::manifest::places::Places;
use crate::manifest::role::Role;

use super::entries::{is_override, is_part_of_entry};
use super::frame::{Facts, Frame, Patched, SEEN_IMAGE};
use super::parameters::ParameterUses;
use super::{Claim, EntryKey, Finder, Finding};

/// A mapping that closes, and what it says of what was found in it.
struct Closing<'f, 'a> {
    frame: &'f Frame<'a>,
    depth: usize,
    facts: Option<&'f Facts<'a>>,
    /// The resource that it is, if it is one.
    resource: Option<Resource>,
    /// Of a Template, how its images use its parameters.
    parameters: Option<ParameterUses>,
    /// A variable of a mapping that looks like a container.
    is_of_element: bool,
    places: &'f Places,
}

impl<'a> Finder<'a, '_> {
    /// Settles what was pending on the mapping that closes.
    pub(super) fn settle(&mut self, frame: &Frame<'a>, depth: usize, facts: Option<&Facts<'a>>) {
        let at_root = self.at_root();
        let resource = facts.and_then(|facts| facts.resource(depth, at_root));
        let is_of_element = match &self.frames[..] {
            [.., owner, _] => frame.role == Role::EnvVar && owner.role == Role::Element,
            _ => false,
        };
        let pending = &mut self.found.findings;
        let parameters = ParameterUses::of(resource.as_ref(), &pending[frame.first..]);
        let closing =
            Closing { frame, depth, facts, resource, parameters, is_of_element, places: self.places };
        let own_kind = closing.resource.as_ref().is_some_and(Resource::is_configuration);
        let index = closing.resource.is_some().then_some(self.found.resources.len());
        let container = closing.container();
        let mut claimed = false;
        let mut kept = frame.first;
        for at in frame.first..pending.len() {
            let finding = &mut pending[at];
            if !closing.keeps(finding) {
                continue;
            }
            if let Some(resource) = closing.resource.as_ref().filter(|_| finding.place.is_site()) {
                self.places.found_field(resource, &finding.path);
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
            if kept < at {
                pending.swap(kept, at);
            }
            kept += 1;
        }
        pending.truncate(kept);
        if claimed && let Some(resource) = closing.resource {
            self.found.resources.push(resource);
        }
    }
}

impl<'a> Closing<'_, 'a> {
    /// Its name, or that of its metadata; empty when it has none.
    fn name(&self) -> &str {
        self.facts.and_then(|facts| facts.name.as_deref()).unwrap_or_default()
    }

    /// Whether it has what containers have, and stands where nothing says that it is one.
    fn is_shaped(&self) -> bool {
        self.frame.looks_like_a_container() && !self.name().is_empty()
    }

    /// Its name, if it is a container.
    fn container(&self) -> Option<&str> {
        let is_container = self.frame.role == Role::Container || self.is_shaped();
        Some(self.name()).filter(|name| !name.is_empty() && is_container)
    }

    fn says_kind(&self) -> bool {
        self.resource.as_ref().is_some_and(|resource| !resource.kind.is_empty())
    }

    /// What the JSON patch's operation that it is leads to.
    fn patched(&self) -> Option<Patched> {
        self.facts.and_then(|facts| facts.patched)
    }

    /// Whether `finding` is the value of one of its own keys.
    fn owns(&self, finding: &Finding<'a>) -> bool {
        finding.path.len() == self.depth + 1
    }

    /// Decides on `finding` as far as it can; false when that is nothing.
    fn keeps(&self, finding: &mut Finding<'a>) -> bool {
        match finding.claim {
            Claim::PodVolume => {
                if self.frame.has_containers && finding.path.len() == self.depth + 4 {
                    finding.claim = Claim::Settled;
                }
            }
            Claim::ImageName if self.owns(finding) => {
                match self.patched() {
                    Some(Patched::ContainerImage) => finding.place = Place::Patch,
                    Some(Patched::OtherImage) => {}
                    Some(Patched::Container | Patched::ContainerList) | None => return false,
                }
                finding.claim = Claim::Settled;
            }
            Claim::Variable if self.owns(finding) => return self.keeps_variable(finding),
            Claim::OfElement(place) if self.frame.role == Role::Element => {
                finding.claim = Claim::OfShape(place);
                return self.frame.seen & SEEN_IMAGE != 0;
            }
            Claim::OfShape(place) => {
                if let Some(resource) = &self.resource {
                    (finding.claim, finding.place) = (Claim::Settled, place);
                    return self.places.has_shapes() && !finding.is_in_status(resource.depth);
                }
            }
            Claim::Data => {
                if let Some(resource) = &self.resource {
                    finding.settle_data(resource, self.places);
                }
            }
            Claim::Parameter => return self.keeps_parameter(finding),
            Claim::Field | Claim::Shape => return self.keeps_field(finding),
            Claim::Kustomize(key) if self.says_kind() && finding.resource.is_none() => {
                return self.keeps_entry(key, finding);
            }
            Claim::Settled
            | Claim::ImageName
            | Claim::Kustomize(_)
            | Claim::Variable
            | Claim::OfElement(_)
            | Claim::Text
            | Claim::Prose => {}
        }
        true
    }

    /// Decides on the value of the variable that it is.
    fn keeps_variable(&self, finding: &mut Finding<'a>) -> bool {
        let is_kept = finding.settle_variable(self.name(), self.places);
        if is_kept && self.is_of_element {
            finding.wait_for_element();
        }
        is_kept
    }

    /// Decides on the value of a parameter.
    fn keeps_parameter(&self, finding: &mut Finding<'a>) -> bool {
        if self.owns(finding) {
            finding.name = Some(self.name().to_owned());
            return true;
        }
        match &self.parameters {
            Some(uses) => self.places.has_shapes() && uses.settle(finding),
            None => !self.says_kind(),
        }
    }

    /// Decides on a field that may be an image by its path.
    fn keeps_field(&self, finding: &mut Finding<'a>) -> bool {
        if finding.claim == Claim::Field {
            // Where a tag of an ImageStream comes from is an image only of this kind.
            let is_image = || self.facts.is_some_and(|facts| facts.kind.as_deref() == Some("DockerImage"));
            if self.frame.role == Role::From && self.owns(finding) && !is_image() {
                return false;
            }
            if self.patched().is_some_and(|patched| finding.is_in_patch(self.depth, patched)) {
                (finding.claim, finding.place) = (Claim::Settled, Place::Patch);
                return true;
            }
            if self.is_shaped() && self.owns(finding) && finding.is_under("image") {
                finding.claim = Claim::Shape;
                return true;
            }
        }
        let Some(resource) = &self.resource else { return true };
        if is_override(resource, &finding.path) {
            finding.claim = Claim::Kustomize(EntryKey::Whole);
            finding.place = Place::RenderInput;
        } else if self.places.has_field(resource, &finding.path, &finding.scalar.value) {
            (finding.claim, finding.place) = (Claim::Settled, Place::Field);
        } else if finding.claim == Claim::Shape
            && self.places.has_shapes()
            && !finding.is_in_status(resource.depth)
        {
            (finding.claim, finding.place) = (Claim::Settled, Place::Container);
        } else {
            return finding.settle_as_mention(self.depth);
        }
        true
    }

    /// Decides on the `key` of an entry of an `images` list, of a resource that says its kind.
    fn keeps_entry(&self, key: EntryKey, finding: &mut Finding<'a>) -> bool {
        if self.resource.as_ref().is_some_and(|resource| is_part_of_entry(resource, &finding.path)) {
            return true;
        }
        // Flux, Argo CD: an `images` list that another program applies.
        (finding.claim, finding.place) = (Claim::Settled, Place::RenderInput);
        key == EntryKey::NewName
    }
}
