//! Killed at any point (rule F1): every file is wholly old or wholly new.
//!
//! `IMAGESWAP_KILLS` sets the number of kills (50).

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests stop at the first surprise and say why"
)]

mod files_support;

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use files_support::{child, contents, many, run_test, temps};
use imageswap::files::{FoundFile, SourceFile, Transaction, WriteOptions};

const FILES: usize = 40;
/// Large enough that a file takes several writes to fill.
const SIZE: usize = 100_000;

#[test]
fn killed_at_any_point_each_file_is_old_or_new() {
    if let Some(folder) = child() {
        rewrite_for_ever(Path::new(&folder));
    }
    let kills: u32 = std::env::var("IMAGESWAP_KILLS").map_or(50, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    many(folder.path(), FILES, &text('a'));
    let (mut with_temps, mut half_way) = (0, 0);
    for _ in 0..kills {
        let program = std::env::current_exe().unwrap();
        let name = "killed_at_any_point_each_file_is_old_or_new";
        let mut child = run_test(&program, name, folder.path().to_str().unwrap())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = [0];
        child.stderr.take().unwrap().read_exact(&mut ready).unwrap();
        // The moment is what this test varies.
        std::thread::sleep(Duration::from_micros(RandomState::new().build_hasher().finish() % 20_000));
        child.kill().unwrap();
        child.wait().unwrap();

        let left = temps(folder.path());
        with_temps += u32::from(!left.is_empty());
        for temp in &left {
            assert!(temp.extension().is_some_and(|extension| extension == "tmp"));
            fs::remove_file(temp).unwrap();
        }
        let contents = contents(folder.path());
        assert_eq!(contents.len(), FILES);
        let mut kinds: Vec<u8> = contents
            .iter()
            .map(|(path, bytes)| {
                assert_eq!(bytes.len(), SIZE, "{}", path.display());
                assert!(bytes.iter().all(|byte| *byte == bytes[0]), "{} is mixed", path.display());
                bytes[0]
            })
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        half_way += u32::from(kinds.len() > 1);
    }
    eprintln!("{kills} kills, {with_temps} left temps, {half_way} came between renames");
    assert!(with_temps > 0, "no kill came in the middle of a transaction: this test shows nothing");
}

fn text(letter: char) -> String {
    letter.to_string().repeat(SIZE)
}

fn rewrite_for_ever(folder: &Path) -> ! {
    let mut paths: Vec<_> = contents(folder).into_keys().collect();
    paths.sort();
    let files: Vec<_> = paths.into_iter().map(FoundFile::file).collect();
    let go_on = AtomicBool::new(false);
    let mut buffer = Vec::new();
    eprint!("!");
    loop {
        for letter in 'a'..='z' {
            let new = text(letter);
            let (first, second) = new.split_at(SIZE / 3);
            let transaction =
                Transaction::new(WriteOptions { sync: false, threads: 2, keep_going: true }, &go_on);
            for found in &files {
                let source = SourceFile::read(found, &mut buffer).unwrap();
                transaction.stage(&source, &[first, second]).unwrap();
            }
            assert!(transaction.commit().unwrap().failed.is_empty());
        }
    }
}
