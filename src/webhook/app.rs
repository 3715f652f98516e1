//! What each request gets, whatever connection it came by.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::Body;
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, StatusCode, Version};
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Semaphore;

use crate::rewrite::{Engine, Memory, PinPolicy, Pins};

use super::admission::{self, Ask, BadReview, Mirrored, ReviewAnswer, Settings};
use super::body::{BODY_MAX, BodyError, Room};
use super::metrics::Metrics;
use super::mirroring::Mirroring;
use super::page::{self, Page};
use super::pinning::{self, Pinning};
use super::review_log;
use super::rules::{Loaded, Rules};
use super::tls::ServingCertificate;

/// Reviews from this size on are judged beside the threads that serve connections.
const LARGE: usize = 128 * 1024;

/// How many reviews may be under way.
const REVIEWS_MAX: usize = 2_048;

/// What an [`App`] is told at the start.
#[derive(Debug, Clone, Default)]
pub struct AppOptions {
    /// How reviews are answered.
    pub settings: Settings,
    /// What `/healthz` calls this pod.
    pub pod_name: String,
    /// How images are pinned, if they are.
    pub pinning: Option<Pinning>,
    /// How images are mirrored, if they are.
    pub mirroring: Option<Mirroring>,
}

/// Everything that requests share.
#[derive(Debug)]
pub struct App {
    options: AppOptions,
    /// The rules in use.
    pub rules: Rules,
    /// The certificate in use.
    pub certificate: Arc<ServingCertificate>,
    /// What is counted.
    pub metrics: Metrics,
    room: Room,
    reviews: Semaphore,
    draining: AtomicBool,
}

impl App {
    /// An app that has neither rules nor a certificate yet, and so is not ready.
    #[must_use]
    pub fn new(options: AppOptions) -> Self {
        Self {
            options,
            rules: Rules::default(),
            certificate: Arc::default(),
            metrics: Metrics::default(),
            room: Room::default(),
            reviews: Semaphore::new(REVIEWS_MAX),
            draining: AtomicBool::new(false),
        }
    }

