//! The parameters of OpenShift's Templates: which of them are images, by how the objects of the Template use them.

use crate::manifest::mention;
use crate::manifest::occurrence::{Place, Resource};

use super::finding::{Claim, Finding};

/// How the images of a Template use its parameters.
#[derive(Debug, Default)]
pub(super) struct ParameterUses {
    /// Names of parameters that alone are the image: `${IMAGE}`.
    whole: Vec<String>,
    /// Names of parameters that are a part of one: `${REPOSITORY}:${TAG}`.
    part: Vec<String>,
}

impl ParameterUses {
    /// The uses in `findings`, what was found in `resource`; `None` when that is no Template.
    pub(super) fn of(resource: Option<&Resource>, findings: &[Finding<'_>]) -> Option<Self> {
        let resource = resource.filter(|resource| {
            resource.kind == "Template" && matches!(resource.group(), "template.openshift.io" | "")
        })?;
        let mut uses = Self::default();
        let is_image = |finding: &&Finding<'_>| {
            finding.place.is_site() && finding.claim == Claim::Settled && finding.path.len() > resource.depth
        };
        for finding in findings.iter().filter(is_image) {
            let image = &*finding.scalar.value;
            let mut rest = image;
            while let Some((_, behind)) = rest.split_once("${") {
                let (name, behind) = behind.split_once('}').unwrap_or((behind, ""));
                let is_whole = image.len() == name.len() + "${}".len();
                let names = if is_whole { &mut uses.whole } else { &mut uses.part };
                if !names.iter().any(|known| known == name) {
                    names.push(name.to_owned());
                }
                rest = behind;
            }
        }
        Some(uses)
    }

    /// Decides on the value of the parameter called `name`; false when it is none of an image.
    pub(super) fn settle(&self, finding: &mut Finding<'_>) -> bool {
        let name = finding.name.as_deref().unwrap_or_default();
        let is_among = |names: &[String]| names.iter().any(|known| known == name);
        finding.claim = Claim::Settled;
        finding.place = match (is_among(&self.whole), is_among(&self.part)) {
            (true, false) => Place::Field,
            (_, true) if mention::is_reference_like(&finding.scalar.value) => Place::RenderInput,
            (_, true) | (false, false) => return false,
        };
        true
    }
}
