//! The KRM function contract: ResourceList in, ResourceList out. Text in, text out; no files, no printing.
//!
//! A [`ResourceList`] is read for its shape only: what lies under which top-level key. Its items are edited
//! in place by the same engine as files are; the [`FunctionConfig`] says how, and what happened is told in
//! `results`. See <https://github.com/kubernetes-sigs/kustomize/blob/master/cmd/config/docs/api-conventions/functions-spec.md>.

mod config_error;
mod emit;
mod fields;
mod function;
mod function_config;
mod holder;
mod outline;
mod place;
mod reader;
mod resource_list;
mod result;
mod rules;
pub mod schema;
mod skip;
mod summary;

pub use config_error::{ConfigError, ConfigErrors};
pub use function::{Ending, FunctionOptions, Verdict, conclude, failed, judge, plan, run};
pub use function_config::{FunctionConfig, OnUnmapped};
pub use holder::{Held, HolderError, held};
pub use resource_list::{ResourceList, ResourceListError};
pub use result::{Field, File, FunctionResult, ResourceRef, Severity};
pub use rules::argument_rules;
