//! Image references as distribution/reference has them: parts and original spelling. Knows nothing else.

mod digest;
mod error;
mod grammar;
mod reference;

pub use digest::{Digest, DigestError};
pub use error::{Part, ReferenceError};
pub use reference::ImageReference;
