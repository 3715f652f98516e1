//! A running `imageswap serve` on loopback, and a small HTTPS client for it.
#![allow(clippy::unwrap_used, dead_code)]

pub mod http2;
pub mod registry;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A certificate for `localhost`, with the CA that signed it.
pub struct Identity {
    pub ca: rcgen::Certificate,
    pub chain: String,
    pub key: String,
}

/// Makes a CA and a certificate that it signs for `names`.
pub fn identity(names: &[&str]) -> Identity {
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let mut ca = rcgen::CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    ca.distinguished_name.push(rcgen::DnType::CommonName, "imageswap test CA");
    let ca_certificate = ca.self_signed(&ca_key).unwrap();
    let issuer = rcgen::Issuer::new(ca, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let certificate = rcgen::CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    Identity { ca: ca_certificate, chain: certificate.pem(), key: key.serialize_pem() }
}

impl Identity {
    /// A client configuration that trusts this CA alone.
    pub fn client(&self, protocols: &[&[u8]]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Arc::new(config)
    }
}

/// A folder with `tls.crt`, `tls.key` and `maps`.
pub struct Home {
    pub folder: tempfile::TempDir,
    pub identity: Identity,
}

impl Home {
    pub fn new(maps: &str) -> Self {
        let home = Self { folder: tempfile::tempdir().unwrap(), identity: identity(&["localhost"]) };
        home.write("maps", maps);
        home.write("tls.crt", &home.identity.chain);
        home.write("tls.key", &home.identity.key);
        home
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the file under another name and renames it, so that it changes at once.
    pub fn write(&self, name: &str, text: &str) {
        let temporary = self.path(&format!("{name}.new"));
        std::fs::write(&temporary, text).unwrap();
        std::fs::rename(temporary, self.path(name)).unwrap();
    }

    /// The server's command, for a free port and with quick reloads.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_imageswap"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("IMAGE")) {
            command.env_remove(name);
        }
        command.args(["serve", "--listen", "127.0.0.1:0", "--metrics-addr", "127.0.0.1:0"]);
        command.args(["--reload-interval", "0.02", "--lame-duck", "0.7", "--log-level", "debug"]);
        command.arg("--tls-cert").arg(self.path("tls.crt")).arg("--tls-key").arg(self.path("tls.key"));
        command
    }

    /// The server with the folder's maps and further arguments, ready.
    pub fn serve(&self, more: &[&str]) -> Served {
        let mut command = self.command();
        command.arg("--maps").arg(self.path("maps")).args(more);
        let served = Served::start(command);
        served.until_ready(self);
        served
    }
}

/// A running server, which ends with the test.
pub struct Served {
    pub child: Child,
    pub address: String,
    pub metrics: String,
    lines: Mutex<Receiver<String>>,
    pub log: Arc<Mutex<Vec<String>>>,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    /// Starts it, and waits until it listens.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                kept.lock().unwrap().push(line.clone());
                let _ = sender.send(line);
            }
        });
        let mut served =
            Self { child, address: String::new(), metrics: String::new(), lines: Mutex::new(lines), log };
        let line = served.line("\"message\":\"listening\"");
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        served.address = line["address"].as_str().unwrap().to_owned();
        served.metrics = line["metrics"].as_str().unwrap_or_default().to_owned();
        served
    }

    /// The next line of the log that holds `text`.
    pub fn line(&self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.lock().unwrap().recv_timeout(left) {
                Ok(line) if line.contains(text) => return line,
                Ok(_) => {}
                Err(_) => panic!("no line with {text} in\n{}", self.log.lock().unwrap().join("\n")),
            }
        }
    }

    pub fn until_ready(&self, home: &Home) {
        until("ready", || self.connect(home).get("/readyz").status == 200);
    }

    pub fn connect(&self, home: &Home) -> Client {
        self.try_connect(home).unwrap()
    }

    pub fn try_connect(&self, home: &Home) -> std::io::Result<Client> {
        Client::connect(&self.address, home.identity.client(&[b"http/1.1"]))
    }

    /// Posts a review on a connection of its own.
    pub fn review(&self, home: &Home, path: &str, body: &str) -> Reply {
        self.connect(home).post(path, body.as_bytes())
    }

    /// What the plain port answers.
    pub fn plain(&self, path: &str) -> Reply {
        let mut stream = TcpStream::connect(&self.metrics).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        read_reply(&mut BufReader::new(stream)).unwrap()
    }

    /// The value of the metric whose line starts with `name`.
    pub fn metric(&self, name: &str) -> f64 {
        let reply = self.plain("/metrics");
        let line = reply.text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0.0)
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).unwrap();
    }

    pub fn wait(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The most memory that it has had, in KiB.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

/// Waits for `condition`.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "never {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The patch of the answer, decoded.
    pub fn patch(&self) -> Option<String> {
        use base64::Engine;
        let json = self.json();
        let patch = json["response"]["patch"].as_str()?;
        let bytes = base64::engine::general_purpose::STANDARD.decode(patch).unwrap();
        Some(String::from_utf8(bytes).unwrap())
    }
}

/// A connection.
pub struct Client {
    pub stream: BufReader<StreamOwned<ClientConnection, TcpStream>>,
}

impl Client {
    pub fn connect(address: &str, config: Arc<ClientConfig>) -> std::io::Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_nodelay(true)?;
        let name = ServerName::try_from("localhost").unwrap();
        let mut connection = ClientConnection::new(config, name).map_err(std::io::Error::other)?;
        let mut socket_to_shake = &socket;
        connection.complete_io(&mut socket_to_shake)?;
        Ok(Self { stream: BufReader::new(StreamOwned::new(connection, socket)) })
    }

    pub fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(bytes)?;
        stream.flush()
    }

    pub fn reply(&mut self) -> std::io::Result<Reply> {
        read_reply(&mut self.stream)
    }

    pub fn get(&mut self, path: &str) -> Reply {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).unwrap();
        self.reply().unwrap()
    }

    pub fn try_post(&mut self, path: &str, body: &[u8]) -> std::io::Result<Reply> {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        self.send(&[head.as_bytes(), body].concat())?;
        self.reply()
    }

    pub fn post(&mut self, path: &str, body: &[u8]) -> Reply {
        self.try_post(path, body).unwrap()
    }
}

fn read_reply(stream: &mut impl BufRead) -> std::io::Result<Reply> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned))
        .and_then(|length| length.trim().parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Reply { status, head, text: String::from_utf8(body).unwrap() })
}

/// A review of a Pod that is made with this image.
pub fn pod_review(uid: &str, image: &str) -> String {
    serde_json::json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": uid,
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "namespace": "shop",
            "operation": "CREATE",
            "object": {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"generateName": "web-"},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
            "oldObject": null,
            "dryRun": false,
        },
    })
    .to_string()
}
