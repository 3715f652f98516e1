//! imageswap rewrites the container images of Kubernetes manifests according to a maps file and changes nothing else.
//!
//! One engine, thin shells. Text comes in, the finder says where images are, the maps say what each
//! becomes, edits are planned, then applied in one pass. Every surface (files, stdin, KRM function,
//! legacy kustomize plugin, webhook) is a shell round that.
//!
//! ```text
//! main.rs     arguments → cli::run → ExitCode
//! image/      PURE  reference (parse, parts, original spelling), digest
//! maps/       PURE  the maps language: parse, rule, decide, lint; import and export of other tools' rules
//! manifest/   PURE  where images are: events, the finder, known places, texts within texts, YAML and JSON
//!             drivers, scalar styles, edits; the one YAML tree, for configuration
//! rewrite/    PURE  occurrences + maps → plan of changes and skips; the one pipeline that all shells call
//! krm/        PURE  ResourceList, functionConfig, results
//! report/     PURE  one Report trait and a file a format: text, JSON; diffs, inventories, explanations, findings
//! lock/       PURE  the lock file of digests: parse, render, look up
//! registry/   the registry client: transport, tokens, digests, which addresses may be reached
//! mirror/     copying images between registries and image layouts
//! cluster/    the certificate that `serve` is called under, and what is installed; the client of Kubernetes
//! webhook/    `serve`: AdmissionReviews (admission/ is PURE), the server, reloads, metrics
//! files/      walk, transaction (plan, write temps, sync, rename)
//! cli/        arguments, exit codes, one file per subcommand
//! ```
//!
//! Dependencies point inward: `cli → {krm, files, mirror, cluster, webhook, report} → rewrite → {maps, manifest} → image`.
//! Pure modules use no clap, fs, env, clock, network or printing; `manifest` knows no maps; `maps` knows
//! no manifests; only `cli` knows arguments. `tests/architecture.rs` holds these rules.

pub mod cli;
pub mod cluster;
pub mod files;
pub mod image;
pub mod krm;
pub mod lock;
pub mod manifest;
pub mod maps;
pub mod mirror;
mod nearest;
pub mod registry;
pub mod report;
pub mod rewrite;
pub mod webhook;
