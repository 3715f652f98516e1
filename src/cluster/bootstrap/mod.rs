//! The certificate under which the API server calls `serve` (rules W7 and W8): it is made or read, kept in one
//! Secret, published into the webhook configuration's `caBundle`, and renewed while `serve` runs.
//!
//! ```text
//! step.rs        PURE what has to be done next, from what the Secret holds and the time
//! authority.rs   makes CAs, serving certificates and signing requests
//! certificate.rs reads certificates and checks chains, as the API server will
//! secret.rs      what the Secret holds
//! signer.rs      the CertificateSigningRequest API
//! publish.rs     `caBundle`
//! keep.rs        all of it again and again
//! ```
//!
//! Replicas need no leader. Each reads the Secret, decides, and replaces it under its resource version: the one
//! that comes second is refused, reads again, and finds the work done. A new CA is published beside the old one
//! before anything is signed with it, and the old one stays until it expires.

mod authority;
mod certificate;
mod error;
mod keep;
mod publish;
mod secret;
mod signer;
mod step;

use std::fmt;
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use kube::{Api, ResourceExt};
use time::OffsetDateTime;

use super::client::{self, Cluster};
use super::names;
use authority::Lives;
use certificate::Dates;
use secret::Stored;
use step::BootstrapStep;

pub use error::BootstrapError;
pub use keep::Event;

/// Who signs the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// imageswap, with a CA of its own, unless the Secret says that it is somebody else's.
    SelfSigned,
    /// A signer of the cluster, by the CertificateSigningRequest API.
    Csr {
        /// The signer, for example `kubernetes.io/kubelet-serving`.
        signer: String,
    },
    /// Somebody else, who puts certificate, key and CA into Secrets.
    Byo,
}

/// What a bootstrap works on.
#[derive(Debug, Clone)]
pub struct BootstrapOptions {
    /// Who signs.
    pub mode: Mode,
    /// The namespace of Secret and Service; that of the pod by default.
    pub namespace: Option<String>,
    /// The Service by which the API server calls.
    pub service: String,
    /// The Secret.
    pub secret: String,
    /// The webhook configuration that `caBundle` is published into; nothing is published without one.
    pub webhook_configuration: Option<String>,
    /// Names and addresses beside those of the Service that the certificate must be good for.
    pub extra_names: Vec<String>,
    /// How long a CA lives that is made here.
    pub authority_life: Duration,
    /// How long a serving certificate lives that is made here.
    pub serving_life: Duration,
    /// The clock.
    pub now: fn() -> OffsetDateTime,
}

impl Default for BootstrapOptions {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            mode: Mode::SelfSigned,
            namespace: None,
            service: names::SERVICE.to_owned(),
            secret: names::TLS_SECRET.to_owned(),
            webhook_configuration: Some(names::WEBHOOK_CONFIGURATION.to_owned()),
            extra_names: Vec::new(),
            authority_life: DAY * 365,
            serving_life: DAY * 90,
            now: OffsetDateTime::now_utc,
        }
    }
}

/// A private key in PEM, which debug output does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKeyPem(String);

impl PrivateKeyPem {
    /// The key itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PrivateKeyPem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKeyPem(…)")
    }
}

/// A certificate to serve with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The certificate and what is between it and its CA, in PEM.
    pub chain_pem: String,
    /// Its key.
    pub key_pem: PrivateKeyPem,
    /// The CAs that clients should trust, in PEM.
    pub ca_pem: String,
    /// When it expires.
    pub not_after: OffsetDateTime,
    /// When the next look at the certificate is due.
    pub renew_at: OffsetDateTime,
    /// Whether the webhook configuration is there; without one nothing is called, and none is made.
    pub published: Published,
}

/// What became of the CA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// The webhook configuration has it now.
    Yes,
    /// There is no such webhook configuration: deleting it is how imageswap is switched off.
    NoConfiguration,
    /// The webhook configuration is somebody else's.
    NotOurs,
}

/// The resource version of an object, if it is there.
type Version = Option<String>;

/// What a pass saw: a watch from there misses nothing.
struct Seen {
    secret: Version,
    configuration: Version,
}

fn version(object: Option<&impl ResourceExt>) -> Version {
    object.and_then(ResourceExt::resource_version)
}

/// The certificate of one installation.
pub struct Bootstrap {
    cluster: Cluster,
    options: BootstrapOptions,
    namespace: String,
}

impl Bootstrap {
    /// Finds the cluster. Nothing is sent yet.
    pub async fn connect(options: BootstrapOptions) -> Result<Self, BootstrapError> {
        Ok(Self::of(client::connect().await?, options))
    }

    /// The certificate of an installation in this cluster.
    pub fn of(cluster: Cluster, options: BootstrapOptions) -> Self {
        let namespace = options.namespace.clone().unwrap_or_else(|| cluster.namespace.clone());
        Self { cluster, options, namespace }
    }

    /// Makes or reads the certificate, renews it where that is due, and publishes its CA.
    pub async fn ensure(&self) -> Result<Issued, BootstrapError> {
        self.ensure_seen().await.map(|(issued, _)| issued)
    }

