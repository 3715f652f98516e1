//! Which images are pinned, by what, and what a second run makes of them.

use crate::manifest::{edit, path_formats};
use crate::maps::{Maps, MapsText, ParseOptions};

use super::super::engine::Engine;
use super::super::memory::Memory;
use super::super::plan::Plan;
use super::super::problem::{Problem, ProblemKind};
use super::*;

fn digest(digit: char) -> Digest {
    Digest::parse(&format!("sha256:{}", digit.to_string().repeat(64))).unwrap()
}

fn engine(maps: &str) -> Engine {
    let maps = Maps::parse(&[MapsText::new("maps", maps)], ParseOptions::default()).unwrap().maps;
    Engine { maps: maps.into(), ..Engine::default() }
}

fn pod(images: &[&str]) -> String {
    let head = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n";
    images.iter().fold(head.to_owned(), |text, image| format!("{text}  - image: {image}\n"))
}

/// Every image that is wanted gets the same digest.
fn pins(plan: &Plan, policy: &PinPolicy) -> Pins {
    let mut pins = Pins::default();
    let needs = plan.needs(policy, &Pins::default());
    needs.into_iter().for_each(|need| pins.insert(need.lookup, Ok(digest('a'))));
    pins
}

fn pinned(engine: &Engine, text: &str, policy: &PinPolicy) -> String {
    let mut plan = engine.plan_alone(text);
    let pins = pins(&plan, policy);
    Pinner::new(policy, &pins).pin(engine, &mut plan);
    assert!(plan.problems.is_empty(), "{:?}", plan.problems);
    edit::apply(text, &plan.edits()).unwrap()
}

#[test]
fn pins_what_moves_and_what_stays_once() {
    let engine = engine("docker.io::m.io/hub");
    let (given, by_user) = (digest('a'), digest('b'));
    let text = pod(&["nginx:1", "'m.io/hub/redis'", "quay.io/a:2 # ours", &format!("a@{by_user}"), "${X}"]);
    let expected = pod(&[
        &format!("m.io/hub/nginx:1@{given}"),
        &format!("'m.io/hub/redis@{given}'"),
        &format!("quay.io/a:2@{given} # ours"),
        &format!("m.io/hub/a@{by_user}"),
        "${X}",
    ]);
    let policy = PinPolicy::default();
    assert_eq!(pinned(&engine, &text, &policy), expected);
    assert_eq!(engine.plan_alone(&expected).needs(&policy, &Pins::default()), []);
    assert_eq!(pinned(&engine, &expected, &policy), expected);
}

#[test]
fn wants_each_reference_once() {
    let engine = engine("docker.io::m.io/hub");
    let plan = engine.plan_alone(&pod(&["nginx", "nginx", "quay.io/a:2", "quay.io/skipped/a:2"]));
    let policy = |from| PinPolicy { from, skip_prefixes: vec!["quay.io/skipped/".to_owned()] };
    let need = |lookup: &str, image: &str, target: &str| Need {
        lookup: lookup.to_owned(),
        image: image.to_owned(),
        target: target.to_owned(),
    };
    let other = need("quay.io/a:2", "quay.io/a:2", "quay.io/a:2");
    let target = need("m.io/hub/nginx:latest", "nginx", "m.io/hub/nginx");
    let source = need("docker.io/library/nginx:latest", "nginx", "m.io/hub/nginx");
    assert_eq!(plan.needs(&policy(PinFrom::Target), &Pins::default()), [target, other.clone()]);
    assert_eq!(plan.needs(&policy(PinFrom::Source), &Pins::default()), [source, other]);
}

/// Renews the digests of nginx, and finds another for everything.
struct OneRenewal;

impl Digests for OneRenewal {
    fn digest(&self, _need: &Need) -> Option<Result<Digest, Arc<str>>> {
        Some(Ok(digest('a')))
    }

    fn renewal(&self, pinned: ImageReference<'_>) -> Option<String> {
        pinned.as_str().starts_with("m.io/hub/nginx:1@").then(|| "docker.io/library/nginx:1".to_owned())
    }
}

#[test]
fn renews_only_what_an_earlier_run_pinned() {
    let engine = engine("docker.io::m.io/hub");
    let ours = format!("m.io/hub/nginx:1@{}", digest('b'));
    let theirs = format!("m.io/hub/redis:1@{}", digest('b'));
    let policy = PinPolicy::default();
    let text = pod(&[&ours, &theirs]);
    let mut plan = engine.plan_alone(&text);
    let needs = plan.needs(&policy, &OneRenewal);
    assert_eq!(needs.len(), 1);
    assert_eq!((&*needs[0].lookup, &*needs[0].target), ("docker.io/library/nginx:1", "m.io/hub/nginx:1"));
    Pinner::new(&policy, &OneRenewal).pin(&engine, &mut plan);
    let renewed = format!("m.io/hub/nginx:1@{}", digest('a'));
    assert_eq!(edit::apply(&text, &plan.edits()).unwrap(), pod(&[&renewed, &theirs]));
}

