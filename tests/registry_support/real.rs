//! Real registries on loopback: Debian's docker-registry and distribution 3.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ring::digest::{SHA256, digest};
use tempfile::TempDir;

use super::{http, program};

/// How a registry is logged in to.
pub(crate) enum Auth<'a> {
    Open,
    /// User and password.
    Basic(&'a str, &'a str),
    /// The URL of a token server, and the certificate of its key.
    Token(&'a str, &'a Path),
}

/// A program that is a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Debian's docker-registry 2.8.
    Docker,
    /// distribution 3.
    Distribution,
    /// `crane registry serve`, which keeps everything in memory, mounts nothing, and checks nothing.
    Crane,
    /// olareg, which has the referrers API.
    Olareg,
    /// distribution 3 that takes an index whose manifests are missing.
    Lenient,
}

impl Kind {
    pub(crate) fn all() -> [Self; 4] {
        [Self::Docker, Self::Distribution, Self::Crane, Self::Olareg]
    }

    fn program(self) -> Option<PathBuf> {
        program::find(match self {
            Self::Docker => "docker-registry",
            Self::Distribution | Self::Lenient => "distribution",
            Self::Crane => "crane",
            Self::Olareg => "olareg",
        })
    }
}

/// The certificate and key of a registry with TLS.
#[derive(Clone, Copy)]
pub(crate) struct Tls<'a> {
    pub(crate) certificate: &'a Path,
    pub(crate) key: &'a Path,
    /// The authority of the certificates that clients must show.
    pub(crate) clients: Option<&'a Path>,
}

/// A registry that runs until it is dropped.
pub(crate) struct Registry {
    child: Child,
    /// `127.0.0.1:40123`.
    pub(crate) host: String,
    folder: TempDir,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The registries that are there.
pub(crate) fn programs() -> Vec<PathBuf> {
    ["docker-registry", "distribution"].iter().filter_map(|name| program::find(name)).collect()
}

impl Registry {
    /// Starts an open registry; `None` when its program is not there.
    pub(crate) fn of(kind: Kind, storage: &Path) -> Option<Self> {
        let program = kind.program()?;
        let mut command = Command::new(program);
        match kind {
            Kind::Docker | Kind::Distribution => {
                Some(Self::start(Path::new(command.get_program()), storage, &Auth::Open, None))
            }
            Kind::Lenient => {
                let more = "validation: {manifests: {indexes: {platforms: none}}}\n";
                let program = Path::new(command.get_program());
                Some(Self::start_with(program, storage, &Auth::Open, None, more))
            }
            Kind::Crane => {
                command.args(["registry", "serve", "--address", "127.0.0.1:0"]);
                Some(Self::listening(&mut command, TempDir::new().unwrap()))
            }
            Kind::Olareg => {
                // It does not say which port it took.
                let host = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
                let (address, port) = host.split_once(':').unwrap();
                command.args(["serve", "--store-type", "mem", "--addr", address, "--port", port]);
                let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
                let registry = Self { child, host, folder: TempDir::new().unwrap() };
                while TcpStream::connect(&registry.host).is_err() {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Some(registry)
            }
        }
    }

    /// Starts `program` over the files in `storage`, with TLS where a certificate and key are given.
    pub(crate) fn start(program: &Path, storage: &Path, auth: &Auth, tls: Option<(&Path, &Path)>) -> Self {
        let tls = tls.map(|(certificate, key)| Tls { certificate, key, clients: None });
        Self::start_with(program, storage, auth, tls, "")
    }

    /// Starts `program` with TLS, and perhaps for clients with a certificate alone.
    pub(crate) fn start_tls(program: &Path, storage: &Path, auth: &Auth, tls: Tls<'_>) -> Self {
        Self::start_with(program, storage, auth, Some(tls), "")
    }

    /// The same, with more lines of configuration.
    fn start_with(program: &Path, storage: &Path, auth: &Auth, tls: Option<Tls<'_>>, more: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let mut config = format!(
            "version: 0.1\nlog: {{level: info, formatter: json}}\nstorage:\n  filesystem: {{rootdirectory: {storage}}}\n  \
             delete: {{enabled: true}}\nhttp:\n  addr: 127.0.0.1:0\n  secret: not-a-secret\n",
            storage = storage.display()
        );
        config.insert_str(config.find("log:").unwrap(), more);
        if let Some(Tls { certificate, key, clients }) = tls {
            let clients = clients.map_or(String::new(), |path| format!(", clientcas: [{}]", path.display()));
            let (certificate, key) = (certificate.display(), key.display());
            writeln!(config, "  tls: {{certificate: {certificate}, key: {key}{clients}}}").unwrap();
        }
        match auth {
            Auth::Open => {}
            Auth::Basic(user, password) => {
                let made = Command::new(program::find("htpasswd").unwrap())
                    .args(["-Bbn", user, password])
                    .output()
                    .unwrap();
                assert!(made.status.success());
                let file = folder.path().join("htpasswd");
                fs::write(&file, made.stdout).unwrap();
                writeln!(config, "auth: {{htpasswd: {{realm: test, path: {}}}}}", file.display()).unwrap();
            }
            Auth::Token(realm, certificate) => {
                writeln!(
                    config,
                    "auth: {{token: {{realm: {realm}, service: test-registry, issuer: test-issuer, rootcertbundle: {}}}}}",
                    certificate.display()
                )
                .unwrap();
            }
        }
        let file = folder.path().join("config.yml");
        fs::write(&file, config).unwrap();
        let mut command = Command::new(program);
        Self::listening(command.arg("serve").arg(&file).env("OTEL_TRACES_EXPORTER", "none"), folder)
    }

