//! What `manifests` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cluster::names;

#[derive(Debug, Args)]
pub struct ManifestsArgs {
    /// The namespace to install to
    #[arg(long, value_name = "NAME", default_value = names::NAMESPACE)]
    pub namespace: String,
    /// The container image of imageswap; that of this version by default
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,
    /// How many replicas; the fewest with --autoscale
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    pub replicas: u32,
    /// What the API server does when no replica answers: Fail, but Ignore with --pin
    #[arg(long, value_enum, value_name = "POLICY")]
    pub failure_policy: Option<PolicyName>,
    /// Which kinds are swapped
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = ResourcesName::Pods)]
    pub resources: ResourcesName,
    /// In which namespaces
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = ScopeName::Labelled)]
    pub scope: ScopeName,
    /// Pin tags to digests
    #[arg(long)]
    pub pin: bool,
    /// Ask registries with the pull secrets of what is pinned; lets imageswap read every Secret of the cluster
    #[arg(long, requires = "pin")]
    pub pull_secrets: bool,
    /// Who signs the certificate
    #[arg(long, value_enum, value_name = "HOW", default_value_t = super::BootstrapHow::SelfSigned)]
    pub bootstrap: super::BootstrapHow,
    /// The signer of --bootstrap csr
    #[arg(long, value_name = "NAME", default_value = "kubernetes.io/kubelet-serving")]
    pub csr_signer: String,
    /// How long the API server waits for an answer: 5 seconds, but 10 with --pin
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=30))]
    pub timeout_seconds: Option<u32>,
    /// Label that opts namespaces in (`enabled`, `audit`) and workloads out (`disabled`)
    #[arg(long, value_name = "LABEL", default_value = crate::manifest::DISABLE_LABEL)]
    pub label: String,
    /// Maps file whose rules go into the ConfigMap imageswap-maps
    #[arg(long, value_name = "FILE")]
    pub maps: Option<PathBuf>,
    /// A variable for the ConfigMap imageswap-env
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub env: Vec<(String, String)>,
    /// Add a HorizontalPodAutoscaler
    #[arg(long)]
    pub autoscale: bool,
    /// Add a NetworkPolicy
    #[arg(long)]
    pub network_policy: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PolicyName {
    /// The object is refused
    #[value(name = "Fail", alias = "fail")]
    Fail,
    /// The object is taken as it is
    #[value(name = "Ignore", alias = "ignore")]
    Ignore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ResourcesName {
    /// Pods, and the ephemeral containers of kubectl debug
    Pods,
    /// Deployments, Jobs and what else makes pods, too
    Workloads,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScopeName {
    /// Those with the label
    Labelled,
    /// All but those with the label set to something else, kube-system, kube-node-lease and imageswap's own
    All,
}

/// `NAME=VALUE`
fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}
