//! PURE: the MutatingWebhookConfiguration: which objects of which namespaces the API server sends (rules W1 and W2).

use serde_json::{Value, json};

use super::{FailurePolicy, InstallOptions, Resources, Scope, labels};
use crate::cluster::names;

/// The name of the webhook that refuses, imageswap-webhook's; the others are named after it.
const WEBHOOK: &str = "imageswap.webhook.k8s.twr.io";

/// The label by which namespaces opt in to k8s-digester's webhook.
const DIGESTER_LABEL: &str = "digest-resolution";

/// The name of a namespace, as a label.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// The configuration, without `caBundle`: the bootstrap patches it in.
pub(super) fn webhook_configuration(options: &InstallOptions) -> Value {
    let label = &options.label;
    let policy = options.failure_policy();
    let enabled = json!({ "key": label, "operator": "In", "values": ["enabled"] });
    let audit = json!({ "key": label, "operator": "In", "values": ["audit"] });
    let unlabelled = json!({ "key": label, "operator": "DoesNotExist" });
    let mut webhooks = vec![
        webhook(options, WEBHOOK, "/", policy, &json!([enabled])),
        webhook(options, &format!("audit.{WEBHOOK}"), "/audit", FailurePolicy::Ignore, &json!([audit])),
    ];
    if options.pin && options.scope == Scope::Labelled {
        let digester = json!({ "key": DIGESTER_LABEL, "operator": "In", "values": ["enabled"] });
        let name = format!("pin.{WEBHOOK}");
        webhooks.push(webhook(options, &name, "/v1/mutate", policy, &json!([digester, unlabelled])));
    }
    if options.scope == Scope::All {
        // Namespaces that say nothing; what one says of itself wins.
        let of_cluster = json!({
            "key": NAME_LABEL,
            "operator": "NotIn",
            "values": [options.namespace, "kube-system", "kube-node-lease"],
        });
        let name = format!("all.{WEBHOOK}");
        webhooks.push(webhook(options, &name, "/", policy, &json!([unlabelled, of_cluster])));
    }
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": { "name": names::WEBHOOK_CONFIGURATION, "labels": labels() },
        "webhooks": webhooks,
    })
}

fn webhook(
    options: &InstallOptions,
    name: &str,
    path: &str,
    policy: FailurePolicy,
    namespaces: &Value,
) -> Value {
    let copies = options.copies();
    let usual = if options.pin || copies { 10 } else { 5 };
    json!({
        "name": name,
        "admissionReviewVersions": ["v1"],
        "clientConfig": {
            "service": { "name": names::SERVICE, "namespace": options.namespace, "path": path, "port": 443 },
        },
        "failurePolicy": policy.name(),
        "matchPolicy": "Equivalent",
        // Another webhook may add a sidecar after this one was called.
        "reinvocationPolicy": "IfNeeded",
        "sideEffects": if copies { "NoneOnDryRun" } else { "None" },
        "timeoutSeconds": options.timeout_seconds.unwrap_or(usual),
        "namespaceSelector": { "matchExpressions": namespaces },
        // Here and not only in code, so that a workload gets past a webhook that is down.
        "objectSelector": { "matchExpressions": [
            { "key": options.label, "operator": "NotIn", "values": ["disabled"] },
        ] },
        "rules": rules(options.resources),
    })
}

fn rules(resources: Resources) -> Value {
    let rule = |operations: &[&str], group: &str, resources: &[&str]| {
        json!({
            "operations": operations,
            "apiGroups": [group],
            "apiVersions": ["*"],
            "resources": resources,
            "scope": "Namespaced",
        })
    };
    let both = ["CREATE", "UPDATE"];
    let mut rules = vec![rule(&both, "", &["pods"]), rule(&["UPDATE"], "", &["pods/ephemeralcontainers"])];
    if resources == Resources::Workloads {
        rules.extend([
            rule(&both, "", &["podtemplates", "replicationcontrollers"]),
            rule(&both, "apps", &["daemonsets", "deployments", "replicasets", "statefulsets"]),
            rule(&both, "batch", &["cronjobs", "jobs"]),
            rule(&both, "sources.knative.dev", &["containersources"]),
        ]);
    }
    json!(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_side_effects_that_a_dry_run_does_not_have() {
        for (env, want) in [
            (&[] as &[(&str, &str)], "None"),
            (&[("IMAGESWAP_MIRROR", "wait")], "NoneOnDryRun"),
            (&[("IMAGESWAP_MIRROR", "off"), ("REGISTRY", "m.io")], "None"),
            (&[("REGISTRY", "m.io")], "NoneOnDryRun"),
            (&[("REGISTRY", "")], "None"),
        ] {
            let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let configuration = webhook_configuration(&InstallOptions { env, ..InstallOptions::default() });
            assert_eq!(configuration["webhooks"][0]["sideEffects"], want);
        }
    }
}
