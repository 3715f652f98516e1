//! All or nothing, whichever way files are written (rule F2): what can be known is known before the first file is
//! replaced, what fails later takes back what was done, and what is reported is true.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests stop at the first surprise and say why"
)]

mod files_support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use files_support::{child, contents, is_root, many, run_test, stage, temps, tree};
use imageswap::files::{
    FileError, FoundFile, SourceFile, StageError, Transaction, WarningKind, WriteOptions, write_file,
};

static GO_ON: AtomicBool = AtomicBool::new(false);

const OLD: &str = "kind: Pod\nspec: {containers: [{image: nginx}]}\n";
const NEW: &str = "kind: Pod\nspec: {containers: [{image: m.example/nginx}]}\n";

fn unsynced() -> WriteOptions {
    WriteOptions { sync: false, threads: 2, keep_going: false }
}

fn imageswap(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imageswap"));
    command.args(["rewrite", "--no-sync", "--map", "default::m.example"]).args(args).current_dir(folder);
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn one_target_that_became_a_folder_and_no_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let files = many(folder.path(), 300, "old");
    let transaction = Transaction::new(unsynced(), &GO_ON);
    files.iter().for_each(|found| stage(&transaction, found, "new").unwrap());
    fs::remove_file(&files[250].path).unwrap();
    fs::create_dir(&files[250].path).unwrap();
    let committed = transaction.commit().unwrap();
    assert!(committed.written.is_empty(), "{committed:?}");
    assert!(matches!(&committed.failed[..], [FileError::Changed { path }] if *path == files[250].path));
    assert!(temps(folder.path()).is_empty());
    assert!(contents(folder.path()).values().all(|bytes| bytes == b"old"));
}

#[test]
fn a_place_that_became_a_folder_and_no_file_is_written() {
    let folder = tree(&[("in/a.yaml", "old"), ("out/b.yaml", "older")]);
    let path = |name: &str| folder.path().join(name);
    let transaction = Transaction::new(unsynced(), &GO_ON);
    stage(&transaction, &FoundFile::file(path("in/a.yaml")), "new").unwrap();
    for name in ["out/b.yaml", "out/c.yaml", "deep/er/d.yaml", "out/e.yaml"] {
        transaction.stage_at(&path(name), None, &["new"]).unwrap();
    }
    fs::create_dir(path("out/e.yaml")).unwrap();
    fs::write(path("out/e.yaml/full"), "").unwrap();
    let before = contents(folder.path());
    let committed = transaction.commit().unwrap();
    assert_eq!(committed.failed.len(), 1);
    assert!(committed.written.is_empty(), "{committed:?}");
    assert!(contents(folder.path()).len() < before.len(), "the temps are gone");
    assert_eq!(fs::read(path("in/a.yaml")).unwrap(), b"old");
    assert_eq!(fs::read(path("out/b.yaml")).unwrap(), b"older");
    assert!(!path("out/c.yaml").exists() && !path("deep").exists());
}

#[test]
fn what_comes_to_nothing_leaves_no_folder() {
    let folder = tree(&[("in/a.yaml", "old")]);
    let path = |name: &str| folder.path().join(name);
    let transaction = Transaction::new(unsynced(), &GO_ON);
    transaction.stage_at(&path("out/x/a.yaml"), None, &["new"]).unwrap();
    let twice = transaction.stage_at(&path("out/x/a.yaml"), None, &["new"]).unwrap_err();
    assert!(matches!(twice, StageError::Twice { .. }), "{twice}");
    let taken = transaction.stage_at(&path("in"), None, &["new"]).unwrap_err();
    assert!(matches!(taken, StageError::IsFolder { .. }), "{taken}");
    assert_eq!(temps(folder.path()).len(), 1);
    drop(transaction);
    assert!(!path("out").exists());
}

#[test]
fn new_files_have_the_permissions_of_the_old_ones() {
    let folder = tree(&[("a.yaml", "old")]);
    let found = FoundFile::file(folder.path().join("a.yaml"));
    for mode in [0o600, 0o755, 0o664] {
        fs::set_permissions(&found.path, fs::Permissions::from_mode(mode)).unwrap();
        let transaction = Transaction::new(unsynced(), &GO_ON);
        let mut buffer = Vec::new();
        let source = SourceFile::read(&found, &mut buffer).unwrap();
        let target = folder.path().join("out/a.yaml");
        transaction.stage_at(&target, Some(&source), &["new"]).unwrap();
        transaction.commit().unwrap();
        assert_eq!(target.metadata().unwrap().mode() & 0o777, mode);
    }
}

