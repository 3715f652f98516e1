//! Two replicas behind a balancer; one after the other is replaced, certificates and maps change all the while, and
//! no request may fail.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};

use super::client::{Connection, Target, post};
use super::process::{Home, Replica};

/// For how many seconds a replica that goes serves on. A client that sends nothing for so long, as one on a busy machine
/// may, is not told to connect elsewhere and may send its next request just when its connection is closed.
const LAME_DUCK: &str = "2";

/// Where new connections may go.
type Ready = Arc<Mutex<Vec<String>>>;

#[derive(Default)]
struct Counts {
    good: AtomicUsize,
    failed: AtomicUsize,
    /// Connections that the server asked to open anew.
    moved: AtomicUsize,
}

/// Passes bytes on to the replicas that are ready, in turns, as a Service does.
async fn balance(listener: TcpListener, ready: Ready) {
    let next = AtomicUsize::new(0);
    while let Ok((mut from, _)) = listener.accept().await {
        let address = {
            let ready = ready.lock().expect("no panic");
            let number = next.fetch_add(1, Ordering::Relaxed);
            ready.get(number % ready.len().max(1)).cloned()
        };
        let Some(address) = address else { continue };
        tokio::spawn(async move {
            let Ok(mut to) = TcpStream::connect(address).await else { return };
            let _ = (from.set_nodelay(true), to.set_nodelay(true));
            let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
        });
    }
}

/// Runs until `requests` are answered.
pub async fn run(requests: usize) {
    const MAPS: [&str; 2] = ["docker.io::m.example.com/one\n", "docker.io::m.example.com/two\n"];
    let home = Home::new(MAPS[0]);
    let mut replicas = [home.start(LAME_DUCK), home.start(LAME_DUCK)];
    replicas.iter().for_each(Replica::until_ready);
    let ready: Ready = Arc::new(Mutex::new(replicas.iter().map(|r| r.address.clone()).collect()));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(balance(listener, Arc::clone(&ready)));
    let target = Target { address, tls: home.authority.client() };
    let counts = Arc::new(Counts::default());
    let over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..16)
        .map(|_| tokio::spawn(client(target.clone(), Arc::clone(&counts), Arc::clone(&over))))
        .collect();
    let (mut rounds, mut changes) = (0, 0);
    let started = Instant::now();
    while counts.good.load(Ordering::Relaxed) < requests {
        for _ in 0..4 {
            home.rotate();
            changes += 1;
            home.write("maps", MAPS[changes % 2]);
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        // As a rollout does: the new one is ready before the old one is told to go.
        let next = home.start(LAME_DUCK);
        next.until_ready();
        let old = std::mem::replace(&mut replicas[rounds % 2], next);
        *ready.lock().expect("no panic") =
            replicas.iter().map(|r| r.address.clone()).chain([old.address.clone()]).collect();
        old.terminate();
        // The balancer learns of it late, as endpoints do.
        tokio::time::sleep(Duration::from_millis(150)).await;
        *ready.lock().expect("no panic") = replicas.iter().map(|r| r.address.clone()).collect();
        let mut old = old;
        let ended = tokio::task::spawn_blocking(move || old.child.wait()).await.expect("no panic");
        assert!(ended.is_ok_and(|status| status.success()), "a replica does not end well");
        rounds += 1;
        assert!(started.elapsed() < Duration::from_secs(900), "it takes too long");
    }
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.expect("a client");
    }
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    println!(
        "{} requests, {} failed; {rounds} restarts, {changes} new certificates and maps, {} connections moved",
        count(&counts.good),
        count(&counts.failed),
        count(&counts.moved)
    );
    assert_eq!(count(&counts.failed), 0, "requests failed");
}

/// Sends one request after the other; like API servers it opens a new connection when it is asked to, and tries none
/// again.
async fn client(target: Target, counts: Arc<Counts>, over: Arc<AtomicBool>) {
    let request = post(&super::small());
    let mut connection: Option<Connection> = None;
    while !over.load(Ordering::Relaxed) {
        let mut open = match connection.take() {
            Some(open) => open,
            None => match Connection::open(&target).await {
                Ok(open) => open,
                Err(error) => {
                    eprintln!("cannot connect: {error}");
                    counts.failed.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
            },
        };
        match open.exchange(&request).await {
            Ok(answer) if answer.status == 200 && contains(&answer.body, b"\"patch\":\"") => {
                counts.good.fetch_add(1, Ordering::Relaxed);
                if answer.keeps {
                    connection = Some(open);
                } else {
                    counts.moved.fetch_add(1, Ordering::Relaxed);
                }
            }
            Ok(answer) => {
                eprintln!("status {}: {}", answer.status, String::from_utf8_lossy(&answer.body));
                counts.failed.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                eprintln!("no answer: {error}");
                counts.failed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
