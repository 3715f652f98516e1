//! A server as a process of its own, and what it costs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{ClientConfig, RootCertStore};

use crate::measure;

/// A CA, which signs as many certificates as are wanted.
pub struct Authority {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    certificate: rcgen::Certificate,
}

impl Authority {
    pub fn new() -> Self {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a CA");
        Self { issuer: rcgen::Issuer::new(params, key), certificate }
    }

    /// A new certificate and its key, in PEM.
    pub fn issue(&self) -> (String, String) {
        let key = rcgen::KeyPair::generate().expect("a key");
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    /// Trusts this CA alone.
    pub fn client(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).expect("a CA");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config)
    }
}

/// A folder with maps, a certificate and its key.
pub struct Home {
    pub folder: tempfile::TempDir,
    pub authority: Authority,
}

impl Home {
    pub fn new(maps: &str) -> Self {
        let home = Self { folder: measure::workspace(), authority: Authority::new() };
        home.write("maps", maps);
        home.rotate();
        home
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let temporary = self.path(&format!("{name}.new"));
        std::fs::write(&temporary, text).expect("a file");
        std::fs::rename(temporary, self.path(name)).expect("a file");
    }

    pub fn rotate(&self) {
        let (certificate, key) = self.authority.issue();
        self.write("tls.key", &key);
        self.write("tls.crt", &certificate);
    }

    /// Starts a server on this folder.
    pub fn start(&self, lame_duck: &str) -> Replica {
        let mut command = Command::new(measure::imageswap());
        command.args(["serve", "--listen", "127.0.0.1:0", "--metrics-addr", "127.0.0.1:0"]);
        command.args(["--reload-interval", "0.02", "--lame-duck", lame_duck, "--log-format", "json"]);
        command.arg("--tls-cert").arg(self.path("tls.crt")).arg("--tls-key").arg(self.path("tls.key"));
        command.arg("--maps").arg(self.path("maps"));
        Replica::started(command, self.authority.client(), None)
    }
}

pub struct Replica {
    pub child: Child,
    pub address: String,
    pub metrics: String,
    pub client: Arc<ClientConfig>,
    _home: Option<Home>,
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Replica {
    pub fn serve(maps: &str) -> Self {
        let home = Home::new(maps);
        let mut replica = home.start("0.1");
        replica._home = Some(home);
        replica
    }

    pub fn echo() -> Self {
        let home = Home::new("");
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.arg("child-echo").arg(home.path("tls.crt")).arg(home.path("tls.key"));
        let client = home.authority.client();
        Self::started(command, client, Some(home))
    }

    fn started(mut command: Command, client: Arc<ClientConfig>, home: Option<Home>) -> Self {
        let child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the server starts");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        while !line.contains("\"message\":\"listening\"") {
            line.clear();
            let read = lines.read_line(&mut line).expect("a line");
            assert!(read > 0, "the server ended before it listened");
        }
        // Nobody may wait for us to read.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        let value = |name: &str| {
            let rest = line.split(&format!("\"{name}\":\"")).nth(1).unwrap_or_default();
            rest.split('"').next().unwrap_or_default().to_owned()
        };
        Self { child, address: value("address"), metrics: value("metrics"), client, _home: home }
    }

    /// Whether it says that it is ready.
    pub fn is_ready(metrics: &str) -> bool {
        let Ok(mut stream) = TcpStream::connect(metrics) else { return false };
        let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
        let mut answer = [0; 12];
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").is_ok()
            && stream.read_exact(&mut answer).is_ok()
            && answer.ends_with(b"200")
    }

    pub fn until_ready(&self) {
        if self.metrics.is_empty() {
            return;
        }
        let end = Instant::now() + Duration::from_secs(30);
        while !Self::is_ready(&self.metrics) {
            assert!(Instant::now() < end, "never ready");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// CPU time of all its threads, those that ended included.
    pub fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("it runs");
        let of_task = |path: PathBuf| -> Option<u64> {
            let text = std::fs::read_to_string(path.join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse().ok()
        };
        Duration::from_nanos(tasks.flatten().filter_map(|task| of_task(task.path())).sum())
    }

    /// A line of `/proc/PID/status`, in MiB.
    pub fn memory(&self, line: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let found = status.lines().find(|found| found.starts_with(line)).unwrap_or_default();
        let kib: f64 = found.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0.0);
        kib / 1024.0
    }

    pub fn terminate(&self) {
        let id = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
    }
}
