//! A registry that keeps everything in memory or on the disk, and images in it.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

pub struct Registry {
    child: Child,
    pub host: String,
    _folder: TempDir,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a blob or manifest is named by.
#[derive(Clone)]
pub struct Named {
    pub digest: String,
    pub size: u64,
}

impl Registry {
    pub fn in_memory() -> Self {
        Self::start("inmemory: {}")
    }

    pub fn on_disk(folder: &Path) -> Self {
        Self::start(&format!("filesystem: {{rootdirectory: {}}}", folder.display()))
    }

    fn start(storage: &str) -> Self {
        let folder = TempDir::new().expect("a folder is made");
        let config = folder.path().join("config.yml");
        let text = format!(
            "version: 0.1\nlog: {{level: info, formatter: json}}\nstorage: {{{storage}}}\n\
             http: {{addr: '127.0.0.1:0', secret: not-a-secret}}\n"
        );
        fs::write(&config, text).expect("the configuration is written");
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&config).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("docker-registry starts");
        let mut log = BufReader::new(child.stderr.take().expect("it is piped"));
        let host = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).expect("the log is text") > 0, "the registry ended");
            if let Some((_, rest)) = line.split_once("listening on ") {
                let end = rest.find([',', '"', ' ']).expect("the address ends");
                break rest[..end].to_owned();
            }
        };
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { child, host, _folder: folder }
    }

    /// Puts a blob of `size` bytes that repeats `block`.
    pub fn blob(&self, repository: &str, block: &[u8], size: u64) -> Named {
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        let pieces =
            || (0..size).step_by(block.len()).map(|at| &block[..block.len().min((size - at) as usize)]);
        pieces().for_each(|piece| context.update(piece));
        let digest = hex(context.finish().as_ref());
        let head =
            self.request("POST", &format!("/v2/{repository}/blobs/uploads/"), "", 0, std::iter::empty());
        let line = head.lines().find_map(|line| line.strip_prefix("Location: ")).expect("a Location");
        let path = line.trim().splitn(4, '/').nth(3).expect("a path");
        let head = self.request("PUT", &format!("/{path}&digest={digest}"), "", size, pieces());
        assert!(head.contains(" 201 "), "{head}");
        Named { digest, size }
    }

    /// Puts an image of these layers.
    pub fn image(&self, repository: &str, tag: Option<&str>, words: &str, layers: &[Named]) -> Named {
        let config = format!("{{\"os\":\"linux\",\"words\":\"{words}\"}}");
        let config = self.blob(repository, config.as_bytes(), config.len() as u64);
        let named = |kind: &str, what: &Named| {
            format!("{{\"mediaType\":\"{kind}\",\"digest\":\"{}\",\"size\":{}}}", what.digest, what.size)
        };
        let layers: Vec<String> =
            layers.iter().map(|layer| named("application/vnd.oci.image.layer.v1.tar", layer)).collect();
        let text = format!(
            "{{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{},\"layers\":[{}]}}",
            named("application/vnd.oci.image.config.v1+json", &config),
            layers.join(",")
        );
        self.manifest(repository, tag, "application/vnd.oci.image.manifest.v1+json", &text)
    }

    /// Puts an index of images for as many platforms.
    pub fn index(&self, repository: &str, tag: &str, images: &[Named]) -> Named {
        let entries: Vec<String> = images
            .iter()
            .enumerate()
            .map(|(at, image)| {
                format!(
                    "{{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"{}\",\"size\":{},\"platform\":{{\"os\":\"linux\",\"architecture\":\"a{at}\"}}}}",
                    image.digest, image.size
                )
            })
            .collect();
        let kind = "application/vnd.oci.image.index.v1+json";
        let text =
            format!("{{\"schemaVersion\":2,\"mediaType\":\"{kind}\",\"manifests\":[{}]}}", entries.join(","));
        self.manifest(repository, Some(tag), kind, &text)
    }

    fn manifest(&self, repository: &str, tag: Option<&str>, kind: &str, text: &str) -> Named {
        let digest = hex(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref());
        let path = format!("/v2/{repository}/manifests/{}", tag.unwrap_or(&digest));
        let bytes = std::iter::once(text.as_bytes());
        let head = self.request("PUT", &path, &format!("Content-Type: {kind}\r\n"), text.len() as u64, bytes);
        assert!(head.contains(" 201 "), "{head}");
        Named { digest, size: text.len() as u64 }
    }

    fn request<'b>(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        length: u64,
        body: impl Iterator<Item = &'b [u8]>,
    ) -> String {
        let mut stream = TcpStream::connect(&self.host).expect("the registry runs");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n",
            self.host
        );
        stream.write_all(head.as_bytes()).expect("it is sent");
        body.for_each(|piece| stream.write_all(piece).expect("it is sent"));
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the answer is text");
        answer
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    bytes.iter().for_each(|byte| write!(text, "{byte:02x}").expect("a String takes all"));
    text
}
