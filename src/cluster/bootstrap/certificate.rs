//! Reads certificates, and checks a chain as the API server will: by webpki, against the published CAs, for the
//! name that it calls.

use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use time::OffsetDateTime;
use x509_parser::parse_x509_certificate;

use super::authority::BACKDATED;

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is none.
    #[error("{0} is missing or empty")]
    Missing(&'static str),
    /// It is no certificate.
    #[error("{0} is no certificate in PEM")]
    NoCertificate(&'static str),
    /// The key is none, or not that of the certificate.
    #[error("the key does not belong to the certificate: {0}")]
    Key(String),
    /// The CA did not sign it, it has expired, or it is for another name.
    #[error("the API server would not accept it for {name}: {why}")]
    Refused {
        /// The name that the API server calls.
        name: String,
        /// Why.
        why: String,
    },
}

/// How long a certificate is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dates {
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
}

impl Dates {
    /// When it was made, given that it may have been dated back.
    pub(super) fn made_at(&self) -> OffsetDateTime {
        self.not_before + BACKDATED.min((self.not_after - self.not_before).unsigned_abs() / 10)
    }

    /// When it should be replaced: after two thirds of its life.
    pub(super) fn renew_at(&self) -> OffsetDateTime {
        self.made_at() + self.life() * 2 / 3
    }

    /// From when nothing forbids to sign with this CA: long enough after it was published that every API server
    /// knows it.
    pub(super) fn settled_at(&self) -> OffsetDateTime {
        self.made_at() + SETTLING.min(self.life() / 12)
    }

    fn life(&self) -> Duration {
        (self.not_after - self.made_at()).unsigned_abs()
    }
}

/// How long a new CA is only trusted and not yet used, but never more than a twelfth of its life.
const SETTLING: Duration = Duration::from_secs(10 * 60);

/// The dates of the first certificate of `pem`.
pub(super) fn dates(pem: &str) -> Result<Dates, Fault> {
    let der = read(pem, "the certificate")?;
    let (_, parsed) = der
        .first()
        .and_then(|der| parse_x509_certificate(der).ok())
        .ok_or(Fault::NoCertificate("the certificate"))?;
    let validity = parsed.validity();
    Ok(Dates { not_before: validity.not_before.to_datetime(), not_after: validity.not_after.to_datetime() })
}

/// The certificates of `pem`, one text each; what is none is left out.
pub(super) fn split(pem: &str) -> Vec<String> {
    let end = "-----END CERTIFICATE-----";
    let parts = pem.split_inclusive(end).filter_map(|part| part.find("-----BEGIN").map(|at| &part[at..]));
    parts.filter(|part| dates(part).is_ok()).map(|part| format!("{part}\n")).collect()
}

/// Checks that the API server will accept the chain for `name` at `now` when it trusts `ca`, and that the key is
/// the certificate's.
pub(super) fn check(chain: &str, key: &str, ca: &str, name: &str, now: OffsetDateTime) -> Result<(), Fault> {
    let chain = read(chain, "the certificate")?;
    let roots: Vec<_> = read(ca, "the CA")?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| Fault::Key(error.to_string()))?;
    CertifiedKey::from_der(chain.clone(), key, &provider).map_err(|error| Fault::Key(error.to_string()))?;

    let refused = |why: String| Fault::Refused { name: name.to_owned(), why };
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots);
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider)
        .build()
        .map_err(|_| Fault::NoCertificate("the CA"))?;
    let server = ServerName::try_from(name.to_owned()).map_err(|error| refused(error.to_string()))?;
    let seconds = u64::try_from(now.unix_timestamp()).unwrap_or_default();
    let (leaf, between) = chain.split_first().ok_or(Fault::Missing("the certificate"))?;
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    verifier
        .verify_server_cert(leaf, between, &server, &[], now)
        .map(|_| ())
        .map_err(|error| refused(error.to_string()))
}

fn read(pem: &str, what: &'static str) -> Result<Vec<CertificateDer<'static>>, Fault> {
    if pem.trim().is_empty() {
        return Err(Fault::Missing(what));
    }
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    read.ok().filter(|found| !found.is_empty()).ok_or(Fault::NoCertificate(what))
}
