//! Digests of the images of a review: looked up in time, remembered, and asked for once however many pods want them.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::image::ImageReference;
use crate::registry::{Answered, Reason, RegistryError, Resolver};
use crate::rewrite::{Need, PinPolicy, Pins};

use super::admission;
use super::metrics::Metrics;

/// What API servers wait for by default.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The part of that which lookups may take: under half, so that a second try of the API server's client finds the
/// answer remembered.
const SHARE: f64 = 0.45;

/// Gives the resolver that asks registries with the credentials with which an object's images are pulled.
pub trait PullAs: Send + Sync {
    /// The resolver for an object (JSON) of `namespace`. Objects that pull alike share one. It must not take longer
    /// than `deadline`.
    fn resolver<'a>(
        &'a self,
        namespace: &'a str,
        object: &'a str,
        deadline: Duration,
    ) -> Pin<Box<dyn Future<Output = Resolver> + Send + 'a>>;
}

/// Pins images while they are admitted.
#[derive(Clone)]
pub struct Pinning {
    resolver: Resolver,
    pull_as: Option<Arc<dyn PullAs>>,
    pub(super) policy: PinPolicy,
}

impl std::fmt::Debug for Pinning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pinning").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Pinning {
    /// Pins what `policy` wants, with digests from `resolver`, whose answers should be good for a while only.
    #[must_use]
    pub fn new(resolver: Resolver, policy: PinPolicy) -> Self {
        Self { resolver, pull_as: None, policy }
    }

    /// Asks registries with the credentials of each object.
    #[must_use]
    pub fn pull_as(mut self, pull_as: Arc<dyn PullAs>) -> Self {
        self.pull_as = Some(pull_as);
        self
    }

    /// Looks up what the review in `body` needs, all at once; what does not come before `deadline` is told as an error.
    pub(super) async fn look_up(
        &self,
        body: &[u8],
        needs: &[Need],
        deadline: Duration,
        metrics: &Metrics,
    ) -> Pins {
        let mut pins = Pins::default();
        if needs.is_empty() {
            return pins;
        }
        let started = Instant::now();
        let own = match self.pull_as.as_ref().zip(admission::object(body)) {
            // Where the secrets come too late, there is time to ask without them.
            Some((pull_as, object)) => {
                Some(pull_as.resolver(&object.namespace, object.text, deadline / 2).await)
            }
            None => None,
        };
        let resolver = own.as_ref().unwrap_or(&self.resolver);
        let deadline = deadline.saturating_sub(started.elapsed());
        let mut lookups: Vec<&str> = needs.iter().map(|need| need.lookup.as_str()).collect();
        lookups.sort_unstable();
        lookups.dedup();
        let mut under_way: FuturesUnordered<_> = lookups
            .into_iter()
            .map(|lookup| async move {
                let found = match ImageReference::parse(lookup) {
                    Ok(image) => {
                        let registry = image.repository().registry().to_owned();
                        (registry, Some(resolver.resolve_within(image, deadline).await))
                    }
                    Err(_) => (String::new(), None),
                };
                (lookup, found)
            })
            .collect();
        while let Some((lookup, (registry, found))) = under_way.next().await {
            let Some(Answered { found, asked }) = found else {
                pins.insert(lookup, Err("no image reference".into()));
                continue;
            };
            if asked {
                metrics.registry_request(&registry, outcome(&found));
            } else {
                metrics.cache_hit();
            }
            let found = found.map(|resolved| resolved.digest);
            pins.insert(lookup, found.map_err(|error| Arc::from(error.to_string())));
        }
        pins
    }
}

fn outcome<T>(found: &Result<T, RegistryError>) -> &'static str {
    match found {
        Ok(_) => "success",
        Err(error) => match *error.reason {
            Reason::Unauthorized { .. } => "unauthorized",
            Reason::Forbidden { .. } => "forbidden",
            Reason::NotFound { .. } => "not_found",
            Reason::RateLimited { .. } => "rate_limited",
            Reason::TimedOut { .. } => "timed_out",
            _ => "failed",
        },
    }
}

/// How long lookups may take for a request with this query (`timeout=10s`, as API servers send it).
pub(super) fn deadline(query: Option<&str>) -> Duration {
    let given = query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("timeout="));
    given.and_then(duration).unwrap_or(TIMEOUT).min(Duration::from_secs(30)).mul_f64(SHARE)
}

/// A duration as Go writes it: `10s`, `1m30s`, `500ms`.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(digits);
        let end = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, next) = behind.split_at(end);
        let seconds = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            _ => return None,
        };
        let seconds = number.parse::<f64>().ok()? * seconds;
        total = total.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
        rest = next;
    }
    (!total.is_zero()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_under_half_of_the_time() {
        let seconds = |query| deadline(query).as_secs_f64();
        assert!((seconds(None) - 4.5).abs() < 1e-9);
        for (query, want) in [
            ("timeout=10s", 4.5),
            ("a=b&timeout=2s", 0.9),
            ("timeout=500ms", 0.225),
            ("timeout=1m0s", 13.5),
            ("timeout=1m", 13.5),
            ("timeout=soon", 4.5),
            ("timeout=", 4.5),
            ("timeout=0s", 4.5),
            ("timeout=-5s", 4.5),
        ] {
            assert!((seconds(Some(query)) - want).abs() < 1e-9, "{query}: {}", seconds(Some(query)));
        }
    }
}
