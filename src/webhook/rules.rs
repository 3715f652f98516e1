//! The rules in use, and the files that they come from.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use crate::rewrite::{Engine, Memory};

use super::metrics::Metrics;
use super::watch::Watched;

/// How many steps the paths to all images of an object may have together: some 20,000 images of a Pod. What has more
/// is no workload, and could take all memory.
const STEPS_MAX: usize = 100_000;

/// Rules that were loaded.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) engine: Engine,
    /// How often rules were loaded, this time included.
    pub(super) generation: u64,
    /// What earlier reviews left to be used again: at most as many as were judged at once.
    memories: Mutex<Vec<Memory>>,
}

impl Loaded {
    /// Calls `judge` with a memory that no other review uses meanwhile. It is lost when `judge` panics.
    pub(super) fn with_memory<T>(&self, judge: impl FnOnce(&mut Memory) -> T) -> T {
        let lock = || self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        let mut memory = lock().pop().unwrap_or_default();
        let judged = judge(&mut memory);
        lock().push(memory);
        judged
    }
}

/// The place where the rules in use stand.
#[derive(Debug, Default)]
pub struct Rules {
    current: ArcSwapOption<Loaded>,
}

impl Rules {
    /// Takes rules into use, and says the how manieth these are.
    pub fn set(&self, mut engine: Engine) -> u64 {
        engine.scanner = engine.scanner.within(STEPS_MAX);
        let generation = self.generation() + 1;
        self.current.store(Some(Arc::new(Loaded { engine, generation, memories: Mutex::default() })));
        generation
    }

    /// Whether there are any.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.current.load().is_some()
    }

    /// How often rules were loaded.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.current.load().as_ref().map_or(0, |loaded| loaded.generation)
    }

    pub(super) fn current(&self) -> Option<Arc<Loaded>> {
        self.current.load_full()
    }
}

/// Reads the texts of the files as rules; the message says what is wrong.
type Read = Box<dyn Fn(&[Vec<u8>]) -> Result<Engine, String> + Send>;

/// Maps files that are loaded again when they change. Bad ones are told of, and change nothing.
pub struct RuleFiles {
    watched: Watched,
    read: Read,
}

impl fmt::Debug for RuleFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuleFiles").field("watched", &self.watched).finish_non_exhaustive()
    }
}

impl RuleFiles {
    /// The files at `paths`, whose contents `read` understands.
    pub fn new(
        paths: Vec<PathBuf>,
        read: impl Fn(&[Vec<u8>]) -> Result<Engine, String> + Send + 'static,
    ) -> Self {
        Self { watched: Watched::new(paths), read: Box::new(read) }
    }

    /// Looks at the files, and takes them into use when they are new and good.
    pub fn look(&mut self, rules: &Rules, metrics: &Metrics) {
        let Some(contents) = self.watched.look() else { return };
        let read = contents.map_err(str::to_owned).and_then(|contents| (self.read)(contents));
        match read {
            Ok(engine) => {
                let count = engine.maps.rules().count();
                let generation = rules.set(engine);
                metrics.maps_loaded(true, generation);
                tracing::info!(generation, rules = count, "maps loaded");
            }
            Err(error) => {
                let generation = rules.generation();
                metrics.maps_loaded(false, generation);
                let kept =
                    if generation > 0 { "the last good ones stay in use" } else { "there are none yet" };
                tracing::error!(generation, error, "maps cannot be loaded, {kept}");
            }
        }
    }

    /// Looks at the files every `interval`, for ever.
    pub async fn keep(mut self, app: Arc<super::App>, interval: Duration) {
        loop {
            tokio::time::sleep(interval).await;
            self.look(&app.rules, &app.metrics);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn memories_are_used_again_and_go_with_their_rules() {
        let rules = Rules::default();
        let current = || rules.current().expect("rules");
        let kept = || current().memories.lock().expect("no panic").len();
        rules.set(Engine::default());
        let loaded = current();
        let other = loaded.with_memory(|_| loaded.with_memory(|_| 7));
        assert_eq!((other, kept()), (7, 2), "two at once have one each");
        loaded.with_memory(|_| {});
        assert_eq!(kept(), 2, "one of them is used again");
        let panicked = catch_unwind(AssertUnwindSafe(|| loaded.with_memory(|_| panic!("a bad review"))));
        assert!(panicked.is_err());
        assert_eq!(kept(), 1, "what a panic left half done is not used again");
        rules.set(Engine::default());
        assert_eq!(kept(), 0, "other rules begin anew");
    }
}
