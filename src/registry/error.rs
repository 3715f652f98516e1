//! What goes wrong with a registry: which image, which registry, which step, and what to try.

use std::fmt;
use std::time::Duration;

use super::CredentialError;
use crate::image::ImageReference;

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Asking whether the registry is there and how it wants to be logged in to (`GET /v2/`).
    Ping,
    /// Looking for a credential.
    Credential,
    /// Asking the token server.
    Token,
    /// Asking for the digest of a tag (`HEAD`).
    Lookup,
    /// Reading a manifest.
    Manifest,
    /// Reading a blob.
    Blob,
    /// Writing a blob.
    Upload,
    /// Writing a manifest.
    Push,
    /// Asking for what refers to a manifest.
    Referrers,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ping => "connecting",
            Self::Credential => "looking for a credential",
            Self::Token => "asking for a token",
            Self::Lookup => "looking up the digest",
            Self::Manifest => "reading the manifest",
            Self::Blob => "reading a blob",
            Self::Upload => "uploading a blob",
            Self::Push => "writing the manifest",
            Self::Referrers => "looking for referrers",
        })
    }
}

impl Step {
    /// What stands between the step and its registry: connecting *to*, looking up the digest *at*.
    fn preposition(self) -> &'static str {
        match self {
            Self::Ping | Self::Upload | Self::Push => "to",
            Self::Credential => "for",
            Self::Token | Self::Lookup | Self::Manifest | Self::Referrers => "at",
            Self::Blob => "from",
        }
    }
}

/// A failure, with the image, the registry and the step it belongs to. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{image}: {step} {} {registry}: {reason}", .step.preposition())]
pub struct RegistryError {
    /// The image (or repository) that was asked for.
    pub image: String,
    /// The host that was asked: the registry, its mirror, its token server.
    pub registry: String,
    /// What was being done.
    pub step: Step,
    /// What went wrong.
    pub reason: Box<Reason>,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// 401.
    #[error("not logged in (401){}", .origin.as_ref().map_or(": there is no credential for it".to_owned(),
        |origin| format!(": the credential of {origin} was refused")))]
    Unauthorized {
        /// Where the credential came from that was refused; `None` when there was none.
        origin: Option<String>,
        /// What the registry says.
        answer: String,
    },
    /// 403.
    #[error("access denied (403){answer}")]
    Forbidden {
        /// What the registry says.
        answer: String,
    },
    /// 404.
    #[error("not found (404){answer}")]
    NotFound {
        /// What the registry says.
        answer: String,
    },
    /// 429, on every try.
    #[error("too many requests (429){}", .retry_after.map_or(String::new(), |wait| format!(", to be tried again after {} s", wait.as_secs())))]
    RateLimited {
        /// How long the registry wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// Any other status that is no answer to the question.
    #[error("unexpected status {status}{answer}")]
    Status {
        /// The status.
        status: u16,
        /// What the registry says.
        answer: String,
    },
    /// The TLS connection failed: certificate, protocol.
    #[error("TLS: {message}")]
    Tls {
        /// What rustls says.
        message: String,
        /// The authority of the certificate is not known here.
        unknown_authority: bool,
    },
    /// What answers does not speak TLS.
    #[error("what answers there does not speak TLS: {message}")]
    NoTls {
        /// What rustls says.
        message: String,
    },
    /// The registry ended the TLS connection.
    #[error("the registry refuses the TLS connection: {message}")]
    TlsRefused {
        /// What rustls says.
        message: String,
    },
    /// The proxy gives no connection to the registry.
    #[error("the proxy {proxy} gives no connection: {message}")]
    Proxy {
        /// Its host and port.
        proxy: String,
        /// What happened.
        message: String,
    },
    /// The name has no address.
    #[error("the name cannot be resolved: {message}")]
    Dns {
        /// What the resolver says.
        message: String,
    },
    /// No connection.
    #[error("cannot connect: {message}")]
    Connect {
        /// What the system says.
        message: String,
    },
    /// No answer in time.
    #[error("timed out after {} s", .after.as_secs_f32())]
    TimedOut {
        /// How long was waited.
        after: Duration,
    },
    /// The connection broke, or what came is no HTTP.
    #[error("the connection broke: {message}")]
    Broken {
        /// What happened.
        message: String,
    },
    /// A body over its limit.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// A body that is compressed although it was asked for as it is.
    #[error("the answer is encoded as {encoding}, though it was asked for as it is")]
    Encoded {
        /// The Content-Encoding.
        encoding: String,
    },
    /// A digest that is none.
    #[error("the registry names {text} as digest: {message}")]
    BadDigest {
        /// What it names, escaped and shortened.
        text: String,
        /// Why that is no digest.
        message: String,
    },
    /// The bytes are not those of the digest.
    #[error("the registry lies: it names {expected}, and its bytes are {found}")]
    Mismatch {
        /// The digest that was named.
        expected: String,
        /// The digest of the bytes.
        found: String,
    },
    /// A token server that must not get a credential.
    #[error("refused to log in at {realm}: {why}")]
    Realm {
        /// The token server.
        realm: String,
        /// Why.
        why: &'static str,
    },
    /// A redirect that must not be followed.
    #[error("refused to follow the redirect to {to}: {why}")]
    Redirect {
        /// Where to, without its query.
        to: String,
        /// Why.
        why: &'static str,
    },
    /// An upload of which the registry has other bytes than it can have.
    #[error(
        "the registry loses track of the upload: it says that it has {has} bytes, after {sent} were sent"
    )]
    LostTrack {
        /// What it says that it has, in bytes.
        has: u64,
        /// What it was sent, in bytes.
        sent: u64,
    },
    /// An upload that was started and has no place to be sent to.
    #[error("the registry does not say where to send the blob to: it has no usable Location")]
    NoLocation,
    /// An address that may not be connected to.
    #[error("refused to connect: {message}")]
    Address {
        /// Which address, and of which kind.
        message: String,
    },
    /// The answer of a token server without a token.
    #[error("the token server's answer holds no usable token: {message}")]
    BadToken {
        /// What is wrong with it.
        message: String,
    },
    /// The keychain failed.
    #[error("{0}")]
    Credential(CredentialError),
    /// A manifest that cannot be read.
    #[error("the manifest cannot be read: {message}")]
    BadManifest {
        /// What is wrong with it.
        message: String,
    },
    /// An index without the platform.
    #[error("there is no {asked} in the index, which has {available}")]
    NoPlatform {
        /// The platform that was asked for.
        asked: String,
        /// The platforms there are.
        available: String,
    },
    /// A name that is no image reference, or one that the configuration blocks.
    #[error("{message}")]
    Name {
        /// What is wrong with it.
        message: String,
    },
    /// A certificate or key that cannot be used.
    #[error("{message}")]
    Configuration {
        /// Which file, and what is wrong with it.
        message: String,
    },
}

