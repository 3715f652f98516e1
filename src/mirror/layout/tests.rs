//! Layouts that are written and read again; ones that are damaged, cut off, or made to do harm.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tempfile::TempDir;

use super::*;
use crate::image::{Digest, ImageReference};
use crate::lock::Lock;
use crate::registry::{Hasher, Manifest, OCI_INDEX, OCI_MANIFEST};

pub(super) fn digest_of(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::sha256();
    hasher.update(bytes);
    hasher.finish()
}

fn manifest(media_type: &str, text: String) -> Manifest {
    let bytes = Bytes::from(text);
    Manifest { digest: digest_of(&bytes), media_type: media_type.to_owned(), bytes }
}

fn link(bytes: &[u8]) -> String {
    format!(r#"{{"mediaType":"m","digest":"{}","size":{}}}"#, digest_of(bytes), bytes.len())
}

/// An image of one layer.
fn image(layer: &[u8]) -> Manifest {
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","config":{},"layers":[{}]}}"#,
        link(b"{}"),
        link(layer)
    );
    manifest(OCI_MANIFEST, text)
}

fn index(children: &[&Manifest]) -> Manifest {
    let links: Vec<String> = children.iter().map(|child| link(&child.bytes)).collect();
    let text =
        format!(r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[{}]}}"#, links.join(","));
    manifest(OCI_INDEX, text)
}

fn put_blob(writer: &LayoutWriter, bytes: &[u8]) {
    let digest = digest_of(bytes);
    if !writer.has_blob(&digest, bytes.len() as u64).unwrap() {
        let mut sink = writer.blob(&digest, bytes.len() as u64).unwrap();
        for chunk in bytes.chunks(1000) {
            sink.write(chunk).unwrap();
        }
        sink.finish().unwrap();
    }
}

/// A large layer and a small one.
fn layers() -> [Vec<u8>; 2] {
    [(0..300_000u32).map(|at| (at % 251) as u8).collect(), b"small".to_vec()]
}

/// Writes two images, one of them for two platforms and signed.
fn fill(writer: &LayoutWriter, reverse: bool) -> [Manifest; 2] {
    let [large, small] = layers();
    let mut blobs: Vec<&[u8]> = vec![&large, &small, b"{}"];
    if reverse {
        blobs.reverse();
    }
    for blob in blobs {
        put_blob(writer, blob);
    }
    let (one, two) = (image(&large), image(&small));
    let both = index(&[&one, &two]);
    let signature = manifest(
        OCI_MANIFEST,
        format!(
            r#"{{"schemaVersion":2,"config":{},"layers":[],"subject":{}}}"#,
            link(b"{}"),
            link(&both.bytes)
        ),
    );
    for manifest in [&one, &two, &both, &signature] {
        writer.manifest(manifest).unwrap();
    }
    let mut names = [("docker.io/library/nginx:1.27", &both), ("quay.io/a/b:v1", &two)];
    if reverse {
        names.reverse();
    }
    for (name, manifest) in names {
        writer.list(Some(name), manifest);
    }
    writer.list(None, &signature);
    [both, two]
}

fn write(path: &Path, split: Option<u64>, reverse: bool) -> Vec<PathBuf> {
    let writer = LayoutWriter::create(path, split, LeftOut::default()).unwrap();
    fill(&writer, reverse);
    writer.finish(&Lock::default()).unwrap()
}

