//! The writing side of the registry client against real registries: docker-registry, distribution 3, crane's and olareg.
#![allow(clippy::unwrap_used)]

mod registry_support;

use std::time::Duration;

use bytes::Bytes;
use imageswap::image::{Digest, Repository};
use imageswap::registry::{
    Anonymous, BlobPresence, BlobRead, Client, Credential, Descriptor, Fixed, Manifest, NewBlob, OCI_INDEX,
    OCI_MANIFEST, Reason, RegistryError, RegistryOptions, Secret, Start, referrers_tag,
};
use registry_support::hostile::{Server, reply};
use registry_support::real::{Auth, Kind, Registry, sha256};
use registry_support::token_server::TokenServer;
use registry_support::{options, program, runtime};
use tempfile::TempDir;

const USER: &str = "somebody";
const PASSWORD: &str = "canary-7d1c-password";

/// Time enough for a busy machine.
fn patient(host: &str) -> RegistryOptions {
    RegistryOptions {
        read_timeout: Duration::from_secs(20),
        answer_timeout: Duration::from_secs(30),
        ..options(&[host])
    }
}

fn digest(text: &str) -> Digest {
    Digest::parse(text).unwrap()
}

fn repository(host: &str, path: &str) -> Repository {
    Repository::parse(&format!("{host}/{path}")).unwrap()
}

/// Bytes of the test's own, in pieces.
struct Given {
    bytes: Bytes,
    at: usize,
    piece: usize,
}

impl Given {
    fn new(bytes: &[u8], piece: usize) -> Self {
        Self { bytes: Bytes::copy_from_slice(bytes), at: 0, piece }
    }
}

impl BlobRead for Given {
    type Error = RegistryError;

    async fn next(&mut self) -> Result<Option<Bytes>, RegistryError> {
        let end = (self.at + self.piece).min(self.bytes.len());
        let piece = self.bytes.slice(self.at..end);
        self.at = end;
        Ok((!piece.is_empty()).then_some(piece))
    }

    async fn restart(&mut self, from: u64) -> Result<(), RegistryError> {
        self.at = usize::try_from(from).unwrap();
        Ok(())
    }
}

/// Writes a blob as a copy does.
fn write(
    client: &Client,
    repository: &Repository,
    bytes: &[u8],
    piece: usize,
) -> Result<Digest, RegistryError> {
    let digest = digest(&sha256(bytes));
    let blob = NewBlob { image: "the image", repository, digest: &digest, size: bytes.len() as u64 };
    let written = runtime().block_on(async {
        match client.start_upload(blob, None).await? {
            Start::Done => panic!("nothing was to be mounted"),
            Start::Upload(upload) => client.upload(blob, upload, &mut Given::new(bytes, piece)).await,
        }
    });
    written.map(|()| digest)
}

/// Reads a blob back.
fn read(client: &Client, repository: &Repository, digest: &Digest, size: u64) -> Vec<u8> {
    runtime().block_on(async {
        let mut reader = client.blob("the image", repository, digest, Some(size)).await.unwrap();
        let mut all = Vec::new();
        while let Some(bytes) = reader.next().await.unwrap() {
            all.extend_from_slice(&bytes);
        }
        all
    })
}

#[test]
fn what_is_written_is_what_is_read() {
    for kind in Kind::all() {
        let storage = TempDir::new().unwrap();
        let Some(registry) = Registry::of(kind, storage.path()) else { continue };
        let client = Client::new(patient(&registry.host), Anonymous);
        let repository = repository(&registry.host, "team/app");
        for (size, piece) in [(0, 1), (1, 1), (2, 1), (100_000, 999), (3_000_000, 65_536)] {
            let bytes: Vec<u8> = (0..size).map(|at: u32| (at % 251) as u8).collect();
            let digest = write(&client, &repository, &bytes, piece).unwrap();
            assert_eq!(read(&client, &repository, &digest, bytes.len() as u64), bytes, "{kind:?} {size}");
            let found = runtime().block_on(client.head_blob("x", &repository, &digest)).unwrap();
            assert_eq!(found, BlobPresence::There { size: Some(u64::from(size)) }, "{kind:?}");
        }
    }
}

#[test]
fn large_blobs_go_in_parts() {
    let bytes: Vec<u8> = (0..65 * 1024 * 1024 + 7_u32).map(|at| (at / 3 % 253) as u8).collect();
    for kind in Kind::all() {
        let storage = TempDir::new().unwrap();
        let Some(registry) = Registry::of(kind, storage.path()) else { continue };
        let client = Client::new(patient(&registry.host), Anonymous);
        let repository = repository(&registry.host, "large");
        let digest = write(&client, &repository, &bytes, 1_000_003).unwrap();
        assert!(read(&client, &repository, &digest, bytes.len() as u64) == bytes, "{kind:?}");
    }
}

