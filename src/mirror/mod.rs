//! Copying images: from registries and image layouts to registries and image layouts, with everything they are made of,
//! what signs them, and under the digests they have.
//!
//! ```text
//! store      what is copied from and to: the traits      registry   registries as such
//! error      what goes wrong there                       contents   what a manifest is made of
//! layout     OCI image layouts: folders and tar files
//! ```
//!
//! Knows no manifests, maps and arguments: who calls says which source goes to which target.

mod contents;
mod error;
pub mod layout;
mod registry;
mod store;

pub use contents::{Contents, ContentsError};
pub use error::StoreError;
pub use registry::{RegistryBlob, RegistryStore};
pub use store::{Found, Place, Source, Started, Target};
