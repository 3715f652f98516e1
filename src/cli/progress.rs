//! How far a long run is, for whoever waits at a terminal.

use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

/// How long a run is before it is worth a progress bar.
const LONG: Duration = Duration::from_secs(1);

/// A progress bar that comes when it is needed.
pub struct Progress {
    total: usize,
    /// What is counted, such as `files`.
    noun: &'static str,
    watched: bool,
    started: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// For `total` of what `noun` names; nothing is shown unless somebody watches.
    pub fn new(total: usize, noun: &'static str, watched: bool) -> Self {
        Self { total, noun, watched, started: Instant::now(), bar: None }
    }

    /// Shows that so many are done, and how much time is left. Nobody knows that before the first is done: until then
    /// it shows how long it has taken.
    pub fn show(&mut self, done: usize) {
        let passed = self.started.elapsed();
        self.show_with(done, |bar| match done {
            0 => format!("{:#}", HumanDuration(passed)),
            _ => format!("{:#} left", HumanDuration(bar.eta())),
        });
    }

    /// Shows that so many are done, and how many bytes a second that is, as `size` writes them.
    pub fn show_bytes(&mut self, done: usize, bytes: u64, size: impl Fn(u64) -> String) {
        let passed = self.started.elapsed().as_millis().max(1);
        let rate = u64::try_from(u128::from(bytes) * 1000 / passed).unwrap_or(u64::MAX);
        self.show_with(done, |_| format!("{}, {}/s", size(bytes), size(rate)));
    }

    fn show_with(&mut self, done: usize, message: impl FnOnce(&ProgressBar) -> String) {
        if !self.watched || self.started.elapsed() < LONG {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let template = format!("{{bar:40}} {{pos}}/{{len}} {}, {{msg}}", self.noun);
            let style = ProgressStyle::with_template(&template);
            let bar = ProgressBar::new(self.total as u64);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        bar.set_position(done as u64);
        bar.set_message(message(bar));
    }

    /// Does what prints, with the bar out of its way.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
