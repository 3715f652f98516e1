//! Where entries stand that change images by their names, as those of a Kustomization's `images` do.

use crate::manifest::mention::Part;
use crate::manifest::occurrence::Resource;
use crate::manifest::path::{FieldPath, Segment};

/// The API group of the builtin transformers of kustomize, which their `apiVersion` names without a version.
const BUILTIN: &str = "builtin";

/// Whether `path` leads to a part (`name`, `newTag`, …) of an entry of `resource`.
pub(super) fn is_part_of_entry(resource: &Resource, path: &FieldPath) -> bool {
    use Segment::{Index, Key};
    let mut steps = path.segments_below(resource.depth);
    steps.next_back();
    let steps: Vec<Segment<'_>> = steps.collect();
    if resource.is_kustomization() {
        return matches!(steps[..], [_, Index(_)]);
    }
    match (resource.group(), resource.kind.as_str()) {
        ("kustomize.toolkit.fluxcd.io", "Kustomization") => {
            matches!(steps[..], [Key("spec"), Key("images"), Index(_)])
        }
        ("helm.toolkit.fluxcd.io", "HelmRelease") => matches!(
            steps[..],
            [Key("spec"), Key("postRenderers"), Index(_), Key("kustomize"), Key("images"), Index(_)]
        ),
        ("", "ImageTagTransformer") if resource.api_version == BUILTIN => {
            matches!(steps[..], [Key("imageTag")])
        }
        _ => false,
    }
}

/// Whether `path` leads to a text of `resource` that is a whole entry, such as `nginx=quay.io/a/nginx:1`.
pub(super) fn is_override(resource: &Resource, path: &FieldPath) -> bool {
    use Segment::{Index, Key};
    if resource.group() != "argoproj.io" {
        return false;
    }
    let steps: Vec<Segment<'_>> = path.segments_below(resource.depth).collect();
    let below_spec = match (resource.kind.as_str(), &steps[..]) {
        ("Application", [Key("spec"), rest @ ..])
        | ("ApplicationSet", [Key("spec"), Key("template"), Key("spec"), rest @ ..]) => rest,
        ("ApplicationSet", [Key("spec"), Key("generators"), rest @ ..]) => {
            let template = rest.windows(2).rposition(|pair| pair == [Key("template"), Key("spec")]);
            template.map_or(&[][..], |at| &rest[at + 2..])
        }
        _ => return false,
    };
    matches!(
        below_spec,
        [Key("source"), Key("kustomize"), Key("images"), Index(_)]
            | [Key("sources"), Index(_), Key("kustomize"), Key("images"), Index(_)]
    )
}

/// The parts of a text that is a whole entry: `[NAME=]IMAGE[:TAG][@DIGEST]`.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::manifest) struct Override {
    pub(in crate::manifest) name: Part,
    pub(in crate::manifest) new_name: Option<Part>,
    pub(in crate::manifest) new_tag: Option<Part>,
    pub(in crate::manifest) digest: Option<Part>,
}

impl Override {
    /// The parts of `text`.
    pub(in crate::manifest) fn of(text: &str) -> Self {
        let equals = memchr::memchr(b'=', text.as_bytes());
        let start = equals.map_or(0, |at| at + 1);
        let digest = memchr::memchr(b'@', &text.as_bytes()[start..]).map(|at| start + at);
        let end = digest.unwrap_or(text.len());
        let last_part = memchr::memrchr(b'/', &text.as_bytes()[start..end]).map_or(start, |at| start + at);
        let colon = memchr::memchr(b':', &text.as_bytes()[last_part..end]).map(|at| last_part + at);
        let image = Part { start, end: colon.unwrap_or(end) };
        // An asterisk stands for the name as it is.
        let renames = equals.is_some() && !matches!(&text[image.start..image.end], "" | "*");
        Self {
            name: equals.map_or(image, |at| Part { start: 0, end: at }),
            new_name: renames.then_some(image),
            new_tag: colon.map(|at| Part { start: at + 1, end }),
            digest: digest.map(|at| Part { start: at + 1, end: text.len() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_overrides() {
        for (text, want) in [
            ("nginx:1", ["nginx", "", "1", ""]),
            ("nginx=quay.io/a/nginx:1", ["nginx", "quay.io/a/nginx", "1", ""]),
            ("a.io:5000/b", ["a.io:5000/b", "", "", ""]),
            ("a=b.io:5000/c@sha256:0", ["a", "b.io:5000/c", "", "sha256:0"]),
            ("a=*:2", ["a", "", "2", ""]),
            ("", ["", "", "", ""]),
            ("a=", ["a", "", "", ""]),
        ] {
            let parts = Override::of(text);
            let part = |part: Option<Part>| part.map_or("", |Part { start, end }| &text[start..end]);
            let got = [Some(parts.name), parts.new_name, parts.new_tag, parts.digest].map(part);
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn knows_the_places_of_entries() {
        let resource = |api_version: &str, kind: &str| Resource {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            ..Resource::default()
        };
        let path = |text: &str| -> FieldPath {
            let step = |step| str::parse::<usize>(step).map_or(Segment::Key(step), Segment::Index);
            text.split('.').map(step).collect()
        };
        let flux = resource("kustomize.toolkit.fluxcd.io/v1", "Kustomization");
        assert!(is_part_of_entry(&flux, &path("spec.images.0.name")));
        assert!(!is_part_of_entry(&flux, &path("images.0.name")));
        let own = resource("kustomize.config.k8s.io/v1beta1", "Kustomization");
        assert!(is_part_of_entry(&own, &path("images.0.name")));
        assert!(!is_part_of_entry(&own, &path("spec.images.0.name")));
        let builtin = resource("builtin", "ImageTagTransformer");
        assert!(is_part_of_entry(&builtin, &path("imageTag.newTag")));
        let set = resource("argoproj.io/v1alpha1", "ApplicationSet");
        for (at, want) in [
            ("spec.template.spec.source.kustomize.images.0", true),
            ("spec.template.spec.sources.1.kustomize.images.0", true),
            ("spec.generators.0.list.template.spec.source.kustomize.images.0", true),
            ("spec.source.kustomize.images.0", false),
        ] {
            assert_eq!(is_override(&set, &path(at)), want, "{at}");
        }
    }
}
