//! What Prometheus reads. Names of images, registries' paths and objects are never values of labels: their number has
//! no bound.

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::admission::Facts;
use super::mirroring::MirrorMetrics;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    operation: &'static str,
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ImageLabels {
    rule: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DigestLabels {
    digest: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RegistryLabels {
    registry: String,
    outcome: &'static str,
}

/// Kinds that have a label of their own; all others count as `other`.
const KINDS: &[&str] = &[
    "Pod",
    "PodTemplate",
    "ReplicationController",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "ContainerSource",
    "Service",
];

/// The counters and gauges of a server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    duration: Histogram,
    /// How many reviews are being answered.
    pub in_flight: Gauge,
    images: Family<ImageLabels, Counter>,
    maps_reloads: Family<OutcomeLabels, Counter>,
    maps_generation: Gauge,
    maps_digest: Family<DigestLabels, Gauge>,
    certificate_reloads: Family<OutcomeLabels, Counter>,
    certificate_expiry: Gauge,
    registry_requests: Family<RegistryLabels, Counter>,
    cache_hits: Counter,
    /// What is counted of copies.
    pub mirror: MirrorMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("imageswap");
        let bounds =
            [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];
        let requests = Family::default();
        let duration = Histogram::new(bounds);
        let (in_flight, maps_generation, certificate_expiry) =
            (Gauge::default(), Gauge::default(), Gauge::default());
        let images = Family::default();
        let (maps_reloads, certificate_reloads) = (Family::default(), Family::default());
        let (registry_requests, cache_hits) = (Family::default(), Counter::default());
        registry.register("admission_requests", "Reviews that were answered", requests.clone());
        let help = "Time from a review's last byte to its answer";
        registry.register_with_unit("admission_duration", help, Unit::Seconds, duration.clone());
        registry.register("admission_in_flight", "Reviews that are being answered", in_flight.clone());
        let help = "Images of reviews, by the kind of the rule that decided";
        registry.register("images", help, images.clone());
        registry.register("maps_reload", "Loads of the maps, the first included", maps_reloads.clone());
        let help = "How often maps were loaded since the start";
        registry.register("maps_generation", help, maps_generation.clone());
        let maps_digest = Family::default();
        let help = "The digest of the rules that count: replicas with another one have other rules";
        registry.register("maps", help, maps_digest.clone());
        let help = "Loads of the serving certificate, the first included";
        registry.register("certificate_reload", help, certificate_reloads.clone());
        let help = "Time until the serving certificate expires; negative when it has";
        registry.register_with_unit("certificate_expiry", help, Unit::Seconds, certificate_expiry.clone());
        let help = "Requests to registries, to pin images";
        registry.register("registry_requests", help, registry_requests.clone());
        let help = "Digests that were known without asking a registry";
        registry.register("cache_hits", help, cache_hits.clone());
        let mirror = MirrorMetrics::default();
        mirror.register(&mut registry);
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program's version", build);
        Self {
            registry,
            requests,
            duration,
            in_flight,
            images,
            maps_reloads,
            maps_generation,
            maps_digest,
            certificate_reloads,
            certificate_expiry,
            registry_requests,
            cache_hits,
            mirror,
        }
    }
}

impl Metrics {
    /// Counts a review that was answered after `seconds`.
    pub fn review(&self, facts: &Facts, seconds: f64) {
        let kind = KINDS.iter().find(|kind| **kind == facts.kind).copied().unwrap_or("other");
        let operation = facts.operation.as_str();
        self.request(operation, kind, facts.outcome.as_str());
        self.duration.observe(seconds);
        for image in &facts.images {
            let labels = ImageLabels { rule: image.rule, outcome: image.outcome.as_str() };
            self.images.get_or_create(&labels).inc();
        }
    }

    /// Counts a request that got no answer of its own: no review, too large, too many at once.
    pub fn refused(&self, outcome: &'static str) {
        self.request("none", "none", outcome);
    }

    fn request(&self, operation: &'static str, kind: &'static str, outcome: &'static str) {
        self.requests.get_or_create(&RequestLabels { operation, kind, outcome }).inc();
    }

    /// Counts a load of the maps, which count from now on.
    pub fn maps_loaded(&self, generation: u64, digest: Option<&str>) {
        self.maps_reloads.get_or_create(&outcome(true)).inc();
        self.maps_generation.set(generation.try_into().unwrap_or(i64::MAX));
        self.maps_digest.clear();
        if let Some(digest) = digest {
            self.maps_digest.get_or_create(&DigestLabels { digest: digest.to_owned() }).set(1);
        }
    }

    /// Counts a load of the maps that failed.
    pub fn maps_not_loaded(&self) {
        self.maps_reloads.get_or_create(&outcome(false)).inc();
    }

    /// Counts a load of the certificate.
    pub fn certificate_loaded(&self, good: bool) {
        self.certificate_reloads.get_or_create(&outcome(good)).inc();
    }

    /// Counts a request to a registry.
    pub fn registry_request(&self, registry: &str, outcome: &'static str) {
        self.registry_requests
            .get_or_create(&RegistryLabels { registry: registry.to_owned(), outcome })
            .inc();
    }

    /// Counts a digest that was known.
    pub fn cache_hit(&self) {
        self.cache_hits.inc();
    }

    /// All of them as text. `certificate_expiry`: seconds until then.
    #[must_use]
    pub fn text(&self, certificate_expiry: Option<i64>) -> String {
        self.certificate_expiry.set(certificate_expiry.unwrap_or(0));
        let mut written = String::new();
        text::encode(&mut written, &self.registry).expect("metrics can be written to memory");
        written
    }
}

fn outcome(good: bool) -> OutcomeLabels {
    OutcomeLabels { outcome: if good { "success" } else { "failure" } }
}
