//! PURE: the Deployment and what is round it (rule W9).

use serde_json::{Value, json};

use super::{InstallOptions, Signing, metadata, selector};
use crate::cluster::names;

/// The ports of the container.
const HTTPS: u16 = 8443;
const METRICS: u16 = 8080;

/// The user and group that `serve` runs as; the container image's.
const NOBODY: u32 = 65532;

/// The file of the maps, where imageswap-webhook has it.
const MAPS_FOLDER: &str = "/app/maps";
const MAPS_FILE: &str = "imageswap-maps.conf";

/// Where Kubernetes' clients look for the service account.
const ACCOUNT_FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Service, Deployment, PodDisruptionBudget, and what was asked for beside them.
pub(super) fn objects(options: &InstallOptions) -> Vec<Value> {
    let mut objects = vec![service(options), deployment(options), disruption_budget(options)];
    if options.autoscale {
        objects.push(autoscaler(options));
    }
    if options.network_policy {
        objects.push(network_policy(options));
    }
    objects
}

fn service(options: &InstallOptions) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(options, names::SERVICE),
        "spec": {
            "selector": selector(),
            "ports": [
                { "name": "https", "port": 443, "targetPort": "https" },
                { "name": "metrics", "port": METRICS, "targetPort": "metrics" },
            ],
        },
    })
}

fn deployment(options: &InstallOptions) -> Value {
    let mut spec = json!({});
    if !options.autoscale {
        spec["replicas"] = json!(options.replicas);
    }
    spec["selector"] = json!({ "matchLabels": selector() });
    // A new replica answers before an old one goes.
    spec["strategy"] = json!({
        "type": "RollingUpdate",
        "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 },
    });
    spec["template"] = template(options);
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(options, names::SERVICE),
        "spec": spec,
    })
}

fn template(options: &InstallOptions) -> Value {
    let mut labels = selector();
    // imageswap never waits for itself, whatever the namespace's label says.
    labels[&options.label] = json!("disabled");
    json!({
        "metadata": {
            "labels": labels,
            "annotations": {
                "prometheus.io/scrape": "true",
                "prometheus.io/port": METRICS.to_string(),
            },
        },
        "spec": {
            "serviceAccountName": names::SERVICE_ACCOUNT,
            "automountServiceAccountToken": false,
            "priorityClassName": "system-cluster-critical",
            "terminationGracePeriodSeconds": 45,
            "securityContext": {
                "runAsNonRoot": true,
                "runAsUser": NOBODY,
                "runAsGroup": NOBODY,
                "fsGroup": NOBODY,
                "seccompProfile": { "type": "RuntimeDefault" },
            },
            "topologySpreadConstraints": [spread("kubernetes.io/hostname"), spread("topology.kubernetes.io/zone")],
            "containers": [container(options)],
            "volumes": [
                {
                    "name": "maps",
                    "configMap": {
                        "name": names::MAPS_CONFIG_MAP,
                        "items": [{ "key": names::MAPS_KEY, "path": MAPS_FILE }],
                    },
                },
                account(),
            ],
        },
    })
}

/// The token of the service account, for this container alone and for an hour.
fn account() -> Value {
    json!({
        "name": "account",
        "projected": { "sources": [
            { "serviceAccountToken": { "path": "token", "expirationSeconds": 3607 } },
            { "configMap": { "name": "kube-root-ca.crt", "items": [{ "key": "ca.crt", "path": "ca.crt" }] } },
            { "downwardAPI": { "items": [
                { "path": "namespace", "fieldRef": { "fieldPath": "metadata.namespace" } },
            ] } },
        ] },
    })
}

/// Replicas apart from each other, where there is room.
fn spread(topology: &str) -> Value {
    json!({
        "maxSkew": 1,
        "topologyKey": topology,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": { "matchLabels": selector() },
    })
}

fn container(options: &InstallOptions) -> Value {
    let of_pod = |name: &str, field: &str| json!({ "name": name, "valueFrom": { "fieldRef": { "fieldPath": field } } });
    json!({
        "name": "imageswap",
        "image": options.image,
        "args": arguments(options),
        "env": [
            of_pod("IMAGESWAP_POD_NAME", "metadata.name"),
            of_pod("IMAGESWAP_NAMESPACE_NAME", "metadata.namespace"),
        ],
        "envFrom": [{ "configMapRef": { "name": names::ENV_CONFIG_MAP } }],
        "ports": [
            { "name": "https", "containerPort": HTTPS },
            { "name": "metrics", "containerPort": METRICS },
        ],
        "startupProbe": probe("/readyz", 1, 60),
        "readinessProbe": probe("/readyz", 5, 2),
        "livenessProbe": probe("/livez", 10, 3),
        "resources": {
            "requests": { "cpu": "50m", "memory": "32Mi" },
            "limits": { "memory": "128Mi" },
        },
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
        },
        "volumeMounts": [
            // The folder and not the file: a mounted file never changes.
            { "name": "maps", "mountPath": MAPS_FOLDER, "readOnly": true },
            { "name": "account", "mountPath": ACCOUNT_FOLDER, "readOnly": true },
        ],
    })
}

fn arguments(options: &InstallOptions) -> Vec<String> {
    let mut arguments = vec!["serve".to_owned()];
    let mut give = |option: &str, value: &str| arguments.push(format!("{option}={value}"));
    match &options.signing {
        Signing::SelfSigned => give("--bootstrap", "self-signed"),
        Signing::Csr(signer) => {
            give("--bootstrap", "csr");
            give("--csr-signer", signer);
        }
        Signing::Byo => give("--bootstrap", "byo"),
    }
    if options.pin {
        arguments.push("--pin".to_owned());
        if options.pull_secrets {
            arguments.push("--offline=false".to_owned());
        }
    }
    arguments
}

fn probe(path: &str, period: u32, failures: u32) -> Value {
    json!({
        "httpGet": { "path": path, "port": "https", "scheme": "HTTPS" },
        "periodSeconds": period,
        "failureThreshold": failures,
    })
}

fn disruption_budget(options: &InstallOptions) -> Value {
    json!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(options, names::SERVICE),
        "spec": { "maxUnavailable": 1, "selector": { "matchLabels": selector() } },
    })
}

fn autoscaler(options: &InstallOptions) -> Value {
    json!({
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(options, names::SERVICE),
        "spec": {
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": names::SERVICE },
            "minReplicas": options.replicas,
            "maxReplicas": options.replicas.saturating_mul(3).max(2),
            "metrics": [{
                "type": "Resource",
                "resource": { "name": "cpu", "target": { "type": "Utilization", "averageUtilization": 80 } },
            }],
        },
    })
}

fn network_policy(options: &InstallOptions) -> Value {
    let tcp = |port: u16| json!({ "protocol": "TCP", "port": port });
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(options, names::SERVICE),
        "spec": {
            "podSelector": { "matchLabels": selector() },
            "policyTypes": ["Ingress", "Egress"],
            // The API server calls from addresses that are not known here, and so do kubelets.
            "ingress": [{ "ports": [tcp(HTTPS), tcp(METRICS)] }],
            "egress": [
                { "ports": [{ "protocol": "UDP", "port": 53 }, tcp(53)] },
                // The API server, and registries where tags are pinned.
                { "ports": [tcp(443), tcp(6443)] },
            ],
        },
    })
}
