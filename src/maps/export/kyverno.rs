//! A MutatingPolicy of Kyverno (policies.kyverno.io/v1), whose expressions are those of Kubernetes' own
//! MutatingAdmissionPolicy. Pods are matched when they are created, and containers that are added to debug them: another
//! image of a container that runs would restart it.

use std::fmt::Write as _;

use serde::Serialize;

use super::redirect::Redirect;
use super::{Exported, object};
use crate::image::DOCKER_HUB;
use crate::maps::Rule;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    match_constraints: MatchConstraints,
    mutations: Vec<Mutation>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MatchConstraints {
    resource_rules: [ResourceRule; 2],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceRule {
    api_groups: [&'static str; 1],
    api_versions: [&'static str; 1],
    operations: [&'static str; 1],
    resources: [&'static str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Mutation {
    patch_type: &'static str,
    apply_configuration: ApplyConfiguration,
}

#[derive(Serialize)]
struct ApplyConfiguration {
    expression: String,
}

pub(super) fn write(redirects: &[(&Rule, Redirect)], exported: &mut Exported) {
    let redirects: Vec<&Redirect> = redirects.iter().map(|(_, redirect)| redirect).collect();
    let image = image(&redirects);
    const NEW: &str = "!(has(oldObject.spec.ephemeralContainers) && \
                       oldObject.spec.ephemeralContainers.exists(o, o.name == c.name))";
    let lists = [
        ("containers", "CREATE", None),
        ("initContainers", "CREATE", None),
        ("ephemeralContainers", "UPDATE", Some(NEW)),
    ];
    let mutations = lists.map(|(list, operation, condition)| Mutation {
        patch_type: "ApplyConfiguration",
        apply_configuration: ApplyConfiguration { expression: of_list(list, operation, condition, &image) },
    });
    let spec = Spec {
        match_constraints: MatchConstraints {
            // Of a policy with one rule for pods alone, Kyverno makes others for what makes Pods.
            resource_rules: [rule("CREATE", "pods"), rule("UPDATE", "pods/ephemeralcontainers")],
        },
        mutations: mutations.into(),
    };
    let text = object::render("policies.kyverno.io/v1", "MutatingPolicy", "imageswap", spec);
    exported.file("mutatingpolicy.yaml", text);
}

fn rule(operation: &'static str, resource: &'static str) -> ResourceRule {
    ResourceRule { api_groups: [""], api_versions: ["v1"], operations: [operation], resources: [resource] }
}

/// The configuration that gives each container of `list` its image, when `operation` is done and for those of which
/// `condition` holds.
fn of_list(list: &str, operation: &str, condition: Option<&str>, image: &str) -> String {
    let condition = condition.map_or(String::new(), |condition| format!(" && {condition}"));
    format!(
        "request.operation == '{operation}' && has(object.spec.{list})\n\
         ? Object{{spec: Object.spec{{{list}: object.spec.{list}\n  \
         .filter(c, has(c.image){condition})\n  \
         .map(c, Object.spec.{list}{{name: c.name, image:\n{image}  }})}}}}\n\
         : Object{{}}\n"
    )
}

/// What becomes of `c.image`: the longest prefix counts, and what is at its target stays.
fn image(redirects: &[&Redirect]) -> String {
    let mut out = String::from(
        "    // as written, with its registry\n    \
         [c.image.contains('/') && (c.image.split('/')[0].matches('[.:]') || c.image.startsWith('localhost/'))\n      \
         ? c.image : 'docker.io/' + c.image]\n    \
         .map(w, w.startsWith('index.docker.io/') ? w.substring(6) : w)\n    \
         // and in full\n    \
         .map(w, [w, w.matches('^docker[.]io/[^/]*$') ? 'docker.io/library/' + w.substring(10) : w])\n    \
         .map(n,\n",
    );
    let mut targets: Vec<String> =
        redirects.iter().filter_map(|redirect| redirect.location.as_deref().map(in_full)).collect();
    targets.sort();
    targets.dedup();
    for target in targets {
        let _ = writeln!(out, "      {} ? c.image :", is_below("n[1]", &target));
    }
    let mut longest_first = redirects.to_vec();
    longest_first.sort_by_key(|redirect| std::cmp::Reverse(redirect.prefix.len()));
    for Redirect { prefix, location, drops_library } in longest_first {
        let condition = is_below("n[1]", prefix);
        let _ = match location {
            None => writeln!(out, "      {condition} ? c.image :"),
            Some(location) => {
                let name = if *drops_library { "n[0]" } else { "n[1]" };
                let location = quoted(location);
                let length = prefix.chars().count();
                writeln!(out, "      {condition} ? {location} + {name}.substring({length}) :")
            }
        };
    }
    out.push_str("      c.image)[0]\n");
    out
}

/// Whether the image `name` is the repository or lies under the prefix.
fn is_below(name: &str, prefix: &str) -> String {
    let under = |end: char| format!("{name}.startsWith({})", quoted(&format!("{prefix}{end}")));
    if prefix.contains('/') {
        format!("({} || {} || {} || {name} == {})", under('/'), under(':'), under('@'), quoted(prefix))
    } else {
        under('/')
    }
}

/// A target with its registry, as names are compared.
fn in_full(location: &str) -> String {
    let first = location.split('/').next().unwrap_or_default();
    if first.contains(['.', ':']) || first == "localhost" {
        location.to_owned()
    } else {
        format!("{DOCKER_HUB}/{location}")
    }
}

/// A string of CEL.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
