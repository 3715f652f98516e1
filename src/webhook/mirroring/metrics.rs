//! What is counted of copies.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::webhook::admission::Presence;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

/// The counters and gauges of copies; clones share them.
#[derive(Debug, Clone, Default)]
pub struct MirrorMetrics {
    images: Family<StateLabels, Counter>,
    queue: Gauge,
    oldest: Gauge<f64, AtomicU64>,
    copies: Counter,
    bytes: Counter,
    failures: Family<ReasonLabels, Counter>,
}

impl MirrorMetrics {
    /// Adds them to those that are served.
    pub(in crate::webhook) fn register(&self, registry: &mut Registry) {
        let help = "Images that rules moved, by whether they were at their targets";
        registry.register("mirror_images", help, self.images.clone());
        let help = "Images that wait to be copied or are being copied";
        registry.register("mirror_queue_length", help, self.queue.clone());
        let help = "How long the oldest of them has waited";
        registry.register_with_unit("mirror_queue_oldest", help, Unit::Seconds, self.oldest.clone());
        registry.register("mirror_copies", "Images that were copied", self.copies.clone());
        let help = "What was read from sources for them";
        registry.register_with_unit("mirror_copied", help, Unit::Bytes, self.bytes.clone());
        let help = "Tries to copy an image that failed, by why";
        registry.register("mirror_failures", help, self.failures.clone());
    }

    pub(super) fn found(&self, presence: &Presence) {
        let state = match presence {
            Presence::There => "there",
            Presence::Missing(_) => "missing",
            Presence::Unknown(_) => "unknown",
        };
        self.images.get_or_create(&StateLabels { state }).inc();
    }

    pub(super) fn queue(&self, length: usize, oldest: Duration) {
        self.queue.set(length.try_into().unwrap_or(i64::MAX));
        self.oldest.set(oldest.as_secs_f64());
    }

    pub(super) fn copied(&self, bytes: u64) {
        self.copies.inc();
        self.bytes.inc_by(bytes);
    }

    pub(super) fn failed(&self, reason: &'static str) {
        self.failures.get_or_create(&ReasonLabels { reason }).inc();
    }
}
