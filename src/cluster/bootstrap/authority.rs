//! Makes CAs, serving certificates and signing requests: ECDSA on P-256, by ring.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use time::OffsetDateTime;

use super::certificate;

/// The subject of the CAs that are made here.
const AUTHORITY: &str = "imageswap-ca";

/// How far back certificates are dated, for clocks that are slow, but never more than a tenth of their life.
pub(super) const BACKDATED: Duration = Duration::from_secs(60 * 60);

/// How long certificates live.
pub(super) struct Lives {
    pub authority: Duration,
    pub serving: Duration,
}

/// A certificate and its key, in PEM.
pub(super) struct Pair {
    pub certificate: String,
    pub key: String,
}

/// A new CA.
pub(super) fn authority(lives: &Lives, now: OffsetDateTime) -> Result<Pair, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name = name(None, AUTHORITY);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = life(lives.authority, now);
    Ok(Pair { certificate: params.self_signed(&key)?.pem(), key: key.serialize_pem() })
}

/// A new serving certificate of a CA, which does not outlive it.
pub(super) fn serving(
    authority: &str,
    authority_key: &str,
    names: &[String],
    lives: &Lives,
    now: OffsetDateTime,
) -> Result<Pair, rcgen::Error> {
    let issuer = Issuer::from_ca_cert_pem(authority, KeyPair::from_pem(authority_key)?)?;
    let key = KeyPair::generate()?;
    let mut params = for_server(names, name(None, names.first().map_or("", String::as_str)))?;
    params.use_authority_key_identifier_extension = true;
    (params.not_before, params.not_after) = life(lives.serving, now);
    if let Ok(dates) = certificate::dates(authority) {
        params.not_before = params.not_before.max(dates.not_before);
        params.not_after = params.not_after.min(dates.not_after);
    }
    Ok(Pair { certificate: params.signed_by(&key, &issuer)?.pem(), key: key.serialize_pem() })
}

/// A request for a certificate of a node's server, which is what `kubernetes.io/kubelet-serving` signs.
pub(super) fn request(names: &[String]) -> Result<Pair, rcgen::Error> {
    let key = KeyPair::generate()?;
    let common = format!("system:node:{}", names.first().map_or("", String::as_str));
    let params = for_server(names, name(Some("system:nodes"), &common))?;
    Ok(Pair { certificate: params.serialize_request(&key)?.pem()?, key: key.serialize_pem() })
}

fn for_server(names: &[String], subject: DistinguishedName) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = subject;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn name(organisation: Option<&str>, common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    if let Some(organisation) = organisation {
        name.push(DnType::OrganizationName, organisation);
    }
    // A common name has 64 characters at most; the API server goes by the alternative names.
    name.push(DnType::CommonName, common.chars().take(64).collect::<String>());
    name
}

fn life(life: Duration, now: OffsetDateTime) -> (OffsetDateTime, OffsetDateTime) {
    (now - BACKDATED.min(life / 9), now + life)
}
