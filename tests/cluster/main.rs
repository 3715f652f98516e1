//! imageswap in a real cluster: etcd, kube-apiserver and kube-controller-manager on loopback, called by kubectl.
//!
//! `just e2e` builds the programs (see `tests/e2e/install-tools.sh`) and runs this. Where one is missing the tests
//! say so and pass; with `CI` or `IMAGESWAP_E2E` set they fail.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and skipping is said")]

mod bootstrap;
mod certificates;
mod chart;
mod control_plane;
mod deploy;
mod docs;
mod installation;
mod kubectl;
mod kyverno;
mod mirroring;
mod pinning;
mod processes;
mod pull_secrets;
#[path = "../registry_support/mod.rs"]
mod registry_support;
mod serving;
mod sidecar;
mod swaps;
