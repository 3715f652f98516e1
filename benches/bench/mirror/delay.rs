//! A proxy that lets every request wait, as a registry far away does, and counts them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

type Body = BoxBody<Bytes, hyper::Error>;
type Counts = Arc<Mutex<BTreeMap<&'static str, usize>>>;

pub struct Delay {
    pub host: String,
    counts: Counts,
    _runtime: tokio::runtime::Runtime,
}

impl Delay {
    pub fn before(upstream: &str, wait: Duration) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime starts");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port is free");
        let host = listener.local_addr().expect("it has an address").to_string();
        let counts = Counts::default();
        let (all, upstream) = (Arc::clone(&counts), upstream.to_owned());
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (all, upstream) = (Arc::clone(&all), upstream.clone());
                let serve =
                    service_fn(move |request| answer(request, upstream.clone(), wait, Arc::clone(&all)));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), serve));
            }
        });
        Self { host, counts, _runtime: runtime }
    }

    /// How many requests of a kind (`GET manifests`) there were since the last time.
    pub fn take(&self) -> BTreeMap<&'static str, usize> {
        std::mem::take(&mut *self.counts.lock().expect("nobody panics"))
    }
}

async fn answer(
    request: Request<Incoming>,
    upstream: String,
    wait: Duration,
    counts: Counts,
) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path();
    let kind = match (request.method().as_str(), path) {
        ("GET", path) if path.contains("/manifests/") => "GET manifests",
        ("HEAD", path) if path.contains("/manifests/") => "HEAD manifests",
        ("GET", path) if path.contains("/blobs/") => "GET blobs",
        ("HEAD", path) if path.contains("/blobs/") => "HEAD blobs",
        ("GET" | "HEAD", _) => "other reads",
        _ => "writes",
    };
    *counts.lock().expect("nobody panics").entry(kind).or_default() += 1;
    tokio::time::sleep(wait).await;
    Ok(forward(request, &upstream).await.unwrap_or_else(|_| {
        let body = Empty::new().map_err(|never| match never {}).boxed();
        let mut response = Response::new(body);
        *response.status_mut() = hyper::StatusCode::BAD_GATEWAY;
        response
    }))
}

async fn forward(request: Request<Incoming>, upstream: &str) -> Result<Response<Body>, hyper::Error> {
    let stream = TcpStream::connect(upstream).await.expect("the registry runs");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    Ok(response.map(BodyExt::boxed))
}
