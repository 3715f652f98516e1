//! A registry of images that are made from numbers, each answer later by a fixed time.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use ring::digest::{SHA256, digest};

use crate::measure;

const KIND: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str =
    r#"{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]}}"#;

/// The image with this number: `app:v7`.
pub fn image(host: &str, number: usize) -> String {
    format!("{host}/team/app:v{number}")
}

/// The registry as a process of its own, which ends with this value.
pub struct Registry {
    child: Child,
    pub host: String,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Registry {
    /// Starts one with so many images, whose answers take so long.
    pub fn start(images: usize, delay: Duration) -> Self {
        let arguments = [images.to_string(), delay.as_millis().to_string()];
        let mut command = Command::new(measure::this());
        command.arg("child-registry").args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the registry starts");
        let mut line = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
        lines.read_line(&mut line).expect("the registry says where it is");
        Self { child, host: line.trim().to_owned() }
    }
}

/// What is answered: manifests by tag and by digest, and the configuration that all share.
struct Contents {
    manifests: HashMap<String, (String, Bytes)>,
    config: String,
}

impl Contents {
    fn new(images: usize) -> Self {
        let config = sha256(CONFIG.as_bytes());
        let mut manifests = HashMap::new();
        for number in 0..images {
            let text = format!(
                r#"{{"schemaVersion":2,"mediaType":"{KIND}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":{}}},"layers":[],"annotations":{{"number":"{number}"}}}}"#,
                CONFIG.len()
            );
            let (digest, bytes) = (sha256(text.as_bytes()), Bytes::from(text));
            manifests.insert(format!("v{number}"), (digest.clone(), bytes.clone()));
            manifests.insert(digest.clone(), (digest, bytes));
        }
        Self { manifests, config }
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        let last = path.rsplit('/').next().unwrap_or_default();
        let (kind, found) = if path == "/v2/" {
            ("application/json", Some((String::new(), Bytes::from_static(b"{}"))))
        } else if path.contains("/manifests/") {
            (KIND, self.manifests.get(last).cloned())
        } else if last == self.config {
            ("application/octet-stream", Some((self.config.clone(), Bytes::from_static(CONFIG.as_bytes()))))
        } else {
            ("", None)
        };
        let Some((digest, bytes)) = found else {
            let missing = Response::builder().status(StatusCode::NOT_FOUND);
            return missing.body(Full::default()).expect("a response");
        };
        let response = Response::builder()
            .header("Content-Type", kind)
            .header("Docker-Content-Digest", digest)
            .header("Content-Length", bytes.len());
        let body = if request.method() == Method::HEAD { Bytes::new() } else { bytes };
        response.body(Full::new(body)).expect("a response")
    }
}

/// Serves until it is killed. Run as a child.
#[allow(clippy::print_stdout, reason = "its address is what it prints")]
pub fn serve(images: usize, delay: Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let contents = Arc::new(Contents::new(images));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("an address"));
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            let contents = Arc::clone(&contents);
            tokio::spawn(async move {
                let service = service_fn(|request: Request<Incoming>| {
                    let contents = Arc::clone(&contents);
                    async move {
                        tokio::time::sleep(delay).await;
                        Ok::<_, Infallible>(contents.answer(&request))
                    }
                });
                let _ = http1::Builder::new()
                    .header_read_timeout(None)
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
}

fn sha256(bytes: &[u8]) -> String {
    let hex: String = digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
