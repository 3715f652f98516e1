//! Which files are read (`files::walk`).

#![allow(clippy::unwrap_used, reason = "helpers of tests stop at the first surprise and say why")]

mod files_support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use files_support::tree;
use imageswap::files::{PassedOverReason, WalkError, WalkOptions, Walked, walk};
use rustix::fs::{CWD, FileType, Mode, mknodat};

fn walked(paths: &[&Path], options: &WalkOptions) -> Walked {
    walk(paths, options).unwrap()
}

/// The files found, relative to `root`, joined by spaces.
fn names(walked: &Walked, root: &Path) -> String {
    let relative = |path: &Path| path.strip_prefix(root).unwrap_or(path).display().to_string();
    walked.files.iter().map(|found| relative(&found.path)).collect::<Vec<_>>().join(" ")
}

fn skipped(walked: &Walked, root: &Path) -> Vec<(String, PassedOverReason)> {
    let relative = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
    walked.skipped.iter().map(|skip| (relative(&skip.path), skip.reason)).collect()
}

fn following() -> WalkOptions {
    WalkOptions { follow: true, ..WalkOptions::default() }
}

#[test]
fn manifest_names_and_hidden_folders_but_not_git() {
    let folder = tree(&[
        ("b.yaml", ""),
        ("a/c.yml", ""),
        ("a/d.json", ""),
        ("a/Kustomization", ""),
        ("a/README.md", ""),
        (".tekton/.run.yaml", ""),
        (".git/x.yaml", ""),
        ("a/.git/x.yaml", ""),
    ]);
    let walked = walked(&[folder.path()], &WalkOptions::default());
    assert_eq!(names(&walked, folder.path()), ".tekton/.run.yaml a/Kustomization a/c.yml a/d.json b.yaml");
    assert!(walked.errors.is_empty() && walked.skipped.is_empty());
}

#[test]
fn given_files_are_read_whatever_they_are_called() {
    let folder = tree(&[(".gitignore", "*.txt"), ("x.txt", ""), (".git/HEAD", "")]);
    let path = folder.path().join("x.txt");
    assert_eq!(walked(&[&path], &WalkOptions::default()).files[0].path, path);
}

#[test]
fn gitignore_counts_in_a_repository_only() {
    let files =
        [(".gitignore", "out/\n[bad\n*.gen.yaml"), ("out/a.yaml", ""), ("a.gen.yaml", ""), ("a.yaml", "")];
    let folder = tree(&files);
    let root = folder.path();
    assert_eq!(names(&walked(&[root], &WalkOptions::default()), root), "a.gen.yaml a.yaml out/a.yaml");
    fs::create_dir(root.join(".git")).unwrap();
    let found = walked(&[root], &WalkOptions::default());
    assert_eq!(names(&found, root), "a.yaml");
    assert!(found.errors.is_empty(), "{:?}", found.errors);
    let all = WalkOptions { no_ignore: true, ..WalkOptions::default() };
    assert_eq!(names(&walked(&[root], &all), root), "a.gen.yaml a.yaml out/a.yaml");
}

#[test]
fn globs_are_relative_to_the_walked_folder() {
    let folder =
        tree(&[("p/apps/a.yaml", ""), ("p/apps/b.tpl", ""), ("p/vendor/c.yaml", ""), ("p/d.yaml", "")]);
    let root = folder.path().join("p");
    let globs = |include: &[&str], exclude: &[&str]| WalkOptions {
        include: include.iter().map(ToString::to_string).collect(),
        exclude: exclude.iter().map(ToString::to_string).collect(),
        ..WalkOptions::default()
    };
    for (options, expected) in [
        (globs(&[], &["vendor"]), "apps/a.yaml d.yaml"),
        (globs(&[], &["/d.yaml", "apps/*.yaml"]), "vendor/c.yaml"),
        (globs(&["apps/**"], &[]), "apps/a.yaml"),
        (globs(&["apps"], &[]), "apps/a.yaml"),
        (globs(&["*.tpl"], &[]), "apps/b.tpl"),
        (globs(&["p/**"], &[]), ""),
    ] {
        assert_eq!(names(&walked(&[&root], &options), &root), expected, "{options:?}");
    }
    assert_eq!(walk(&[&root], &globs(&["[a"], &[])).unwrap_err().glob, "[a");
}

