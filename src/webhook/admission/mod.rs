//! An AdmissionReview in, its answer out. PURE: no clock, no network, no files; the same bytes and the same rules give
//! the same answer.
//!
//! The review is read in outline only: `request.object` is handed, as the text it is, to the engine that rewrites
//! files, and the edits that it plans are said as `replace` operations at the images' JSON pointers.

mod annotation;
mod cursor;
mod examine;
mod judge;
mod mirrored;
mod object;
mod patch;
mod response;
mod review;
mod settings;
mod strings;
#[cfg(test)]
mod tests;
mod warnings;

pub use examine::{
    Counted, Facts, ImageOutcome, ReviewAnswer, ReviewOutcome, Reviewed, Swap, admit, admit_pinned, failed,
    needs, object,
};
pub use mirrored::{Mirrored, Move, Presence, WhenMissing, moves};
pub use review::{BadReview, Operation};
pub use settings::{Ask, OnError, OnUnmapped, Settings};