impl RegistryError {
    /// A failure of a step.
    #[must_use]
    pub fn new(image: &str, registry: &str, step: Step, reason: Reason) -> Self {
        Self { image: image.to_owned(), registry: registry.to_owned(), step, reason: Box::new(reason) }
    }

    /// What to try.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let registry = &self.registry;
        // A credential is the registry's also where its token server refuses it.
        let account = match (self.step, ImageReference::parse(&self.image)) {
            (Step::Token, Ok(image)) => image.repository().registry().to_owned(),
            _ => registry.clone(),
        };
        Some(match &*self.reason {
            Reason::Unauthorized { origin: None, .. } => {
                format!(
                    "log in with `docker login {account}`, or check the name: private images and ones that do not exist look the same"
                )
            }
            Reason::Unauthorized { origin: Some(_), .. } => {
                format!(
                    "log in again with `docker login {account}`, or see `imageswap auth check {account}`"
                )
            }
            Reason::Forbidden { .. } => {
                format!("the account has no access to this repository; see `imageswap auth check {account}`")
            }
            Reason::NotFound { .. } => match self.step {
                Step::Ping => "is this a container registry?".to_owned(),
                Step::Credential
                | Step::Token
                | Step::Lookup
                | Step::Manifest
                | Step::Blob
                | Step::Upload
                | Step::Push
                | Step::Referrers => "check the name and the tag".to_owned(),
            },
            Reason::RateLimited { .. } => {
                "wait, or log in, since known users have a higher limit, or name a mirror in the file of --registries"
                    .to_owned()
            }
            Reason::Tls { unknown_authority: false, .. } => {
                "renew or correct the registry's certificate, or set this machine's clock".to_owned()
            }
            Reason::Tls { unknown_authority: true, .. } => format!(
                "a private certificate authority is named with --registry-ca or in the file of --registries, or stands in /etc/containers/certs.d/{registry}/ca.crt"
            ),
            Reason::NoTls { .. } => format!(
                "if this registry uses plain HTTP, add --plain-http {registry}"
            ),
            Reason::TlsRefused { .. } => {
                "it may want a client certificate: client-cert and client-key in the file of --registries"
                    .to_owned()
            }
            Reason::Proxy { .. } => {
                "check HTTPS_PROXY and NO_PROXY, or https-proxy and no-proxy in the file of --registries"
                    .to_owned()
            }
            Reason::Dns { .. } => {
                "check the registry's name, and DNS or HTTPS_PROXY on this machine".to_owned()
            }
            Reason::Connect { .. } => {
                "check that the registry is up and can be reached from here: HTTPS_PROXY, firewall"
                    .to_owned()
            }
            Reason::TimedOut { .. } => "try again, or allow more time with --registry-timeout".to_owned(),
            Reason::Status { status: 500.., .. } | Reason::Broken { .. } => {
                "the registry is in trouble: try again later".to_owned()
            }
            Reason::Mismatch { .. } | Reason::BadDigest { .. } => {
                "do not trust this registry, or what stands between it and here, until that is explained"
                    .to_owned()
            }
            Reason::Realm { .. }
            | Reason::Redirect { .. }
            | Reason::NoLocation
            | Reason::LostTrack { .. } => "the registry is set up wrongly, or is not what it says".to_owned(),
            Reason::Address { .. } => {
                "allow the address range with --allow-addresses if the registry is meant to be there"
                    .to_owned()
            }
            Reason::Credential(error) => return error.hint.clone(),
            Reason::NoPlatform { .. } => "leave out --platform to pin the index".to_owned(),
            Reason::Status { .. }
            | Reason::TooLarge { .. }
            | Reason::Encoded { .. }
            | Reason::BadToken { .. }
            | Reason::BadManifest { .. }
            | Reason::Name { .. }
            | Reason::Configuration { .. } => return None,
        })
    }

    /// Whether the image is known not to be there: 404.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(*self.reason, Reason::NotFound { .. })
    }

    /// Whether another endpoint (the registry behind a mirror) may do better. Wrong digests, a missing platform and bad
    /// names are final; everything else may succeed at another endpoint.
    #[must_use]
    pub fn other_endpoint_may_help(&self) -> bool {
        !matches!(
            *self.reason,
            Reason::Mismatch { .. }
                | Reason::BadDigest { .. }
                | Reason::NoPlatform { .. }
                | Reason::Name { .. }
        )
    }
}