#[test]
fn helm_templates_are_skipped() {
    let folder = tree(&[
        ("chart/Chart.yaml", ""),
        ("chart/values.yaml", ""),
        ("chart/templates/a.yaml", ""),
        ("chart/templates/sub/b.yaml", ""),
        ("chart/templates/_helpers.tpl", ""),
        ("other/templates/c.yaml", ""),
    ]);
    let root = folder.path();
    let found = walked(&[root], &WalkOptions::default());
    assert_eq!(names(&found, root), "chart/Chart.yaml chart/values.yaml other/templates/c.yaml");
    let template = |path: &str| (path.to_owned(), PassedOverReason::HelmTemplate);
    let expected = [template("chart/templates/a.yaml"), template("chart/templates/sub/b.yaml")];
    assert_eq!(skipped(&found, root), expected);

    let inside = root.join("chart/templates/sub");
    let found = walked(&[&inside], &WalkOptions::default());
    assert_eq!((names(&found, root), skipped(&found, &inside).len()), (String::new(), 1));
    let file = inside.join("b.yaml");
    assert_eq!(walked(&[&file], &WalkOptions::default()).files.len(), 1);
}

#[test]
fn a_link_inside_the_folder_names_its_target() {
    let folder = tree(&[("data/real.txt", ""), ("a.yaml", "")]);
    let root = folder.path().canonicalize().unwrap();
    symlink("data/real.txt", root.join("link.yaml")).unwrap();
    symlink("a.yaml", root.join("0.yaml")).unwrap();
    let found = walked(&[&root], &WalkOptions::default());
    // 0.yaml leads to a.yaml, which is read under its own name.
    assert_eq!(names(&found, &root), "a.yaml link.yaml");
    assert_eq!(found.files[1].real(), root.join("data/real.txt"));
    assert_eq!(found.files[0].target, None);
}

#[test]
fn a_link_out_of_the_folder_is_refused() {
    let folder = tree(&[("in/a.yaml", ""), ("in-side/b.yaml", ""), ("c.yaml", "")]);
    let root = folder.path().join("in");
    symlink("../c.yaml", root.join("l.yaml")).unwrap();
    // A folder whose name begins like the root's is not in it.
    symlink("../in-side/b.yaml", root.join("m.yaml")).unwrap();
    symlink("/dev/zero", root.join("z.yaml")).unwrap();
    let found = walked(&[&root], &WalkOptions::default());
    assert_eq!(names(&found, &root), "a.yaml");
    let refused: Vec<_> = found.errors.iter().map(|error| (error.path(), error.to_string())).collect();
    assert_eq!(refused.len(), 2);
    assert!(matches!(&found.errors[0], WalkError::LeavesRoot { path, target, .. }
        if *path == root.join("l.yaml") && target.ends_with("c.yaml")));
    assert!(refused[1].1.contains("m.yaml: the link leads to "), "{refused:?}");
    assert_eq!(skipped(&found, &root), [("z.yaml".to_owned(), PassedOverReason::NotRegular)]);

    let found = walked(&[&root], &following());
    assert_eq!(names(&found, &root), "a.yaml l.yaml m.yaml");
    assert!(found.errors.is_empty());
    assert!(found.files[1].real().ends_with("c.yaml"));

    let link = root.join("l.yaml");
    let given = walked(&[&link], &WalkOptions::default());
    assert!(given.files[0].real().ends_with("c.yaml"), "a link that is given itself is followed");
}

#[test]
fn links_to_folders_are_followed_on_request() {
    let folder = tree(&[("in/a.yaml", ""), ("out/b.yaml", "")]);
    let root = folder.path().join("in");
    symlink("../out", root.join("x")).unwrap();
    symlink(".", root.join("loop")).unwrap();
    symlink("..", root.join("up")).unwrap();
    let found = walked(&[&root], &WalkOptions::default());
    assert_eq!(names(&found, &root), "a.yaml");
    let linked = |name: &str| (name.to_owned(), PassedOverReason::LinkedFolder);
    assert_eq!(skipped(&found, &root), [linked("loop"), linked("up"), linked("x")]);

    let found = walked(&[&root], &following());
    assert_eq!(found.files.len(), 2, "each file once: {found:?}");
    assert!(found.errors.is_empty(), "{:?}", found.errors);
}