#[test]
fn blobs_are_mounted_where_the_registry_will() {
    for kind in Kind::all() {
        let storage = TempDir::new().unwrap();
        let Some(registry) = Registry::of(kind, storage.path()) else { continue };
        let client = Client::new(patient(&registry.host), Anonymous);
        let (from, to) = (repository(&registry.host, "a/from"), repository(&registry.host, "b/to"));
        let digest = write(&client, &from, b"some layer", 3).unwrap();
        let blob = NewBlob { image: "the image", repository: &to, digest: &digest, size: 10 };
        let started = runtime().block_on(client.start_upload(blob, Some(&from))).unwrap();
        match (kind, started) {
            (Kind::Crane, Start::Upload(upload)) => {
                runtime().block_on(client.upload(blob, upload, &mut Given::new(b"some layer", 3))).unwrap();
            }
            (Kind::Crane, Start::Done) => panic!("crane's registry does not mount"),
            (_, Start::Done) => {}
            (_, Start::Upload(_)) => panic!("{kind:?} mounts"),
        }
        assert_eq!(read(&client, &to, &digest, 10), b"some layer", "{kind:?}");
        // A repository that has no such blob, or is not there, is no reason to fail.
        let nowhere = repository(&registry.host, "no/where");
        let other = write(&client, &from, b"another", 3).unwrap();
        let blob = NewBlob { image: "the image", repository: &to, digest: &other, size: 7 };
        if let Start::Upload(upload) = runtime().block_on(client.start_upload(blob, Some(&nowhere))).unwrap()
        {
            runtime().block_on(client.upload(blob, upload, &mut Given::new(b"another", 3))).unwrap();
        }
        assert_eq!(read(&client, &to, &other, 7), b"another", "{kind:?}");
    }
}

#[test]
fn wrong_bytes_are_refused_by_the_registry() {
    for kind in [Kind::Docker, Kind::Distribution] {
        let storage = TempDir::new().unwrap();
        let Some(registry) = Registry::of(kind, storage.path()) else { continue };
        let client = Client::new(patient(&registry.host), Anonymous);
        let repository = repository(&registry.host, "app");
        let lie = digest(&sha256(b"what it should be"));
        let blob = NewBlob { image: "the image", repository: &repository, digest: &lie, size: 5 };
        let error = runtime().block_on(async {
            let Start::Upload(upload) = client.start_upload(blob, None).await.unwrap() else { panic!() };
            client.upload(blob, upload, &mut Given::new(b"wrong", 2)).await.unwrap_err()
        });
        assert!(matches!(&*error.reason, Reason::Status { status: 400, .. }), "{error}");
        assert_eq!(
            runtime().block_on(client.head_blob("x", &repository, &lie)).unwrap(),
            BlobPresence::Missing
        );
    }
}

fn manifest(config: &str, subject: Option<(&str, usize)>) -> Manifest {
    let subject = subject.map_or(String::new(), |(digest, size)| {
        format!(r#","subject":{{"mediaType":"{OCI_MANIFEST}","digest":"{digest}","size":{size}}}"#)
    });
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","artifactType":"application/example","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":2}},"layers":[]{subject}}}"#
    );
    Manifest {
        digest: digest(&sha256(text.as_bytes())),
        media_type: OCI_MANIFEST.to_owned(),
        bytes: text.into(),
    }
}

#[test]
fn referrers_are_written_and_found() {
    for kind in Kind::all() {
        let storage = TempDir::new().unwrap();
        let Some(registry) = Registry::of(kind, storage.path()) else { continue };
        let client = Client::new(patient(&registry.host), Anonymous);
        let repository = repository(&registry.host, "app");
        let config = write(&client, &repository, b"{}", 2).unwrap();
        let subject = manifest(config.as_str(), None);
        runtime().block_on(async {
            client.put_manifest("x", &repository, "v1", &subject).await.unwrap();
            assert_eq!(client.tagged_referrers("x", &repository, &subject.digest).await.unwrap(), []);
            let referring = manifest(config.as_str(), Some((subject.digest.as_str(), subject.bytes.len())));
            let reference = referring.digest.to_string();
            let pushed = client.put_manifest("x", &repository, &reference, &referring).await.unwrap();
            assert_eq!(pushed.knows_subject, kind == Kind::Olareg, "{kind:?}");
            let by_api = client.referrers("x", &repository, &subject.digest).await.unwrap();
            assert_eq!(by_api.is_some(), kind == Kind::Olareg, "{kind:?}");
            let descriptor = Descriptor {
                media_type: OCI_MANIFEST.to_owned(),
                digest: referring.digest.clone(),
                size: referring.bytes.len() as u64,
                urls: Vec::new(),
                platform: None,
                artifact_type: Some("application/example".to_owned()),
                annotations: None,
            };
            if pushed.knows_subject {
                assert_eq!(by_api.unwrap(), [descriptor], "{kind:?}");
                return;
            }
            client.tag_referrer("x", &repository, &subject.digest, &descriptor).await.unwrap();
            // Others are kept, and nothing is listed twice.
            let size = subject.bytes.len() as u64;
            let other = Descriptor { digest: subject.digest.clone(), size, ..descriptor.clone() };
            client.tag_referrer("x", &repository, &subject.digest, &other).await.unwrap();
            client.tag_referrer("x", &repository, &subject.digest, &descriptor).await.unwrap();
            let listed = client.tagged_referrers("x", &repository, &subject.digest).await.unwrap();
            assert_eq!(listed, [descriptor, other], "{kind:?}");
            let tag = referrers_tag(&subject.digest);
            let index = client.manifest("x", &repository, &tag).await.unwrap();
            assert_eq!(index.media_type, OCI_INDEX);
        });
    }
}

