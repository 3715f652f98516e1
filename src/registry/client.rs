//! The client: logs in, limits, tries again. What is asked for and what the answer means is the business of its
//! callers (manifests, blobs, referrers).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use time::OffsetDateTime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use super::answer::{WORDS_MAX, words};
use super::challenge::{Challenge, challenge};
use super::flight::Flights;
use super::host::{Host, Session};
use super::open_upload::DroppedUploads;
use super::retry::{backoff, is_transient, retry_after};
use super::token::{Login, Token, TokenKey};
use super::transport::{Request, RequestFailure, Sent, Transport, host_of, read_body, refusal};
use super::{Keychain, Reason, RegistryError, RegistryOptions, Step};
use crate::image::Repository;

/// How many tokens are kept.
const TOKENS_MAX: usize = 1024;

/// A client for registries. Clones share their connections, tokens and limits.
#[derive(Clone)]
pub struct Client {
    pub(super) shared: Arc<Shared>,
    /// Whether it asks token servers for the right to write with the right to read.
    writes: bool,
}

pub(super) struct Shared {
    pub(super) options: Arc<RegistryOptions>,
    pub(super) keychain: Box<dyn Keychain>,
    pub(super) transport: Transport,
    pub(super) hosts: Mutex<HashMap<String, Arc<Host>>>,
    pub(super) sessions: Flights<String, Session>,
    pub(super) tokens: Flights<TokenKey, Token>,
    pub(super) in_flight: Arc<Semaphore>,
    pub(super) dropped_uploads: Arc<DroppedUploads>,
}

/// What a request is for, which says how much of it there may be at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Lookup,
    Blob,
}

/// What is done with the body of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// Read, up to so many bytes.
    Read(usize),
    /// Left to be streamed.
    Stream,
}

/// A request to a registry.
pub(super) struct Call<'a> {
    /// What messages call it.
    pub(super) image: &'a str,
    pub(super) repository: &'a Repository,
    pub(super) step: Step,
    pub(super) method: Method,
    /// Below `/v2/`, or a whole URL that the registry gave.
    pub(super) path: &'a str,
    pub(super) headers: HeaderMap,
    pub(super) send: Bytes,
    /// `repository:library/nginx:pull`.
    pub(super) scopes: Vec<String>,
    pub(super) kind: Kind,
    pub(super) body: Body,
    /// Statuses besides 2xx that are answers and no failures.
    pub(super) accept: &'a [u16],
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// What was asked, after redirects.
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    /// What was read of the body.
    pub(super) bytes: Bytes,
    /// The body, when it is to be streamed.
    pub(super) stream: Option<reqwest::Response>,
    /// Kept for as long as a stream is read.
    pub(super) permits: Option<[OwnedSemaphorePermit; 2]>,
}

impl Client {
    /// A client. Nothing is opened, read or started before the first request.
    #[must_use]
    pub fn new(options: RegistryOptions, keychain: impl Keychain + 'static) -> Self {
        let options = Arc::new(options);
        let shared = Shared {
            transport: Transport::new(Arc::clone(&options)),
            keychain: Box::new(keychain),
            hosts: Mutex::default(),
            sessions: Flights::new(1024),
            tokens: Flights::new(TOKENS_MAX),
            in_flight: Arc::new(Semaphore::new(options.concurrency.max(1))),
            dropped_uploads: Arc::default(),
            options,
        };
        Self { shared: Arc::new(shared), writes: false }
    }

    /// The same client for repositories that are written to: it asks for the right to do so with its first question. A
    /// token server that grants it says of a repository that is not there yet that it may be read, too.
    #[must_use]
    pub fn for_writing(&self) -> Self {
        Self { writes: true, ..self.clone() }
    }

    /// What the client was told.
    #[must_use]
    pub fn options(&self) -> &RegistryOptions {
        &self.shared.options
    }

    pub(super) fn transport(&self) -> &Transport {
        &self.shared.transport
    }

