//! Image layouts in the hands of others: crane, oras and skopeo read what is written, and what they write is read.
#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise and say why")]

mod registry_support;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command;

use imageswap::image::{Digest, ImageReference, Repository};
use imageswap::lock::Lock;
use imageswap::mirror::layout::{LayoutReader, LayoutWriter, LeftOut};
use imageswap::mirror::{Contents, Place, RegistryStore, Source, Started, StoreError, Target};
use imageswap::registry::{Anonymous, Client};
use registry_support::real::{Kind, Registry};
use registry_support::{http, options, program, runtime};
use tempfile::TempDir;

/// Copies a manifest and all that it needs, the plainest way.
fn copy<'a, S: Source, T: Target>(
    source: (&'a S, Place<'a>),
    target: (&'a T, Place<'a>),
    digest: &'a Digest,
) -> Pin<Box<dyn Future<Output = Result<(), StoreError>> + 'a>> {
    Box::pin(async move {
        let manifest = source.0.manifest(source.1, digest).await?;
        let contents = Contents::of(&manifest).unwrap();
        for child in &contents.manifests {
            copy(source, target, &child.digest).await?;
        }
        for blob in &contents.blobs {
            if let Started::Write(upload) = target.0.start_blob(target.1, blob, None).await? {
                let mut bytes = source.0.blob(source.1, blob).await?;
                target.0.write_blob(target.1, blob, upload, &mut bytes).await?;
            }
        }
        target.0.write_manifest(target.1, &manifest).await
    })
}

/// Copies an image under its tag.
fn copy_image<S: Source, T: Target>(source: (&S, &str), target: (&T, &str)) -> Digest {
    let parsed = [source.1, target.1].map(|text| {
        let reference = ImageReference::parse(text).unwrap();
        (reference.repository(), reference.tag().unwrap().to_owned())
    });
    let [(from, from_tag), (to, to_tag)] = &parsed;
    let place = |image, repository| Place { image, repository };
    let (from, to) = (place(source.1, from), place(target.1, to));
    runtime().block_on(async {
        let found = source.0.find(from, from_tag).await.unwrap().expect("it is there");
        copy((source.0, from), (target.0, to), &found.digest).await.unwrap();
        let manifest = source.0.manifest(from, &found.digest).await.unwrap();
        target.0.name(to, Some(to_tag), &manifest).await.unwrap();
        found.digest
    })
}

fn registries(hosts: &[&str]) -> RegistryStore {
    RegistryStore::new(Client::new(options(hosts), Anonymous))
}

fn run(program: &Path, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).env("HOME", "/nonexistent").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {arguments:?}: {said}", program.display());
}

/// The bytes and the digest of a manifest, as the registry has them.
fn raw(registry: &Registry, repository: &str, reference: &str) -> (String, Vec<u8>) {
    let accept = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                  application/vnd.docker.distribution.manifest.list.v2+json, \
                  application/vnd.docker.distribution.manifest.v2+json";
    let path = format!("/v2/{repository}/manifests/{reference}");
    let answer = http::request(&registry.host, "GET", &path, &[("Accept", accept)], b"");
    assert_eq!(answer.status, 200, "{path}");
    (answer.header("Docker-Content-Digest").unwrap().to_owned(), answer.body)
}

struct Setup {
    source: Registry,
    target: Registry,
    folder: TempDir,
}

