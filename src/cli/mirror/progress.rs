//! How far copying is, for whoever waits at a terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::report::mirror::size;

/// How often it is shown.
pub const TICK: Duration = Duration::from_millis(200);

/// How long a run is before it is worth a progress bar.
const LONG: Duration = Duration::from_secs(1);

/// A progress bar that comes when it is needed.
pub struct Progress {
    total: usize,
    watched: bool,
    started: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// For `total` images; nothing is shown unless somebody watches.
    pub fn new(total: usize, watched: bool) -> Self {
        Self { total, watched, started: Instant::now(), bar: None }
    }

    /// Shows that so many images and bytes are done.
    pub fn show(&mut self, images: usize, bytes: u64) {
        let passed = self.started.elapsed();
        if !self.watched || passed < LONG {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{bar:40} {pos}/{len} images, {msg}");
            let bar = ProgressBar::new(self.total as u64);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        let rate = u128::from(bytes) * 1000 / passed.as_millis().max(1);
        let rate = size(u64::try_from(rate).unwrap_or(u64::MAX));
        bar.set_message(format!("{}, {rate}/s", size(bytes)));
        bar.set_position(images as u64);
    }

    /// Does what prints, with the bar out of its way.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Ends it.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
