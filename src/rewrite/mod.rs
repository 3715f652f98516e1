//! The one pipeline: occurrences and maps become a plan of changes and skips, which the shells show or carry
//! out. Pure: text in, plans out.

mod chart_parts;
mod charts;
mod engine;
mod follow_inputs;
mod formats;
mod image_value;
mod input;
mod kustomize;
mod memory;
mod parts;
mod pin;
mod plan;
mod problem;
mod site;
mod skip;
mod unread;
mod uses;

pub use engine::Engine;
pub use image_value::{ImageValue, classify};
pub use input::{Input, InputKind};
pub use kustomize::{
    Arriving, Given, Graph, ImagesByName, InputFiles, KustomizeMode, Naming, Renames, Renaming,
    is_kustomization,
};
pub use memory::Memory;
pub use pin::{Digests, Need, PinFrom, PinPolicy, Pinner, Pins};
pub use plan::{BuiltImage, Change, Decided, DigestSlot, EntryImage, MissingDigest, Plan, Skip, SkipReason};
pub use problem::{Problem, ProblemKind};
pub use site::Site;
pub use skip::{SkipRule, SkipRuleError};
pub use unread::{Unread, unread};
pub use uses::Uses;