#[test]
fn one_file_is_written_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/imageswap.lock");
    write_file(&path, b"one").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    write_file(&link, b"two").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o640);
    assert!(link.is_symlink() && temps(folder.path()).is_empty());
    // Also where the link leads to nothing yet.
    let (dangling, end) = (folder.path().join("dangling"), folder.path().join("deep/end"));
    std::os::unix::fs::symlink("deep/end", &dangling).unwrap();
    write_file(&dangling, b"new").unwrap();
    assert!(dangling.is_symlink());
    assert_eq!(fs::read(&end).unwrap(), b"new");
    assert_eq!(end.metadata().unwrap().mode() & 0o111, 0, "the permissions of a link are no file's");
    let error = write_file(folder.path(), b"three").unwrap_err();
    assert!(error.to_string().ends_with("there is a folder of that name"), "{error}");
}

#[test]
fn a_report_that_cannot_be_written_changes_no_file() {
    let folder = tree(&[("a.yaml", OLD)]);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_imageswap"));
    command.args(["rewrite", "--map", "default::m.example", "a.yaml"]).current_dir(folder.path());
    let output = command.stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("nothing was written"), "{}", said(&output));
    assert_eq!(fs::read_to_string(folder.path().join("a.yaml")).unwrap(), OLD);
}

