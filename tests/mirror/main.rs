//! `imageswap mirror` against real registries: what is copied, what is left alone, and what never happens.
#![allow(clippy::unwrap_used)]

mod faults;
mod kills;
mod pairings;
mod plans;
#[path = "../registry_support/mod.rs"]
mod registry_support;
mod run;
mod signatures;
