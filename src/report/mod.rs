//! How plans are shown: text, JSON, diff, tables. Writes into buffers; never prints.

pub mod diff;
pub mod json;
pub mod record;
pub mod text;
