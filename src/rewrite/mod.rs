//! The one pipeline: occurrences and maps become a plan of changes and skips, which the shells show or carry
//! out. Pure: text in, plans out.

mod charts;
mod engine;
mod formats;
mod image_value;
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
pub use kustomize::{Given, Graph, Input, InputFiles, InputKind, KustomizeMode, Renames, is_kustomization};
pub use memory::Memory;
pub use pin::{Need, PinFrom, PinPolicy, Pins};
pub use plan::{Change, Decided, EntryImage, Plan, Skip, SkipReason, Unpinned};
pub use problem::{Problem, ProblemKind};
pub use site::Site;
pub use skip::{SkipRule, SkipRuleError};
pub use unread::{Unread, unread};
pub use uses::Uses;
