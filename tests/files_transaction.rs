//! The transaction (rules F2, F3, F5, F9): all or nothing, like before but for the content, and never over
//! somebody else's work.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests stop at the first surprise and say why"
)]

mod files_support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

use files_support::{child, contents, identity, is_root, many, run_test, stage, temps, tree};
use imageswap::files::{
    CommitError, FileError, FoundFile, ReadError, SourceFile, StageError, Transaction, WalkError,
    WalkOptions, WarningKind, WriteOptions, walk,
};
use rustix::fs::{CWD, FileType, Mode, XattrFlags, mknodat};
use rustix::io::Errno;

static GO_ON: AtomicBool = AtomicBool::new(false);

fn unsynced() -> WriteOptions {
    WriteOptions { sync: false, threads: 2, keep_going: true }
}

#[test]
fn staged_files_change_at_commit_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let files = many(folder.path(), 20, "old");
    let before: Vec<_> = files.iter().map(|found| identity(&found.path)).collect();
    let transaction = Transaction::new(WriteOptions { sync: true, threads: 3, keep_going: true }, &GO_ON);
    for found in files.iter().step_by(2) {
        stage(&transaction, found, "new").unwrap();
    }
    let staged = temps(folder.path());
    assert_eq!(staged.len(), 10);
    for temp in &staged {
        let name = temp.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with(".imageswap-") && name.ends_with(".tmp"), "{name}");
    }
    assert!(files.iter().all(|found| fs::read(&found.path).unwrap() == b"old"));

    let committed = transaction.commit().unwrap();
    assert!(committed.failed.is_empty() && committed.warnings.is_empty());
    assert_eq!(committed.written.len(), 10);
    assert!(committed.written.is_sorted());
    assert!(temps(folder.path()).is_empty());
    for (number, found) in files.iter().enumerate() {
        let changed = number % 2 == 0;
        assert_eq!(fs::read(&found.path).unwrap(), if changed { b"new" } else { b"old" });
        // An unchanged file keeps its inode and its times.
        assert_eq!(identity(&found.path) != before[number], changed);
        assert_eq!(committed.written.contains(&found.path), changed);
    }
}

#[test]
fn one_bad_file_in_a_thousand_and_nothing_changes() {
    let folder = tempfile::tempdir().unwrap();
    let files = many(folder.path(), 1000, "old");
    fs::remove_file(&files[700].path).unwrap();
    fs::create_dir(&files[700].path).unwrap();
    let before = contents(folder.path());
    let run = || {
        let transaction = Transaction::new(unsynced(), &GO_ON);
        let bad: Vec<_> = files
            .iter()
            .filter_map(|found| {
                let mut buffer = Vec::new();
                let source = SourceFile::read(found, &mut buffer).map_err(|error| error.to_string());
                source
                    .and_then(|source| transaction.stage(&source, &["new"]).map_err(|e| e.to_string()))
                    .err()
            })
            .collect();
        assert_eq!(bad.len(), 1);
        assert!(bad[0].ends_with("f0700.yaml: not a regular file"), "{bad:?}");
        transaction
    };
    drop(run());
    assert_eq!(contents(folder.path()), before, "without --keep-going");

    let committed = run().commit().unwrap();
    assert_eq!((committed.written.len(), committed.failed.len()), (999, 0));
    assert!(contents(folder.path()).values().all(|bytes| bytes == b"new"), "with --keep-going");
}

#[test]
fn content_is_written_piece_by_piece_whatever_their_number() {
    let folder = tempfile::tempdir().unwrap();
    let files = many(folder.path(), 1, "old");
    let parts: Vec<String> = (0..5000)
        .map(|number: usize| if number.is_multiple_of(3) { String::new() } else { number.to_string() })
        .collect();
    let large = "x".repeat(3 << 20);
    for parts in [
        parts.iter().map(String::as_str).collect::<Vec<_>>(),
        vec![],
        vec!["", ""],
        vec!["a", &large, "", "b", ""],
    ] {
        let transaction = Transaction::new(unsynced(), &GO_ON);
        let mut buffer = Vec::new();
        transaction.stage(&SourceFile::read(&files[0], &mut buffer).unwrap(), &parts).unwrap();
        transaction.commit().unwrap();
        assert!(fs::read_to_string(&files[0].path).unwrap() == parts.concat());
    }
}

