//! Where the certificate under which the API server calls comes from; for `serve` and `init`.

use clap::{Args, ValueEnum};

use super::maps::Boolish;
use crate::cluster::names;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Certificate")]
pub struct BootstrapArgs {
    /// Who signs the certificate, which is kept in a Secret, and whose CA is put into the webhook configuration
    #[arg(long, value_enum, value_name = "HOW")]
    pub bootstrap: Option<BootstrapHow>,
    /// The signer of --bootstrap csr
    #[arg(
        long,
        value_name = "NAME",
        env = "IMAGESWAP_CSR_SIGNER_NAME",
        hide_env_values = true,
        default_value = "kubernetes.io/kubelet-serving"
    )]
    pub csr_signer: String,
    /// The namespace of Secret and Service; that of the pod or of the kubeconfig's context by default
    #[arg(long, value_name = "NAME", env = "IMAGESWAP_NAMESPACE_NAME", hide_env_values = true)]
    pub namespace: Option<String>,
    /// The Service by which the API server calls
    #[arg(long, value_name = "NAME", default_value = names::SERVICE)]
    pub service: String,
    /// The Secret that keeps the certificate
    #[arg(long, value_name = "NAME", default_value = names::TLS_SECRET)]
    pub tls_secret: String,
    /// A further name or address that the certificate must be good for
    #[arg(long, value_name = "NAME")]
    pub tls_name: Vec<String>,
    /// The MutatingWebhookConfiguration to put the CA into; a missing one is not created
    #[arg(long, value_name = "NAME", default_value = names::WEBHOOK_CONFIGURATION)]
    pub webhook_configuration: String,
    /// Do not touch the webhook configuration: another tool manages it
    #[arg(long, env = "IMAGESWAP_DISABLE_AUTO_MWC", value_parser = Boolish,
        num_args = 0, default_missing_value = "true", default_value = "false", hide_env_values = true)]
    pub disable_auto_mwc: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BootstrapHow {
    /// imageswap, with a CA that it makes; a Secret with the annotation imageswap-byoc is used as with `byo`
    SelfSigned,
    /// A signer of the cluster, through the CertificateSigningRequest API
    Csr,
    /// You, or cert-manager, in the Secrets imageswap-tls and imageswap-tls-ca
    Byo,
}
