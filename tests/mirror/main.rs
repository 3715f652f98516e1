//! `imageswap mirror` against real registries: what is copied, what is left alone, and what never happens.
#![allow(clippy::unwrap_used)]

mod canary;
mod charts;
mod ecr;
mod export_kills;
mod faults;
mod interrupted;
mod kills;
mod kustomizations;
mod nested;
mod pairings;
mod pinning;
mod plans;
#[path = "../registry_support/mod.rs"]
mod registry_support;
mod requests;
mod rivals;
mod run;
mod signatures;
mod sparse;