#[test]
fn several_threads_may_stage() {
    let folder = tempfile::tempdir().unwrap();
    let files = many(folder.path(), 200, "old");
    let transaction = Transaction::new(unsynced(), &GO_ON);
    std::thread::scope(|scope| {
        for part in files.chunks(50) {
            scope.spawn(|| part.iter().for_each(|found| stage(&transaction, found, "new").unwrap()));
        }
    });
    assert_eq!(transaction.commit().unwrap().written.len(), 200);
}

#[test]
fn a_left_over_temp_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let files = many(folder.path(), 1, "old");
    let left = folder.path().join(format!(".imageswap-{}-0.tmp", std::process::id()));
    fs::write(&left, "left").unwrap();
    let transaction = Transaction::new(unsynced(), &GO_ON);
    stage(&transaction, &files[0], "new").unwrap();
    transaction.commit().unwrap();
    assert_eq!(fs::read(&left).unwrap(), b"left");
    assert_eq!(fs::read(&files[0].path).unwrap(), b"new");
}

#[test]
fn a_link_stays_and_its_target_changes() {
    let folder = tree(&[("data/real.txt", "old")]);
    let link = folder.path().join("link.yaml");
    symlink("data/real.txt", &link).unwrap();
    let found = walk(&[folder.path()], &WalkOptions::default()).unwrap().files;
    let transaction = Transaction::new(unsynced(), &GO_ON);
    stage(&transaction, &found[0], "new").unwrap();
    assert_eq!(temps(&folder.path().join("data")).len(), 1, "the temp lies beside the target");
    assert_eq!(transaction.commit().unwrap().written, std::slice::from_ref(&link));
    assert_eq!(fs::read_link(&link).unwrap(), Path::new("data/real.txt"));
    assert_eq!(fs::read(folder.path().join("data/real.txt")).unwrap(), b"new");
}

#[test]
fn a_hard_link_is_broken_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let files = many(folder.path(), 2, "old");
    let other = folder.path().join("outside");
    fs::hard_link(&files[0].path, &other).unwrap();
    fs::remove_file(&files[1].path).unwrap();
    fs::hard_link(&files[0].path, &files[1].path).unwrap();
    let transaction = Transaction::new(unsynced(), &GO_ON);
    files.iter().for_each(|found| stage(&transaction, found, "new").unwrap());
    let committed = transaction.commit().unwrap();
    assert_eq!(committed.written.len(), 2, "{committed:?}");
    assert!(committed.warnings.iter().all(|warning| warning.kind == WarningKind::HardLink { others: 2 }));
    assert_eq!(committed.warnings.len(), 2);
    assert_eq!(fs::read(&other).unwrap(), b"old");
    assert!(files.iter().all(|found| fs::read(&found.path).unwrap() == b"new"));
}

