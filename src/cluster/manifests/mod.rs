//! PURE: the installation as manifests, from a few options. `deploy/install.yaml` is what the default options give.

mod admission;
mod configuration;
mod rights;
mod workload;

use serde::Serialize;
use serde_json::{Value, json};

use super::names;

/// What to install.
#[derive(Debug, Clone)]
pub struct InstallOptions {
    /// The namespace of everything that has one.
    pub namespace: String,
    /// The container image of imageswap.
    pub image: String,
    /// How many replicas; the fewest where they are scaled.
    pub replicas: u32,
    /// What the API server does when no replica answers; [`FailurePolicy::Ignore`] by default when pinning.
    pub failure_policy: Option<FailurePolicy>,
    /// Which kinds are reviewed.
    pub resources: Resources,
    /// In which namespaces.
    pub scope: Scope,
    /// Whether tags are pinned to digests.
    pub pin: bool,
    /// Whether registries are asked with the pull secrets of what is pinned, which takes the right to read all Secrets.
    pub pull_secrets: bool,
    /// Who signs the certificate.
    pub signing: Signing,
    /// How long the API server waits for an answer, in seconds; 1 to 30.
    pub timeout_seconds: Option<u32>,
    /// The label that opts namespaces in and workloads out.
    pub label: String,
    /// The rules.
    pub maps: String,
    /// The environment of `serve`: names and values.
    pub env: Vec<(String, String)>,
    /// Whether replicas are added under load.
    pub autoscale: bool,
    /// Whether a NetworkPolicy keeps other traffic off.
    pub network_policy: bool,
}

/// What the API server does when no replica answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailurePolicy {
    /// It refuses the object.
    Fail,
    /// It takes the object as it is.
    Ignore,
}

impl FailurePolicy {
    fn name(self) -> &'static str {
        match self {
            Self::Fail => "Fail",
            Self::Ignore => "Ignore",
        }
    }
}

/// Which kinds are reviewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resources {
    /// Pods and their ephemeral containers, which is enough to swap every image that runs.
    Pods,
    /// What makes pods, too, so that the swapped image is seen there.
    Workloads,
}

/// In which namespaces pods are reviewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those that are labelled `enabled` or `audit`.
    Labelled,
    /// All but those that are labelled otherwise and those of the cluster itself.
    All,
}

/// Who signs the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signing {
    /// imageswap.
    SelfSigned,
    /// This signer of the cluster.
    Csr(String),
    /// Somebody else, who fills the Secrets.
    Byo,
}

impl Default for InstallOptions {
    fn default() -> Self {
        Self {
            namespace: names::NAMESPACE.to_owned(),
            image: concat!("ghcr.io/imageswap/imageswap:v", env!("CARGO_PKG_VERSION")).to_owned(),
            replicas: 2,
            failure_policy: None,
            resources: Resources::Pods,
            scope: Scope::Labelled,
            pin: false,
            pull_secrets: false,
            signing: Signing::SelfSigned,
            timeout_seconds: None,
            label: crate::manifest::DISABLE_LABEL.to_owned(),
            maps: configuration::MAPS.to_owned(),
            env: Vec::new(),
            autoscale: false,
            network_policy: false,
        }
    }
}

impl InstallOptions {
    /// What the API server does when no replica answers. A registry that is down should not stop the cluster.
    fn failure_policy(&self) -> FailurePolicy {
        let usual = if self.pin { FailurePolicy::Ignore } else { FailurePolicy::Fail };
        self.failure_policy.unwrap_or(usual)
    }

    /// What the environment of `serve` says.
    fn variable(&self, name: &str) -> Option<&str> {
        let found = self.env.iter().rev().find(|(given, value)| given == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// Whether `serve` copies images.
    fn copies(&self) -> bool {
        match self.variable("IMAGESWAP_MIRROR") {
            Some(when) => when != "off",
            None => self.variable("REGISTRY").is_some(),
        }
    }

    /// Whether `serve` reads the pull secrets of pods.
    fn reads_pull_secrets(&self) -> bool {
        let for_copies = self.copies() && self.variable("IMAGESWAP_MIRROR_POD_CREDENTIALS").is_some();
        for_copies || (self.pin && self.pull_secrets)
    }
}

/// The objects of the installation, in the order in which they are applied.
pub fn objects(options: &InstallOptions) -> Vec<Value> {
    let mut objects = vec![namespace(options)];
    objects.extend(rights::objects(options));
    objects.extend(configuration::objects(options));
    objects.extend(workload::objects(options));
    objects.push(admission::webhook_configuration(options));
    objects
}

/// The installation as one YAML stream.
pub fn render(options: &InstallOptions) -> String {
    let mut text = String::new();
    for object in objects(options) {
        text.push_str("---\n");
        text.push_str(&yaml(&object));
    }
    text
}

/// One object as YAML, keys in their order.
fn yaml(object: &impl Serialize) -> String {
    let options = serde_saphyr::ser_options! { compact_list_indent: true, folded_wrap_chars: 10_000 };
    serde_saphyr::to_string_with_options(object, options).expect("JSON values can be written as YAML")
}

fn namespace(options: &InstallOptions) -> Value {
    let mut labels = labels();
    // Nothing here needs more than the strictest of the standards gives.
    labels["pod-security.kubernetes.io/enforce"] = json!("restricted");
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": { "name": options.namespace, "labels": labels },
    })
}

/// The labels of every object.
fn labels() -> Value {
    json!({ "app.kubernetes.io/name": "imageswap", "app.kubernetes.io/part-of": "imageswap" })
}

/// The labels by which Service, PodDisruptionBudget and Deployment find the pods; imageswap-webhook's.
fn selector() -> Value {
    json!({ "app": "imageswap" })
}

/// The metadata of an object with a namespace.
fn metadata(options: &InstallOptions, name: &str) -> Value {
    json!({ "name": name, "namespace": options.namespace, "labels": labels() })
}
