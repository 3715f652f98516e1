//! Tar files of others: those that are read, and those that are made to do harm.

use std::fs;

use tar::{EntryType, Header};
use tempfile::TempDir;

use super::tests::{digest_of, read_all, reason};
use super::*;

/// A member of a tar file, with whatever its header is made to say.
fn member(name: &[u8], kind: EntryType, size: u64, bytes: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_size(size);
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_cksum();
    let mut all = header.as_bytes().to_vec();
    all.extend_from_slice(bytes);
    all.resize(all.len().next_multiple_of(512), 0);
    all
}

fn file(name: &str, bytes: &[u8]) -> Vec<u8> {
    member(name.as_bytes(), EntryType::Regular, bytes.len() as u64, bytes)
}

fn pax(records: &[u8]) -> Vec<u8> {
    member(b"pax", EntryType::XHeader, records.len() as u64, records)
}

/// A record of an extended header; its length counts its own digits, too.
fn record(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let length = (1..).find(|length: &usize| length.to_string().len() + rest.len() == *length).unwrap();
    format!("{length}{rest}").into_bytes()
}

pub(super) const VERSION: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
const EMPTY: &[u8] = br#"{"schemaVersion":2,"manifests":[]}"#;

#[test]
fn hostile_tars_are_refused() {
    let folder = TempDir::new().unwrap();
    let good = || [file("oci-layout", VERSION), file("index.json", EMPTY)].concat();
    let blob = format!("blobs/sha256/{}", "a".repeat(64));
    let with = |more: Vec<u8>| [good(), more].concat();
    let mut bad_sum = file("x", b"");
    bad_sum[148] ^= 1;
    let mut negative = Header::new_gnu();
    negative.set_path("x").unwrap();
    negative.as_old_mut().size = *b"-0000000001\0";
    negative.set_cksum();
    let listing = |digest: &str| {
        let text = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"m","digest":"{digest}","size":1}}]}}"#
        );
        [file("oci-layout", VERSION), file("index.json", text.as_bytes())].concat()
    };
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "a symbolic link",
            with(member(b"blobs/sha256/x", EntryType::Symlink, 0, b"")),
            "is a symbolic link",
        ),
        ("a hard link", with(member(blob.as_bytes(), EntryType::Link, 0, b"")), "is a hard link"),
        ("a device", with(member(b"null", EntryType::Char, 0, b"")), "is a device"),
        ("a named pipe", with(member(b"index", EntryType::Fifo, 0, b"")), "is a named pipe"),
        ("a sparse file", with(member(b"x", EntryType::GNUSparse, 0, b"")), "is a sparse file"),
        ("a path upwards", with(file("../../etc/passwd", b"x")), "leaves the layout"),
        ("a path upwards in the middle", with(file("blobs/../../x", b"x")), "leaves the layout"),
        ("an absolute path", with(file("/etc/passwd", b"x")), "is absolute"),
        (
            "an absolute path in an extended header",
            with([pax(&record("path", "/etc/passwd")), file("x", b"")].concat()),
            "is absolute",
        ),
        (
            "a path upwards in a long name",
            with([member(b"L", EntryType::GNULongName, 5, b"../x\0"), file("x", b"")].concat()),
            "leaves the layout",
        ),
        (
            "a zero byte in a name",
            with([pax(&record("path", "a\0../b")), file("x", b"")].concat()),
            "zero byte",
        ),
        ("a name that is not UTF-8", with(member(b"\xff\xfe", EntryType::Regular, 0, b"")), "not UTF-8"),
        ("a member that stands twice", with(file("index.json", EMPTY)), "index.json stands in it twice"),
        ("the same, spelled otherwise", with(file("./index.json", EMPTY)), "index.json stands in it twice"),
        (
            "a size beyond the end",
            with(member(blob.as_bytes(), EntryType::Regular, 1 << 40, b"x")),
            "ends before that",
        ),
        (
            "a size beyond all numbers",
            with(member(blob.as_bytes(), EntryType::Regular, u64::MAX - 100, b"x")),
            "ends before that",
        ),
        (
            "a size in an extended header",
            with([pax(&record("size", "999999999999")), file("x", b"")].concat()),
            "ends before that",
        ),
        (
            "a size that is no number",
            with([pax(&record("size", "-1")), file("x", b"")].concat()),
            "no number",
        ),
        ("a negative size", with(negative.as_bytes().to_vec()), "number"),
        (
            "a huge extended header",
            with(member(b"pax", EntryType::XHeader, 70_000, &[b' '; 70_000])),
            "extended header of 70000 bytes",
        ),
        (
            "a huge long name",
            with(member(b"L", EntryType::GNULongName, 70_000, &[b'a'; 70_000])),
            "extended header of 70000 bytes",
        ),
        (
            "a record that is longer than its header",
            with([pax(b"999 path=x\n"), file("x", b"")].concat()),
            "malformed",
        ),
        (
            "a folder with bytes",
            with(member(b"blobs/", EntryType::Directory, 512, &[0; 512])),
            "a folder of 512 bytes",
        ),
        ("a wrong checksum", with(bad_sum), "checksum"),
        ("no tar at all", b"#!/bin/sh\nrm -rf /\n".repeat(100), "checksum"),
        ("a header that is cut off", with(file("x", b"")[..100].to_vec()), "middle of a header"),
        ("nothing", Vec::new(), "there is no oci-layout"),
        ("no index", file("oci-layout", VERSION), "there is no index.json"),
        (
            "another version",
            [file("oci-layout", br#"{"imageLayoutVersion":"9"}"#), file("index.json", EMPTY)].concat(),
            "version \"9\"",
        ),
        (
            "no JSON",
            [file("oci-layout", VERSION), file("index.json", b"[")].concat(),
            "index.json cannot be read",
        ),
        (
            "deep JSON",
            [file("oci-layout", VERSION), file("index.json", &b"[".repeat(100_000))].concat(),
            "index.json cannot be read",
        ),
        ("a digest that is a path", listing("sha256:../../../etc/passwd"), "is no digest"),
        ("a digest in capitals", listing(&format!("sha256:{}", "A".repeat(64))), "is no digest"),
    ];
    assert!(cases.len() >= 15);
    let path = folder.path().join("x.tar");
    fs::write(&path, with(file("manifest.json", b"[]"))).unwrap();
    LayoutReader::open(&path).expect("what is not known is passed over");
    for (name, bytes, want) in cases {
        fs::write(&path, bytes).unwrap();
        let said = reason(&path);
        assert!(said.contains(want), "{name}: {said}");
    }
    let left: Vec<_> = folder.path().read_dir().unwrap().collect();
    assert_eq!(left.len(), 1, "nothing is unpacked");
}

#[test]
fn tars_of_other_programs_are_read() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.tar");
    let blob = format!("blobs/sha256/{}", digest_of(b"layer").hex());
    let records = [
        record(
            "SCHILY.xattr.a",
            "
=x
\0",
        ),
        record("path", &format!("./{blob}")),
    ]
    .concat();
    let all = [
        member(b"g", EntryType::XGlobalHeader, 15, b"15 comment=abc\n"),
        member(b"./", EntryType::Directory, 0, b""),
        file("./oci-layout", VERSION),
        file("./index.json", EMPTY),
        pax(&records),
        file("short", b"layer"),
        vec![0; 1024],
        b"what stands behind the end is not read".to_vec(),
    ];
    fs::write(&path, all.concat()).unwrap();
    let reader = LayoutReader::open(&path).unwrap();
    assert_eq!(read_all(reader.blob(&digest_of(b"layer"), 5).unwrap()).unwrap(), b"layer");
}