pub(super) fn read_all(mut blob: BlobFile) -> Result<Vec<u8>, LayoutError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = blob.chunk()? {
        assert!(!chunk.is_empty());
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

pub(super) fn reason(path: &Path) -> String {
    LayoutReader::open(path).expect_err("it is refused").to_string()
}

#[test]
fn what_is_written_is_read_from_folders_and_tars() {
    let folder = TempDir::new().unwrap();
    for (name, split, parts) in [("dir", None, 1), ("x.tar", None, 1), ("y.tar", Some(100_000), 4)] {
        let path = folder.path().join(name);
        let made = write(&path, split, false);
        assert_eq!(made.len(), parts, "{name}");
        assert!(made.iter().all(|path| path.exists()), "{made:?}");
        let reader = LayoutReader::open(&path).unwrap();
        assert_eq!(reader.stored().len(), 3);
        let nginx = reader.find(ImageReference::parse("nginx:1.27").unwrap()).unwrap();
        let [large, small] = layers();
        let by_digest = format!("nginx@{}", nginx.digest);
        assert_eq!(reader.find(ImageReference::parse(&by_digest).unwrap()), Some(nginx));
        assert_eq!(reader.find(ImageReference::parse("nginx:1").unwrap()), None);
        assert_eq!(reader.find(ImageReference::parse("other.example/nginx:1.27").unwrap()), None);
        let both = reader.manifest(&nginx.digest).unwrap();
        assert_eq!(both, index(&[&image(&large), &image(&small)]), "{name}");
        let signatures = reader.referrers(&both.digest).unwrap();
        assert_eq!(signatures.len(), 1);
        assert_eq!(reader.referrers(&signatures[0].digest), Ok(Vec::new()));
        for layer in [&large, &small] {
            let blob = reader.blob(&digest_of(layer), layer.len() as u64).unwrap();
            assert!(read_all(blob).unwrap() == *layer, "{name}");
        }
        let mut blob = reader.blob(&digest_of(&large), large.len() as u64).unwrap();
        blob.chunk().unwrap();
        blob.restart(7).unwrap();
        assert!(read_all(blob).unwrap() == large[7..], "{name}");
    }
    let first = LayoutReader::open(&folder.path().join("y.tar.00")).unwrap();
    assert_eq!(first.stored().len(), 3, "the first part stands for all");
}

#[test]
fn a_tar_has_the_same_bytes_whatever_the_order() {
    let folder = TempDir::new().unwrap();
    let bytes = [("a.tar", false), ("b.tar", true)].map(|(name, reverse)| {
        let path = folder.path().join(name);
        write(&path, None, reverse);
        fs::read(path).unwrap()
    });
    assert!(bytes[0] == bytes[1]);
    let parts = write(&folder.path().join("c.tar"), Some(65_536), true);
    let joined: Vec<u8> = parts.iter().flat_map(|part| fs::read(part).unwrap()).collect();
    assert!(joined == bytes[0], "parts are the file, cut");
    let names: Vec<_> = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2 + parts.len(), "nothing else is left: {names:?}");
}

#[test]
fn what_is_not_finished_does_not_look_whole() {
    let folder = TempDir::new().unwrap();
    for name in ["dir", "x.tar"] {
        let path = folder.path().join(name);
        let writer = LayoutWriter::create(&path, None, LeftOut::default()).unwrap();
        fill(&writer, false);
        let unfinished = writer.folder().to_owned();
        drop(writer);
        assert!(reason(&unfinished).contains("there is no index.json in it"));
        assert_eq!(unfinished == path, path.exists());
        // What an interrupted run left is not fetched again.
        let [large, _] = layers();
        let stale = unfinished.join(".imageswap-1-0.tmp");
        fs::write(&stale, "half").unwrap();
        let writer = LayoutWriter::create(&path, None, LeftOut::default()).unwrap();
        assert!(!stale.exists());
        assert!(writer.has_blob(&digest_of(&large), large.len() as u64).unwrap());
        assert!(writer.find(&image(&large).digest).unwrap().is_some());
        fill(&writer, true);
        writer.finish(&Lock::default()).unwrap();
        assert_eq!(LayoutReader::open(&path).unwrap().stored().len(), 3);
        assert!(name == "dir" || !unfinished.exists());
    }
}

