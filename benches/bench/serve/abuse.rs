//! Slow heads, idle connections, bodies that are too large or too deep: what they cost in memory, and whether others
//! are answered meanwhile.

use super::client::{Connection, Target, post};
use super::process::Replica;

async fn healthy(target: &Target, what: &str) {
    let answer = match Connection::open(target).await {
        Ok(mut connection) => connection.exchange(&post(&super::small())).await,
        Err(error) => panic!("{what}: nobody else can connect: {error}"),
    };
    assert!(answer.is_ok_and(|answer| answer.status == 200), "{what}: nobody else is answered");
}

/// Prints the peak of the resident memory after each kind of abuse.
pub async fn run(full: bool) {
    let serve = Replica::serve(&super::rules());
    serve.until_ready();
    let target = Target { address: serve.address.clone(), tls: serve.client.clone() };
    let many = if full { 1_500 } else { 100 };
    let tell = |what: &str| println!("{what:<44} peak {:5.1} MiB", serve.memory("VmHWM:"));
    tell("idle");
    let mut held = Vec::new();
    for _ in 0..many {
        if let Ok(connection) = Connection::open(&target).await {
            held.push(connection);
        }
    }
    healthy(&target, "idle connections").await;
    tell(&format!("{many} idle connections"));
    for connection in &mut held {
        let _ = connection.write(b"POST / HTTP/1.1\r\nhost: x\r\nx-slow: ").await;
    }
    healthy(&target, "slow heads").await;
    tell("slow heads on those that are left");
    held.clear();
    let head =
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 7000000\r\n\r\n";
    let half = vec![b'x'; 3_500_000];
    for _ in 0..(if full { 60 } else { 8 }) {
        if let Ok(mut connection) = Connection::open(&target).await {
            let _ = connection.write(head.as_bytes()).await;
            let _ = tokio::time::timeout(std::time::Duration::from_secs(2), connection.write(&half)).await;
            held.push(connection);
        }
    }
    healthy(&target, "bodies that stop half way").await;
    tell("bodies of 7 MB that stop half way");
    held.clear();
    let review = |object: &str| {
        format!(
            "{{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{{\"uid\":\"u\",\"operation\":\"CREATE\",\"object\":{object}}}}}"
        )
    };
    let images = format!(
        "{{\"kind\":\"Pod\",\"spec\":{{\"containers\":[{}{{}}]}}}}",
        "{\"image\":\"a\"},".repeat(480_000)
    );
    let deep = format!("{}{{\"image\":\"a\"}}{}", "{\"a\":".repeat(1_000_000), "}".repeat(1_000_000));
    let bushy = format!(
        "{}{{\"containers\":[{}{{}}]}}{}",
        "{\"a\":".repeat(9_000),
        "{\"image\":\"a\"},".repeat(400_000),
        "}".repeat(9_000)
    );
    for (what, object) in [("480,000 images", images), ("a million levels", deep), ("images far down", bushy)]
    {
        let request = post(&review(&object));
        let ask = async || match Connection::open(&target).await {
            Ok(mut connection) => connection.exchange(&request).await.map_or(0, |answer| answer.status),
            Err(_) => 0,
        };
        let (a, b, c) = tokio::join!(ask(), ask(), ask());
        healthy(&target, what).await;
        tell(&format!("{what}, three at once: {a} {b} {c}"));
    }
}
