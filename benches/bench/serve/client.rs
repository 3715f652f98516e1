//! An open-loop client: requests are due at fixed times whatever the server does, and a late answer counts from when
//! its request was due.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Where requests go.
#[derive(Clone)]
pub struct Target {
    pub address: String,
    pub tls: Arc<ClientConfig>,
}

/// How many, how fast.
#[derive(Clone, Copy)]
pub struct Load {
    /// Requests a second over all connections; 0 is as fast as answers come.
    pub rate: u64,
    pub connections: usize,
    pub length: Duration,
}

/// What came of it.
#[derive(Default)]
pub struct Report {
    pub good: usize,
    /// Answered with 503, so that the client may ask another replica.
    pub refused: usize,
    pub failed: usize,
    /// Milliseconds.
    latencies: Vec<f64>,
}

impl Report {
    pub fn percentile(&self, percent: f64) -> f64 {
        let at = (self.latencies.len() as f64 * percent / 100.0) as usize;
        self.latencies.get(at.min(self.latencies.len().saturating_sub(1))).copied().unwrap_or(0.0)
    }
}

/// A connection that is kept alive.
pub struct Connection {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
}

/// An answer's status, its body, and whether the connection may be used again.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    pub keeps: bool,
}

impl Connection {
    pub async fn open(target: &Target) -> io::Result<Self> {
        let stream = TcpStream::connect(&target.address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = TlsConnector::from(Arc::clone(&target.tls)).connect(name, stream).await?;
        Ok(Self { stream, buffer: Vec::with_capacity(8 * 1024) })
    }

    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.write(request).await?;
        self.buffer.clear();
        let (mut head, mut length) = (None, 0);
        loop {
            if head.is_none()
                && let Some(end) = find(&self.buffer, b"\r\n\r\n")
            {
                let text = String::from_utf8_lossy(&self.buffer[..end]).to_ascii_lowercase();
                let found = text.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next());
                length = found.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
                head = Some((end + 4, text));
            }
            if let Some((start, text)) = &head
                && self.buffer.len() >= start + length
            {
                let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
                let body = self.buffer[*start..start + length].to_vec();
                return Ok(Answer { status, body, keeps: !text.contains("connection: close") });
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// The request that posts `body`.
pub fn post(body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST /?timeout=10s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Opens the connections, sends a load, and waits for its last answer.
pub async fn load(target: &Target, body: &str, load: Load) -> Report {
    let request = Arc::new(post(body));
    let opening: Vec<_> = (0..load.connections)
        .map(|_| {
            let target = target.clone();
            tokio::spawn(async move { Connection::open(&target).await })
        })
        .collect();
    let mut all = Report::default();
    let mut connections = Vec::new();
    for opened in opening {
        match opened.await.expect("a client") {
            Ok(connection) => connections.push(connection),
            Err(_) => all.failed += 1,
        }
    }
    let mut tasks = Vec::new();
    let begin = Instant::now() + Duration::from_millis(50);
    for (number, mut connection) in connections.into_iter().enumerate() {
        let (target, request) = (target.clone(), Arc::clone(&request));
        tasks.push(tokio::spawn(async move {
            let mut report = Report::default();
            let step =
                (load.rate > 0).then(|| Duration::from_secs_f64(load.connections as f64 / load.rate as f64));
            let mut due = begin + step.unwrap_or_default().mul_f64(number as f64 / load.connections as f64);
            while due < begin + load.length && Instant::now() < begin + load.length {
                tokio::time::sleep_until(due.into()).await;
                match connection.exchange(&request).await {
                    Ok(answer) if answer.status == 200 => {
                        report.good += 1;
                        report.latencies.push(due.elapsed().as_secs_f64() * 1e3);
                    }
                    _ => {
                        report.failed += 1;
                        let Ok(next) = Connection::open(&target).await else { return report };
                        connection = next;
                    }
                }
                due = step.map_or_else(Instant::now, |step| due + step);
            }
            report
        }));
    }
    for task in tasks {
        let report = task.await.expect("a client");
        all.good += report.good;
        all.failed += report.failed;
        all.latencies.extend(report.latencies);
    }
    all.latencies.sort_by(f64::total_cmp);
    all
}

/// How long the client of a flood waits for an answer: as long as API servers wait for a webhook that is told so.
const PATIENCE: Duration = Duration::from_secs(1);

/// Wants requests answered at a rate that no server holds out. A request that is due while its connection waits for
/// another counts as failed, and so does one whose answer comes too late; its connection is closed then.
pub async fn flood(target: &Target, body: &str, load: Load) -> Report {
    let request = Arc::new(post(body));
    let step = Duration::from_secs_f64(load.connections as f64 / load.rate.max(1) as f64);
    let begin = Instant::now() + Duration::from_millis(500);
    let clients: Vec<_> = (0..load.connections)
        .map(|number| {
            let (target, request) = (target.clone(), Arc::clone(&request));
            let first = begin + step.mul_f64(number as f64 / load.connections as f64);
            tokio::spawn(flood_one(target, request, first, step, begin + load.length))
        })
        .collect();
    let mut all = Report::default();
    for client in clients {
        let report = client.await.expect("a client");
        all.good += report.good;
        all.refused += report.refused;
        all.failed += report.failed;
    }
    all
}

async fn flood_one(
    target: Target,
    request: Arc<Vec<u8>>,
    first: Instant,
    step: Duration,
    end: Instant,
) -> Report {
    let mut report = Report::default();
    let mut connection = None;
    let mut due = first;
    while due < end {
        tokio::time::sleep_until(due.into()).await;
        let exchange = async {
            let mut open = match connection.take() {
                Some(open) => open,
                None => Connection::open(&target).await?,
            };
            let answer = open.exchange(&request).await?;
            Ok::<_, io::Error>((open, answer.status))
        };
        match tokio::time::timeout(PATIENCE, exchange).await {
            Ok(Ok((open, status))) => {
                report.good += usize::from(status == 200);
                report.refused += usize::from(status == 503);
                connection = Some(open);
            }
            Ok(Err(_)) | Err(_) => report.failed += 1,
        }
        due += step;
        while due < Instant::now() && due < end {
            report.failed += 1;
            due += step;
        }
    }
    report
}