#[test]
fn a_tar_that_is_cut_off_does_not_look_whole() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.tar");
    write(&path, None, false);
    let whole = fs::read(&path).unwrap();
    let mut whole_from = None;
    for cut in (0..=whole.len()).step_by(512) {
        fs::write(&path, &whole[..cut]).unwrap();
        match LayoutReader::open(&path) {
            Ok(_) => _ = whole_from.get_or_insert(cut),
            Err(_) => assert_eq!(whole_from, None, "{cut}"),
        }
    }
    // Only the two empty blocks at the end may be cut off.
    assert_eq!(whole_from, Some(whole.len() - 1024));
}

#[test]
fn two_runs_do_not_write_to_the_same_place() {
    let folder = TempDir::new().unwrap();
    for name in ["dir", "x.tar"] {
        let path = folder.path().join(name);
        let first = LayoutWriter::create(&path, None, LeftOut::default()).unwrap();
        let second = LayoutWriter::create(&path, None, LeftOut::default()).expect_err("it is in use");
        assert_eq!(*second.reason, LayoutReason::InUse);
        drop(first);
        LayoutWriter::create(&path, None, LeftOut::default()).unwrap();
    }
}

#[test]
fn nothing_of_the_users_is_written_over() {
    let folder = TempDir::new().unwrap();
    let create = |name: &str| {
        let error =
            LayoutWriter::create(&folder.path().join(name), None, LeftOut::default()).expect_err(name);
        error.reason.to_string()
    };
    fs::create_dir(folder.path().join("photos")).unwrap();
    fs::write(folder.path().join("photos/cat.jpg"), "cat").unwrap();
    assert!(create("photos").contains("other things in it"));
    fs::write(folder.path().join("x.tar"), "mine").unwrap();
    assert!(create("x.tar").contains("there already"));
    fs::write(folder.path().join("y.tar.03"), "mine").unwrap();
    assert!(create("y.tar").contains("there already"));
    assert_eq!(fs::read(folder.path().join("x.tar")).unwrap(), b"mine");
}

#[test]
fn parts_that_are_missing_are_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.tar");
    let parts = write(&path, Some(100_000), false);
    assert_eq!(parts.len(), 4);
    for (at, want) in [(0, "no part of it"), (1, "x.tar.01 is missing"), (3, "a part of it is missing")] {
        let aside = folder.path().join("aside");
        fs::rename(&parts[at], &aside).unwrap();
        assert!(reason(&path).contains(want), "{at}: {}", reason(&path));
        fs::rename(&aside, &parts[at]).unwrap();
    }
    let [first, second] = [&parts[1], &parts[2]].map(|part| fs::read(part).unwrap());
    fs::write(&parts[1], &second).unwrap();
    fs::write(&parts[2], &first).unwrap();
    let swapped = LayoutReader::open(&path).and_then(|reader| {
        let [large, _] = layers();
        read_all(reader.blob(&digest_of(&large), large.len() as u64)?)
    });
    assert!(matches!(swapped.unwrap_err().reason.as_ref(), LayoutReason::Damaged { .. }));
    fs::write(&path, "whole").unwrap();
    assert!(reason(&path).contains("are both there"));
}

