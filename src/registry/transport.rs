//! One request and its answer: time-outs, redirects, which host may get what. Knows nothing of tokens.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION};
use http::{Method, StatusCode};
use hyper_util::client::proxy::matcher::Matcher;
use rustls::CertificateError;
use url::{Host, Url};

use super::guard::{AddressGuard, AddressRefused};
use super::options::{Proxies, RegistryOptions};
use super::tls::HostTls;
use super::{Reason, Secret};

/// How many redirects are followed.
const REDIRECTS_MAX: usize = 5;

/// A request.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    /// Goes to the URL's own host and to no other.
    pub(super) authorization: Option<HeaderValue>,
    pub(super) body: Option<Sent>,
}

/// The body of a request.
pub(super) enum Sent {
    /// Bytes.
    Whole(Bytes),
    /// Bytes as they come, which may take longer than a registry may say nothing.
    Streamed(reqwest::Body),
}

/// Why there is no answer, and which host gave none.
#[derive(Debug)]
pub(super) struct RequestFailure {
    pub(super) host: String,
    pub(super) reason: Reason,
}

/// Sends requests.
pub(super) struct Transport {
    options: Arc<RegistryOptions>,
    /// Which proxy a URL is reached through.
    matcher: Matcher,
    /// A client for each kind of TLS.
    clients: Mutex<Vec<(HostTls, bool, reqwest::Client)>>,
    /// Which of them a host has: for what is streamed to it, and for everything else.
    hosts: Mutex<HashMap<(String, bool), reqwest::Client>>,
}

impl Transport {
    pub(super) fn new(options: Arc<RegistryOptions>) -> Self {
        let proxies = &options.proxies;
        let shown =
            |proxy: &Option<Secret>| proxy.as_ref().map_or_else(String::new, |url| url.expose().to_owned());
        let matcher = Matcher::builder()
            .https(shown(&proxies.https))
            .http(shown(&proxies.http))
            .no(not_proxied(proxies))
            .build();
        Self { options, matcher, clients: Mutex::default(), hosts: Mutex::default() }
    }

    /// Sends a request; GET and HEAD follow redirects.
    pub(super) async fn send(&self, request: Request) -> Result<reqwest::Response, RequestFailure> {
        let Request { method, mut url, headers, authorization, mut body } = request;
        let origin = url.origin();
        let mut redirects = 0;
        loop {
            let host = host_of(&url);
            let failure = |reason| RequestFailure { host: host.clone(), reason };
            self.vet(&url).map_err(failure)?;
            self.vet_behind_proxy(&url).await.map_err(failure)?;
            let streams = matches!(body, Some(Sent::Streamed(_)));
            let client = self.client(&host, streams).map_err(failure)?;
            let mut builder = client.request(method.clone(), url.clone()).headers(headers.clone());
            if let Some(authorization) = authorization.as_ref().filter(|_| url.origin() == origin) {
                builder = builder.header(AUTHORIZATION, authorization.clone());
            }
            builder = match body.take() {
                Some(Sent::Whole(bytes)) => builder.body(bytes),
                Some(Sent::Streamed(body)) => builder.body(body),
                None => builder,
            };
            let response = builder.send().await.map_err(|error| failure(self.reason(&error)))?;
            let follows = matches!(method, Method::GET | Method::HEAD)
                && matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            if !follows {
                return Ok(response);
            }
            redirects += 1;
            url = self.target(&url, &response, redirects).map_err(failure)?;
        }
    }

    /// Where a redirect leads.
    fn target(&self, from: &Url, response: &reqwest::Response, redirects: usize) -> Result<Url, Reason> {
        let refused = |to: &str, why| Reason::Redirect { to: to.to_owned(), why };
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let Some(mut to) = location.and_then(|location| from.join(location).ok()) else {
            return Err(refused("nowhere", "it has no usable Location"));
        };
        let shown = shown(&to);
        if redirects > REDIRECTS_MAX {
            return Err(refused(&shown, "there are too many"));
        }
        // A user in the URL would be sent as a credential.
        if to.set_username("").and_then(|()| to.set_password(None)).is_err() {
            return Err(refused(&shown, "it has no host"));
        }
        match to.scheme() {
            "https" => Ok(to),
            "http" if from.scheme() == "https" => Err(refused(&shown, "it leads from https to plain http")),
            "http" if self.options.may_be_plain(&host_of(&to)) => Ok(to),
            "http" => Err(refused(&shown, "it leads to plain http, for which the host is not named")),
            _ => Err(refused(&shown, "it is no web address")),
        }
    }

