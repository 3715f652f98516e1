//! A tree of files rewritten in place, against a floor that does the same without parsing, and against what people use
//! instead.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use imageswap::files::{FoundFile, SourceFile, Transaction, WalkOptions, WriteOptions, walk};
use memchr::memmem;

use super::measure::{Seconds, best, has, imageswap, line, missing, race, this, workspace};
use super::{Size, data};

/// Walks, reads, writes temps with the metadata kept, and renames all or nothing: the system calls of a rewrite (rules F3 to
/// F5) and a search for the files that hold an image, but no parsing. Run as a child.
pub fn floor(folder: &str) {
    let never = AtomicBool::new(false);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let walked = walk(&[folder], &WalkOptions::default()).expect("no globs are given");
    let transaction = Transaction::new(WriteOptions { sync: true, threads, keep_going: false }, &never);
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut buffer = Vec::new();
        while let Some(found) = walked.files.get(next.fetch_add(1, Ordering::Relaxed)) {
            copy(found, &mut buffer, &transaction);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(worker);
        }
    });
    let committed = transaction.commit().expect("the files are renamed");
    assert!(committed.failed.is_empty());
}

fn copy(found: &FoundFile, buffer: &mut Vec<u8>, transaction: &Transaction<'_>) {
    let source = SourceFile::read(found, buffer).expect("the file is read");
    if memmem::find(buffer, b"image:").is_some() {
        let text = std::str::from_utf8(buffer).expect("the data is UTF-8");
        transaction.stage(&source, &[text]).expect("the file is staged");
    }
}

/// Prints all comparisons.
pub fn run(size: Size) {
    let space = workspace();
    let (origin, tree) = (space.path().join("origin"), space.path().join("tree"));
    data::tree(&origin, size.files);
    let maps = space.path().join("imageswap.maps");
    fs::write(&maps, data::MAPS).expect("the maps are written");
    println!("{} files, {:.1} MB", size.files, bytes(&origin) as f64 / 1e6);
    let fresh = || copy_tree(&origin, &tree);
    let (program, tree_, maps) = (imageswap(), tree.display(), maps.display());
    let runs = size.runs;

    let [floor, rewrite] = race(
        runs,
        [
            &format!("{} child-floor {tree_}", this().display()),
            &format!("{program} rewrite --maps {maps} {tree_}"),
        ],
        |_| fresh(),
    );
    line("floor: walk, read, search, write temps, rename", floor, None);
    line("imageswap rewrite (against the floor: at most 1.3 x)", rewrite, Some(floor));
    against(runs, "rg -l image: | xargs sed -i", "rg", fresh, &sed(&tree), rewrite);
    against(runs, "cp -r", "cp", || remove(&tree), &format!("cp -r {} {tree_}", origin.display()), rewrite);

    fresh();
    best(1, &format!("{program} rewrite --maps {maps} {tree_}"), || {});
    let check = format!("{program} rewrite --check --maps {maps} {tree_}");
    let name = "imageswap rewrite --check, nothing to do (at most 2 x)";
    if has("rg") {
        let [search, check] = race(2 * runs, [&format!("rg -c image: {tree_}"), &check], |_| {});
        line("rg -c image:", search, None);
        line(name, check, Some(search));
    } else {
        missing("rg -c image:", "rg");
        line(name, best(runs, &check, || {}), None);
    }

    linear(size, space.path(), &maps.to_string());
    if size.full {
        round_trip(runs.min(2), &space.path().join("small"), &maps.to_string());
        kustomize(runs.min(2), &space.path().join("kustomize"), &maps.to_string());
    }
}

/// What people do without such a tool, for the registry that most images of the data come from.
fn sed(tree: &Path) -> String {
    format!(
        "rg -l image: {} | xargs sed -i -E 's#(image: *\"?)docker.io/#\\1mirror.example.com/hub/#'",
        tree.display()
    )
}

