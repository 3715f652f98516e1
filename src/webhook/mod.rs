//! The admission webhook: the engine behind HTTPS. Owns what an AdmissionReview becomes ([`admission`], pure), the
//! rules and the certificate that may change while it runs, and the server. Knows no arguments and no kube client.
//!
//! [`App`] answers requests and knows no sockets; [`Server`] has the sockets and knows no reviews. Rules come from
//! [`RuleFiles`], and certificates from [`CertificateFiles`] or from whoever calls [`ServingCertificate::set`].

pub mod admission;
mod app;
mod body;
mod certificate_files;
mod connection;
mod connections;
mod metrics;
mod mirroring;
mod page;
mod pinning;
mod review_log;
mod rules;
mod server;
mod tls;
mod watch;

pub use app::{App, AppOptions};
pub use certificate_files::{CertificateFiles, NameCheck, check_authority};
pub use metrics::Metrics;
pub use mirroring::{
    Clients, Copier, Failure, MirrorMetrics, MirrorMode, Mirroring, MirroringOptions, NamespaceTargets,
    NamespaceTargetsError, PodCredentials, PullIdentities, PullIdentity, QueueLimits, RegistryCopier,
};
pub use pinning::{Pinning, PullAs};
pub use rules::{NewRules, RuleFiles, Rules};
pub use server::{Limits, Server, ServerError, Shutdown};
pub use tls::{Installed, ServingCertificate, TlsError};
