//! `rewrite --pin`, `--lock`, `--locked`, `lock`, `verify`, `auth check` and `explain --pin` against real registries on
//! loopback: what is written, what is asked, and what is said when that fails. Judged by crane, kbld, imgpkg and kustomize
//! where they are there.
#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod charts;
mod everywhere;
mod kustomizing;
mod locking;
mod logging_in;
mod messages;
mod offline;
mod reaching;
#[path = "../registry_support/mod.rs"]
mod registry_support;
mod rewriting;
mod scene;
mod verifying;
