//! Ten times what the server can do. It shares its processors with the client, which could never ask that much of it:
//! so the server is held still for most of the time, and can do a part of what it could.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::client::{Load, Target, flood, load};
use super::process::Replica;

/// How long the server runs and how long it is held still, in turns.
const RUNS: Duration = Duration::from_millis(1);
const STANDS_STILL: Duration = Duration::from_millis(19);

/// How many connections the flood has: more than API servers open.
const CONNECTIONS: usize = 320;

/// Holds a server still for most of the time, until it is dropped.
struct Brake {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Brake {
    fn on(server: &Replica) -> Self {
        let id = rustix::process::Pid::from_child(&server.child);
        let over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            let signal = |signal| rustix::process::kill_process(id, signal).expect("the server runs");
            while !until.load(Ordering::Relaxed) {
                signal(rustix::process::Signal::STOP);
                std::thread::sleep(STANDS_STILL);
                signal(rustix::process::Signal::CONT);
                std::thread::sleep(RUNS);
            }
        });
        Self { over, thread: Some(thread) }
    }
}

impl Drop for Brake {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Prints what is answered of ten times the requests that the server can answer.
pub fn run(runtime: &tokio::runtime::Runtime, serve: &Replica, seconds: u64) {
    let target = Target { address: serve.address.clone(), tls: serve.client.clone() };
    let body = super::small();
    let length = Duration::from_secs(seconds.max(2));
    let _brake = Brake::on(serve);
    let busy = Load { rate: 0, connections: 16, length };
    let peak = runtime.block_on(load(&target, &body, busy)).good as f64 / length.as_secs_f64();
    let rate = (10.0 * peak) as u64;
    let over = runtime.block_on(flood(&target, &body, Load { rate, connections: CONNECTIONS, length }));
    let good = over.good as f64 / length.as_secs_f64();
    println!(
        "overload, server held still: {peak:.0}/s at its peak; of {rate}/s wanted {good:.0}/s were answered in time: \
         {:.0} %, {} refused, {} late or never sent",
        100.0 * good / peak,
        over.refused,
        over.failed
    );
}