    /// Makes a request, until it is answered or has failed for good.
    pub(super) async fn call(&self, mut call: Call<'_>) -> Result<Answer, RegistryError> {
        if let Some(scope) = call.scopes.first_mut().filter(|scope| self.writes && scope.ends_with(":pull")) {
            scope.push_str(",push");
        }
        let host = self.host(call.repository.registry());
        let session = self.session(&host, call.image).await?;
        let url = session.base.join(call.path).map_err(|_| {
            call.error(&host.name, Reason::Name { message: format!("{} is no path", call.path) })
        })?;
        let mut extra_scope = None;
        let mut logged_in_again = false;
        let mut tries = 0;
        loop {
            // Where a registry sends us to has no claim to what we tell the registry.
            let own = url.origin() == session.base.origin();
            let login = if own {
                self.login(&host, &session, &call, extra_scope.as_deref()).await?
            } else {
                Login::anonymous()
            };
            tries += 1;
            let result = self.once(&host, &call, &url, &login).await;
            let (reason, at, wait) = match result {
                Ok(answer) if answer.status.is_success() || call.accept.contains(&answer.status.as_u16()) => {
                    return Ok(answer);
                }
                Ok(answer) if answer.status == StatusCode::UNAUTHORIZED => {
                    let asked = challenge(&answer.headers).filter(|_| own && !logged_in_again);
                    // Without a credential, the same password challenge will not be answered better.
                    let hopeless = asked == Some(Challenge::Basic)
                        && login.origin.is_none()
                        && host.challenge(&session.challenge) == Challenge::Basic;
                    let Some(asked) = asked.filter(|_| !hopeless) else {
                        return Err(self.refused(&host, &call, login, &answer));
                    };
                    logged_in_again = true;
                    tries -= 1;
                    if let Some((key, token)) = &login.token {
                        self.shared.tokens.forget(key, |kept| kept == token).await;
                    }
                    if let Challenge::Bearer { scope, .. } = &asked {
                        extra_scope.clone_from(scope);
                    }
                    host.challenged(asked);
                    continue;
                }
                Ok(answer) => match self.put_off(&host, &login, &answer, tries) {
                    Ok((reason, wait)) => (reason, host.name.clone(), wait),
                    Err(reason) => return Err(call.error(&host.name, reason)),
                },
                Err(RequestFailure { host: at, reason }) if may_pass(&reason) => (reason, at, backoff(tries)),
                Err(RequestFailure { host: at, reason }) => return Err(call.error(&at, reason)),
            };
            if tries >= self.shared.options.tries {
                return Err(call.error(&at, reason));
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// The error of a request that was answered with 401 in spite of `login`.
    fn refused(&self, host: &Host, call: &Call<'_>, login: Login, answer: &Answer) -> RegistryError {
        let said = words(&answer.bytes, &login.secrets);
        if login.origin.is_some() {
            self.shared.keychain.refused(&host.name);
        }
        call.error(&host.name, Reason::Unauthorized { origin: login.origin, answer: said })
    }

    /// Why `answer`, to the try of this number, is no success, and how long to wait before the next.
    ///
    /// # Errors
    /// The reason where another try would not help, or would have to wait for too long.
    fn put_off(
        &self,
        host: &Host,
        login: &Login,
        answer: &Answer,
        tries: u32,
    ) -> Result<(Reason, Duration), Reason> {
        let options = &self.shared.options;
        let asked = retry_after(&answer.headers, OffsetDateTime::now_utc());
        let wait = asked.unwrap_or_default().max(backoff(tries));
        let is_rate_limited = answer.status == StatusCode::TOO_MANY_REQUESTS;
        let reason = if is_rate_limited {
            Reason::RateLimited { retry_after: asked }
        } else {
            refusal(answer.status, words(&answer.bytes, &login.secrets))
        };
        let may_pass = is_rate_limited || is_transient(answer.status);
        if !may_pass || asked.is_some_and(|asked| asked > options.longest_wait) {
            return Err(reason);
        }
        if is_rate_limited && tries < options.tries {
            host.pause(wait);
        }
        Ok((reason, wait))
    }

    /// Makes a request once.
    async fn once(
        &self,
        host: &Host,
        call: &Call<'_>,
        url: &Url,
        login: &Login,
    ) -> Result<Answer, RequestFailure> {
        let of_host = match call.kind {
            Kind::Lookup => permit(&host.lookups).await,
            Kind::Blob => permit(&host.blobs).await,
        };
        // Others may have been told to wait meanwhile.
        host.unpaused().await;
        let in_flight = permit(&self.shared.in_flight).await;
        let mut headers = call.headers.clone();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let request = Request {
            method: call.method.clone(),
            url: url.clone(),
            headers,
            authorization: login.header.clone(),
            body: (!call.send.is_empty()).then(|| Sent::Whole(call.send.clone())),
        };
        let transport = &self.shared.transport;
        let whole = async {
            let response = transport.send(request).await?;
            let failed = |reason| RequestFailure { host: host_of(&url_of(&response)), reason };
            let (status, headers) = (response.status(), response.headers().clone());
            let url = url_of(&response);
            let wanted = status.is_success() || call.accept.contains(&status.as_u16());
            let encoded =
                headers.get(CONTENT_ENCODING).filter(|value| !value.is_empty() && *value != "identity");
            if let Some(encoding) = encoded.filter(|_| wanted && call.method != Method::HEAD) {
                let encoding = super::transport::printable(&String::from_utf8_lossy(encoding.as_bytes()));
                return Err(failed(Reason::Encoded { encoding: login.secrets.hide(&encoding) }));
            }
            let at = host_of(&url);
            let mut answer =
                Answer { status, url, headers, bytes: Bytes::new(), stream: None, permits: None };
            match call.body {
                Body::Stream if wanted => answer.stream = Some(response),
                Body::Read(limit) if wanted => {
                    let read = read_body(transport, response, limit).await;
                    answer.bytes = read.map_err(|reason| RequestFailure { host: at, reason })?;
                }
                // What stands beside a refusal is read when it is short.
                Body::Read(_) | Body::Stream => {
                    answer.bytes = read_body(transport, response, WORDS_MAX).await.unwrap_or_default();
                }
            }
            Ok(answer)
        };
        let limit = transport.answer_timeout();
        let mut answer = match tokio::time::timeout(limit, whole).await {
            Ok(answer) => answer?,
            Err(_) => {
                let reason = Reason::TimedOut { after: limit };
                return Err(RequestFailure { host: host.name.clone(), reason });
            }
        };
        if answer.stream.is_some() {
            answer.permits = Some([of_host, in_flight]);
        }
        Ok(answer)
    }

    pub(super) fn host(&self, name: &str) -> Arc<Host> {
        let mut hosts = self.shared.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get(name) {
            return Arc::clone(host);
        }
        let host = Arc::new(Host::new(name, &self.shared.options));
        hosts.insert(name.to_owned(), Arc::clone(&host));
        host
    }
}

impl Call<'_> {
    pub(super) fn error(&self, registry: &str, reason: Reason) -> RegistryError {
        RegistryError::new(self.image, registry, self.step, reason)
    }
}

/// Whether a failure may be gone on the next try.
pub(super) fn may_pass(reason: &Reason) -> bool {
    match reason {
        Reason::Connect { .. } | Reason::Proxy { .. } | Reason::TimedOut { .. } | Reason::Broken { .. } => {
            true
        }
        Reason::Status { status, .. } => matches!(status, 408 | 500 | 502 | 503 | 504),
        _ => false,
    }
}

pub(super) async fn permit(semaphore: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    Arc::clone(semaphore).acquire_owned().await.expect("the semaphore is never closed")
}

pub(super) fn url_of(response: &reqwest::Response) -> Url {
    response.url().clone()
}
