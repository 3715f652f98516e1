//! A registry on loopback with one image: `app`, whatever its tag, in an index.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub struct OneImage {
    pub host: String,
    /// The digest of its index.
    pub digest: String,
    /// The digest that its index has for linux/arm64.
    pub arm64: String,
    asked: Arc<AtomicUsize>,
}

impl OneImage {
    pub fn start() -> Self {
        let arm64 = format!("sha256:{}", "a".repeat(64));
        let entry = |digest: &str, architecture: &str| {
            serde_json::json!({
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": digest,
                "size": 7,
                "platform": {"os": "linux", "architecture": architecture},
            })
        };
        let index = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [entry(&format!("sha256:{}", "b".repeat(64)), "amd64"), entry(&arm64, "arm64")],
        })
        .to_string();
        let hash = ring::digest::digest(&ring::digest::SHA256, index.as_bytes());
        let digest: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let digest = format!("sha256:{digest}");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(AtomicUsize::new(0));
        let (counter, sent) = (Arc::clone(&asked), digest.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (counter, digest, index) = (Arc::clone(&counter), sent.clone(), index.clone());
                std::thread::spawn(move || serve(&stream, &counter, &digest, &index));
            }
        });
        Self { host, digest, arm64, asked }
    }

    /// How often it was asked for the image.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

fn serve(mut stream: &TcpStream, asked: &AtomicUsize, digest: &str, index: &str) {
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(first)) = lines.next() {
        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        let good = first.contains("/app/manifests/");
        asked.fetch_add(usize::from(good), Ordering::Relaxed);
        let body = if first.starts_with("GET") && good { index } else { "" };
        let status = if good || first.contains("/v2/ ") { "200 OK" } else { "404 Not Found" };
        let length = if good { index.len() } else { 0 };
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/vnd.oci.image.index.v1+json\r\n\
             docker-content-digest: {digest}\r\ncontent-length: {length}\r\n\r\n"
        );
        if stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).is_err() {
            return;
        }
    }
}
