//! OCI image layouts: images in a folder, in a tar file, or in parts of one, for places without a network.
//!
//! ```text
//! names      what the files are called        error      what goes wrong
//! index      index.json: the images           left_out   blobs that the other side has
//! writer     a folder, then                   sink       one blob that is written
//! pack       the tar file and its parts
//! reader     the images, manifests, blobs     blob       the bytes of one, verified
//! files      folder or tar file               closure    what an image needs
//! parts      parts read as one file           tar_index  where the members of a tar file are
//! source     what is copied from              target     what is copied to
//! since      what the other side has          missing    whether it really has that
//! ```
//!
//! A layout is read where it is: nothing is unpacked, and no path that stands in it is ever opened. All bytes are
//! hashed when they are read, and when they are written.

mod blob;
mod closure;
mod error;
mod files;
mod index;
mod left_out;
mod missing;
mod names;
mod pack;
mod parts;
mod reader;
mod since;
mod sink;
mod source;
mod tar_index;
#[cfg(test)]
mod tar_tests;
mod target;
#[cfg(test)]
mod tests;
mod writer;

pub use blob::BlobFile;
pub use error::{LayoutError, LayoutReason};
pub use index::Listed;
pub use left_out::{LeftOut, LeftOutBlob};
pub use missing::{Import, Missing, missing};
pub use reader::{LayoutReader, Stored};
pub use since::since;
pub use sink::BlobSink;
pub use source::LayoutBlob;
pub use writer::LayoutWriter;
