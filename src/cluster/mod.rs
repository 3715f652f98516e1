//! The cluster that `serve` runs in: what is installed there, and the certificate under which it is called.
//! And, for `--online`, the pull secrets of a cluster.
//! The only module that knows the client of Kubernetes.

pub mod bootstrap;
pub mod client;
pub mod manifests;
pub mod names;
pub mod pod_specs;
pub mod pull_secrets;