    /// Says from now on that it is not ready, and asks HTTP/1.1 clients to connect anew.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Why it is not ready; `None` when it is.
    #[must_use]
    pub fn unready(&self) -> Option<&'static str> {
        if self.draining.load(Ordering::Relaxed) {
            Some("shutting down")
        } else if !self.rules.is_set() {
            Some("the maps are not loaded")
        } else if !self.certificate.is_set() {
            Some("the certificate is not loaded")
        } else {
            None
        }
    }

    /// Answers a request that came over TLS.
    pub async fn respond<B>(self: &Arc<Self>, request: Request<B>) -> Page
    where
        B: Body<Data = Bytes>,
    {
        let version = request.version();
        let mut page = match (request.uri().path(), request.method()) {
            ("/" | "/mutate" | "/v1/mutate" | "/clone-image" | "/audit", &Method::POST) => {
                self.review(request).await
            }
            ("/" | "/mutate" | "/v1/mutate" | "/clone-image" | "/audit", _) => not_allowed("POST"),
            (path, method) => self.health(path, method),
        };
        if self.draining.load(Ordering::Relaxed) && version <= Version::HTTP_11 {
            page.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        page
    }

    /// Answers a request that came to the plain port.
    pub fn respond_plain<B>(&self, request: &Request<B>) -> Page {
        match (request.uri().path(), request.method()) {
            ("/metrics", &Method::GET) => {
                if let Some(mirroring) = &self.options.mirroring {
                    mirroring.observe(&self.metrics.mirror);
                }
                page::metrics(self.metrics.text(self.certificate.seconds_left()))
            }
            ("/metrics", _) => not_allowed("GET"),
            (path, method) => self.health(path, method),
        }
    }

    fn health(&self, path: &str, method: &Method) -> Page {
        match path {
            "/healthz" | "/readyz" | "/livez" if !matches!(*method, Method::GET | Method::HEAD) => {
                not_allowed("GET, HEAD")
            }
            "/healthz" => {
                let health = serde_json::json!({
                    "pod_name": self.options.pod_name,
                    "date_time": now(),
                    "health": "ok",
                });
                page::json(health.to_string())
            }
            "/livez" => page::text(StatusCode::OK, "ok"),
            "/readyz" => match self.unready() {
                None => page::text(StatusCode::OK, "ok"),
                Some(why) => page::text(StatusCode::SERVICE_UNAVAILABLE, &format!("not ready: {why}")),
            },
            _ => page::text(StatusCode::NOT_FOUND, "no such page; reviews go to /mutate or /audit"),
        }
    }

    async fn review<B>(self: &Arc<Self>, request: Request<B>) -> Page
    where
        B: Body<Data = Bytes>,
    {
        if !is_json(&request) {
            self.metrics.refused("bad_request");
            let line = "expected content-type application/json";
            return page::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, line);
        }
        let Ok(_under_way) = self.reviews.try_acquire() else { return self.overloaded() };
        let audit = request.uri().path() == "/audit";
        let deadline = pinning::deadline(request.uri().query());
        let held = match self.room.read(request.into_body()).await {
            Ok(held) => held,
            Err(BodyError::NoRoom) => return self.overloaded(),
            Err(error) => {
                self.metrics.refused("bad_request");
                return match error {
                    BodyError::TooLarge => {
                        let line = format!("the body is larger than {} MiB", BODY_MAX >> 20);
                        page::text(StatusCode::PAYLOAD_TOO_LARGE, &line)
                    }
                    BodyError::TooSlow => {
                        page::text(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")
                    }
                    BodyError::Broken | BodyError::NoRoom => {
                        page::text(StatusCode::BAD_REQUEST, "the body is not whole")
                    }
                };
            }
        };
        let _in_flight = InFlight::new(&self.metrics.in_flight);
        let started = Instant::now();
        let answer = self.judge(&held.bytes, audit, deadline).await;
        match answer {
            Ok(ReviewAnswer { body, facts }) => {
                let elapsed = started.elapsed();
                self.metrics.review(&facts, elapsed.as_secs_f64());
                review_log::review(&facts, elapsed.as_micros().try_into().unwrap_or(u64::MAX));
                page::json(body)
            }
            Err(error) => {
                self.metrics.refused("bad_request");
                tracing::warn!(%error, bytes = held.bytes.len(), "request refused");
                page::text(StatusCode::BAD_REQUEST, &error.to_string())
            }
        }
    }

    /// Judges a review by the rules of one moment; a panic ends nothing but that.
    async fn judge(
        self: &Arc<Self>,
        body: &Bytes,
        audit: bool,
        deadline: Duration,
    ) -> Result<ReviewAnswer, BadReview> {
        let Some(rules) = self.rules.current() else {
            return self.fail(body, &self.ask(audit, None), "the maps are not loaded");
        };
        let started = Instant::now();
        let ask = self.ask(audit, Some(&rules));
        let mirrored = Arc::new(self.mirrored(&rules, body, &ask, deadline).await);
        let mut pins = Pins::default();
        let mut policy = PinPolicy::default();
        if let Some(pinning) = &self.options.pinning {
            policy = pinning.policy.clone();
            let (wanted, known) = (policy.clone(), Arc::clone(&mirrored));
            let needs = on_rules(&rules, body, move |engine, body, memory| {
                admission::needs(body, engine, &wanted, &known, memory)
            });
            // What is wrong with the review, judging it tells.
            if let Some(Ok(needs)) = needs.await {
                let left = deadline.saturating_sub(started.elapsed());
                pins = pinning.look_up(body, &needs, left, &self.metrics).await;
            }
        }
        let settings = ask.clone();
        let judged = on_rules(&rules, body, move |engine, body, memory| {
            admission::admit_pinned(body, engine, &settings, (&policy, &pins), &mirrored, memory)
        });
        judged.await.unwrap_or_else(|| self.fail(body, &ask, "an internal error; the log says more"))
    }

    /// Where the images of a review are, after having those copied that are not where the rules move them to. Nothing is
    /// copied for a review whose images do not change.
    async fn mirrored(&self, rules: &Arc<Loaded>, body: &Bytes, ask: &Ask, deadline: Duration) -> Mirrored {
        let Some(mirroring) = &self.options.mirroring else { return Mirrored::default() };
        let moves =
            on_rules(rules, body, |engine, body, memory| admission::moves(body, engine, memory)).await;
        // What is wrong with the review, judging it tells.
        let Some(Ok((moves, dry_run))) = moves else { return Mirrored::default() };
        let reads_only = dry_run || ask.audit || ask.settings.dry_run || ask.settings.validate;
        let object = if mirroring.reads_as_pods() { admission::object(body) } else { None };
        mirroring.ensure(moves, object, reads_only, deadline, &self.metrics.mirror).await
    }

    fn ask(&self, audit: bool, rules: Option<&Loaded>) -> Ask {
        let settings = self.options.settings;
        Ask {
            settings: rules.map_or(settings, |rules| rules.settings(settings)),
            audit,
            rules: rules.map(|rules| Arc::clone(&rules.digest)),
        }
    }

    fn fail(&self, body: &[u8], ask: &Ask, reason: &str) -> Result<ReviewAnswer, BadReview> {
        admission::failed(body, ask, reason)
    }

    fn overloaded(&self) -> Page {
        self.metrics.refused("overloaded");
        let mut page = page::text(StatusCode::SERVICE_UNAVAILABLE, "too many reviews at once");
        page.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        page
    }
}

/// Counts a review that is being answered, also one whose client goes away.
struct InFlight<'m>(&'m Gauge);

impl<'m> InFlight<'m> {
    fn new(gauge: &'m Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Calls `work` with the rules, the body and the memory of earlier reviews. A large body is worked on beside the
/// threads that serve connections, and with a memory that is not kept: it grows with the body. `None`: it panicked.
async fn on_rules<T: Send + 'static>(
    rules: &Arc<Loaded>,
    body: &Bytes,
    work: impl FnOnce(&Engine, &[u8], &mut Memory) -> T + Send + 'static,
) -> Option<T> {
    if body.len() < LARGE {
        let work = || rules.with_memory(|memory| work(&rules.engine, body, memory));
        return catch_unwind(AssertUnwindSafe(work)).ok();
    }
    let (rules, body) = (Arc::clone(rules), body.clone());
    tokio::task::spawn_blocking(move || work(&rules.engine, &body, &mut Memory::default())).await.ok()
}

fn not_allowed(allowed: &'static str) -> Page {
    let mut page = page::text(StatusCode::METHOD_NOT_ALLOWED, &format!("expected {allowed}"));
    page.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    page
}

/// Whether the body is JSON, or does not say what it is.
fn is_json<B>(request: &Request<B>) -> bool {
    request.headers().get(CONTENT_TYPE).is_none_or(|value| {
        let essence = value.as_bytes().split(|b| *b == b';').next().unwrap_or_default();
        essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
    })
}

/// The time as imageswap-webhook writes it: `2026-01-31 13:05:00.000123`.
fn now() -> String {
    let now = time::OffsetDateTime::now_utc();
    let (date, time) = (now.date(), now.time());
    format!("{date} {:02}:{:02}:{:02}.{:06}", time.hour(), time.minute(), time.second(), time.microsecond())
}

#[cfg(test)]
mod tests;