/// Rule F5: each of these, done between read and rename, keeps the file from being overwritten.
#[test]
fn a_file_that_changed_meanwhile_is_left_alone() {
    type Meddle = fn(&Path);
    let cases: &[(&str, Meddle)] = &[
        ("written, same size", |path| fs::write(path, "OLD").unwrap()),
        ("written, and the time set back", |path| {
            let time = path.metadata().unwrap().modified().unwrap();
            fs::write(path, "OLD").unwrap();
            fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
        }),
        ("touched", |path| {
            fs::File::options().write(true).open(path).unwrap().set_modified(SystemTime::now()).unwrap();
        }),
        ("replaced", |path| {
            let time = path.metadata().unwrap().modified().unwrap();
            let other = path.with_extension("other");
            fs::write(&other, "OLD").unwrap();
            fs::File::options().write(true).open(&other).unwrap().set_modified(time).unwrap();
            fs::rename(&other, path).unwrap();
        }),
        ("replaced by a link", |path| {
            fs::remove_file(path).unwrap();
            symlink("f0001.yaml", path).unwrap();
        }),
        ("made executable", |path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap()),
        ("removed", |path| fs::remove_file(path).unwrap()),
    ];
    for (name, meddle) in cases {
        let folder = tempfile::tempdir().unwrap();
        let files = many(folder.path(), 3, "old");
        // Long ago, so that a new time is another time however coarse the file system's clock is.
        let past = SystemTime::now() - Duration::from_secs(3600);
        for found in &files {
            fs::File::options().write(true).open(&found.path).unwrap().set_modified(past).unwrap();
        }
        wait_for_a_tick(folder.path());
        let transaction = Transaction::new(unsynced(), &GO_ON);
        files.iter().for_each(|found| stage(&transaction, found, "new").unwrap());
        meddle(&files[1].path);
        let after = files[1].path.symlink_metadata().ok().map(|_| identity(&files[1].path));
        let committed = transaction.commit().unwrap();
        assert!(
            matches!(&committed.failed[..], [FileError::Changed { path }] if *path == files[1].path),
            "{name}: {committed:?}"
        );
        assert_eq!(committed.failed[0].hint(), Some("run again"));
        assert_eq!(committed.written, [files[0].path.clone(), files[2].path.clone()], "{name}");
        assert_eq!(files[1].path.symlink_metadata().ok().map(|_| identity(&files[1].path)), after, "{name}");
        assert!(temps(folder.path()).is_empty(), "{name}");
    }
}

/// Waits until the file system gives a new file another time than the last one.
fn wait_for_a_tick(folder: &Path) {
    let probe = folder.join("probe");
    let made = || {
        fs::write(&probe, "").unwrap();
        probe.metadata().unwrap().modified().unwrap()
    };
    let first = made();
    while made() == first {
        std::thread::yield_now();
    }
    fs::remove_file(probe).unwrap();
}

#[test]
fn cancelled_it_changes_nothing_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let files = many(folder.path(), 10, "old");
    let before = contents(folder.path());
    for at in 0..=files.len() {
        let cancel = AtomicBool::new(false);
        let transaction = Transaction::new(WriteOptions::default(), &cancel);
        for (number, found) in files.iter().enumerate() {
            cancel.store(number >= at, Ordering::Relaxed);
            let staged = stage(&transaction, found, "new");
            assert_eq!(matches!(staged, Err(StageError::Cancelled)), number >= at);
        }
        assert_eq!(temps(folder.path()).len(), at);
        cancel.store(true, Ordering::Relaxed);
        assert!(matches!(transaction.commit(), Err(CommitError::Cancelled)));
        assert_eq!(contents(folder.path()), before);
    }
}

#[test]
fn what_is_no_file_is_refused_without_waiting() {
    let folder = tree(&[]);
    let fifo = folder.path().join("f.yaml");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let (done, wait) = mpsc::channel();
    for path in [fifo, folder.path().to_owned(), "/dev/null".into()] {
        let done = done.clone();
        std::thread::spawn(move || {
            let found = FoundFile::file(path);
            let refused =
                matches!(SourceFile::read(&found, &mut Vec::new()), Err(ReadError::NotRegular { .. }));
            done.send(refused).unwrap();
        });
        assert_eq!(wait.recv_timeout(Duration::from_secs(20)), Ok(true));
    }
    let link = folder.path().join("l.yaml");
    symlink("/etc/passwd", &link).unwrap();
    let late = FoundFile::file(link);
    assert!(
        SourceFile::read(&late, &mut Vec::new()).is_err(),
        "a file that has become a link is not followed"
    );
}

#[test]
fn reading_fills_the_buffer_whatever_it_held() {
    let folder = tempfile::tempdir().unwrap();
    let mut buffer = vec![7; 100];
    for size in [0, 1, 4095, 4096, 8192, 100_000, 3] {
        let found = FoundFile::file(folder.path().join("f"));
        let bytes: Vec<u8> = (0..size).map(|at: usize| u8::try_from(at % 251).unwrap()).collect();
        fs::write(&found.path, &bytes).unwrap();
        SourceFile::read(&found, &mut buffer).unwrap();
        assert!(buffer == bytes, "{size}");
    }
    // A file whose size is not known before it is read.
    let status = FoundFile::file("/proc/self/mountinfo".into());
    SourceFile::read(&status, &mut buffer).unwrap();
    assert_eq!(buffer.last(), Some(&b'\n'));
}

