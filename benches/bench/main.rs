//! The benchmarks: `cargo bench`, or `just bench`. Each case runs what it is compared with in the same run and
//! prints ratios; see `benches/README.md` for what is measured and how to read it.
//!
//! Instructions are counted by callgrind (they repeat on noisy machines), CPU time and wall time are those of the
//! best of several runs. A program that is not installed is said to be missing, and its line left out.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what a benchmark does")]

mod data;
mod find;
mod function;
mod many;
mod measure;
mod memory;
mod mirror;
mod pin;
mod serve;
mod start;
mod tree;

use std::process::ExitCode;
use std::time::Duration;

/// How much work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size {
    /// Files of the tree.
    files: usize,
    /// How often each command runs; the best counts.
    runs: usize,
    /// Whether the slow comparisons and the large inputs are run.
    full: bool,
}

const FULL: Size = Size { files: 10_000, runs: 7, full: true };
const SMOKE: Size = Size { files: 500, runs: 2, full: false };

/// A case: its name and what runs it.
type Case = (&'static str, fn(Size));

const CASES: [Case; 11] = [
    ("find", find::run),
    ("tree", tree::run),
    ("many", many::run),
    ("memory", memory::run),
    ("start", start::run),
    ("function", function::run),
    ("pin", pin::run),
    ("serve", serve::run),
    ("serve-chaos", serve::chaos),
    ("serve-abuse", serve::abuse),
    ("mirror", mirror::run),
];

fn main() -> ExitCode {
    // `cargo bench` adds --bench; the rest is ours.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["child-find", what, passes] => find::child(what, passes.parse().expect("a number of passes")),
        ["child-floor", folder] => tree::floor(folder),
        ["child-echo", certificate, key] => serve::echo(certificate, key),
        ["child-registry", images, delay] => {
            let delay = Duration::from_millis(delay.parse().expect("milliseconds"));
            pin::serve(images.parse().expect("a number of images"), delay);
        }
        ["make-tree", folder, files] => {
            data::tree(folder.as_ref(), files.parse().expect("a number of files"));
        }
        _ => {
            let size = if args.contains(&"--smoke") { SMOKE } else { FULL };
            let wanted: Vec<&str> = args.iter().filter(|arg| !arg.starts_with("--")).copied().collect();
            if let Some(unknown) = wanted.iter().find(|name| CASES.iter().all(|(case, _)| case != *name)) {
                eprintln!("unknown case '{unknown}'; there are {}", CASES.map(|(name, _)| name).join(", "));
                return ExitCode::from(2);
            }
            for (name, run) in CASES {
                if wanted.is_empty() || wanted.contains(&name) {
                    println!("\n## {name}");
                    run(size);
                }
            }
        }
    }
    ExitCode::SUCCESS
}
