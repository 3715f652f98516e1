//! The client of Kubernetes, from a kubeconfig or the service account of a pod.

use kube::{Client, Config};
use rustls_pki_types::CertificateDer;

/// A cluster that can be called, and what its configuration says.
pub struct Cluster {
    /// The client.
    pub client: Client,
    /// The namespace of the pod, or of the kubeconfig's context.
    pub namespace: String,
    /// The CA of the API server.
    pub root_ca: Vec<CertificateDer<'static>>,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Neither a kubeconfig nor a service account.
    #[error("no cluster to talk to: run it in a pod with a service account, or set KUBECONFIG ({0})")]
    NoConfiguration(Box<kube::config::InferConfigError>),
    /// The configuration names something that cannot be used.
    #[error("the configuration of the cluster cannot be used: {0}")]
    Unusable(Box<kube::Error>),
}

/// Finds the cluster and makes the client. Nothing is sent yet. Call it inside a tokio runtime.
pub async fn connect() -> Result<Cluster, ConnectError> {
    let config = Config::infer().await.map_err(|error| ConnectError::NoConfiguration(Box::new(error)))?;
    connect_to(config)
}

/// Makes the client of a cluster.
pub fn connect_to(config: Config) -> Result<Cluster, ConnectError> {
    install_crypto();
    let namespace = config.default_namespace.clone();
    let root_ca = config.root_cert.iter().flatten().map(|der| CertificateDer::from(der.clone())).collect();
    let client = Client::try_from(config).map_err(|error| ConnectError::Unusable(Box::new(error)))?;
    Ok(Cluster { client, namespace, root_ca })
}

/// Makes ring what rustls calculates with. Calling it twice is nobody's error.
pub fn install_crypto() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
