//! Why there is no certificate.

use super::certificate::Fault;
use crate::cluster::client::ConnectError;

/// Why there is no certificate, or why its CA is not published.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// There is no cluster.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The API server refused, or did not answer.
    #[error("cannot {verb} {kind} {name}: {}", said(answer))]
    Refused {
        /// What was tried.
        verb: &'static str,
        /// On what kind.
        kind: &'static str,
        /// On which object.
        name: String,
        /// The answer.
        answer: Box<kube::Error>,
    },
    /// The Secret is missing, and may not be made.
    #[error(
        "there is no Secret {secret} in namespace {namespace}, and this service account may not make one: apply \
         the installation again, or `kubectl create secret generic {secret} --namespace {namespace}`"
    )]
    NoSecret {
        /// The Secret.
        secret: String,
        /// Its namespace.
        namespace: String,
    },
    /// The Secret changes whenever it is written.
    #[error("Secret {secret} is changed by somebody else as fast as it is written here")]
    Contended {
        /// The Secret.
        secret: String,
    },
    /// The certificate that somebody brought cannot be used.
    #[error("Secret {secret} in namespace {namespace} cannot be used: {why}")]
    Unusable {
        /// The Secret.
        secret: String,
        /// Its namespace.
        namespace: String,
        /// What is wrong.
        why: Fault,
    },
    /// A certificate cannot be made.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// The signer refused.
    #[error("CertificateSigningRequest {request}: {why}")]
    NotSigned {
        /// The request.
        request: String,
        /// What its status says.
        why: String,
    },
    /// What the signer gave is not what the API server will accept.
    #[error("signer {signer} gave a certificate that cannot be used: {why}")]
    BadSignature {
        /// The signer.
        signer: String,
        /// What is wrong.
        why: Fault,
    },
}

/// What the API server said, without the dump of its answer.
fn said(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => {
            let mut text = other.to_string();
            let mut source = std::error::Error::source(other);
            while let Some(error) = source {
                let more = error.to_string();
                if !text.contains(&more) {
                    text = format!("{text}: {more}");
                }
                source = error.source();
            }
            text
        }
    }
}
