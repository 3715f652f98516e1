//! Talking to registries: transport, tokens, digests. Knows `image` alone: no manifests, no maps, no arguments.
//!
//! ```text
//! options     what the client is told           config_file  the file of --registries
//! credential  what it may log in with           secret       texts that are not shown
//! keychain    where credentials are kept
//! client      one call: limits, retries         ping         first contact: scheme and auth challenge
//! host        one registry and its state        login        builds the Authorization header
//! transport   one request: time-outs, hosts     challenge    auth headers
//! tls         which certificates are trusted    token        token servers
//! flight      shares concurrent requests        retry        back-off
//! answer      error bodies
//! guard       which addresses may be reached    endpoint     mirrors
//! manifest    digests and bytes of manifests    blob         bytes of blobs, streamed
//! push        manifests that are written        upload, feed blobs that are written
//! referrers   signatures and what else refers   descriptor   how blobs and manifests are named
//! blob_read   blobs from anywhere
//! platform    one platform of an index          resolve      reference → digest
//! blocking    the same for synchronous callers
//! ```
//!
//! Everything is asynchronous inside; [`blocking`] starts a runtime when it is first asked for something.

mod answer;
mod blob;
mod blob_read;
pub mod blocking;
mod challenge;
mod client;
mod config_file;
mod credential;
mod descriptor;
mod digest;
mod endpoint;
mod error;
mod feed;
mod flight;
mod guard;
mod host;
pub mod keychain;
mod login;
mod manifest;
mod open_upload;
mod options;
mod ping;
mod platform;
mod push;
mod referrers;
mod resolve;
mod retry;
mod secret;
mod tls;
mod token;
mod transport;
mod upload;

pub use blob::{BlobPresence, BlobReader};
pub use blob_read::BlobRead;
pub use client::Client;
pub use config_file::ConfigError;
pub use credential::{
    Anonymous, Credential, CredentialError, CredentialFuture, Fixed, FoundCredential, Keychain,
};
pub use descriptor::Descriptor;
pub(crate) use descriptor::list;
pub use digest::Hasher;
pub use error::{Reason, RegistryError, Step};
pub use guard::{AddressGuard, AddressRange, AddressRefused, RangeError};
pub use manifest::{
    DOCKER_LIST, DOCKER_MANIFEST, Head, MANIFEST_MAX, Manifest, OCI_INDEX, OCI_MANIFEST, manifest_media_type,
};
pub use open_upload::Upload;
pub use options::{ClientCertificate, HostOptions, Proxies, RegistryOptions, RegistryRule};
pub use platform::{Platform, PlatformError};
pub use push::Pushed;
pub use referrers::referrers_tag;
pub use resolve::{Answered, ResolveOptions, Resolved, Resolver};
pub use secret::Secret;
pub use upload::{ABANDON_TIMEOUT, NewBlob, Start};