    /// Starts `command` and waits until it says where it listens.
    fn listening(command: &mut Command, folder: TempDir) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut seen = String::new();
        let host = loop {
            let mut line = String::new();
            let read = log.read_line(&mut line).unwrap();
            assert!(read > 0, "the registry ended:\n{seen}");
            seen.push_str(&line);
            if let Some((_, rest)) = line.split_once("listening on ") {
                let end = rest.find([',', '"', ' ']).unwrap();
                break rest[..end].to_owned();
            }
            if let Some((_, port)) = line.split_once("serving on port ") {
                break format!("127.0.0.1:{}", port.trim());
            }
        };
        // Its log is read on, or it would block.
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut log, &mut std::io::sink());
        });
        Self { child, host, folder }
    }

    /// Stops it as it is: connections are taken, and nothing is answered.
    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Puts a blob into an open registry.
    pub(crate) fn push_blob(&self, repository: &str, bytes: &[u8]) -> String {
        let started =
            http::request(&self.host, "POST", &format!("/v2/{repository}/blobs/uploads/"), &[], b"");
        assert_eq!(started.status, 202);
        let location = started.header("Location").unwrap();
        let path = location.split_once("://").map_or(location, |(_, rest)| &rest[rest.find('/').unwrap()..]);
        let digest = sha256(bytes);
        let kind = [("Content-Type", "application/octet-stream")];
        let separator = if path.contains('?') { '&' } else { '?' };
        let put =
            http::request(&self.host, "PUT", &format!("{path}{separator}digest={digest}"), &kind, bytes);
        assert_eq!(put.status, 201);
        digest
    }

    /// Puts a manifest into an open registry, under a tag or its digest.
    pub(crate) fn push_manifest(
        &self,
        repository: &str,
        reference: &str,
        kind: &str,
        bytes: &[u8],
    ) -> String {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let put = http::request(&self.host, "PUT", &path, &[("Content-Type", kind)], bytes);
        assert_eq!(put.status, 201, "{}", String::from_utf8_lossy(&put.body));
        sha256(bytes)
    }

    /// Puts an image of one layer, for one platform.
    pub(crate) fn push_image(
        &self,
        repository: &str,
        reference: Option<&str>,
        docker: bool,
        words: &str,
    ) -> (String, usize) {
        let config = format!(
            r#"{{"architecture":"amd64","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":["{}"]}},"words":"{words}"}}"#,
            sha256(words.as_bytes())
        );
        let (config_digest, layer_digest) =
            (self.push_blob(repository, config.as_bytes()), self.push_blob(repository, words.as_bytes()));
        let kind =
            |oci: &str, docker_kind: &str| if docker { docker_kind.to_owned() } else { oci.to_owned() };
        let media = kind(
            "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.docker.distribution.manifest.v2+json",
        );
        let of_config = kind(
            "application/vnd.oci.image.config.v1+json",
            "application/vnd.docker.container.image.v1+json",
        );
        let of_layer =
            kind("application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar");
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{media}","config":{{"mediaType":"{of_config}","digest":"{config_digest}","size":{}}},"layers":[{{"mediaType":"{of_layer}","digest":"{layer_digest}","size":{}}}]}}"#,
            config.len(),
            words.len()
        );
        let digest = sha256(manifest.as_bytes());
        self.push_manifest(repository, reference.unwrap_or(&digest), &media, manifest.as_bytes());
        (digest, manifest.len())
    }

    /// Puts an image of these layers; `subject` follows them in its manifest, and may say what it refers to.
    pub(crate) fn push_layers(&self, repository: &str, tag: &str, layers: &[&str], subject: &str) -> String {
        const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
        let descriptor = |kind: &str, text: &str| {
            let digest = self.push_blob(repository, text.as_bytes());
            let size = text.len();
            format!(r#"{{"mediaType":"application/vnd.oci.image.{kind}","digest":"{digest}","size":{size}}}"#)
        };
        let config = descriptor("config.v1+json", r#"{"architecture":"amd64","os":"linux"}"#);
        let layers: Vec<String> = layers.iter().map(|layer| descriptor("layer.v1.tar", layer)).collect();
        let layers = layers.join(",");
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{config},"layers":[{layers}]{subject}}}"#
        );
        self.push_manifest(repository, tag, MANIFEST, manifest.as_bytes())
    }

    /// Puts an index (or a Docker list) of images for linux/amd64, linux/arm64 and linux/arm/v7, and gives its
    /// digest and those of its children.
    pub(crate) fn push_index(&self, repository: &str, tag: &str, docker: bool) -> (String, Vec<String>) {
        let mut children = Vec::new();
        let mut entries = Vec::new();
        let platforms = [
            r#""architecture":"amd64","os":"linux""#,
            r#""architecture":"arm64","os":"linux","variant":"v8""#,
            r#""architecture":"arm","os":"linux","variant":"v7""#,
        ];
        for (at, platform) in platforms.iter().enumerate() {
            let (digest, size) =
                self.push_image(repository, None, docker, &format!("{repository} {tag} {at}"));
            let media = if docker {
                "application/vnd.docker.distribution.manifest.v2+json"
            } else {
                "application/vnd.oci.image.manifest.v1+json"
            };
            entries.push(format!(
                r#"{{"mediaType":"{media}","digest":"{digest}","size":{size},"platform":{{{platform}}}}}"#
            ));
            children.push(digest);
        }
        let media = if docker {
            "application/vnd.docker.distribution.manifest.list.v2+json"
        } else {
            "application/vnd.oci.image.index.v1+json"
        };
        let index =
            format!(r#"{{"schemaVersion":2,"mediaType":"{media}","manifests":[{}]}}"#, entries.join(","));
        (self.push_manifest(repository, tag, media, index.as_bytes()), children)
    }
}

/// A private certificate authority, and a certificate of it for loopback.
pub(crate) struct Certificates {
    pub(crate) folder: TempDir,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "test authority");
        let authority = rcgen::CertifiedIssuer::self_signed(parameters, key).unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("ca.pem", &authority.pem());
        for (name, names) in
            [("server", &["localhost", "127.0.0.1", "registry.test"] as &[&str]), ("client", &["client"])]
        {
            let key = rcgen::KeyPair::generate().unwrap();
            let names = names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
            let parameters = rcgen::CertificateParams::new(names).unwrap();
            let certificate = parameters.signed_by(&key, &authority).unwrap();
            write(&format!("{name}.pem"), &certificate.pem());
            write(&format!("{name}.key"), &key.serialize_pem());
        }
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in digest(&SHA256, bytes).as_ref() {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}
