//! What the client is told: registries, mirrors, certificates, proxies, limits. Everything that the file of
//! `--registries` and the flags can say ends here.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::{AddressGuard, Secret};

/// How registries are talked to.
#[derive(Clone, Debug)]
pub struct RegistryOptions {
    /// Where images are looked for that stand below a prefix; the longest prefix wins.
    pub rules: Vec<RegistryRule>,
    /// What is special about a host (`quay.io`, `localhost:5000`).
    pub hosts: BTreeMap<String, HostOptions>,
    /// Certificate authorities to trust besides the system's, in PEM.
    pub ca_files: Vec<PathBuf>,
    /// Folders with a folder for each host, holding `*.crt`, `*.cert` and `*.key`, as Docker and Podman read them.
    pub certificate_folders: Vec<PathBuf>,
    /// Proxies.
    pub proxies: Proxies,
    /// Which addresses may be connected to.
    pub guard: AddressGuard,
    /// How many requests are under way at once.
    pub concurrency: usize,
    /// How many requests for manifests and digests are under way at once at one host.
    pub lookups_per_host: usize,
    /// How many blobs are read or written at once at one host.
    pub blobs_per_host: usize,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long a registry may say nothing.
    pub read_timeout: Duration,
    /// How long an answer may take as a whole (manifests and tokens; blobs may take as long as bytes arrive).
    pub answer_timeout: Duration,
    /// How often a request is made before its failure counts.
    pub tries: u32,
    /// The longest wait that a registry may ask for (`Retry-After`) before it counts as failure.
    pub longest_wait: Duration,
}

impl Default for RegistryOptions {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            hosts: BTreeMap::new(),
            ca_files: Vec::new(),
            certificate_folders: ["/etc/containers/certs.d", "/etc/docker/certs.d"].map(PathBuf::from).into(),
            proxies: Proxies::default(),
            guard: AddressGuard::Any,
            concurrency: 32,
            lookups_per_host: 8,
            blobs_per_host: 4,
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(60),
            tries: 4,
            longest_wait: Duration::from_secs(60),
        }
    }
}

/// Where images are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegistryRule {
    /// The registry, or a registry and the start of a path: `docker.io`, `quay.io/team`.
    pub prefix: String,
    /// What takes the prefix's place; `None` when images are where their names say.
    pub location: Option<String>,
    /// Whether these images may not be looked for at all.
    pub blocked: bool,
    /// What takes the prefix's place first, in this order.
    pub mirrors: Vec<String>,
}

/// What is special about a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostOptions {
    /// Whether it speaks plain http.
    pub plain_http: bool,
    /// Its certificate authority, besides the system's, in PEM.
    pub ca: Option<PathBuf>,
    /// The certificate and the key that the client shows it, in PEM.
    pub client: Option<ClientCertificate>,
}

/// A client certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, with those between it and its authority.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Which proxies requests go through. Loopback addresses are always reached without.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For https (`HTTPS_PROXY`). May hold a password.
    pub https: Option<Secret>,
    /// For plain http (`http_proxy`). May hold a password.
    pub http: Option<Secret>,
    /// What is reached without (`NO_PROXY`).
    pub except: Option<String>,
}

impl Proxies {
    /// What the environment says: `HTTPS_PROXY`, `http_proxy`, `ALL_PROXY` and `NO_PROXY`, in either case
    /// (except `HTTP_PROXY`, which a CGI server sets from a request's header).
    #[must_use]
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let get = |names: &[&str]| {
            names.iter().find_map(|name| variable(name)).filter(|value| !value.trim().is_empty())
        };
        let all = get(&["ALL_PROXY", "all_proxy"]);
        let in_cgi = variable("REQUEST_METHOD").is_some();
        let http = if in_cgi { get(&["http_proxy"]) } else { get(&["HTTP_PROXY", "http_proxy"]) };
        Self {
            https: get(&["HTTPS_PROXY", "https_proxy"]).or_else(|| all.clone()).map(Secret::from),
            http: http.or(all).map(Secret::from),
            except: get(&["NO_PROXY", "no_proxy"]),
        }
    }
}

impl RegistryOptions {
    /// Whether `host` (with its port, if one is written) may be spoken to without TLS.
    pub(super) fn may_be_plain(&self, host: &str) -> bool {
        is_loopback(host) || self.named_plain(host)
    }

    /// Whether `host` is named as one without TLS.
    pub(super) fn named_plain(&self, host: &str) -> bool {
        self.hosts.get(host).is_some_and(|options| options.plain_http)
    }
}

/// Whether `host` (with or without a port) means this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback() {
        for host in ["localhost", "localhost:5000", "a.localhost", "127.0.0.1:80", "127.1.2.3", "[::1]:5000"]
        {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example.com", "example.com", "128.0.0.1", "127.0.0.1.nip.io", "[::2]:5000"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn proxies_of_the_environment() {
        let from = |pairs: &[(&str, &str)]| {
            Proxies::of_environment(|name| {
                pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            })
        };
        let shown = |secret: Option<Secret>| secret.map(|secret| secret.expose().to_owned());
        let proxies =
            from(&[("HTTPS_PROXY", "http://u:p@a:1"), ("http_proxy", "http://b:2"), ("NO_PROXY", "x")]);
        assert!(!format!("{proxies:?}").contains("u:p"));
        assert_eq!(shown(proxies.https), Some("http://u:p@a:1".to_owned()));
        assert_eq!(shown(proxies.http), Some("http://b:2".to_owned()));
        assert_eq!(proxies.except.as_deref(), Some("x"));
        assert_eq!(shown(from(&[("all_proxy", "http://c:3")]).https), Some("http://c:3".to_owned()));
        assert_eq!(from(&[("HTTP_PROXY", "http://evil"), ("REQUEST_METHOD", "GET")]).http, None);
        assert_eq!(from(&[("HTTPS_PROXY", "")]), Proxies::default());
    }
}
