//! Things that are made once for all who ask at the same time, and kept while they are good.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::RegistryError;

/// What was made: kept until then; a failure that is good no longer is still shared with those who waited.
pub(super) struct Made<V> {
    pub(super) value: Result<V, RegistryError>,
    /// Until when it is good; `None` for ever.
    pub(super) until: Option<Instant>,
}

struct Kept<V> {
    made: Made<V>,
    finished: Instant,
}

type Cell<V> = Arc<tokio::sync::Mutex<Option<Kept<V>>>>;

/// A table of things by key.
pub(super) struct Flights<K, V> {
    cells: Mutex<HashMap<K, Cell<V>>>,
    /// How many are kept, about.
    most: usize,
}

impl<K: Eq + Hash + Clone, V: Clone> Flights<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self { cells: Mutex::new(HashMap::new()), most }
    }

    /// The thing for `key`: the one that is kept, the one that is being made, or a new one.
    pub(super) async fn get<F>(&self, key: &K, make: impl FnOnce() -> F) -> Result<V, RegistryError>
    where
        F: Future<Output = Made<V>>,
    {
        let asked = Instant::now();
        let cell = self.cell(key);
        let mut slot = cell.lock().await;
        if let Some(kept) = &*slot {
            let good = kept.made.until.is_none_or(|until| Instant::now() < until);
            // Who asked before it was finished waited for this very one.
            if good || kept.finished > asked {
                return kept.made.value.clone();
            }
        }
        let made = make().await;
        let value = made.value.clone();
        *slot = Some(Kept { made, finished: Instant::now() });
        value
    }

    /// Forgets the thing for `key` when it is `wrong`.
    pub(super) async fn forget(&self, key: &K, wrong: impl Fn(&V) -> bool) {
        let cell = self.cell(key);
        let mut slot = cell.lock().await;
        if slot.as_ref().is_some_and(|kept| kept.made.value.as_ref().is_ok_and(wrong)) {
            *slot = None;
        }
    }

    fn cell(&self, key: &K) -> Cell<V> {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = cells.get(key) {
            return Arc::clone(cell);
        }
        if cells.len() >= self.most {
            let now = Instant::now();
            cells.retain(|_, cell| in_use(cell, now));
            // All good still: half of those that nobody waits for must go.
            let mut spare = cells.len().saturating_sub(self.most / 2);
            cells.retain(|_, cell| {
                let goes = spare > 0 && Arc::strong_count(cell) == 1;
                spare -= usize::from(goes);
                !goes
            });
        }
        Arc::clone(cells.entry(key.clone()).or_default())
    }
}

/// Whether somebody waits for a cell, or it holds something good.
fn in_use<V>(cell: &Cell<V>, now: Instant) -> bool {
    Arc::strong_count(cell) > 1
        || cell.try_lock().map_or(true, |slot| {
            slot.as_ref().is_some_and(|kept| kept.made.until.is_none_or(|until| now < until))
        })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::super::{Reason, Step};
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
    }

    fn failure() -> RegistryError {
        let reason = Box::new(Reason::BadToken { message: String::new() });
        RegistryError { image: String::new(), registry: String::new(), step: Step::Token, reason }
    }

    #[test]
    fn one_is_made_for_all_who_wait() {
        for value in [Ok(7), Err(failure())] {
            let flights = Flights::<&str, u32>::new(10);
            let count = AtomicUsize::new(0);
            let make = || async {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(20)).await;
                Made { value: value.clone(), until: Some(Instant::now()) }
            };
            runtime().block_on(async {
                let all = (0..50).map(|_| flights.get(&"key", make));
                for found in futures_util::future::join_all(all).await {
                    assert_eq!(found, value);
                }
                assert_eq!(count.load(Ordering::Relaxed), 1);
                tokio::time::sleep(Duration::from_millis(1)).await;
                assert_eq!(flights.get(&"key", make).await, value);
                assert_eq!(count.load(Ordering::Relaxed), 2, "it was good no longer");
            });
        }
    }

    #[test]
    fn the_table_stays_small() {
        let flights = Flights::<u32, u32>::new(100);
        runtime().block_on(async {
            for key in 0..10_000 {
                let made = || async move { Made { value: Ok(key), until: None } };
                assert_eq!(flights.get(&key, made).await, Ok(key));
                assert!(flights.cells.lock().unwrap().len() <= 100);
            }
        });
    }

    #[test]
    fn who_gives_up_does_not_block_the_others() {
        let flights = Flights::<&str, u32>::new(10);
        runtime().block_on(async {
            let never = flights.get(&"key", std::future::pending);
            assert!(tokio::time::timeout(Duration::from_millis(5), never).await.is_err());
            let made = || async { Made { value: Ok(1), until: None } };
            assert_eq!(flights.get(&"key", made).await, Ok(1));
        });
    }
}
