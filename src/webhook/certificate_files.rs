//! A certificate and key in files, loaded again when they change, and what is to be said of them at the start.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls_pki_types::{ServerName, UnixTime};

use super::metrics::Metrics;
use super::tls::{self, ServingCertificate, TlsError};
use super::watch::Watched;

/// A certificate and its key as files.
#[derive(Debug)]
pub struct CertificateFiles {
    /// The chain, the serving certificate first.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    watched: Watched,
}

impl CertificateFiles {
    /// The files at these paths; of names that are not there, `cert.pem` and `key.pem` in the same folder.
    #[must_use]
    pub fn new(certificate: &Path, key: &Path) -> Self {
        let certificate = or_beside(certificate, "cert.pem");
        let key = or_beside(key, "key.pem");
        let watched = Watched::new(vec![certificate.clone(), key.clone()]);
        Self { certificate, key, watched }
    }

    /// Installs what the files hold when they have changed and are good.
    pub fn reload_if_changed(&mut self, serving: &ServingCertificate, metrics: &Metrics) {
        let Some(contents) = self.watched.read_if_changed() else { return };
        let loaded = contents.and_then(|contents| match &contents[..] {
            [certificate, key] => serving.set(certificate, key).map_err(|error| error.to_string()),
            _ => Err("a certificate and a key are needed".to_owned()),
        });
        metrics.certificate_loaded(loaded.is_ok());
        match loaded {
            Ok(installed) => {
                let (subject, names) = (installed.subject, installed.names.join(" "));
                let days_left = serving.seconds_left().unwrap_or_default() / 86_400;
                tracing::info!(subject, names, days_left, "certificate loaded");
            }
            Err(error) => {
                let kept =
                    if serving.is_set() { "the last good one stays in use" } else { "there is none yet" };
                let (certificate, key) = (self.certificate.display(), self.key.display());
                tracing::error!(error, %certificate, %key, "certificate cannot be loaded, {kept}");
            }
        }
    }

    /// Polls every `interval` until dropped.
    pub async fn watch(mut self, app: Arc<super::App>, interval: Duration) {
        loop {
            tokio::time::sleep(interval).await;
            self.reload_if_changed(&app.certificate, &app.metrics);
        }
    }
}

fn or_beside(path: &Path, name: &str) -> PathBuf {
    let beside = path.with_file_name(name);
    if !path.exists() && beside.exists() { beside } else { path.to_owned() }
}

/// What a check of a certificate against its authority finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameCheck {
    /// The authority signed it, and it is for this name.
    Good {
        /// The name.
        name: String,
    },
    /// API servers will refuse it.
    Bad {
        /// The name that they will ask for.
        name: String,
        /// Why.
        reason: String,
    },
}

/// Checks as an API server does whether `authority_pem` signed the certificate of `chain_pem`, and whether that is for
/// each of `names`.
///
/// # Errors
/// One of the texts cannot be read.
pub fn check_authority(
    chain_pem: &[u8],
    authority_pem: &[u8],
    names: &[String],
) -> Result<Vec<NameCheck>, TlsError> {
    let chain = tls::read_chain(chain_pem)?;
    let mut roots = RootCertStore::empty();
    for certificate in tls::read_chain(authority_pem)? {
        roots.add(certificate).map_err(TlsError::Setup)?;
    }
    let (first, rest) = chain.split_first().ok_or(TlsError::NoCertificate)?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(tls::provider()))
        .build()
        .map_err(|error| TlsError::X509(error.to_string()))?;
    let check = |name: &String| {
        let verified =
            ServerName::try_from(name.as_str()).map_err(|error| error.to_string()).and_then(|server| {
                let verified = verifier.verify_server_cert(first, rest, &server, &[], UnixTime::now());
                verified.map_err(|error| error.to_string())
            });
        match verified {
            Ok(_) => NameCheck::Good { name: name.clone() },
            Err(reason) => NameCheck::Bad { name: name.clone(), reason },
        }
    };
    Ok(names.iter().map(check).collect())
}
