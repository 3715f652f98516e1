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
//! report/     PURE  one Report trait and one file per format: text, JSON; diffs, inventories, explanations, findings
//! lock/       PURE  the lock file of digests: parse, render, look up
//! registry/   the registry client: transport, tokens, digests, which addresses may be reached
//! mirror/     copying images between registries and image layouts
//! cluster/    the certificate that `serve` is called under, and what is installed; the client of Kubernetes
//! webhook/    `serve`: AdmissionReviews (admission/ is PURE), the server, reloads, metrics
//! files/      walk, transaction (plan, write temps, sync, rename)
//! cli/        arguments, exit codes, one file per subcommand
//! nearest.rs  PURE  the known word nearest to a mistyped one
//! ```
//!
//! # Public API
//!
//! [`Maps`](maps::Maps), [`Engine`](rewrite::Engine), [`Plan`](rewrite::Plan) and
//! [`ImageReference`](image::ImageReference), with what their methods take and give: the modules [`image`], [`maps`],
//! [`manifest`] and [`rewrite`]. They are pure and follow semantic versioning. All other modules belong to the program;
//! they are public for its tests and benchmarks, hidden here, and may change in any version.
//!
//! ```
//! use imageswap::manifest::edit;
//! use imageswap::maps::{Maps, MapsText, ParseOptions};
//! use imageswap::rewrite::Engine;
//!
//! let rules = MapsText::new("imageswap.maps", "docker.io::mirror.example.com/hub");
//! let maps = Maps::parse(&[rules], ParseOptions::default())?.maps;
//! let engine = Engine { maps: maps.into(), ..Engine::default() };
//! let manifest = "kind: Pod\nspec:\n  containers:\n    - image: nginx:1.27 # ours\n";
//! let plan = engine.plan_alone(manifest);
//! assert!(plan.errors.is_empty() && plan.problems.is_empty());
//! let rewritten = edit::apply(manifest, &plan.edits())?;
//! assert!(rewritten.ends_with("- image: mirror.example.com/hub/nginx:1.27 # ours\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Layers
//!
//! Dependencies point inward: `rewrite` uses `maps` and `manifest`, which use `image`; `krm`, `report` and `webhook` use
//! `rewrite`; `mirror` uses `lock` and `registry`; `webhook` uses `mirror` and `registry`; `cluster` uses `manifest`;
//! `files` uses nothing; `cli` uses all. The exact table is `LAYERS` in `tests/architecture.rs`, which holds these rules.
//! Pure modules use no clap, fs, env, clock, network or printing; `manifest` knows no maps; `maps` knows
//! no manifests; only `cli` knows arguments.

#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod cluster;
#[doc(hidden)]
pub mod files;
pub mod image;
#[doc(hidden)]
pub mod krm;
#[doc(hidden)]
pub mod lock;
pub mod manifest;
pub mod maps;
#[doc(hidden)]
pub mod mirror;
mod nearest;
#[doc(hidden)]
pub mod registry;
#[doc(hidden)]
pub mod report;
pub mod rewrite;
#[doc(hidden)]
pub mod webhook;
