//! What the Secret holds, and the certificate that somebody else put into it.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::ObjectMeta;
use time::OffsetDateTime;

use super::authority::Pair;
use super::certificate::{self, Fault};
use super::{Bootstrap, BootstrapError};
use crate::cluster::names;

/// The serving certificate and its key.
const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";
/// The CAs to trust, the newest first, and the key of that one.
const AUTHORITIES: &str = "ca.crt";
const AUTHORITY_KEY: &str = "ca.key";

/// What a Secret holds. What is not there is an empty text.
#[derive(Default, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    certificate: String,
    key: String,
    authorities: Vec<String>,
    authority_key: String,
}

impl Stored {
    pub(super) fn of(secret: Option<&Secret>) -> Self {
        let text = |key| secret.map(|secret| value(secret, key)).unwrap_or_default();
        Self {
            certificate: text(CERTIFICATE),
            key: text(KEY),
            authorities: certificate::split(&text(AUTHORITIES)),
            authority_key: text(AUTHORITY_KEY),
        }
    }

    /// The CAs to trust.
    pub(super) fn ca_pem(&self) -> String {
        self.authorities.concat()
    }

    /// The newest CA and its key.
    pub(super) fn authority(&self) -> Option<(String, String)> {
        let key = Some(&self.authority_key).filter(|key| !key.is_empty())?;
        Some((self.authorities.first()?.clone(), key.clone()))
    }

    /// The serving certificate and its key.
    pub(super) fn serving(&self) -> Option<(String, String)> {
        let is_there = !self.certificate.is_empty() && !self.key.is_empty();
        is_there.then(|| (self.certificate.clone(), self.key.clone()))
    }

    /// Puts a CA before the others, of which those that have expired go.
    pub(super) fn add_authority(&mut self, authority: Pair, now: OffsetDateTime) {
        self.drop_expired(now);
        self.authorities.insert(0, authority.certificate);
        self.authority_key = authority.key;
    }

    pub(super) fn set_serving(&mut self, pair: Pair) {
        self.certificate = pair.certificate;
        self.key = pair.key;
    }

    /// A certificate of a signer, whose key nobody has here.
    pub(super) fn set_signed(&mut self, pair: Pair, ca: &str) {
        self.set_serving(pair);
        self.authorities = certificate::split(ca);
        self.authority_key.clear();
    }

    fn drop_expired(&mut self, now: OffsetDateTime) {
        self.authorities.retain(|pem| certificate::dates(pem).is_ok_and(|dates| dates.not_after > now));
    }

    /// The Secret to write over `read`, of which everything else is kept.
    pub(super) fn to_secret(&self, read: Option<Secret>, name: &str, namespace: &str) -> Secret {
        let mut secret = read.unwrap_or_else(|| Secret {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                namespace: Some(namespace.to_owned()),
                ..ObjectMeta::default()
            },
            ..Secret::default()
        });
        let data = secret.data.get_or_insert_with(BTreeMap::new);
        let ca = self.ca_pem();
        for (key, text) in [
            (CERTIFICATE, &self.certificate),
            (KEY, &self.key),
            (AUTHORITIES, &ca),
            (AUTHORITY_KEY, &self.authority_key),
        ] {
            if text.is_empty() {
                data.remove(key);
            } else {
                data.insert(key.to_owned(), ByteString(text.clone().into_bytes()));
            }
        }
        secret
    }

    /// What somebody else put into a Secret: `tls.crt` and `tls.key`, or imageswap-webhook's `cert.pem` and
    /// `key.pem`.
    fn brought(secret: &Secret) -> Self {
        let either = |key, other| {
            Some(value(secret, key)).filter(|v| !v.is_empty()).unwrap_or_else(|| value(secret, other))
        };
        Self { certificate: either(CERTIFICATE, "cert.pem"), key: either(KEY, "key.pem"), ..Self::default() }
    }
}

/// Whether the Secret says that its certificate is somebody else's.
pub(super) fn is_byoc(secret: &Secret) -> bool {
    let annotations = secret.metadata.annotations.as_ref();
    annotations.is_some_and(|annotations| annotations.contains_key(names::BYOC_ANNOTATION))
}

fn value(secret: &Secret, key: &str) -> String {
    let bytes = secret.data.as_ref().and_then(|data| data.get(key));
    bytes.map(|bytes| String::from_utf8_lossy(&bytes.0).into_owned()).unwrap_or_default()
}

impl Bootstrap {
    /// The certificate that somebody brought, checked. Its CA is in the Secret `imageswap-tls-ca`, or beside it
    /// in `ca.crt`, where cert-manager puts it.
    pub(super) async fn brought(&self, secret: Option<Secret>) -> Result<Stored, BootstrapError> {
        let missing = |what| self.unusable(Fault::Missing(what));
        let secret = secret.ok_or_else(|| missing("the Secret"))?;
        let mut stored = Stored::brought(&secret);
        let (chain, key) = stored.serving().ok_or_else(|| missing("tls.crt or tls.key"))?;
        let mut ca = value(&secret, AUTHORITIES);
        if ca.is_empty() {
            let name = names::TLS_CA_SECRET;
            let read = self.secrets().get_opt(name).await;
            let read = read.map_err(|error| self.refused("read", "Secret", name, error))?;
            ca = read.map(|secret| value(&secret, names::TLS_CA_KEY)).unwrap_or_default();
            if ca.is_empty() {
                return Err(missing("the CA (rootca.pem of Secret imageswap-tls-ca, or ca.crt)"));
            }
        }
        let name = self.names().swap_remove(0);
        certificate::check(&chain, &key, &ca, &name, (self.options.now)())
            .map_err(|why| self.unusable(why))?;
        stored.authorities = certificate::split(&ca);
        Ok(stored)
    }
}
