//! The finder as a sink of events. What the fast reader says in a lighter form is passed over here, in a few
//! instructions, where it cannot matter: so are most lines of a manifest.

use std::borrow::Cow;

use crate::manifest::event::{Event, Sink, Undecoded, Word};
use crate::manifest::keys::Key;
use crate::manifest::mention;
use crate::manifest::name_hash::name_hash;
use crate::manifest::role::Role;

use super::Finder;
use super::frame::Patched;

impl<'a> Sink<'a> for Finder<'a, '_> {
    fn event(&mut self, event: Event<'a>) {
        match event {
            Event::Scalar(scalar) => self.scalar(scalar),
            Event::MappingStart { anchor, flow } => {
                self.found.has_anchors |= anchor.is_some();
                self.open(true, flow);
            }
            Event::SequenceStart { anchor, flow } => {
                self.found.has_anchors |= anchor.is_some();
                self.open(false, flow);
            }
            Event::MappingEnd => self.close_mapping(),
            Event::SequenceEnd => self.close_sequence(),
            Event::Alias { anchor, span } => self.alias(anchor.is_some(), span.start),
        }
    }

    #[inline]
    fn mapping_start(&mut self, flow: bool) {
        self.open(true, flow);
    }

    #[inline]
    fn sequence_start(&mut self, flow: bool) {
        self.open(false, flow);
    }

    #[inline]
    fn mapping_end(&mut self) {
        self.close_mapping();
    }

    #[inline]
    fn sequence_end(&mut self) {
        self.close_sequence();
    }

    #[inline(always)]
    fn entry(&mut self, key: Word<'a>, value: Word<'a>) {
        let Some(frame) = self.frames.last() else { return };
        let name = key.bytes();
        let role = frame.role;
        let may_matter = if role.has_names_for_keys() {
            self.is_known_name(role, key)
        } else {
            let hash = name_hash(name);
            (self.places.fields.may_mean_something(hash) && self.may_matter(role, hash, name, value))
                || (role == Role::Data && self.places.may_be_data(key.value()))
        };
        if may_matter || !(frame.is_map && frame.at_key) {
            self.known_entry(key, value);
        }
    }

    #[inline(always)]
    fn word(&mut self, word: Word<'a>) {
        let Some(frame) = self.frames.last_mut() else { return };
        if !frame.is_map {
            if frame.role == Role::PatchList {
                self.scalar(word.into());
                return;
            }
            let may_matter = match frame.role {
                Role::Words => frame.flag_before.is_some() || self.places.may_be_argument(word.bytes()),
                Role::KustomizeList => true,
                _ => frame.may_hold_field,
            };
            if may_matter {
                self.element(word.into());
            }
            self.node_done();
        } else if frame.at_key {
            let name = word.bytes();
            let hash = name_hash(name);
            let may_matter = self.places.fields.may_mean_something(hash);
            frame.at_key = false;
            frame.key = if may_matter { Key::of(name) } else { Key::Other };
            frame.may_hold_field = may_matter && self.places.fields.may_end_in(hash, name);
            frame.key_bytes = Cow::Borrowed(name);
            frame.key_start = word.span().start;
        } else {
            self.scalar(word.into());
        }
    }

    /// Has it decoded only where its text matters.
    fn block(&mut self, block: impl Undecoded<'a>) {
        let Some(frame) = self.frames.last() else { return };
        let may_matter = if frame.is_map {
            frame.at_key
                || frame.may_hold_field
                || frame.key.matters_to(frame.role)
                || frame.role.has_names_for_keys()
                || (frame.role == Role::Data && self.places.may_be_data(frame.key_text()))
                || (frame.may_hold_manifest() && mention::may_hold_image(block))
        } else {
            matches!(frame.role, Role::Words | Role::PatchList) || frame.may_hold_field
        };
        if may_matter {
            self.scalar(block.into());
        } else {
            self.node_done();
        }
    }
}

