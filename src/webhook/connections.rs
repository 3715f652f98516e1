//! The connections that are open: how many, how long each has been idle, and which goes when there is no room.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use tokio::sync::Notify;

/// How far the shutdown is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Serving,
    LameDuck,
    Closing,
}

/// One open connection, as others see it.
#[derive(Debug)]
pub(super) struct Activity {
    started: Instant,
    /// Requests under way.
    in_flight: AtomicUsize,
    /// Requests that were answered.
    answered: AtomicUsize,
    /// Milliseconds from the start of the connection to the end of its last request.
    last: AtomicU32,
    /// Milliseconds from the start of the connection to the first byte of a request that is not whole; 0 for none.
    head: AtomicU32,
    /// Told to end at once.
    pub(super) end: Notify,
}

impl Activity {
    fn new() -> Self {
        Self {
            started: Instant::now(),
            in_flight: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
            last: AtomicU32::new(0),
            head: AtomicU32::new(0),
            end: Notify::new(),
        }
    }

    fn now(&self) -> u32 {
        u32::try_from(self.started.elapsed().as_millis()).unwrap_or(u32::MAX).max(1)
    }

    /// Bytes came.
    pub(super) fn read(&self) {
        if self.in_flight.load(Ordering::Relaxed) == 0 && self.head.load(Ordering::Relaxed) == 0 {
            self.head.store(self.now(), Ordering::Relaxed);
        }
    }

    /// A request's head is whole.
    pub(super) fn request(self: &Arc<Self>) -> UnderWay {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.head.store(0, Ordering::Relaxed);
        UnderWay(Arc::clone(self))
    }

    fn is_idle(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) == 0
    }

    fn idle_for(&self) -> Duration {
        Duration::from_millis(self.now().saturating_sub(self.last.load(Ordering::Relaxed)).into())
    }
}

/// A request, until it is dropped.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Activity>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.last.store(self.0.now(), Ordering::Relaxed);
        self.0.answered.fetch_add(1, Ordering::Relaxed);
        self.0.head.store(0, Ordering::Relaxed);
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// All connections of a server.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    open: Mutex<Open>,
    /// Told when one ends.
    ended: Notify,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    by_number: FxHashMap<u64, Arc<Activity>>,
}

/// A connection's place, until it is dropped.
#[derive(Debug)]
pub(super) struct OpenConnection {
    number: u64,
    pub(super) activity: Arc<Activity>,
    connections: Arc<Connections>,
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.connections.lock().by_number.remove(&self.number);
        self.connections.ended.notify_waiters();
    }
}

impl Connections {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most: most.max(1), open: Mutex::default(), ended: Notify::new() })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a new connection a place. Where there is none, the connection goes that is least missed: one that never
    /// brought a request before others, and the one that is idle for longest.
    pub(super) async fn enter(self: &Arc<Self>) -> OpenConnection {
        loop {
            let ended = self.ended.notified();
            {
                let mut open = self.lock();
                if open.by_number.len() >= self.most {
                    let idle = open.by_number.iter().filter(|(_, activity)| activity.is_idle());
                    let missed = |activity: &Activity| activity.answered.load(Ordering::Relaxed) > 0;
                    let least = idle.min_by_key(|(_, activity)| {
                        (missed(activity), std::cmp::Reverse(activity.idle_for()))
                    });
                    if let Some((&number, _)) = least
                        && let Some(activity) = open.by_number.remove(&number)
                    {
                        activity.end.notify_one();
                    }
                }
                if open.by_number.len() < self.most {
                    let number = open.next;
                    open.next += 1;
                    let activity = Arc::new(Activity::new());
                    open.by_number.insert(number, Arc::clone(&activity));
                    return OpenConnection { number, activity, connections: Arc::clone(self) };
                }
            }
            ended.await;
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.lock().by_number.len()
    }

    /// Waits until there are none.
    pub(super) async fn all_ended(&self) {
        loop {
            let ended = self.ended.notified();
            if self.count() == 0 {
                return;
            }
            ended.await;
        }
    }

    /// Ends those whose request's head takes longer than `head`, and those that are idle for longer than `idle`.
    pub(super) fn sweep(&self, head: Duration, idle: Duration) {
        for activity in self.lock().by_number.values() {
            let since = activity.head.load(Ordering::Relaxed);
            let slow = since > 0 && Duration::from_millis(activity.now().saturating_sub(since).into()) > head;
            if activity.is_idle() && (slow || activity.idle_for() > idle) {
                activity.end.notify_one();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_least_missed_goes() {
        let connections = Connections::new(2);
        let busy = connections.enter().await;
        let under_way = busy.activity.request();
        let silent = connections.enter().await;
        let useful = connections.enter().await;
        assert_eq!(connections.count(), 2);
        silent.activity.end.notified().await;
        drop(useful.activity.request());
        drop(silent);
        assert_eq!(connections.count(), 2, "its place was another's already");
        let third = connections.enter().await;
        useful.activity.end.notified().await;
        let waiting = {
            let _third_under_way = third.activity.request();
            tokio::time::timeout(Duration::from_millis(20), connections.enter()).await.is_err()
        };
        assert!(waiting, "no place while all are busy");
        drop(under_way);
        drop(busy);
        assert!(tokio::time::timeout(Duration::from_secs(5), connections.enter()).await.is_ok());
    }
}
