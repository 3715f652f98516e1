//! The serving certificate, which may be changed while connections come in: handshakes that begin later use the new
//! one, and those under way go on.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate's text cannot be read.
    #[error("the certificate is not PEM: {0}")]
    Certificate(rustls_pki_types::pem::Error),
    /// There is no certificate in the text.
    #[error("the PEM text holds no certificate")]
    NoCertificate,
    /// The key's text cannot be read. What it says is not repeated.
    #[error("the private key is not PEM, or holds no key")]
    Key,
    /// The key is of a kind that cannot be used, or does not belong to the certificate.
    #[error("the private key does not fit: {0}")]
    Mismatch(rustls::Error),
    /// The certificate is no X.509 certificate.
    #[error("the certificate cannot be read: {0}")]
    X509(String),
    /// TLS itself cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Setup(rustls::Error),
}

/// A certificate that was taken into use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Whose it is.
    pub subject: String,
    /// The DNS names it is for.
    pub names: Vec<String>,
    /// When it expires, in seconds since 1970.
    pub not_after: i64,
}

#[derive(Debug)]
struct Current {
    key: Arc<CertifiedKey>,
    not_after: i64,
}

/// The current certificate, swapped atomically.
#[derive(Debug, Default)]
pub struct ServingCertificate {
    current: ArcSwapOption<Current>,
}

impl ServingCertificate {
    /// Takes a certificate chain and its key (both PEM) into use. The one that was in use stays when this fails.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn set(&self, chain_pem: &[u8], key_pem: &[u8]) -> Result<Installed, TlsError> {
        let chain = read_chain(chain_pem)?;
        let key = PrivateKeyDer::from_pem_slice(key_pem).map_err(|_| TlsError::Key)?;
        let installed = describe(chain.first().ok_or(TlsError::NoCertificate)?)?;
        let key = CertifiedKey::from_der(chain, key, &provider()).map_err(TlsError::Mismatch)?;
        self.current.store(Some(Arc::new(Current { key: Arc::new(key), not_after: installed.not_after })));
        Ok(installed)
    }

    /// Whether there is one.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.current.load().is_some()
    }

    /// How many seconds it is good for yet.
    #[must_use]
    pub fn seconds_left(&self) -> Option<i64> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        self.current.load().as_ref().map(|current| current.not_after.saturating_sub(now))
    }
}

impl ResolvesServerCert for ServingCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current.load().as_ref().map(|current| Arc::clone(&current.key))
    }
}

/// The certificates of a PEM text, at least one.
pub(super) fn read_chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(TlsError::Certificate)?;
    if chain.is_empty() { Err(TlsError::NoCertificate) } else { Ok(chain) }
}

fn describe(certificate: &CertificateDer<'_>) -> Result<Installed, TlsError> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate)
        .map_err(|error| TlsError::X509(error.to_string()))?;
    let names = parsed.subject_alternative_name().ok().flatten().map(|names| {
        let dns = |name: &x509_parser::extensions::GeneralName<'_>| match name {
            x509_parser::extensions::GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        };
        names.value.general_names.iter().filter_map(dns).collect()
    });
    Ok(Installed {
        subject: parsed.subject().to_string(),
        names: names.unwrap_or_default(),
        not_after: parsed.validity().not_after.timestamp(),
    })
}

pub(super) fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

/// How TLS is spoken: 1.2 and 1.3, with HTTP/2 and HTTP/1.1.
pub(super) fn server_config(certificate: Arc<ServingCertificate>) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Clients keep their connections; tickets would cost each new one a write.
    config.send_tls13_tickets = 1;
    Ok(config)
}
