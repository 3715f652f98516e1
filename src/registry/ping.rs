//! The first request to a registry, which is made once: is it there, over https or plain http, and how does it
//! want to be logged in to?

use std::time::Duration;

use http::header::HeaderMap;
use http::{Method, StatusCode};
use time::OffsetDateTime;
use tokio::time::Instant;

use super::challenge::{Challenge, challenge};
use super::client::{Client, may_pass, url_of};
use super::flight::Made;
use super::host::{Host, Session};
use super::retry::{backoff, is_transient, retry_after};
use super::transport::{Request, RequestFailure, refusal};
use super::{Reason, RegistryError, Step};

/// How long a failed ping keeps others from trying.
const FAILURE: Duration = Duration::from_secs(10);

impl Client {
    /// How a host is spoken to, which is asked once.
    pub(super) async fn session(&self, host: &Host, image: &str) -> Result<Session, RegistryError> {
        let ping = || async {
            match self.ping(host).await {
                Ok(session) => Made { value: Ok(session), until: None },
                Err(RequestFailure { host: at, reason }) => {
                    let error = RegistryError::new(image, &at, Step::Ping, reason);
                    Made { value: Err(error), until: Some(Instant::now() + FAILURE) }
                }
            }
        };
        let session = self.shared.sessions.get(&host.name, ping).await;
        session.map_err(|error| RegistryError { image: image.to_owned(), ..error })
    }

    async fn ping(&self, host: &Host) -> Result<Session, RequestFailure> {
        let mut bases = host.bases(&self.shared.options).into_iter().peekable();
        let mut tries = 0;
        let Some(mut base) = bases.next() else {
            let message = format!("{:?} is no name of a registry", host.name);
            return Err(RequestFailure { host: host.name.clone(), reason: Reason::Name { message } });
        };
        loop {
            host.unpaused().await;
            tries += 1;
            let request = Request {
                method: Method::GET,
                url: base.clone(),
                headers: HeaderMap::new(),
                authorization: None,
                body: None,
            };
            let limit = self.shared.transport.answer_timeout();
            let sent = tokio::time::timeout(limit, self.shared.transport.send(request)).await;
            let failure = match sent {
                Err(_) => {
                    RequestFailure { host: host.name.clone(), reason: Reason::TimedOut { after: limit } }
                }
                Ok(Ok(response)) => {
                    let (status, headers) = (response.status(), response.headers());
                    let asked = retry_after(headers, OffsetDateTime::now_utc());
                    if status == StatusCode::UNAUTHORIZED {
                        // A realm is believed only from the registry itself, not from where it redirects to.
                        let own = url_of(&response).origin() == base.origin();
                        let asked = challenge(headers).filter(|_| own).unwrap_or(Challenge::Open);
                        return Ok(Session { base, challenge: asked });
                    }
                    if !is_transient(status) {
                        // Some registries have nothing at /v2/: what they want is heard with the first request.
                        return Ok(Session { base, challenge: Challenge::Open });
                    }
                    let reason = if status == StatusCode::TOO_MANY_REQUESTS {
                        Reason::RateLimited { retry_after: asked }
                    } else {
                        refusal(status, String::new())
                    };
                    if asked.is_some_and(|wait| wait > self.shared.options.longest_wait) {
                        return Err(RequestFailure { host: host.name.clone(), reason });
                    }
                    if tries < self.shared.options.tries {
                        host.pause(asked.unwrap_or_default().max(backoff(tries)));
                    }
                    RequestFailure { host: host.name.clone(), reason }
                }
                Ok(Err(failure)) => failure,
            };
            // A certificate that is not believed, on either side, is no reason to go on without TLS.
            let no_tls = matches!(failure.reason, Reason::NoTls { .. } | Reason::Connect { .. });
            if no_tls && bases.peek().is_some() {
                base = bases.next().expect("it was peeked at");
                tries = 0;
                continue;
            }
            let passes = may_pass(&failure.reason)
                || matches!(failure.reason, Reason::RateLimited { .. } | Reason::Status { .. });
            if !passes || tries >= self.shared.options.tries {
                return Err(failure);
            }
            if !matches!(failure.reason, Reason::RateLimited { .. } | Reason::Status { .. }) {
                tokio::time::sleep(backoff(tries)).await;
            }
        }
    }
}