/// A POSIX ACL as Linux stores it: `user::rw-`, `user:1234:r--`, `group::r--`, `mask::r--`, `other::---`.
fn acl() -> Vec<u8> {
    let entries =
        [(1_u16, 6_u16, u32::MAX), (2, 4, 1234), (4, 4, u32::MAX), (0x10, 4, u32::MAX), (0x20, 0, u32::MAX)];
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(permissions.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    bytes
}

const ACL: &str = "system.posix_acl_access";

fn xattr(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 65536];
    let length = rustix::fs::lgetxattr(path, name, &mut value[..]).ok()?;
    value.truncate(length);
    Some(value)
}

/// Sets an attribute; says so when the file system has none.
fn set_xattr(path: &Path, name: &str, value: &[u8]) -> bool {
    match rustix::fs::setxattr(path, name, value, XattrFlags::empty()) {
        Err(Errno::OPNOTSUPP) => {
            eprintln!("SKIPPED: the file system knows no {name}");
            false
        }
        result => {
            result.unwrap();
            true
        }
    }
}

fn rewrite(found: &FoundFile) -> imageswap::files::Committed {
    let transaction = Transaction::new(unsynced(), &GO_ON);
    stage(&transaction, found, "new").unwrap();
    let committed = transaction.commit().unwrap();
    assert_eq!(committed.written.len(), 1, "{committed:?}");
    assert_eq!(fs::read(&found.path).unwrap(), b"new");
    committed
}

#[test]
fn the_mode_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    for mode in [0o644, 0o600, 0o664, 0o755, 0o444, 0o6755, 0o400] {
        let found = &many(folder.path(), 1, "old")[0];
        fs::set_permissions(&found.path, fs::Permissions::from_mode(mode)).unwrap();
        rewrite(found);
        assert_eq!(found.path.metadata().unwrap().mode() & 0o7777, mode);
        fs::remove_file(&found.path).unwrap();
    }
}

#[test]
fn attributes_and_acl_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let found = &many(folder.path(), 1, "old")[0];
    let long = vec![b'v'; 3000];
    let set = set_xattr(&found.path, "user.note", &long)
        && set_xattr(&found.path, "user.empty", b"")
        && set_xattr(&found.path, ACL, &acl());
    if !set {
        return;
    }
    fs::set_permissions(&found.path, fs::Permissions::from_mode(0o660)).unwrap();
    let (before, mode) = (xattr(&found.path, ACL).unwrap(), found.path.metadata().unwrap().mode());
    rewrite(found);
    assert!(xattr(&found.path, "user.note").unwrap() == long);
    assert_eq!(xattr(&found.path, "user.empty").unwrap(), b"");
    assert_eq!(xattr(&found.path, ACL).unwrap(), before);
    assert_eq!(found.path.metadata().unwrap().mode(), mode);
}

#[test]
fn the_folders_default_acl_is_not_forced_on_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let found = &many(folder.path(), 1, "old")[0];
    if !set_xattr(folder.path(), "system.posix_acl_default", &acl()) {
        return;
    }
    let mode = found.path.metadata().unwrap().mode();
    rewrite(found);
    assert_eq!(xattr(&found.path, ACL), None);
    assert_eq!(found.path.metadata().unwrap().mode(), mode);
}

#[test]
fn root_keeps_the_owner() {
    if !is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let found = &many(folder.path(), 1, "old")[0];
    std::os::unix::fs::chown(&found.path, Some(1234), Some(5678)).unwrap();
    fs::set_permissions(&found.path, fs::Permissions::from_mode(0o6755)).unwrap();
    assert!(rewrite(found).warnings.is_empty());
    let stat = found.path.metadata().unwrap();
    assert_eq!((stat.uid(), stat.gid(), stat.mode() & 0o7777), (1234, 5678, 0o6755));
}