#[test]
fn bytes_that_are_not_those_of_their_digest_are_refused() {
    let folder = TempDir::new().unwrap();
    let [large, small] = layers();
    let writer = LayoutWriter::create(folder.path(), None, LeftOut::default()).unwrap();
    let mut sink = writer.blob(&digest_of(&large), 5).unwrap();
    sink.write(&small).unwrap();
    assert!(matches!(*sink.finish().unwrap_err().reason, LayoutReason::Damaged { .. }));
    let mut sink = writer.blob(&digest_of(&large), large.len() as u64).unwrap();
    sink.write(&large[1..]).unwrap();
    assert!(matches!(*sink.finish().unwrap_err().reason, LayoutReason::Size { .. }));
    assert!(!writer.has_blob(&digest_of(&large), large.len() as u64).unwrap());
    let odd = Digest::parse(&format!("blake3:{}", "a".repeat(64))).unwrap();
    assert!(matches!(writer.blob(&odd, 1).err().unwrap().reason.as_ref(), LayoutReason::Algorithm { .. }));
    fill(&writer, false);
    writer.finish(&Lock::default()).unwrap();
    let place = folder.path().join(names::blob_name(&digest_of(&large)));
    let mut damaged = large.clone();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&place, &damaged).unwrap();
    let reader = LayoutReader::open(folder.path()).unwrap();
    let mut blob = reader.blob(&digest_of(&large), large.len() as u64).unwrap();
    let mut seen = 0;
    let error = loop {
        match blob.chunk() {
            Ok(chunk) => seen += chunk.expect("it ends with the error").len(),
            Err(error) => break error,
        }
    };
    assert!(matches!(*error.reason, LayoutReason::Damaged { .. }));
    assert!(seen < large.len(), "the last bytes are kept back");
    fs::write(&place, &large[1..]).unwrap();
    let error = reader.blob(&digest_of(&large), large.len() as u64).err().unwrap();
    assert!(matches!(*error.reason, LayoutReason::Size { .. }));
    let manifest = image(&large);
    fs::write(folder.path().join(names::blob_name(&manifest.digest)), "{}").unwrap();
    assert!(matches!(*reader.manifest(&manifest.digest).unwrap_err().reason, LayoutReason::Damaged { .. }));
}

#[test]
fn a_layout_that_lacks_a_blob_is_not_finished() {
    let folder = TempDir::new().unwrap();
    let [large, _] = layers();
    let writer = LayoutWriter::create(folder.path(), None, LeftOut::default()).unwrap();
    put_blob(&writer, b"{}");
    writer.manifest(&image(&large)).unwrap();
    writer.list(Some("quay.io/a/b:v1"), &image(&large));
    assert_eq!(writer.find(&image(&large).digest), Ok(None), "it must be copied again");
    let error = writer.finish(&Lock::default()).unwrap_err();
    assert!(error.to_string().contains(digest_of(&large).as_str()), "{error}");
    assert!(reason(folder.path()).contains("index.json"));
}

#[test]
fn what_the_other_side_has_is_left_out_and_said() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.tar");
    let [large, small] = layers();
    let mut left_out = LeftOut::default();
    left_out.add(&digest_of(&large), large.len() as u64, &"nginx".parse().unwrap());
    left_out.add(&digest_of(b"never needed"), 12, &"nginx".parse().unwrap());
    let writer = LayoutWriter::create(&path, None, left_out).unwrap();
    assert!(writer.has_blob(&digest_of(&large), large.len() as u64).unwrap());
    fill(&writer, false);
    writer.finish(&Lock::default()).unwrap();
    assert!(fs::metadata(&path).unwrap().len() < large.len() as u64);
    let reader = LayoutReader::open(&path).unwrap();
    let known = reader.left_out().get(&digest_of(&large)).unwrap();
    assert_eq!(known.size, large.len() as u64);
    assert_eq!(
        known.repositories.iter().map(crate::image::Repository::canonical).collect::<Vec<_>>(),
        ["docker.io/library/nginx"]
    );
    assert_eq!(reader.left_out().get(&digest_of(b"never needed")), None);
    assert!(!reader.has_blob(&digest_of(&large), large.len() as u64).unwrap());
    let error = reader.blob(&digest_of(&large), large.len() as u64).err().unwrap();
    assert!(error.to_string().contains("--since-lock"), "{error}");
    assert!(reader.has_blob(&digest_of(&small), small.len() as u64).unwrap());
}

#[test]
fn what_is_no_regular_file_is_not_waited_for() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("index.json")).unwrap();
    fs::write(folder.path().join("oci-layout"), super::tar_tests::VERSION).unwrap();
    assert!(reason(folder.path()).contains("not a regular file"));
    assert!(reason(Path::new("/dev/null")).contains("not a regular file"));
    assert!(reason(&folder.path().join("missing")).contains("there is no such folder"));
}