    /// Where a registry wants something to be sent, as it said in answer to a request to `from`. What came from it over
    /// https goes nowhere without.
    pub(super) fn location(&self, from: &Url, headers: &HeaderMap) -> Result<Url, Reason> {
        let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let Some(mut to) = location.and_then(|location| from.join(location).ok()) else {
            return Err(Reason::NoLocation);
        };
        let refused = |to: &Url, why| Err(Reason::Redirect { to: shown(to), why });
        if to.set_username("").and_then(|()| to.set_password(None)).is_err() {
            return refused(&to, "it has no host");
        }
        match to.scheme() {
            "https" => Ok(to),
            // A registry behind a proxy that ends TLS may not know that it is spoken to with TLS.
            "http" if from.scheme() == "https" && host_of(from) == host_of(&to) => {
                to.set_scheme("https").expect("one of the web's schemes takes the other's place");
                Ok(to)
            }
            "http" if from.scheme() == "https" => refused(&to, "it leads from https to plain http"),
            "http" if self.options.may_be_plain(&host_of(&to)) => Ok(to),
            "http" => refused(&to, "it leads to plain http, for which the host is not named"),
            _ => refused(&to, "it is no web address"),
        }
    }

    /// Addresses that are written out do not pass the resolver, which vets the others.
    fn vet(&self, url: &Url) -> Result<(), Reason> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        let vetted = self.options.guard.vet(&address.to_string(), address);
        vetted.map_err(|refused| Reason::Address { message: refused.to_string() })
    }

    fn client(&self, host: &str, streams: bool) -> Result<reqwest::Client, Reason> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (host.to_owned(), streams);
        if let Some(client) = hosts.get(&key) {
            return Ok(client.clone());
        }
        let tls = HostTls::of(&self.options, host);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let known = clients.iter().find(|(other, for_streams, _)| *other == tls && *for_streams == streams);
        let known = known.map(|(_, _, client)| client.clone());
        let client = match known {
            Some(client) => client,
            None => {
                let client = build(&self.options, &tls, streams)
                    .map_err(|message| Reason::Configuration { message })?;
                clients.push((tls, streams, client.clone()));
                client
            }
        };
        // Redirects may lead to any number of hosts.
        if hosts.len() >= 1024 {
            hosts.clear();
        }
        hosts.insert(key, client.clone());
        Ok(client)
    }

    /// What an error of the HTTP client means. Its own text holds the whole URL, and is not shown.
    pub(super) fn reason(&self, error: &reqwest::Error) -> Reason {
        let reason = self.direct_reason(error);
        // A registry behind a proxy is never connected to: whatever fails before TLS is the proxy's.
        let proxy = error.url().filter(|_| error.is_connect()).and_then(|url| self.proxy(url));
        match (proxy, reason) {
            (Some(proxy), Reason::Dns { message } | Reason::Connect { message }) => {
                Reason::Proxy { proxy, message }
            }
            (_, reason) => reason,
        }
    }

    /// Host and port of the proxy that `url` is reached through.
    fn proxy(&self, url: &Url) -> Option<String> {
        let to = self.matcher.intercept(&url.as_str().parse().ok()?)?;
        Some(to.uri().authority().map_or_else(String::new, |authority| {
            // Without the user and the password.
            authority.as_str().rsplit('@').next().unwrap_or_default().to_owned()
        }))
    }

    /// Vets what a proxy will connect to, as far as that can be seen from here.
    async fn vet_behind_proxy(&self, url: &Url) -> Result<(), Reason> {
        let Some(Host::Domain(name)) = url.host() else { return Ok(()) };
        if self.options.guard == AddressGuard::Any || self.proxy(url).is_none() {
            return Ok(());
        }
        let vetted = self.options.guard.vet_name(name).await;
        vetted.map_err(|refused| Reason::Address { message: refused.to_string() })
    }

    fn direct_reason(&self, error: &reqwest::Error) -> Reason {
        let mut innermost = String::new();
        let mut next: Option<&(dyn StdError + 'static)> = error.source();
        while let Some(error) = next {
            if let Some(refused) = error.downcast_ref::<AddressRefused>() {
                return Reason::Address { message: refused.to_string() };
            }
            if let Some(tls) = tls_error(error) {
                return tls_reason(tls);
            }
            innermost = error.to_string();
            next = error.source();
        }
        // The library of HTTP/2 keeps the words alone.
        if innermost.starts_with("received fatal alert: ") {
            return Reason::TlsRefused { message: printable(&innermost) };
        }
        // The number says nothing to anyone.
        let message = printable(innermost.split(" (os error ").next().unwrap_or_default());
        if error.is_timeout() {
            let options = &self.options;
            Reason::TimedOut {
                after: if error.is_connect() { options.connect_timeout } else { options.read_timeout },
            }
        } else if error.is_dns() {
            Reason::Dns { message }
        } else if error.is_connect() {
            Reason::Connect { message }
        } else {
            Reason::Broken { message }
        }
    }

    /// How long an answer may take as a whole.
    pub(super) fn answer_timeout(&self) -> Duration {
        self.options.answer_timeout
    }
}