impl Setup {
    fn new() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let registry = |name: &str| Registry::of(Kind::Docker, &folder.path().join(name));
        Some(Self { source: registry("source")?, target: registry("target")?, folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[test]
fn others_read_what_is_written() {
    let programs = ["crane", "oras", "skopeo"].map(program::find);
    let [Some(crane), Some(oras), Some(skopeo)] = programs else { return };
    let Some(setup) = Setup::new() else { return };
    let (source, target) = (&setup.source, &setup.target);
    for (kind, docker) in [("oci", false), ("docker", true)] {
        let repository = format!("team/{kind}");
        source.push_index(&repository, "v1", docker);
        let image = format!("{}/{repository}:v1", source.host);
        let (digest, bytes) = raw(source, &repository, "v1");
        for (name, split) in [("dir", None), ("x.tar", None), ("y.tar", Some(64 * 1024))] {
            let path = setup.path(&format!("{kind}-{name}"));
            let writer = LayoutWriter::create(&path, split, LeftOut::default()).unwrap();
            let copied = copy_image((&registries(&[&source.host]), &image), (&writer, &image));
            assert_eq!(copied.as_str(), digest);
            let made = writer.finish(&Lock::default()).unwrap();
            if split.is_some() {
                assert_eq!(made.len(), 1, "it is small");
                continue;
            }
            let text = path.to_str().unwrap();
            let to =
                |program: &str| format!("{}/{program}/{kind}-{name}:v1", target.host).replace(".tar", "-tar");
            run(
                &oras,
                &["cp", "--from-oci-layout", "--to-plain-http", &format!("{text}@{digest}"), &to("oras")],
            );
            let mut readers = vec!["oras"];
            if name == "dir" {
                run(&crane, &["push", text, &to("crane")]);
                readers.push("crane");
            }
            // skopeo knows no Docker manifests in layouts.
            if !docker {
                let transport = if name == "dir" { "oci" } else { "oci-archive" };
                let from = format!("{transport}:{text}:{image}");
                let to = format!("docker://{}", to("skopeo"));
                let tls = "--dest-tls-verify=false";
                run(&skopeo, &["--insecure-policy", "copy", "--all", "--preserve-digests", tls, &from, &to]);
                readers.push("skopeo");
            }
            for reader in readers {
                let pushed = to(reader);
                let (_, path) = pushed.split_once('/').unwrap();
                let found = raw(target, path.strip_suffix(":v1").unwrap(), "v1");
                assert_eq!(found, (digest.clone(), bytes.clone()), "{reader} {kind} {name}");
            }
        }
    }
}

#[test]
fn what_others_write_is_read() {
    let programs = ["crane", "oras", "skopeo"].map(program::find);
    let [Some(crane), Some(oras), Some(skopeo)] = programs else { return };
    let Some(setup) = Setup::new() else { return };
    let (source, target) = (&setup.source, &setup.target);
    source.push_index("team/app", "v1", false);
    let (digest, bytes) = raw(source, "team/app", "v1");
    let image = format!("{}/team/app:v1", source.host);
    let path = |name: &str| setup.path(name).to_str().unwrap().to_owned();

    run(&crane, &["pull", "--format=oci", "--annotate-ref", &image, &path("crane")]);
    run(&oras, &["cp", "--from-plain-http", "--to-oci-layout", &image, &format!("{}:v1", path("oras"))]);
    for (transport, name) in [("oci", "skopeo"), ("oci-archive", "skopeo.tar")] {
        let from = format!("docker://{image}");
        let to = format!("{transport}:{}:{image}", path(name));
        run(
            &skopeo,
            &[
                "--insecure-policy",
                "copy",
                "--all",
                "--preserve-digests",
                "--src-tls-verify=false",
                &from,
                &to,
            ],
        );
    }
    run(Path::new("tar"), &["-C", &path("crane"), "-cf", &path("gnu.tar"), "."]);
    run(Path::new("tar"), &["-C", &path("crane"), "--format=pax", "-cf", &path("pax.tar"), "."]);

    for name in ["crane", "oras", "skopeo", "skopeo.tar", "gnu.tar", "pax.tar"] {
        let reader = LayoutReader::open(&setup.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        // oras lists the manifests of an index, too, without a name.
        let mut named = reader.stored().iter().filter(|stored| stored.listed.name().is_some());
        let (Some(stored), None) = (named.next(), named.next()) else {
            panic!("{name}: {:?}", reader.stored())
        };
        assert_eq!(stored.digest.as_str(), digest, "{name}");
        let wanted = (name != "oras").then_some(image.as_str());
        assert_eq!(stored.reference.as_deref(), wanted, "oras writes the tag alone; {name}");
        let repository = Repository::parse(&format!("{}/{}", target.host, name.replace('.', "-"))).unwrap();
        let from = Place { image: name, repository: &repository };
        runtime().block_on(async {
            let registry = registries(&[&target.host]);
            copy((&reader, from), (&registry, from), &stored.digest).await.unwrap();
        });
        assert_eq!(raw(target, &name.replace('.', "-"), &digest), (digest.clone(), bytes.clone()), "{name}");
    }
}