#[test]
fn a_file_that_is_mounted_for_itself_is_refused() {
    let folder = tree(&[("a.yaml", "old"), ("b", "other")]);
    let found = FoundFile::file(folder.path().join("a.yaml"));
    let mount = |arguments: &[&Path]| {
        std::process::Command::new("mount").arg("--bind").args(arguments).status().is_ok_and(|s| s.success())
    };
    // From another file system, as a Kubernetes subPath volume is.
    let Ok(shm) = tempfile::NamedTempFile::new_in("/dev/shm") else {
        return eprintln!("SKIPPED: no /dev/shm");
    };
    if !mount(&[shm.path(), &found.path]) {
        return eprintln!("SKIPPED: may not mount");
    }
    let transaction = Transaction::new(unsynced(), &GO_ON);
    let refused = stage(&transaction, &found, "new");
    drop(transaction);
    assert!(std::process::Command::new("umount").arg(&found.path).status().unwrap().success());
    assert!(matches!(refused, Err(StageError::MountPoint { .. })), "{refused:?}");
    assert!(temps(folder.path()).is_empty());
}

/// What an ordinary user meets: runs as a child with another user id.
#[test]
fn an_ordinary_user() {
    if let Some(folder) = child() {
        return as_ordinary_user(Path::new(&folder));
    }
    if !is_root() {
        return;
    }
    let folder = tree(&[
        ("mine/a.yaml", "old"),
        ("mine/theirs.yaml", "old"),
        ("mine/their-group.yaml", "old"),
        ("locked/b.yaml", "old"),
        ("closed/c.yaml", "old"),
    ]);
    let root = folder.path();
    let mode =
        |path: &str, mode| fs::set_permissions(root.join(path), fs::Permissions::from_mode(mode)).unwrap();
    let own =
        |path: &str, user, group| std::os::unix::fs::chown(root.join(path), Some(user), Some(group)).unwrap();
    mode("", 0o755);
    own("mine", 1234, 1234);
    own("mine/a.yaml", 1234, 1234);
    own("mine/theirs.yaml", 0, 1234);
    mode("mine/theirs.yaml", 0o4664);
    mode("mine/their-group.yaml", 0o664);
    mode("locked", 0o755);
    mode("closed", 0o700);
    let program = root.join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    mode("program", 0o755);
    let output = run_test(&program, "an_ordinary_user", root.to_str().unwrap())
        .uid(1234)
        .gid(1234)
        .env("TMPDIR", root)
        .current_dir(root)
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn as_ordinary_user(root: &Path) {
    let walked = walk(&[root.join("mine"), root.join("closed")], &WalkOptions::default()).unwrap();
    assert_eq!(walked.files.len(), 3);
    assert!(matches!(&walked.errors[..], [WalkError::Io { path, .. }] if *path == root.join("closed")));
    assert!(walked.errors[0].to_string().ends_with("closed: permission denied"));

    // Somebody else's file in one's own folder and group: as sed -i does, and it is said.
    let theirs = FoundFile::file(root.join("mine/theirs.yaml"));
    let committed = rewrite(&theirs);
    assert!(
        matches!(committed.warnings[..], [ref warning] if matches!(warning.kind, WarningKind::Owner(change)
            if (change.from, change.to) == (0, 1234)))
    );
    // The set-user-ID bit would now mean another user.
    assert_eq!(theirs.path.metadata().unwrap().mode() & 0o7777, 0o664);

    let transaction = Transaction::new(unsynced(), &GO_ON);
    let committed = rewrite(&FoundFile::file(root.join("mine/their-group.yaml")));
    assert_eq!(committed.warnings.len(), 2, "user and group: {committed:?}");
    let locked = stage(&transaction, &FoundFile::file(root.join("locked/b.yaml")), "new").unwrap_err();
    assert!(matches!(locked, StageError::Create { .. }), "{locked:?}");
    assert!(locked.hint().is_some_and(|hint| hint.contains("folder must be writable")));
    assert!(temps(&root.join("mine")).is_empty());
}