impl<'a> Finder<'a, '_> {
    /// Whether a label or annotation of this name, which people choose, means something.
    #[inline(never)]
    fn is_known_name(&self, role: Role, key: Word<'_>) -> bool {
        let name = key.bytes();
        match role {
            Role::Labels => name == self.disable_label.as_bytes(),
            _ => {
                name.ends_with(b"config.kubernetes.io/path")
                    || name.ends_with(b"config.kubernetes.io/index")
                    || self.places.annotation(key.value()).is_some()
            }
        }
    }

    /// Whether a key that may mean something does in a mapping of `role`, with this value.
    #[inline(always)]
    fn may_matter(&self, role: Role, hash: u8, name: &[u8], value: Word<'_>) -> bool {
        let key = Key::of_hash(hash);
        (key.matters_to(role) && key.is(name) && self.may_say_something(role, key, value))
            || self.places.fields.may_end_in(hash, name)
    }

    /// Whether [`Finder::value`] may do anything with this value of a key that matters to `role`; false for most names of
    /// variables, and for most values and paths.
    #[inline(never)]
    fn may_say_something(&self, role: Role, key: Key, value: Word<'_>) -> bool {
        match (role, key) {
            (Role::EnvVar, Key::Name) => {
                mention::names_image(value.value()) || self.places.names_variable(value.value())
            }
            (Role::EnvVar, Key::Value) => self.places.may_be_variable(value.value()),
            (Role::Parameter, Key::Value) => true,
            (_, Key::Value) => self.in_patch() || mention::is_reference_like(value.value()),
            (_, Key::Path) => Patched::of(value.value()).is_some(),
            _ => true,
        }
    }

    /// An entry that may matter.
    #[inline(never)]
    fn known_entry(&mut self, key: Word<'a>, value: Word<'a>) {
        self.word(key);
        self.scalar(value.into());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::manifest::fast::FastReader;
    use crate::manifest::places::Places;
    use crate::manifest::{DISABLE_LABEL, Span};

    /// Hears events alone.
    struct Plainly<'f, 'a, 's>(&'f mut Finder<'a, 's>);

    impl<'a> Sink<'a> for Plainly<'_, 'a, '_> {
        fn event(&mut self, event: Event<'a>) {
            self.0.event(event);
        }
    }

    /// The lines of a node.
    type Lines = BoxedStrategy<Vec<String>>;

    /// One of these nodes or entries.
    fn one(nodes: &'static [&'static str]) -> Lines {
        prop::sample::select(nodes).prop_map(|node| node.lines().map(str::to_owned).collect()).boxed()
    }

    /// `key:` and the node under it.
    fn under(key: &'static str, node: Lines) -> Lines {
        let indented = |line: String| format!("  {line}");
        node.prop_map(move |lines| {
            std::iter::once(format!("{key}:")).chain(lines.into_iter().map(indented)).collect()
        })
        .boxed()
    }

    /// A sequence of such nodes.
    fn list(element: Lines) -> Lines {
        let dashed = |lines: Vec<String>| {
            lines
                .into_iter()
                .enumerate()
                .map(|(i, line)| format!("{}{line}", if i == 0 { "- " } else { "  " }))
        };
        prop::collection::vec(element, 1..3)
            .prop_map(move |all| all.into_iter().flat_map(dashed).collect())
            .boxed()
    }

    /// A mapping with some of these entries, in any order.
    fn some(entries: Vec<Lines>) -> Lines {
        let least = 1..=entries.len();
        prop::sample::subsequence(entries, least)
            .prop_shuffle()
            .prop_flat_map(|entries| entries)
            .prop_map(|entries| entries.concat())
            .boxed()
    }

    fn variable() -> Lines {
        some(vec![
            one(&["name: PATH", "name: SOME_IMAGE", "name: 'image'", "name: 5"]),
            one(&[
                "value: a.io/b:1",
                "value: nginx:1",
                "value: postgres://db:5432/app",
                "value: text",
                "value: 5",
            ]),
        ])
    }

    fn container() -> Lines {
        some(vec![
            one(&[
                "image: a.io/b:1",
                "image: \"nginx\"",
                "image: 5",
                "image:",
                "image: >-\n  c:1",
                "image: {}",
            ]),
            one(&["name: c", "name:", "image: d:1"]),
            under("env", list(variable())),
            under("args", list(one(&["--image=a.io/b:1", "text", "|\n  a.io/b:1"]))),
            one(&["command: [a.io/b:1, \"c.io/d:2\"]", "command: x"]),
            one(&["script: |\n  image: a:1\n  text", "script: |\n  text", "description: |\n  image: a:1"]),
        ])
    }

    fn resource() -> Lines {
        let labels = one(&["app: x", "k8s.twr.io/imageswap: disabled", "k8s.twr.io/imageswap: \"on\""]);
        let annotations = one(&[
            "internal.config.kubernetes.io/path: a/b.yaml",
            "config.kubernetes.io/index: '1'",
            "example.com/path: x",
        ]);
        let metadata = some(vec![
            one(&["name: n", "namespace: m"]),
            under("labels", labels),
            under("annotations", annotations),
        ]);
        let volume = under("image", one(&["reference: a.io/v:1", "pullPolicy: x"]));
        let pod = some(vec![
            under("containers", list(container())),
            under("volumes", list(volume)),
            under("metadata", metadata.clone()),
            under(
                "image",
                some(vec![one(&["repository: a.io/r"]), one(&["tag: 1.20"]), one(&["registry: b.io"])]),
            ),
        ]);
        let patch =
            some(vec![one(&["path: /spec/image", "path: /x"]), one(&["value: a.io/b:1", "value: x"])]);
        let kustomized = some(vec![
            one(&["name: nginx"]),
            one(&["newName: a.io/n", "newTag: 1.20"]),
            one(&["digest: sha256:0"]),
        ]);
        some(vec![
            one(&[
                "apiVersion: v1",
                "apiVersion: tekton.dev/v1",
                "apiVersion: kustomize.config.k8s.io/v1beta1",
            ]),
            one(&["kind: Pod", "kind: Task", "kind: Kustomization", "kind: Prometheus"]),
            under("metadata", metadata),
            under("spec", some(vec![pod, under("steps", list(container())), one(&["image: a.io/f:1"])])),
            under("patches", list(patch)),
            under("images", list(kustomized)),
            one(&[
                "initImage: a.io/b:2",
                "imageName: a.io/b:3",
                "other: # comment",
                "\"im\\u0061ge\": a.io/b:4",
            ]),
            one(&["values: [a.io/b:1, {path: x, value: nginx:1}]", "scripts:\n- |\n  image: a:1\n- text"]),
        ])
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) })]

        #[test]
        fn finds_the_same_by_events_alone(
            lines in prop_oneof![resource(), under("items", list(resource()))],
            named in prop::sample::subsequence(
                vec!["*:spec.*", "*:patches[].path", "*:metadata.name", "*:values[]", "*:images[].newTag"],
                0..3,
            ),
        ) {
            let text = lines.join("\n");
            let mut fields = Places::known();
            named.iter().for_each(|field| fields.add(field.parse().expect("a field")));
            let [mut lightly, mut plainly] = [(); 2].map(|()| Finder::new(&fields, DISABLE_LABEL));
            let whole = Span::new(0, text.len());
            let mut reader = FastReader::default();
            prop_assert!(reader.read(&text, whole, &mut lightly), "{}", text);
            prop_assert!(reader.read(&text, whole, &mut Plainly(&mut plainly)));
            prop_assert_eq!(format!("{:?}", lightly.finish()), format!("{:?}", plainly.finish()), "{}", text);
        }
    }
}
