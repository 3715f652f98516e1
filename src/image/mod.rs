//! Image references as distribution/reference has them: parts and original spelling. Knows nothing else.

mod digest;
mod error;
mod grammar;
mod reference;
mod repository;

pub use digest::{Digest, DigestError, DigestRef};
pub use error::{Part, ReferenceError, Scheme};
pub use reference::ImageReference;
pub(crate) use reference::{DOCKER_HUB, DOCKER_HUB_API, is_docker_hub};
pub use repository::{Repository, RepositoryError};