/// A client; one that streams waits as long as its caller does, since the answer comes when everything was sent.
fn build(options: &RegistryOptions, tls: &HostTls, streams: bool) -> Result<reqwest::Client, String> {
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls.config()?)
        .dns_resolver(Arc::new(options.guard.clone()))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_gzip()
        .user_agent(concat!("imageswap/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(options.connect_timeout)
        .pool_max_idle_per_host(options.concurrency)
        .http2_max_header_list_size(64 * 1024);
    let builder = if streams { builder } else { builder.read_timeout(options.read_timeout) };
    let builder = with_proxies(builder.no_proxy(), &options.proxies)?;
    builder.build().map_err(|error| format!("the HTTP client cannot be made: {error}"))
}

fn with_proxies(
    mut builder: reqwest::ClientBuilder,
    proxies: &Proxies,
) -> Result<reqwest::ClientBuilder, String> {
    let except = reqwest::NoProxy::from_string(&not_proxied(proxies));
    for (url, scheme) in [(&proxies.https, "https"), (&proxies.http, "http")] {
        let Some(url) = url else { continue };
        let proxy = match scheme {
            "https" => reqwest::Proxy::https(url.expose()),
            _ => reqwest::Proxy::http(url.expose()),
        };
        // The error's own text would hold the URL, which may hold a password.
        let proxy = proxy.map_err(|_| format!("the proxy for {scheme} is no URL of a proxy"))?;
        builder = builder.proxy(proxy.no_proxy(except.clone()));
    }
    Ok(builder)
}

/// What is reached without a proxy: this machine, and what is named.
fn not_proxied(proxies: &Proxies) -> String {
    let except = format!("localhost,127.0.0.0/8,::1,{}", proxies.except.as_deref().unwrap_or_default());
    except.trim_end_matches(',').to_owned()
}

/// The failure of TLS in an error, which the system's errors may wrap more than once: what they wrap is not among
/// their sources.
fn tls_error<'e>(mut error: &'e (dyn StdError + 'static)) -> Option<&'e rustls::Error> {
    while let Some(inner) = error.downcast_ref::<io::Error>() {
        error = inner.get_ref()?;
    }
    error.downcast_ref()
}

/// What a failure of TLS means.
fn tls_reason(error: &rustls::Error) -> Reason {
    let message = error.to_string();
    match error {
        rustls::Error::InvalidMessage(_) => Reason::NoTls { message },
        rustls::Error::AlertReceived(_) => Reason::TlsRefused { message },
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            Reason::Tls { message, unknown_authority: true }
        }
        _ => Reason::Tls { message, unknown_authority: false },
    }
}

/// Host and port as registries are named: `quay.io`, `localhost:5000`.
pub(super) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// A URL without user and query, which may hold secrets.
pub(super) fn shown(url: &Url) -> String {
    let text = format!("{}://{}{}", url.scheme(), host_of(url), url.path());
    printable(&text)
}

/// The text with control characters escaped, and not too long.
pub(super) fn printable(text: &str) -> String {
    const LENGTH_MAX: usize = 200;
    let mut out = String::new();
    for c in text.chars() {
        if out.len() >= LENGTH_MAX {
            out.push('…');
            break;
        }
        if c.is_control() || is_invisible(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Characters that turn the direction of text, or have no width.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn read_body(
    transport: &Transport,
    mut response: reqwest::Response,
    limit: usize,
) -> Result<bytes::Bytes, Reason> {
    let announced = response.content_length().unwrap_or(0);
    if announced > limit as u64 {
        return Err(Reason::TooLarge { limit });
    }
    let mut body = bytes::BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| transport.reason(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(Reason::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The reason in a status that is no answer, with what the registry says beside it.
pub(super) fn refusal(status: StatusCode, answer: String) -> Reason {
    match status.as_u16() {
        403 => Reason::Forbidden { answer },
        404 => Reason::NotFound { answer },
        status => Reason::Status { status, answer },
    }
}