#[test]
fn says_what_has_no_digest() {
    let engine = engine("docker.io::m.io/hub");
    let policy = PinPolicy::default();
    let mut plan = engine.plan_alone(&pod(&["nginx:1", "quay.io/a:1"]));
    let mut pins = Pins::default();
    pins.insert("m.io/hub/nginx:1", Err("not found".into()));
    Pinner::new(&policy, &pins).pin(&engine, &mut plan);
    let unpinned: Vec<_> =
        plan.missing_digests.iter().map(|u| (u.site.image.as_str(), &*u.lookup, &*u.reason)).collect();
    assert_eq!(unpinned, [("nginx:1", "m.io/hub/nginx:1", "not found")]);
    assert_eq!((&*plan.changes[0].to, plan.changes[0].pinned), ("m.io/hub/nginx:1", false));
    assert_eq!(plan.kept.len(), 1, "nobody asked for the other one");
}

#[test]
fn refuses_what_a_second_run_would_move() {
    for (maps, image) in
        [("[REPLACE]*@sha256:*::m.io/x", "nginx:1"), ("docker.io::m.io\n[REPLACE]m.io/*@*::x.io/y", "nginx")]
    {
        let engine = engine(maps);
        let policy = PinPolicy::default();
        let mut plan = engine.plan_alone(&pod(&[image]));
        let pins = pins(&plan, &policy);
        Pinner::new(&policy, &pins).pin(&engine, &mut plan);
        assert!(matches!(plan.problems[..], [Problem { kind: ProblemKind::Chained { .. }, .. }]), "{maps}");
        assert_eq!(plan.edits(), [], "{maps}");
    }
}

#[test]
fn refuses_an_entry_that_a_second_run_would_move() {
    let entry = "kind: Kustomization\nimages:\n- name: quay.io/a\n  newTag: '2'\n";
    let text = format!("{}---\napiVersion: kustomize.config.k8s.io/v1beta1\n{entry}", pod(&["quay.io/a:1"]));
    let rules = |maps: &str| {
        let (engine, policy) = (engine(maps), PinPolicy::default());
        let mut plan = engine.plan_alone(&text);
        let pins = pins(&plan, &policy);
        Pinner::new(&policy, &pins).pin(&engine, &mut plan);
        (plan.changes.len(), plan.problems.len())
    };
    assert_eq!(rules("docker.io::m.io"), (2, 0));
    assert_eq!(rules("[REPLACE]*@sha256:*::m.io/x"), (0, 2));
}

#[test]
fn remembers_only_what_holds_for_the_maps() {
    let (one, two) = (engine("docker.io::one.io"), engine("docker.io::two.io\n[REPLACE]one.io/*@*::x.io/y"));
    let policy = PinPolicy::default();
    let mut pins = Pins::default();
    for host in ["one.io", "two.io"] {
        pins.insert(format!("{host}/library/nginx:1"), Ok(digest('a')));
        pins.insert(format!("{host}/nginx:1"), Ok(digest('a')));
    }
    let mut pinner = Pinner::new(&policy, &pins);
    for (engine, host) in [(&one, "one.io"), (&two, "two.io"), (&one, "one.io")] {
        let mut plan = engine.plan_alone(&pod(&["nginx:1", "nginx:1"]));
        pinner.pin(engine, &mut plan);
        assert_eq!(plan.changes.len(), 2);
        for change in &plan.changes {
            assert!(change.to.starts_with(host) && change.pinned, "{change:?}");
        }
    }
}

#[test]
fn pins_what_workflows_have_behind_docker() {
    let engine = engine("docker.io::m.io/hub");
    let format = path_formats().find(|format| format.name == "github-workflows").unwrap();
    let text = |one: &str, other: &str| {
        format!(
            "jobs:\n  a:\n    container: {{image: 'node:18'}}\n    steps:\n    - uses: docker://{one}\n    - uses: \
             \"docker://{other}\"\n"
        )
    };
    let before = text("alpine:3", "quay.io/a:2");
    let mut plan = engine.plan_paths(&before, format, &mut Memory::default());
    let policy = PinPolicy::default();
    let pins = pins(&plan, &policy);
    plan.list_unpinnable(&policy);
    Pinner::new(&policy, &pins).pin(&engine, &mut plan);
    assert!(plan.missing_digests.is_empty(), "{:?}", plan.missing_digests);
    let [alpine, other, node] = ["m.io/hub/alpine:3", "quay.io/a:2", "m.io/hub/node:18"]
        .map(|image| format!("{image}@{}", digest('a')));
    let after = text(&alpine, &other).replace("node:18", &node);
    assert_eq!(edit::apply(&before, &plan.edits()).unwrap(), after);
}
