//! PURE: what `serve` may do in the cluster (rule W8): one Secret and one webhook configuration, by name. Only who asks
//! for pull secrets lets it read other Secrets.

use serde_json::{Value, json};

use super::{InstallOptions, Signing, labels, metadata};
use crate::cluster::names;

/// The service account, its rights, and the Secret, which must be there since `create` cannot be given for one
/// name.
pub(super) fn objects(options: &InstallOptions) -> Vec<Value> {
    let mut objects = vec![
        json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(options, names::SERVICE_ACCOUNT),
            "automountServiceAccountToken": false,
        }),
        role(options),
        binding(options, "Role"),
        cluster_role(options),
        binding(options, "ClusterRole"),
    ];
    if options.signing != Signing::Byo {
        objects.push(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata(options, names::TLS_SECRET),
            "type": "Opaque",
        }));
    }
    objects
}

fn role(options: &InstallOptions) -> Value {
    let mut rules = vec![];
    if options.signing == Signing::Byo {
        rules.push(rule("", "secrets", &[names::TLS_SECRET], &["get", "watch"]));
        rules.push(rule("", "secrets", &[names::TLS_CA_SECRET], &["get"]));
    } else {
        rules.push(rule("", "secrets", &[names::TLS_SECRET], &["get", "watch", "update"]));
    }
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": metadata(options, names::SERVICE_ACCOUNT),
        "rules": rules,
    })
}

fn cluster_role(options: &InstallOptions) -> Value {
    let mut rules = vec![rule(
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
        &[names::WEBHOOK_CONFIGURATION],
        &["get", "watch", "patch"],
    )];
    if let Signing::Csr(signer) = &options.signing {
        let group = "certificates.k8s.io";
        rules.push(rule(group, "certificatesigningrequests", &[], &["create", "get"]));
        rules.push(rule(group, "certificatesigningrequests/approval", &[], &["patch"]));
        rules.push(rule(group, "signers", &[signer], &["approve"]));
    }
    if options.reads_pull_secrets() {
        rules.push(rule("", "secrets", &[], &["get"]));
        rules.push(rule("", "serviceaccounts", &[], &["get"]));
    }
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": { "name": cluster_name(options), "labels": labels() },
        "rules": rules,
    })
}

/// The name of what has no namespace and is not found by its name.
fn cluster_name(options: &InstallOptions) -> String {
    if options.namespace == names::NAMESPACE {
        options.namespace.clone()
    } else {
        format!("{}-{}", names::SERVICE_ACCOUNT, options.namespace)
    }
}

fn binding(options: &InstallOptions, to: &str) -> Value {
    let of_cluster = to == "ClusterRole";
    let (name, metadata) = if of_cluster {
        (cluster_name(options), json!({ "name": cluster_name(options), "labels": labels() }))
    } else {
        (names::SERVICE_ACCOUNT.to_owned(), metadata(options, names::SERVICE_ACCOUNT))
    };
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": format!("{to}Binding"),
        "metadata": metadata,
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": to, "name": name },
        "subjects": [{
            "kind": "ServiceAccount",
            "name": names::SERVICE_ACCOUNT,
            "namespace": options.namespace,
        }],
    })
}

fn rule(group: &str, resource: &str, names: &[&str], verbs: &[&str]) -> Value {
    let mut rule = json!({ "apiGroups": [group], "resources": [resource] });
    if !names.is_empty() {
        rule["resourceNames"] = json!(names);
    }
    rule["verbs"] = json!(verbs);
    rule
}