#[test]
fn links_that_lead_nowhere_are_no_errors() {
    let folder = tree(&[("a.yaml", "")]);
    let root = folder.path();
    symlink("me@host.42:1", root.join(".#a.yaml")).unwrap();
    symlink("self.yaml", root.join("self.yaml")).unwrap();
    symlink("nothing", root.join("other-name")).unwrap();
    for options in [WalkOptions::default(), following()] {
        let found = walked(&[root], &options);
        assert_eq!(names(&found, root), "a.yaml");
        let dangling = |name: &str| (name.to_owned(), PassedOverReason::DanglingLink);
        assert_eq!(skipped(&found, root), [dangling(".#a.yaml"), dangling("self.yaml")]);
        assert!(found.errors.is_empty(), "{:?}", found.errors);
    }
}

#[test]
fn each_file_once_whatever_paths_lead_there() {
    let folder = tree(&[("p/a.yaml", ""), ("p/q/b.yaml", "")]);
    let root = folder.path();
    let (p, q, b) = (root.join("p"), root.join("p/q/../q"), root.join("p/q/b.yaml"));
    symlink("p", root.join("l")).unwrap();
    let link = root.join("l");
    for paths in [vec![&p, &p], vec![&p, &q, &b], vec![&b, &p, &b], vec![&link, &p], vec![&link]] {
        let paths: Vec<&Path> = paths.into_iter().map(PathBuf::as_path).collect();
        assert_eq!(walked(&paths, &WalkOptions::default()).files.len(), 2, "{paths:?}");
    }
    // A linked folder that is given is shown as given.
    assert_eq!(names(&walked(&[&link], &WalkOptions::default()), root), "l/a.yaml l/q/b.yaml");
    fs::hard_link(root.join("p/a.yaml"), root.join("p/c.yaml")).unwrap();
    assert_eq!(walked(&[&p], &WalkOptions::default()).files.len(), 3, "hard links are files of their own");
}

#[test]
fn what_is_passed_over_is_named_once_whatever_paths_lead_there() {
    let folder = tree(&[("a/Dockerfile", ""), ("a/b/c.yaml", "")]);
    let root = folder.path();
    symlink("nowhere", root.join("a/b/dangling.yaml")).unwrap();
    symlink("/etc/passwd", root.join("a/b/out.yaml")).unwrap();
    let given = [root.join("a"), root.join("a/."), root.join("a/b"), root.join("a/../a")];
    let walked = walked(&given.each_ref().map(PathBuf::as_path), &WalkOptions::default());
    assert_eq!((walked.files.len(), walked.errors.len()), (1, 1));
    let reasons: Vec<PassedOverReason> = walked.skipped.iter().map(|skipped| skipped.reason).collect();
    assert_eq!(reasons, [PassedOverReason::Dockerfile, PassedOverReason::DanglingLink]);
}

#[test]
fn what_is_missing_or_no_file_is_named_and_the_rest_found() {
    let folder = tree(&[("a.yaml", "")]);
    let fifo = folder.path().join("f.yaml");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR, 0).unwrap();
    let missing = folder.path().join("nothing");
    let found = walked(&[&missing, folder.path(), &fifo], &WalkOptions::default());
    assert_eq!(names(&found, folder.path()), "a.yaml");
    assert_eq!(skipped(&found, folder.path()), [("f.yaml".to_owned(), PassedOverReason::NotRegular)]);
    assert!(matches!(&found.errors[..], [WalkError::NotRegular { path: a }, WalkError::Missing { path: b }]
        if *a == fifo && *b == missing));
}

#[test]
fn names_need_not_be_utf8() {
    let folder = tree(&[]);
    let root = folder.path().join(OsStr::from_bytes(b"\xff"));
    fs::create_dir(&root).unwrap();
    let path = root.join(OsStr::from_bytes(b"\xfe.yaml"));
    fs::write(&path, "").unwrap();
    for options in [WalkOptions::default(), following()] {
        let found = walked(&[folder.path()], &options);
        assert_eq!(found.files[0].path, path);
    }
}

#[test]
fn any_number_of_threads_finds_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..300 {
        let sub = folder.path().join(format!("{}/{}", number % 7, number % 31));
        fs::create_dir_all(&sub).unwrap();
        fs::write(sub.join(format!("{number}.yaml")), "").unwrap();
    }
    let threads =
        |threads| walked(&[folder.path()], &WalkOptions { threads, ..WalkOptions::default() }).files;
    let one = threads(1);
    assert_eq!(one.len(), 300);
    assert!(one.is_sorted_by(|a, b| a.path.as_os_str() < b.path.as_os_str()));
    assert_eq!(one, threads(2));
    assert_eq!(one, threads(8));
}
