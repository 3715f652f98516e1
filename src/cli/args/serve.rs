//! What `serve` takes.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::{Args, ValueEnum};

use super::bootstrap::BootstrapArgs;
use super::find::FindArgs;
use super::maps::{Boolish, MapsArgs};
use super::mirroring::MirroringArgs;
use super::pin::RegistryArgs;
use crate::registry::{AddressRange, Platform};

#[derive(Debug, Args)]
#[command(mut_arg("maps", |arg| arg.help("Maps file; can be repeated, and for the same key later files win")))]
pub struct ServeArgs {
    /// Where to listen for the API server (HTTPS)
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8443")]
    pub listen: SocketAddr,
    /// Where to serve metrics and probes without TLS, or `off`
    #[arg(long, value_name = "ADDRESS|off", default_value = "0.0.0.0:8080",
        value_parser = ValueParser::new(address_or_off))]
    pub metrics_addr: MetricsAddress,
    /// Whether to swap images by maps, or to put IMAGE_PREFIX before them (deprecated)
    #[arg(long, value_enum, ignore_case = true, env = "IMAGESWAP_MODE", hide_env_values = true,
        default_value_t = Mode::Maps)]
    pub mode: Mode,
    /// What to do about an image that no rule covers
    #[arg(long, value_enum, default_value_t = OnUnmapped::Ignore, value_name = "WHAT")]
    pub on_unmapped: OnUnmapped,
    /// What to do about an object that cannot be reviewed because of an error
    #[arg(long, value_enum, default_value_t = OnError::Deny, value_name = "WHAT")]
    pub on_error: OnError,
    /// The same as --on-error allow
    #[arg(long, conflicts_with = "on_error")]
    pub ignore_errors: bool,
    /// Change nothing, and warn about what would change
    #[arg(long)]
    pub dry_run: bool,
    /// Record the original images in the annotation imageswap.dev/original-images
    #[arg(long)]
    pub annotate_original: bool,
    /// Add to each image the digest that its registry has for it
    #[arg(long)]
    pub pin: bool,
    /// Do not pin images that start with one of these prefixes; can be repeated, or separated by commas or
    /// colons
    #[arg(long, value_name = "PREFIXES", env = "SKIP_PREFIXES", hide_env_values = true)]
    pub skip_prefixes: Vec<String>,
    /// Pin one platform of multi-platform images instead of all, as os/architecture[/variant]
    #[arg(long, value_name = "PLATFORM")]
    pub platform: Option<Platform>,
    /// Read no pull secrets from the cluster; --offline=false reads those of the object and of its service account
    #[arg(long, value_name = "BOOL", env = "OFFLINE", hide_env_values = true, value_parser = Boolish,
        num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "true",
        hide_default_value = true, hide_possible_values = true)]
    pub offline: bool,
    /// How long a digest is cached before its registry is asked again
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    pub pin_remember: f64,
    /// Private addresses that --pin and --mirror may connect to, such as 10.0.0.0/8, separated by commas; public
    /// addresses are always allowed
    #[arg(
        long,
        value_name = "RANGES",
        env = "IMAGESWAP_ALLOW_ADDRESSES",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub allow_addresses: Vec<AddressRange>,
    /// The certificate chain (PEM), without --bootstrap; a cert.pem in the same folder is found, too
    #[arg(long, value_name = "FILE", default_value = "/tls/tls.crt")]
    pub tls_cert: PathBuf,
    /// Its private key (PEM); a key.pem in the same folder is found, too
    #[arg(long, value_name = "FILE", default_value = "/tls/tls.key")]
    pub tls_key: PathBuf,
    /// The CA (PEM) that must have signed the certificate; a ca.crt or rootca.pem in the certificate's folder is found,
    /// too
    #[arg(long, value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
    /// How often to check whether maps and certificate files have changed
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    pub reload_interval: f64,
    /// How long to keep serving after SIGTERM, while load balancers and API servers notice
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    pub lame_duck: f64,
    /// How long to wait after that for requests under way, and for registries to give up the uploads of copies
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    pub drain: f64,
    /// How long the head of an HTTP/1.1 request may take
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    pub head_timeout: f64,
    /// How many connections may be open
    #[arg(long, value_name = "N", default_value_t = 768)]
    pub max_connections: usize,
    /// How much to log
    #[arg(long, value_enum, ignore_case = true, env = "IMAGESWAP_LOG_LEVEL", hide_env_values = true,
        default_value_t = LogLevel::Info, value_name = "LEVEL")]
    pub log_level: LogLevel,
    /// How to log: text on a terminal, JSON elsewhere
    #[arg(long, value_enum, default_value_t = LogFormat::Auto, value_name = "FORMAT")]
    pub log_format: LogFormat,
    #[command(flatten)]
    pub mirroring: MirroringArgs,
    #[command(flatten)]
    pub bootstrap: BootstrapArgs,
    #[command(flatten)]
    pub maps: MapsArgs,
    #[command(flatten)]
    pub find: FindArgs,
    #[command(flatten)]
    pub registry: RegistryArgs,
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cluster::manifests::{InstallOptions, Signing, objects};

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        serve: ServeArgs,
    }

    /// What the Deployment that `imageswap manifests` prints starts.
    fn rendered(options: &InstallOptions) -> Vec<String> {
        let deployment = objects(options).into_iter().find(|object| object["kind"] == "Deployment").unwrap();
        let args = deployment["spec"]["template"]["spec"]["containers"][0]["args"].clone();
        serde_json::from_value(args).unwrap()
    }

    #[test]
    fn what_manifests_print_is_understood() {
        for signing in [Signing::SelfSigned, Signing::Csr("example.com/signer".to_owned()), Signing::Byo] {
            for pin in [false, true] {
                let line = Arguments::try_parse_from(rendered(&InstallOptions {
                    pin,
                    signing: signing.clone(),
                    ..InstallOptions::default()
                }));
                let serve = line.unwrap_or_else(|error| panic!("{error}")).serve;
                assert_eq!(serve.pin, pin);
                assert!(serve.bootstrap.bootstrap.is_some());
            }
        }
    }

    #[test]
    fn the_flags_of_digester_are_understood() {
        let parse =
            |more: &[&str]| Arguments::try_parse_from([&["serve"][..], more].concat()).map(|line| line.serve);
        assert!(parse(&["--offline"]).unwrap().offline && parse(&["--offline=true"]).unwrap().offline);
        assert!(!parse(&["--offline=false"]).unwrap().offline);
        let serve =
            parse(&["--skip-prefixes=gcr.io/a:quay.io", "--allow-addresses=10.0.0.0/8,::1/128"]).unwrap();
        assert_eq!(crate::cli::pin::prefixes(&serve.skip_prefixes), ["gcr.io/a", "quay.io"]);
        assert_eq!(serve.allow_addresses.len(), 2);
    }
}
