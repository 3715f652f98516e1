//! The pull secrets of a cluster, in the order in which go-containerregistry's k8schain asks them: those of the pod
//! specs, then those of their service accounts.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::Api;
use tokio::time::timeout;

use super::client::{self, Cluster, ConnectError};
use super::pod_specs::Puller;

/// How long an answer of the API server may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest name of an object.
const LONGEST_NAME: usize = 253;

/// How the text of a pull secret is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// As Docker's `config.json`.
    ConfigJson,
    /// As the older `.dockercfg`.
    Cfg,
}

/// What a Secret holds about registries.
pub struct PullSecret {
    /// Which Secret it is, for reports.
    pub origin: String,
    /// How to read it.
    pub format: Format,
    /// The configuration.
    pub text: String,
}

/// Says which Secret it is, and nothing of what it holds.
impl fmt::Debug for PullSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PullSecret").field("origin", &self.origin).field("format", &self.format).finish()
    }
}

/// What a cluster has.
#[derive(Debug, Default)]
pub struct PullSecrets {
    /// In the order in which they are to be asked.
    pub secrets: Vec<PullSecret>,
    /// What was named and is not there, or is no pull secret.
    pub warnings: Vec<String>,
}

/// Why the pull secrets are not known.
#[derive(Debug, thiserror::Error)]
pub enum PullSecretError {
    /// There is no cluster.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The API server refused.
    #[error("cannot get {object}: {}", match .answer.as_ref() {
        kube::Error::Api(status) => status.message.clone(),
        other => other.to_string(),
    })]
    Refused {
        /// The kind, the namespace and the name.
        object: String,
        /// The answer.
        answer: Box<kube::Error>,
    },
    /// The API server did not answer.
    #[error("cannot get {object}: the API server did not answer within {} seconds", PATIENCE.as_secs())]
    Slow {
        /// The kind, the namespace and the name.
        object: String,
    },
}

/// Asks the cluster of the kubeconfig, or of the pod's service account. Call it inside a tokio runtime.
///
/// # Errors
/// When there is no cluster, or it does not let the Secrets and service accounts be read. What is missing is a warning.
pub async fn read(pullers: &BTreeSet<Puller>) -> Result<PullSecrets, PullSecretError> {
    PullSecretReader::connect().await?.read(pullers).await
}

/// A cluster that is asked again and again.
pub struct PullSecretReader {
    cluster: Cluster,
}

impl PullSecretReader {
    /// Finds the cluster of the kubeconfig, or of the pod's service account. Nothing is sent yet. Call it inside a tokio
    /// runtime.
    ///
    /// # Errors
    /// There is none.
    pub async fn connect() -> Result<Self, ConnectError> {
        Ok(Self { cluster: client::connect().await? })
    }

    /// What the cluster has for these.
    ///
    /// # Errors
    /// As [`read`].
    pub async fn read(&self, pullers: &BTreeSet<Puller>) -> Result<PullSecrets, PullSecretError> {
        read_from(&self.cluster, pullers).await
    }
}

async fn read_from(cluster: &Cluster, pullers: &BTreeSet<Puller>) -> Result<PullSecrets, PullSecretError> {
    let mut reading = Reading { cluster, seen: BTreeSet::new(), found: PullSecrets::default() };
    for puller in pullers {
        for name in &puller.secrets {
            reading.secret(reading.namespace(puller), name).await?;
        }
    }
    let accounts: BTreeSet<(&str, &str)> =
        pullers.iter().map(|puller| (reading.namespace(puller), &*puller.account)).collect();
    for (namespace, account) in accounts {
        reading.account(namespace, account).await?;
    }
    Ok(reading.found)
}

struct Reading<'c> {
    cluster: &'c Cluster,
    /// Namespaces and names of the Secrets that were asked for.
    seen: BTreeSet<(String, String)>,
    found: PullSecrets,
}

