//! Images that are looked for and copied by a stand-in that does as it is told.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use super::*;

/// A registry of names.
#[derive(Default)]
struct Fake {
    there: Mutex<Vec<Arc<str>>>,
    /// What goes wrong with an image's copies, the next one last.
    failures: Mutex<HashMap<String, Vec<Failure>>>,
    unreachable: bool,
    /// How many may be under way; each copy takes one for good when there are any.
    gate: Option<Semaphore>,
    looks: AtomicUsize,
    copies: AtomicUsize,
    running: Mutex<HashMap<String, usize>>,
    most: AtomicUsize,
    most_of_one: AtomicUsize,
    given_up: AtomicUsize,
}

impl Copier for Fake {
    fn is_there<'a>(&'a self, image: &'a Move) -> BoxFuture<'a, Result<bool, Arc<str>>> {
        Box::pin(async move {
            self.looks.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            if self.unreachable {
                Err("no route".into())
            } else {
                Ok(self.there.lock().unwrap().contains(&image.to))
            }
        })
    }

    fn source_has<'a>(&'a self, image: &'a Move) -> BoxFuture<'a, Result<bool, Arc<str>>> {
        Box::pin(async move { Ok(!image.from.contains("gone")) })
    }

    fn copy<'a>(&'a self, image: &'a Move) -> BoxFuture<'a, Result<u64, Failure>> {
        Box::pin(async move {
            self.copies.fetch_add(1, Ordering::SeqCst);
            assert!(!image.from.contains("panic"), "as it was told to");
            let registry = image.from.split('/').next().unwrap().to_owned();
            {
                let mut running = self.running.lock().unwrap();
                *running.entry(registry.clone()).or_default() += 1;
                self.most.fetch_max(running.values().sum(), Ordering::SeqCst);
                self.most_of_one.fetch_max(running[&registry], Ordering::SeqCst);
            }
            if let Some(gate) = &self.gate {
                gate.acquire().await.unwrap().forget();
            }
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            *self.running.lock().unwrap().get_mut(&registry).unwrap() -= 1;
            if let Some(failure) = self.failures.lock().unwrap().get_mut(&image.from).and_then(Vec::pop) {
                return Err(failure);
            }
            self.there.lock().unwrap().push(Arc::clone(&image.to));
            Ok(7)
        })
    }

    fn give_up(&self, _limit: Duration) -> BoxFuture<'_, ()> {
        self.given_up.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(()))
    }
}

fn image(name: &str) -> Move {
    Move { from: name.to_owned(), to: format!("m.io/{name}").into() }
}

fn failure(lasts: bool) -> Failure {
    Failure { reason: "status", message: "the registry says 503".into(), lasts }
}

const LONG: Duration = Duration::from_secs(60);

fn limits() -> QueueLimits {
    QueueLimits { first_wait: Duration::from_millis(1), ..QueueLimits::default() }
}

/// Runs `test` with a mirroring whose queue is worked on.
fn with<F: Future<Output = ()>>(
    mode: MirrorMode,
    limits: QueueLimits,
    fake: Fake,
    test: impl FnOnce(Mirroring, Arc<Fake>, MirrorMetrics) -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let fake = Arc::new(fake);
        let options = MirroringOptions { mode, when_missing: WhenMissing::Original, limits };
        let mirroring = Mirroring::new(options, Arc::clone(&fake) as Arc<dyn Copier>, None);
        let metrics = MirrorMetrics::default();
        let worker = tokio::spawn(mirroring.clone().run(metrics.clone()));
        test(mirroring, fake, metrics).await;
        worker.abort();
    });
}

/// What a review of one image learns.
async fn presence(mirroring: &Mirroring, name: &str) -> Presence {
    mirroring.presence(&image(name).into(), false, Instant::now() + LONG).await
}