#[test]
fn an_output_folder_holds_every_file_that_was_read() {
    let template = "a: {{ .x }}\n  b: c\n image: {{\n";
    let files: &[(&str, &str)] = &[
        ("src/pod.yaml", OLD),
        ("src/none.yaml", "a: b\n"),
        ("src/chart/values.yaml", "x: 1\n"),
        ("src/broken.yaml", "kind: Pod\nspec: [image: nginx\n"),
        ("src/deep/t.yaml", template),
    ];
    let folder = tree(files);
    let output = imageswap(folder.path(), &["--keep-going", "--output", "out", "src"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    for (name, text) in files {
        let new = fs::read_to_string(folder.path().join(name.replacen("src", "out", 1))).unwrap();
        assert_eq!(new, text.replace("nginx}", "m.example/nginx}"), "{name}");
    }
    fs::remove_file(folder.path().join("src/broken.yaml")).unwrap();
    fs::remove_file(folder.path().join("src/deep/t.yaml")).unwrap();
    fs::remove_dir_all(folder.path().join("out")).unwrap();
    // The folder around it is one, too, and an earlier output is no input.
    let output = imageswap(folder.path(), &["--output", ".", "src"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(fs::read_to_string(folder.path().join("pod.yaml")).unwrap(), NEW);
    let output = imageswap(folder.path(), &["--output", "src", "src"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("leave out --output"), "{}", said(&output));
    let output = imageswap(folder.path(), &["--output", "one.yaml", "src/pod.yaml"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(fs::read_to_string(folder.path().join("one.yaml")).unwrap(), NEW);
    let link = folder.path().join("link.yaml");
    std::os::unix::fs::symlink("one.yaml", &link).unwrap();
    fs::write(folder.path().join("one.yaml"), "").unwrap();
    let output = imageswap(folder.path(), &["--output", "link.yaml", "src/pod.yaml"]);
    assert!(output.status.success() && link.is_symlink(), "{}", said(&output));
    assert_eq!(fs::read_to_string(folder.path().join("one.yaml")).unwrap(), NEW);
    let output = imageswap(folder.path(), &["--output", "/dev/null", "src/pod.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("`--output -`"), "{}", said(&output));
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
        ("mine/group.yaml", OLD),
        ("sticky/a.yaml", OLD),
        ("sticky/b.yaml", OLD),
        ("locked/c.yaml", OLD),
    ]);
    let root = folder.path();
    let mode =
        |path: &str, mode| fs::set_permissions(root.join(path), fs::Permissions::from_mode(mode)).unwrap();
    let own = |path: &str, user| std::os::unix::fs::chown(root.join(path), Some(user), Some(user)).unwrap();
    mode("", 0o755);
    own("mine", 1234);
    mode("mine/group.yaml", 0o2664);
    mode("sticky", 0o1777);
    own("sticky/a.yaml", 1234);
    mode("locked", 0o755);
    for (from, name) in
        [(std::env::current_exe().unwrap(), "program"), (env!("CARGO_BIN_EXE_imageswap").into(), "imageswap")]
    {
        // By a process of its own: a program that this one has open for writing cannot be run.
        let copied = Command::new("cp").arg(&from).arg(root.join(name)).status().unwrap();
        assert!(copied.success());
        mode(name, 0o755);
    }
    let output = run_test(&root.join("program"), "an_ordinary_user", root.to_str().unwrap())
        .uid(1234)
        .gid(1234)
        .current_dir(root)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &said(&output);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn as_ordinary_user(root: &Path) {
    // A file of a group that is not one's own: kept but for that, and its permissions go to nobody else.
    let group = FoundFile::file(root.join("mine/group.yaml"));
    let transaction = Transaction::new(unsynced(), &GO_ON);
    stage(&transaction, &group, NEW).unwrap();
    let committed = transaction.commit().unwrap();
    let is_group = |kind: &WarningKind| matches!(kind, WarningKind::Group(change) if change.to == 1234);
    assert!(committed.warnings.iter().any(|warning| is_group(&warning.kind)), "{committed:?}");
    assert_eq!(group.path.metadata().unwrap().mode() & 0o7777, 0o644);

    let run = |args: &[&str]| {
        let mut command = Command::new(root.join("imageswap"));
        command.args(["rewrite", "--no-sync", "--map", "default::m.example"]).args(args).current_dir(root);
        command.output().unwrap()
    };
    // Only the owner may replace a file of a sticky folder: known before anything changes.
    let output = run(&["sticky"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("sticky/b.yaml: only its owner may"), "{}", said(&output));
    assert!(said(&output).ends_with("1 error; nothing was written\n"), "{}", said(&output));
    assert_eq!(fs::read_to_string(root.join("sticky/a.yaml")).unwrap(), OLD);
    let output = run(&["--keep-going", "sticky"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).ends_with("rewrote 1 image in 1 file\n1 error\n"), "{}", said(&output));
    // Nothing can be written: that is what is said.
    let output = run(&["--keep-going", "locked"]);
    assert!(said(&output).ends_with("1 error; nothing was written\n"), "{}", said(&output));
    let output = run(&["--keep-going", "--format", "json", "locked"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("\"written\":false") && text.contains("\"changes\":0"), "{text}");
}

/// Whether this process, and so those it starts, was told to ignore SIGHUP.
fn ignores_hangups() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    u64::from_str_radix(ignored.trim(), 16).unwrap() & 1 == 1
}

/// A signal ends the run within a second though one file takes long to parse, and leaves no temp file.
#[test]
fn a_signal_ends_a_run_that_parses() {
    let folder = tempfile::tempdir().unwrap();
    let entry = "  - {name: a, image: nginx, args: [\"x\", 'y', &a z, *a]}\n";
    let many = format!("kind: Pod\nspec:\n  containers:\n{}", entry.repeat(600_000));
    fs::write(folder.path().join("large.yaml"), many).unwrap();
    // Under nohup, as CI may run, a hangup is to be ignored, and the run with it.
    let signals = [rustix::process::Signal::TERM, rustix::process::Signal::HUP];
    for signal in signals.into_iter().take(if ignores_hangups() { 1 } else { 2 }) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_imageswap"));
        command.args(["rewrite", "-q", "--map", "default::m.example", "large.yaml"]);
        let mut child = command.current_dir(folder.path()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        assert!(child.try_wait().unwrap().is_none(), "the file is too small to show anything");
        let sent = Instant::now();
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), signal).unwrap();
        let status = child.wait().unwrap();
        // A second on an idle machine; a busy one needs more.
        assert!(sent.elapsed() < Duration::from_secs(30), "{:?}", sent.elapsed());
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(signal.as_raw()));
        assert!(temps(folder.path()).is_empty());
    }
}
