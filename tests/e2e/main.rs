//! imageswap under the real programs that call it: kpt, kustomize, kubectl, Helm, and a pipe.
//!
//! `just e2e` builds the programs (see `install-tools.sh`) and runs this. Where a program is missing its tests
//! say so and pass; with `CI` or `IMAGESWAP_E2E` set they fail.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and skipping is said")]

mod container;
mod corpus;
mod digests;
mod documents;
mod helm;
mod kpt;
mod kustomize;
mod packages;
#[path = "../registry_support/mod.rs"]
mod registry_support;
mod stage;
mod tools;
mod tree;
