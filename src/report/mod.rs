//! How plans are shown: text, JSON, diff, tables. Writes into buffers; never prints.

pub mod diff;
