//! What `serve` takes.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::{Args, ValueEnum};

use super::bootstrap::BootstrapArgs;
use super::find::FindArgs;
use super::maps::MapsArgs;
use crate::registry::AddressRange;

/// Be an admission webhook: swap the images of what is created in a cluster
///
/// It answers AdmissionReviews at /, /mutate, /v1/mutate and /clone-image, and at /audit, where nothing is ever changed
/// or refused. /healthz, /readyz and /livez are for probes, and /metrics (on its own port) is for Prometheus. Maps
/// files and certificate files are loaded again when they change.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where to listen for the API server (HTTPS)
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8443")]
    pub listen: SocketAddr,
    /// Where to serve metrics and probes without TLS; `off` does not
    #[arg(long, value_name = "ADDRESS|off", default_value = "0.0.0.0:8080",
        value_parser = ValueParser::new(address_or_off))]
    pub metrics_addr: MetricsAddress,
    /// Whether to swap by maps, or put IMAGE_PREFIX before images (deprecated)
    #[arg(long, value_enum, ignore_case = true, env = "IMAGESWAP_MODE", hide_env_values = true,
        default_value_t = Mode::Maps)]
    pub mode: Mode,
    /// What to do about an image that no rule covers
    #[arg(long, value_enum, default_value_t = OnUnmapped::Ignore, value_name = "WHAT")]
    pub on_unmapped: OnUnmapped,
    /// What to do about an object that cannot be judged
    #[arg(long, value_enum, default_value_t = OnError::Deny, value_name = "WHAT")]
    pub on_error: OnError,
    /// The same as --on-error allow
    #[arg(long, conflicts_with = "on_error")]
    pub ignore_errors: bool,
    /// Change nothing; say as warnings what would change
    #[arg(long)]
    pub dry_run: bool,
    /// Say in the annotation imageswap.dev/original-images what the images were
    #[arg(long)]
    pub annotate_original: bool,
    /// Add to each image the digest that its registry has for it
    #[arg(long)]
    pub pin: bool,
    /// Images that start with PREFIX are not pinned; several are separated by commas
    #[arg(long, value_name = "PREFIX", env = "SKIP_PREFIXES", hide_env_values = true, value_delimiter = ',')]
    pub skip_prefixes: Vec<String>,
    /// How long a digest counts before its registry is asked again
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    pub pin_remember: f64,
    /// Private addresses that --pin may connect to, as 10.0.0.0/8; public ones always may be
    #[arg(long, value_name = "RANGE")]
    pub allow_addresses: Vec<AddressRange>,
    /// The certificate chain (PEM), unless there is a --bootstrap; a cert.pem beside it is found, too
    #[arg(long, value_name = "FILE", default_value = "/tls/tls.crt")]
    pub tls_cert: PathBuf,
    /// Its private key (PEM); a key.pem beside it is found, too
    #[arg(long, value_name = "FILE", default_value = "/tls/tls.key")]
    pub tls_key: PathBuf,
    /// The CA (PEM) that must have signed the certificate; a ca.crt or rootca.pem beside the certificate is found, too
    #[arg(long, value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
    /// How often to look whether maps and certificate files have changed
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    pub reload_interval: f64,
    /// How long to serve on after SIGTERM, while load balancers and API servers notice
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    pub lame_duck: f64,
    /// How long requests under way may take then
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    pub drain: f64,
    /// How long the head of an HTTP/1.1 request may take
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    pub head_timeout: f64,
    /// How many connections may be open
    #[arg(long, value_name = "N", default_value_t = 768)]
    pub max_connections: usize,
    /// What to log
    #[arg(long, value_enum, ignore_case = true, env = "IMAGESWAP_LOG_LEVEL", hide_env_values = true,
        default_value_t = LogLevel::Info, value_name = "LEVEL")]
    pub log_level: LogLevel,
    /// How to log: text on a terminal, JSON elsewhere
    #[arg(long, value_enum, default_value_t = LogFormat::Auto, value_name = "FORMAT")]
    pub log_format: LogFormat,
    #[command(flatten)]
    pub bootstrap: BootstrapArgs,
    #[command(flatten)]
    pub maps: MapsArgs,
    #[command(flatten)]
    pub find: FindArgs,
}

/// An address, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricsAddress(pub Option<SocketAddr>);

fn address_or_off(text: &str) -> Result<MetricsAddress, String> {
    if text == "off" {
        return Ok(MetricsAddress(None));
    }
    let address = text.parse().map_err(|_| "expected an address such as 0.0.0.0:8080, or off".to_owned())?;
    Ok(MetricsAddress(Some(address)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    Maps,
    Legacy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnUnmapped {
    Ignore,
    Warn,
    Deny,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnError {
    /// Let it through with a warning
    Allow,
    /// Refuse it
    Deny,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    #[value(alias = "critical")]
    Error,
    #[value(alias = "warning")]
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Auto,
    Text,
    Json,
}
