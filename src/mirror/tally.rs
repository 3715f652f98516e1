//! How many bytes went which way.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// Bytes of blobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bytes {
    /// They were read from the source and written to the target.
    pub moved: u64,
    /// They were taken from another repository of the target's registry.
    pub mounted: u64,
    /// They were there.
    pub present: u64,
}

impl std::ops::AddAssign for Bytes {
    fn add_assign(&mut self, other: Self) {
        self.moved += other.moved;
        self.mounted += other.mounted;
        self.present += other.present;
    }
}

/// Counts bytes while they go.
#[derive(Debug, Default)]
pub(super) struct Tally {
    moved: AtomicU64,
    mounted: AtomicU64,
    present: AtomicU64,
    /// Parts that are missing at the target, where nothing is written.
    missing: AtomicU64,
}

impl Tally {
    pub(super) fn moved(&self, bytes: u64) {
        self.moved.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn mounted(&self, bytes: u64) {
        self.mounted.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn present(&self, bytes: u64) {
        self.present.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn missing(&self) {
        self.missing.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn is_complete(&self) -> bool {
        self.missing.load(Ordering::Relaxed) == 0
    }

    pub(super) fn bytes(&self) -> Bytes {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Bytes { moved: read(&self.moved), mounted: read(&self.mounted), present: read(&self.present) }
    }
}
