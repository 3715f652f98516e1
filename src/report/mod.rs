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
pub mod text;
pub mod unique;

pub use entry::{Entry, Level, Location, Message, why_unchecked};
pub use format::{Pages, Report};
pub use github::GithubReport;
pub use json::JsonReport;
pub use sarif::SarifReport;
pub use summary::{Ending, Summary};
pub use text::TextReport;