impl<'c> Reading<'c> {
    /// The namespace of a puller: as kubectl sees it, that of the context where the manifest says none.
    fn namespace<'p>(&self, puller: &'p Puller) -> &'p str
    where
        'c: 'p,
    {
        puller.namespace.as_deref().unwrap_or(&self.cluster.namespace)
    }

    /// Takes what a Secret holds, unless it was asked for before.
    async fn secret(&mut self, namespace: &str, name: &str) -> Result<(), PullSecretError> {
        if !self.seen.insert((namespace.to_owned(), name.to_owned())) {
            return Ok(());
        }
        let origin = format!("Secret {namespace}/{name}");
        let Some(secret) = self.get::<Secret>(namespace, name, &origin).await? else { return Ok(()) };
        let kind = secret.type_.as_deref().unwrap_or("Opaque");
        let (key, format) = match kind {
            "kubernetes.io/dockerconfigjson" => (".dockerconfigjson", Format::ConfigJson),
            "kubernetes.io/dockercfg" => (".dockercfg", Format::Cfg),
            _ => {
                self.warn(format!("{origin} is of type {kind}, and no pull secret: it is passed over"));
                return Ok(());
            }
        };
        let bytes = secret.data.and_then(|mut data| data.remove(key)).map(|bytes| bytes.0);
        match bytes.map(String::from_utf8) {
            Some(Ok(text)) => self.found.secrets.push(PullSecret { origin, format, text }),
            Some(Err(_)) | None => self.warn(format!("{origin} has no text as {key}: it is passed over")),
        }
        Ok(())
    }

    /// Takes what the Secrets of a service account hold.
    async fn account(&mut self, namespace: &str, name: &str) -> Result<(), PullSecretError> {
        let origin = format!("ServiceAccount {namespace}/{name}");
        let account = self.get::<ServiceAccount>(namespace, name, &origin).await?;
        let secrets = account.and_then(|account| account.image_pull_secrets).unwrap_or_default();
        for name in secrets.iter().map(|secret| secret.name.as_str()).filter(|name| !name.is_empty()) {
            self.secret(namespace, name).await?;
        }
        Ok(())
    }

    /// The object `namespace/name`; nothing, and a warning, where there is none.
    async fn get<K>(
        &mut self,
        namespace: &str,
        name: &str,
        object: &str,
    ) -> Result<Option<K>, PullSecretError>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + fmt::Debug
            + serde::de::DeserializeOwned,
    {
        // They come out of manifests, and go into the path of a URL.
        if !is_name(namespace) || !is_name(name) {
            self.warn(format!("{object} cannot exist: that is no name: it is passed over"));
            return Ok(None);
        }
        let api: Api<K> = Api::namespaced(self.cluster.client.clone(), namespace);
        let refused =
            |answer| PullSecretError::Refused { object: object.to_owned(), answer: Box::new(answer) };
        let slow = |_| PullSecretError::Slow { object: object.to_owned() };
        let found = timeout(PATIENCE, api.get_opt(name)).await.map_err(slow)?.map_err(refused)?;
        if found.is_none() {
            self.warn(format!("there is no {object} in the cluster: it is passed over"));
        }
        Ok(found)
    }

    fn warn(&mut self, text: String) {
        self.found.warnings.push(text);
    }
}

/// Whether an object can be called like this.
fn is_name(text: &str) -> bool {
    let is_part = |part: &str| {
        let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        ends(part.chars().next())
            && ends(part.chars().last())
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    text.len() <= LONGEST_NAME && text.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_within_their_part_of_a_url() {
        for name in ["a", "regcred", "my-team", "a.b-c.0", "1"] {
            assert!(is_name(name), "{name}");
        }
        let long = "a".repeat(254);
        for name in ["", ".", "..", "a..b", "../x", "a/b", "a?b", "a%2fb", "A", "-a", "a-", "${NS}", &long] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn debug_output_keeps_the_secret() {
        let secret = PullSecret { origin: "Secret a/b".into(), format: Format::Cfg, text: "hush".into() };
        assert!(!format!("{secret:?}").contains("hush"));
    }
}