/// Prints a comparison, and how many times as long it takes as a rewrite.
fn against(runs: usize, name: &str, program: &str, fresh: impl FnMut(), shell: &str, rewrite: Seconds) {
    if !has(program) {
        return missing(name, program);
    }
    line(name, best(runs, shell, fresh), Some(rewrite));
}

/// Cost must grow with the files and no faster.
fn linear(size: Size, space: &Path, maps: &str) {
    let mut costs = Vec::new();
    for part in [4, 2, 1] {
        let files = size.files / part;
        let tree = space.join(format!("linear-{files}"));
        data::tree(&tree, files);
        let shell = format!("{} rewrite --dry-run -q --maps {maps} {}", imageswap(), tree.display());
        let seconds = best(size.runs, &shell, || {});
        costs.push(format!("{files} files {:.1} us", seconds.cpu * 1e6 / files as f64));
        remove(&tree);
    }
    println!("CPU a file when only planning: {}", costs.join(", "));
}

/// PyYAML reads and writes a smaller tree, losing comments and layout.
fn round_trip(runs: usize, folder: &Path, maps: &str) {
    const SCRIPT: &str = "import sys,os,yaml\nL=getattr(yaml,'CSafeLoader',yaml.SafeLoader)\n\
        D=getattr(yaml,'CSafeDumper',yaml.SafeDumper)\nfor d,_,fs in os.walk(sys.argv[1]):\n  for f in fs:\n   \
        p=os.path.join(d,f)\n   docs=list(yaml.load_all(open(p),Loader=L))\n   \
        yaml.dump_all(docs,open(p,'w'),Dumper=D)\n";
    let name = "PyYAML round trip of 500 files";
    let python = "python3 -c 'import yaml'";
    if !Command::new("sh").args(["-c", python]).status().is_ok_and(|s| s.success()) {
        return missing(name, "PyYAML");
    }
    let fresh = || {
        remove(folder);
        data::tree(folder, 500);
    };
    let script = folder.with_extension("py");
    fs::write(&script, SCRIPT).expect("the script is written");
    let shell = format!("{} rewrite --maps {maps} {}", imageswap(), folder.display());
    let ours = best(runs, &shell, fresh);
    line("imageswap rewrite of 500 files", ours, None);
    line(name, best(runs, &format!("python3 {} {}", script.display(), folder.display()), fresh), Some(ours));
}

/// kustomize's images transformer on smaller trees; it grows faster than they do.
fn kustomize(runs: usize, folder: &Path, maps: &str) {
    let name = "kubectl kustomize with images:";
    let Some(program) = ["kubectl kustomize", "kustomize build"]
        .into_iter()
        .find(|line| has(line.split(' ').next().unwrap_or_default()))
    else {
        return missing(name, "kubectl");
    };
    for resources in [250, 1_000] {
        remove(folder);
        data::kustomization(folder, resources);
        let shell = format!("{} rewrite --dry-run -q --maps {maps} {}", imageswap(), folder.display());
        let ours = best(runs, &shell, || {});
        line(&format!("imageswap on {resources} resources"), ours, None);
        let theirs = best(runs, &format!("{program} {}", folder.display()), || {});
        line(&format!("{program} with images: on {resources} resources"), theirs, Some(ours));
    }
}

/// A fresh copy.
pub fn copy_tree(from: &Path, to: &Path) {
    remove(to);
    let copied = Command::new("cp").arg("-r").args([from, to]).status();
    assert!(copied.is_ok_and(|status| status.success()), "the tree is copied");
}

fn remove(folder: &Path) {
    if folder.exists() {
        fs::remove_dir_all(folder).expect("the folder is removed");
    }
}

fn bytes(folder: &Path) -> u64 {
    let walked = walk(&[folder], &WalkOptions::default()).expect("no globs are given");
    walked.files.iter().map(|found| fs::metadata(&found.path).expect("the file is there").len()).sum()
}
