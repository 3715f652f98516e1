//! Files and folders: which are read, and the transaction that writes them. Knows paths and bytes, not YAML.
//!
//! A run walks ([`walk()`]), opens each file ([`SourceFile`]), and stages what changes in a [`Transaction`], which
//! puts everything into place at the end; [`write_file`] does that for one file. Nothing
//! here prints, and nothing is decided by a file's content.

mod chart;
mod chart_files;
mod commit;
mod dedup;
mod folders;
mod found;
mod metadata;
mod outcome;
mod parts;
mod reason;
mod root;
mod selection;
mod source;
mod temp;
mod transaction;
mod visit;
mod walk;
mod write;

pub use chart::{is_chart_file, is_template};
pub use chart_files::{ChartFiles, chart_of_values};
pub use found::{FoundFile, PassedOverReason, Skipped, WalkError, WalkOptions, Walked};
pub use metadata::{MetadataError, OwnerChange};
pub use outcome::{CommitError, Committed, FileError, StageError, Warning, WarningKind};
pub use parts::write_parts;
pub use selection::GlobError;
pub use source::{ReadError, SourceFile, Stamp};
pub use transaction::{Transaction, WriteOptions};
pub use walk::walk;
pub use write::{WriteError, end_of_links, write_file};