    /// The same, with the versions of what was seen.
    async fn ensure_seen(&self) -> Result<(Issued, Seen), BootstrapError> {
        let (stored, secret) = self.stored().await?;
        let ca_pem = stored.ca_pem();
        let (published, configuration) = self.publish(&ca_pem).await?;
        let (chain_pem, key_pem) = stored.serving().expect("a finished Secret holds a serving certificate");
        let dates = certificate::dates(&chain_pem).map_err(|why| self.unusable(why))?;
        let issued = Issued {
            chain_pem,
            key_pem: PrivateKeyPem(key_pem),
            ca_pem,
            not_after: dates.not_after,
            renew_at: self.look_again_at(&stored, dates),
            published,
        };
        Ok((issued, Seen { secret, configuration }))
    }

    /// When the certificate is due, or its CA.
    fn look_again_at(&self, stored: &Stored, dates: Dates) -> OffsetDateTime {
        let authority = stored.authority().and_then(|(pem, _)| certificate::dates(&pem).ok());
        let Some(authority) = authority else { return dates.renew_at() };
        let due = dates.renew_at().min(authority.renew_at());
        // A CA that is not used yet.
        let settled = Some(authority.settled_at()).filter(|at| *at > (self.options.now)());
        settled.map_or(due, |settled| due.min(settled))
    }

    /// What the Secret holds when nothing is left to do, and its version.
    async fn stored(&self) -> Result<(Stored, Version), BootstrapError> {
        // Every pass but the last is a change by this or another replica.
        for _ in 0..16 {
            let secret = self.read_secret().await?;
            if self.options.mode == Mode::Byo || secret.as_ref().is_some_and(secret::is_byoc) {
                let version = version(secret.as_ref());
                return Ok((self.brought(secret).await?, version));
            }
            let mut stored = Stored::of(secret.as_ref());
            let now = (self.options.now)();
            let step = match &self.options.mode {
                Mode::Csr { .. } => step::next_of_signer(&stored, &self.names(), now),
                Mode::SelfSigned | Mode::Byo => step::next(&stored, &self.names(), now),
            };
            match step {
                BootstrapStep::Done => return Ok((stored, version(secret.as_ref()))),
                BootstrapStep::Authority => {
                    stored.add_authority(authority::authority(&self.lives(), now)?, now);
                    if !step::serving_is_good(&stored, &self.names(), now) {
                        stored.set_serving(self.serve_with(&stored, now)?);
                    }
                }
                BootstrapStep::Serving => {
                    // Whoever calls must know the CA before the certificate changes.
                    self.publish(&stored.ca_pem()).await?;
                    stored.set_serving(self.serve_with(&stored, now)?);
                }
                BootstrapStep::Request => {
                    let Mode::Csr { signer } = &self.options.mode else { unreachable!("only signers") };
                    let issued = self.request(signer).await?;
                    stored.set_signed(issued, &self.signers_ca()?);
                }
            }
            self.write_secret(secret, &stored).await?;
        }
        Err(BootstrapError::Contended { secret: self.options.secret.clone() })
    }

    /// A serving certificate of the newest CA.
    fn serve_with(&self, stored: &Stored, now: OffsetDateTime) -> Result<authority::Pair, BootstrapError> {
        let (certificate, key) = stored.authority().expect("a CA was made before");
        Ok(authority::serving(&certificate, &key, &self.names(), &self.lives(), now)?)
    }

    fn lives(&self) -> Lives {
        Lives { authority: self.options.authority_life, serving: self.options.serving_life }
    }

    /// What the certificate must be good for; the first is what the API server asks for.
    fn names(&self) -> Vec<String> {
        let (service, namespace) = (&self.options.service, &self.namespace);
        let mut names = vec![
            format!("{service}.{namespace}.svc"),
            format!("{service}.{namespace}.svc.cluster.local"),
            format!("{service}.{namespace}"),
            service.clone(),
        ];
        names.extend(self.options.extra_names.iter().cloned());
        names
    }

    fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.cluster.client.clone(), &self.namespace)
    }

    async fn read_secret(&self) -> Result<Option<Secret>, BootstrapError> {
        let name = &self.options.secret;
        self.secrets().get_opt(name).await.map_err(|error| self.refused("read", "Secret", name, error))
    }

    /// Replaces the Secret that was read, or makes it. That somebody else was faster is no error: the caller
    /// reads again.
    async fn write_secret(&self, read: Option<Secret>, stored: &Stored) -> Result<(), BootstrapError> {
        let name = &self.options.secret;
        let api = self.secrets();
        let exists = read.is_some();
        let wanted = stored.to_secret(read, name, &self.namespace);
        let written = if exists {
            api.replace(name, &PostParams::default(), &wanted).await
        } else {
            api.create(&PostParams::default(), &wanted).await
        };
        match written {
            Ok(_) => Ok(()),
            // 404: it was deleted in between.
            Err(kube::Error::Api(status)) if [404, 409].contains(&status.code) => Ok(()),
            Err(kube::Error::Api(status)) if !exists && status.code == 403 => {
                Err(BootstrapError::NoSecret { secret: name.clone(), namespace: self.namespace.clone() })
            }
            Err(error) => Err(self.refused("write", "Secret", name, error)),
        }
    }

    fn refused(
        &self,
        verb: &'static str,
        kind: &'static str,
        name: &str,
        answer: kube::Error,
    ) -> BootstrapError {
        BootstrapError::Refused { verb, kind, name: name.to_owned(), answer: Box::new(answer) }
    }

    fn unusable(&self, why: certificate::Fault) -> BootstrapError {
        BootstrapError::Unusable {
            secret: self.options.secret.clone(),
            namespace: self.namespace.clone(),
            why,
        }
    }
}
