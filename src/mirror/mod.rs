//! Copying images: from registries and image layouts to registries and image layouts, with everything they are made of,
//! what signs them, and under the digests they have.
//!
//! ```text
//! plan       what is to be done with an image            copier     does it
//! tree       an image with all its manifests             attached   signatures and what else belongs to it
//! blobs      each is fetched once                        platforms  an index of some platforms
//! store      what is copied from and to: the traits      registry   registries as such
//! error      what goes wrong there                       contents   what a manifest is made of
//! layout     OCI image layouts: folders and tar files
//! ```
//!
//! Knows no manifests, maps and arguments: the caller decides which source goes to which target.

mod attached;
mod blobs;
mod contents;
mod copier;
mod copy_error;
mod counted;
mod error;
pub mod layout;
mod manifests;
mod options;
mod plan;
mod platforms;
mod registry;
mod store;
mod tally;
mod tree;

pub use contents::{Contents, ContentsError};
pub use copier::{Copied, Copier};
pub use copy_error::CopyError;
pub use error::StoreError;
pub use options::{Attachments, CopyOptions};
pub use plan::{Action, DigestsDiffer, Facts, Planned, Wanted, decide};
pub use registry::{RegistryBlob, RegistryStore};
pub use store::{FoundManifest, Place, Source, Started, Target, give_up_all};
pub use tally::Bytes;
