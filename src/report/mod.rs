//! How plans, inventories, explanations and findings are shown: a file for each format, and one for each thing shown.
//! Writes into buffers; never prints.

pub mod diff;
pub mod digests;
mod entry;
pub mod explanation;
mod finding;
mod flag;
mod format;
mod github;
pub mod inventory;
pub mod json;
pub mod lint;
pub mod mirror;
pub mod record;
mod sarif;
mod summary;
mod text;
pub mod unique;
pub mod words;

pub use entry::{Level, Location, Message, ReportEntry, why_unchecked};
pub use format::{Pages, Report};
pub use github::GithubReport;
pub use json::JsonReport;
pub use sarif::SarifReport;
pub use summary::{Ending, Summary};
pub use text::TextReport;
