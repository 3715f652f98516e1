//! How plans, inventories, explanations and findings are shown: a file for each format, and one for each thing shown.
//! Writes into buffers; never prints.

pub mod diff;
mod entry;
pub mod explanation;
mod format;
pub mod inventory;
pub mod json;
pub mod lint;
pub mod record;
mod summary;
pub mod text;
pub mod unique;

pub use entry::{Entry, Level, Location, Message};
pub use format::{Pages, Report};
pub use json::JsonReport;
pub use summary::{Ending, Summary};
pub use text::TextReport;