#[test]
fn who_may_write() {
    let Some(docker) = program::find("docker-registry") else { return };
    if program::find("htpasswd").is_none() {
        return;
    }
    let password = |password| {
        let password = Secret::new(password);
        Credential::Basic { user: USER.to_owned(), password }
    };
    let storage = TempDir::new().unwrap();
    let registry = Registry::start(&docker, storage.path(), &Auth::Basic(USER, PASSWORD), None);
    let client = |credential| {
        Client::new(patient(&registry.host), Fixed::new().with(registry.host.clone(), credential))
    };
    let repository_ = repository(&registry.host, "app");
    write(&client(password(PASSWORD)), &repository_, b"some bytes", 4).unwrap();
    let error = write(&client(password("canary-7d1c-wrong")), &repository_, b"other bytes", 4).unwrap_err();
    assert!(matches!(&*error.reason, Reason::Unauthorized { origin: Some(_), .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");

    let Some(tokens) = TokenServer::start(USER, PASSWORD, "canary-refresh") else { return };
    let storage = TempDir::new().unwrap();
    let (realm, certificate) = (tokens.realm(), tokens.certificate());
    let registry = Registry::start(&docker, storage.path(), &Auth::Token(&realm, &certificate), None);
    let keychain = Fixed::new().with(registry.host.clone(), password(PASSWORD));
    let client = Client::new(patient(&registry.host), keychain);
    let (from, to) = (repository(&registry.host, "z/from"), repository(&registry.host, "a/to"));
    let digest = write(&client, &from, b"some bytes", 4).unwrap();
    let blob = NewBlob { image: "the image", repository: &to, digest: &digest, size: 10 };
    let started = runtime().block_on(client.start_upload(blob, Some(&from))).unwrap();
    assert!(matches!(started, Start::Done), "the token is for both repositories");
}

/// What a registry says of an upload may be anything; it ends all the same, and soon.
#[test]
fn registries_that_lose_track() {
    type Range = fn(usize) -> String;
    let cases: [(&str, Range, Range); 6] = [
        ("no progress", |_| "0-9".to_owned(), |_| "0-0".to_owned()),
        ("back to less", |_| "0-9".to_owned(), |_| "0-4".to_owned()),
        ("more than was sent", |_| "0-9".to_owned(), |_| "0-99999999999".to_owned()),
        ("more than there is", |_| "0-9".to_owned(), |_| format!("0-{}", u64::MAX)),
        ("a status of more than was sent", |_| "0-99999999".to_owned(), |_| "0-9".to_owned()),
        (
            "progress that is claimed and lost",
            |at| if at % 2 == 0 { "0-9".to_owned() } else { "0-2000000".to_owned() },
            |_| "0-0".to_owned(),
        ),
    ];
    let bytes = vec![7; 4 * 1024 * 1024];
    for (name, of_status, of_part) in cases {
        let server = Server::start(move |asked, at| {
            let location = || ("Location", "/v2/app/blobs/uploads/1".to_owned());
            match asked.method.as_str() {
                "POST" => reply(202).with(location().0, location().1),
                "PATCH" => reply(202).with(location().0, location().1).with("Range", of_part(at)),
                "PUT" => reply(500),
                "GET" if asked.path.contains("uploads") => {
                    reply(204).with(location().0, location().1).with("Range", of_status(at))
                }
                "HEAD" => reply(404),
                _ => reply(200),
            }
        });
        let client = Client::new(patient(&server.host), Anonymous);
        write(&client, &repository(&server.host, "app"), &bytes, 65_536).expect_err(name);
        let asked = server.asked().len();
        assert!(asked < 40, "{name}: {asked} requests");
        assert!(server.count("DELETE", "uploads") > 0, "{name}: it is given up");
    }
}
