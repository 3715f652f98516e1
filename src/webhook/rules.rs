//! The rules in use, and the files that they come from.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use ring::digest::{Context, SHA256};

use crate::maps::Maps;
use crate::rewrite::{Engine, Memory};

use super::admission::{OnUnmapped, Settings};
use super::metrics::Metrics;
use super::watch::Watched;

/// How many steps the paths to all images of an object may have together: some 20,000 images of a Pod. What has more
/// is no workload, and could take all memory.
const STEPS_MAX: usize = 100_000;

/// How many bytes of a digest are told: enough to tell rules apart, and few enough to be compared by eye.
const DIGEST_BYTES: usize = 8;

/// Rules to be taken into use, and what the configuration that they came with says beside them.
#[derive(Debug, Default)]
pub struct NewRules {
    /// The rules.
    pub engine: Engine,
    /// What becomes of a request with an image that no rule covers. The stricter of this and what the server was told
    /// counts.
    pub on_unmapped: OnUnmapped,
    /// Nothing is patched; an object with an image that would change is refused.
    pub validate: bool,
}

impl From<Engine> for NewRules {
    fn from(engine: Engine) -> Self {
        Self { engine, ..Self::default() }
    }
}

/// Rules that were loaded.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) engine: Engine,
    /// How often rules were loaded, this time included.
    pub(super) generation: u64,
    /// The digest of the rules: the same in every replica that has the same rules.
    pub(super) digest: Arc<str>,
    /// What earlier reviews left to be used again: at most as many as were judged at once.
    memories: Mutex<Vec<Memory>>,
    on_unmapped: OnUnmapped,
    validate: bool,
}

impl Loaded {
    /// The settings of the server, with what these rules say.
    pub(super) fn settings(&self, server: Settings) -> Settings {
        Settings {
            on_unmapped: server.on_unmapped.max(self.on_unmapped),
            validate: server.validate || self.validate,
            ..server
        }
    }

    /// Calls `judge` with a memory that no other review uses meanwhile. It is lost when `judge` panics.
    pub(super) fn with_memory<T>(&self, judge: impl FnOnce(&mut Memory) -> T) -> T {
        let lock = || self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        let mut memory = lock().pop().unwrap_or_default();
        let judged = judge(&mut memory);
        lock().push(memory);
        judged
    }
}

/// The current rules, swapped atomically.
#[derive(Debug, Default)]
pub struct Rules {
    current: ArcSwapOption<Loaded>,
}

impl Rules {
    /// Installs the rules and returns their generation, counted from 1.
    pub fn set(&self, rules: impl Into<NewRules>) -> u64 {
        let NewRules { mut engine, on_unmapped, validate } = rules.into();
        engine.scanner = engine.scanner.with_step_limit(STEPS_MAX);
        let generation = self.generation() + 1;
        let digest = digest(&engine.maps);
        let memories = Mutex::default();
        self.current.store(Some(Arc::new(Loaded {
            engine,
            generation,
            digest,
            memories,
            on_unmapped,
            validate,
        })));
        generation
    }

    /// The digest of the rules in use: the first bytes of the SHA-256 of all of them, in hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> Option<Arc<str>> {
        self.current.load().as_ref().map(|loaded| Arc::clone(&loaded.digest))
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

/// The digest of the rules as they are understood: comments and the names of files do not count.
fn digest(maps: &Maps) -> Arc<str> {
    let mut context = Context::new(&SHA256);
    for rule in maps.rules() {
        context.update(rule.to_line().as_bytes());
        context.update(b"\n");
    }
    let digest = context.finish();
    digest.as_ref().iter().take(DIGEST_BYTES).map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

/// Reads the texts of the files as rules; the message says what is wrong.
type Read = Box<dyn Fn(&[Vec<u8>]) -> Result<NewRules, String> + Send>;

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
        read: impl Fn(&[Vec<u8>]) -> Result<NewRules, String> + Send + 'static,
    ) -> Self {
        Self { watched: Watched::new(paths), read: Box::new(read) }
    }

    /// Installs what the files hold when they have changed and are good.
    pub fn reload_if_changed(&mut self, rules: &Rules, metrics: &Metrics) {
        let Some(contents) = self.watched.read_if_changed() else { return };
        let read = contents.and_then(|contents| (self.read)(&contents));
        match read {
            Ok(new) => {
                let count = new.engine.maps.rules().count();
                let generation = rules.set(new);
                let digest = rules.digest();
                metrics.maps_loaded(generation, digest.as_deref());
                tracing::info!(generation, digest = digest.as_deref(), rules = count, "maps loaded");
            }
            Err(error) => {
                let generation = rules.generation();
                metrics.maps_not_loaded();
                let kept =
                    if generation > 0 { "the last good ones stay in use" } else { "there are none yet" };
                tracing::error!(generation, error, "maps cannot be loaded, {kept}");
            }
        }
    }

    /// Polls every `interval` until dropped, beside the threads that serve connections: ten thousand rules take their
    /// time.
    pub async fn watch(mut self, app: Arc<super::App>, interval: Duration) {
        loop {
            tokio::time::sleep(interval).await;
            let app = Arc::clone(&app);
            let reload = move || {
                self.reload_if_changed(&app.rules, &app.metrics);
                self
            };
            match tokio::task::spawn_blocking(reload).await {
                Ok(files) => self = files,
                Err(error) => {
                    tracing::error!(%error, "the maps are not looked at any more");
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::maps::{MapsText, ParseOptions};

    #[test]
    fn digests_are_of_the_rules_alone() {
        let digest = |source: &str, text: &str| {
            let maps = Maps::parse(&[MapsText::new(source, text)], ParseOptions::default());
            let rules = Rules::default();
            rules.set(Engine { maps: maps.expect("good maps").maps.into(), ..Engine::default() });
            rules.digest().expect("rules")
        };
        let one = digest("maps", "docker.io::m.io/hub\nquay.io::m.io/quay\n");
        assert_eq!(one, digest("other", "# ours\ndocker.io::m.io/hub\n\nquay.io::m.io/quay"));
        assert_eq!(one.len(), 2 * DIGEST_BYTES);
        for other in ["", "docker.io::m.io/hub\n", "docker.io::m.io/hub\nquay.io::m.io/quai\n"] {
            assert_ne!(one, digest("maps", other), "{other}");
        }
    }

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
