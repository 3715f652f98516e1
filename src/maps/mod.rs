//! The maps language: which image becomes which. Knows references, not manifests or files.
//!
//! The language is described in `docs/maps.md`. A text is split into lines ([`MapsText`]), each line is read as
//! one [`Rule`], the rules are gathered into [`Maps`], and [`Maps::decide`] says what an image becomes.
//! Everything here is pure: text in, values out.

mod decide;
mod error;
mod explain;
pub mod export;
mod finding;
mod fix;
mod glob;
mod globs;
pub mod import;
mod legacy;
mod line;
mod lint;
mod name;
mod parse;
mod rule;
mod rule_value;
mod rules;
mod start;
mod suspect;
mod table;
mod target;
mod text;

#[cfg(test)]
mod tests;

pub use decide::{Decision, Outcome, RuleStep};
pub use error::{MapsError, MapsErrorKind, MapsErrors, MapsNotice, NoticeKind};
pub use explain::{Candidate, Explanation};
pub use finding::{Finding, FindingCode, Severity};
pub use fix::with_double_colons;
pub use glob::Glob;
pub use lint::{LintReport, lint};
pub use parse::{ParseOptions, Parsed};
pub use rule::{ResultError, Rule, RuleKind};
pub use rules::Maps;
pub use start::{Rest, StartOutcome};
pub use text::MapsText;
