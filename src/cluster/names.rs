//! What the objects of an installation are called. imageswap-webhook's names, so that it can be replaced in place.

/// The namespace of the installation.
pub const NAMESPACE: &str = "imageswap-system";
/// The Service, the Deployment and the PodDisruptionBudget.
pub const SERVICE: &str = "imageswap";
/// The service account.
pub const SERVICE_ACCOUNT: &str = "imageswap";
/// The Secret with the serving certificate and, where imageswap signs it itself, the CA.
pub const TLS_SECRET: &str = "imageswap-tls";
/// The Secret with the CA of a certificate that somebody else made.
pub const TLS_CA_SECRET: &str = "imageswap-tls-ca";
/// The key of the CA in [`TLS_CA_SECRET`].
pub const TLS_CA_KEY: &str = "rootca.pem";
/// The annotation of a [`TLS_SECRET`] that is somebody else's; any value counts.
pub const BYOC_ANNOTATION: &str = "imageswap-byoc";
/// The MutatingWebhookConfiguration.
pub const WEBHOOK_CONFIGURATION: &str = "imageswap-webhook";
/// The ConfigMap with the maps, and the key they are under.
pub const MAPS_CONFIG_MAP: &str = "imageswap-maps";
/// The key of [`MAPS_CONFIG_MAP`].
pub const MAPS_KEY: &str = "maps";
/// The ConfigMap with the environment of `serve`.
pub const ENV_CONFIG_MAP: &str = "imageswap-env";