/// Waits until nothing is in the queue any more.
async fn drained(mirroring: &Mirroring) {
    while mirroring.shared.queue.state().0 > 0 {
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn who_waits_gets_the_copy() {
    with(MirrorMode::Wait, limits(), Fake::default(), |mirroring, fake, metrics| async move {
        let images = (0..50).map(|at| image(&format!("r{}.io/a:{at}", at % 10))).collect();
        let found = mirroring.ensure(images, None, false, Duration::from_secs(4), &metrics).await;
        drop(found);
        drained(&mirroring).await;
        for at in 0..50 {
            assert_eq!(presence(&mirroring, &format!("r{}.io/a:{at}", at % 10)).await, Presence::There);
        }
        assert_eq!(fake.copies.load(Ordering::SeqCst), 50);
        assert_eq!(fake.looks.load(Ordering::SeqCst), 50, "what was copied is remembered");
        assert_eq!(fake.most.load(Ordering::SeqCst), 4);
    });
}

#[test]
fn a_source_is_not_overrun() {
    with(MirrorMode::Wait, limits(), Fake::default(), |mirroring, fake, metrics| async move {
        let images = (0..20).map(|at| image(&format!("one.io/a:{at}"))).collect();
        mirroring.ensure(images, None, false, LONG, &metrics).await;
        drained(&mirroring).await;
        assert_eq!(fake.most_of_one.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn an_image_is_looked_for_and_copied_once_however_many_want_it() {
    with(MirrorMode::Wait, limits(), Fake::default(), |mirroring, fake, _| async move {
        let all = (0..200).map(|_| presence(&mirroring, "r.io/a:1"));
        for found in futures_util::future::join_all(all).await {
            assert_eq!(found, Presence::There);
        }
        assert_eq!(fake.copies.load(Ordering::SeqCst), 1);
        assert_eq!(fake.looks.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn who_does_not_wait_is_answered_at_once() {
    let fake = Fake { gate: Some(Semaphore::new(0)), ..Fake::default() };
    with(MirrorMode::Enqueue, limits(), fake, |mirroring, fake, _| async move {
        let missing = Presence::Missing("it is being copied".into());
        assert_eq!(presence(&mirroring, "r.io/a:1").await, missing);
        assert_eq!(presence(&mirroring, "r.io/a:1").await, missing);
        fake.gate.as_ref().unwrap().add_permits(1);
        drained(&mirroring).await;
        assert_eq!(presence(&mirroring, "r.io/a:1").await, Presence::There);
        assert_eq!(fake.copies.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_copy_goes_on_after_the_deadline() {
    let fake = Fake { gate: Some(Semaphore::new(0)), ..Fake::default() };
    with(MirrorMode::Wait, limits(), fake, |mirroring, fake, _| async move {
        let soon = Instant::now() + Duration::from_millis(20);
        let found = mirroring.presence(&image("r.io/a:1").into(), false, soon).await;
        assert_eq!(found, Presence::Missing("it is being copied, which takes longer".into()));
        fake.gate.as_ref().unwrap().add_permits(1);
        drained(&mirroring).await;
        assert_eq!(presence(&mirroring, "r.io/a:1").await, Presence::There);
    });
}

#[test]
fn a_full_queue_blocks_nobody() {
    let fake = Fake { gate: Some(Semaphore::new(0)), ..Fake::default() };
    let limits = QueueLimits { entries: 10, ..limits() };
    with(MirrorMode::Enqueue, limits, fake, |mirroring, _, metrics| async move {
        for at in 0..10 {
            presence(&mirroring, &format!("r.io/a:{at}")).await;
        }
        let full = presence(&mirroring, "r.io/a:10").await;
        assert_eq!(full, Presence::Missing("too many images wait to be copied".into()));
        assert_eq!(mirroring.shared.queue.state().0, 10);
        mirroring.observe(&metrics);
    });
}

#[test]
fn failures_that_pass_are_tried_again() {
    let fake = Fake::default();
    fake.failures.lock().unwrap().insert("r.io/a:1".to_owned(), vec![failure(false); 5]);
    with(MirrorMode::Wait, limits(), fake, |mirroring, fake, _| async move {
        let first = presence(&mirroring, "r.io/a:1").await;
        assert_eq!(first, Presence::Missing("the registry says 503".into()), "nobody waits for the next try");
        drained(&mirroring).await;
        assert_eq!(fake.copies.load(Ordering::SeqCst), 6);
        assert_eq!(presence(&mirroring, "r.io/a:1").await, Presence::There);
    });
}

#[test]
fn failures_that_last_are_remembered() {
    let fake = Fake::default();
    fake.failures.lock().unwrap().insert("r.io/a:1".to_owned(), vec![failure(true); 2]);
    with(MirrorMode::Wait, limits(), fake, |mirroring, fake, _| async move {
        for _ in 0..3 {
            let found = presence(&mirroring, "r.io/a:1").await;
            assert_eq!(found, Presence::Missing("the registry says 503".into()));
        }
        assert_eq!(fake.copies.load(Ordering::SeqCst), 1);
        assert_eq!(mirroring.shared.queue.state().0, 0);
    });
}

#[test]
fn what_fails_for_long_is_given_up() {
    let fake = Fake::default();
    fake.failures.lock().unwrap().insert("r.io/a:1".to_owned(), vec![failure(false); 100]);
    let limits = QueueLimits { give_up: Duration::from_millis(20), ..limits() };
    with(MirrorMode::Wait, limits, fake, |mirroring, fake, _| async move {
        presence(&mirroring, "r.io/a:1").await;
        drained(&mirroring).await;
        assert!(fake.copies.load(Ordering::SeqCst) < 100);
    });
}

#[test]
fn a_panic_frees_its_place() {
    let limits = QueueLimits { at_once: 1, ..limits() };
    with(MirrorMode::Wait, limits, Fake::default(), |mirroring, _, _| async move {
        assert!(matches!(presence(&mirroring, "r.io/panic:1").await, Presence::Missing(_)));
        assert_eq!(presence(&mirroring, "r.io/a:1").await, Presence::There);
    });
}

#[test]
fn what_is_called_off_is_given_up_and_nothing_else_begins() {
    let fake = Fake { gate: Some(Semaphore::new(0)), ..Fake::default() };
    with(MirrorMode::Enqueue, limits(), fake, |mirroring, fake, _| async move {
        for at in 0..10 {
            presence(&mirroring, &format!("r{at}.io/a:1")).await;
        }
        while fake.copies.load(Ordering::SeqCst) < 4 {
            tokio::task::yield_now().await;
        }
        mirroring.call_off(LONG).await;
        assert_eq!(fake.given_up.load(Ordering::SeqCst), 1);
        fake.gate.as_ref().unwrap().add_permits(10);
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(fake.copies.load(Ordering::SeqCst), 4);
        assert!(fake.there.lock().unwrap().is_empty());
    });
}

#[test]
fn a_dry_run_copies_nothing() {
    for (mode, good) in [
        (MirrorMode::Wait, Presence::There),
        (MirrorMode::Enqueue, Presence::Missing("nothing is copied in a dry run".into())),
    ] {
        with(mode, limits(), Fake::default(), |mirroring, fake, metrics| async move {
            let images = vec![image("r.io/a:1"), image("r.io/gone:1")];
            let until = Instant::now() + LONG;
            assert_eq!(mirroring.presence(&images[0].clone().into(), true, until).await, good);
            assert!(matches!(
                mirroring.presence(&images[1].clone().into(), true, until).await,
                Presence::Missing(_)
            ));
            mirroring.ensure(images, None, true, LONG, &metrics).await;
            assert_eq!(fake.copies.load(Ordering::SeqCst), 0);
            assert_eq!(mirroring.shared.queue.state().0, 0);
        });
    }
}

#[test]
fn a_target_that_does_not_answer_is_no_reason_to_copy() {
    let fake = Fake { unreachable: true, ..Fake::default() };
    with(MirrorMode::Wait, limits(), fake, |mirroring, fake, _| async move {
        for _ in 0..100 {
            assert_eq!(presence(&mirroring, "r.io/a:1").await, Presence::Unknown("no route".into()));
        }
        assert!(fake.looks.load(Ordering::SeqCst) < 100, "it is left alone for a second");
        assert_eq!(fake.copies.load(Ordering::SeqCst), 0);
    });
}
