//! Finding and parsing in memory: MB/s, and instructions a byte.

use std::hint::black_box;
use std::time::Instant;

use imageswap::manifest::Scanner;

use super::{Size, data, measure};

/// The texts of a kind.
fn texts(what: &str) -> Vec<String> {
    match what {
        "manifests" => (0..400).map(data::file).collect(),
        "crds" => vec![data::crds(4_000_000)],
        "json" => vec![data::json_list(20_000, false)],
        "json-line" => vec![data::json_list(20_000, true)],
        "flow-line" => vec![data::flow_line(20_000)],
        _ => panic!("no such texts: {what}"),
    }
}

/// Scans the texts `passes` times; run as a child, so that its instructions can be counted.
pub fn child(what: &str, passes: usize) {
    let scanner = Scanner::default();
    let texts = texts(what);
    for _ in 0..passes {
        for text in &texts {
            black_box(scanner.scan(black_box(text)));
        }
    }
}

/// Prints speed and instructions.
pub fn run(size: Size) {
    let scanner = Scanner::default();
    for what in ["manifests", "crds", "json", "json-line", "flow-line"] {
        let texts = texts(what);
        let bytes: usize = texts.iter().map(String::len).sum();
        let mut best = f64::MAX;
        for _ in 0..size.runs * 3 {
            let start = Instant::now();
            for text in &texts {
                black_box(scanner.scan(black_box(text)));
            }
            best = best.min(start.elapsed().as_secs_f64());
        }
        let images: usize = texts.iter().map(|text| scanner.scan(text).occurrences.len()).sum();
        let speed = bytes as f64 / best / 1e6;
        // The difference of two runs leaves out loading.
        let once = measure::instructions(&["child-find", what, "1"]);
        let twice = measure::instructions(&["child-find", what, "2"]);
        let each = match (once, twice) {
            (Some(once), Some(twice)) => format!("{:.1} instructions a byte", (twice - once) / bytes as f64),
            _ => "instructions not counted: valgrind is not installed".to_owned(),
        };
        println!("{what:<12} {:>6.1} MB, {images:>5} images: {speed:>7.0} MB/s, {each}", bytes as f64 / 1e6);
    }
    lines(size);
}

/// Prints what a List of 100,000 Pods takes on one line, beside the same in lines.
fn lines(size: Size) {
    let items = if size.full { 100_000 } else { 2_000 };
    let space = measure::workspace();
    let [pretty, one_line] = [false, true].map(|one_line| {
        let file = space.path().join(format!("list-{one_line}.json"));
        std::fs::write(&file, data::json_list(items, one_line)).expect("the list is written");
        format!("{} rewrite --check --map docker.io::m.io {}", measure::imageswap(), file.display())
    });
    let [pretty, one_line] = measure::race(size.runs, [pretty.as_str(), one_line.as_str()], |_| {});
    measure::line(&format!("check of a List of {items}, pretty-printed"), pretty, None);
    measure::line(&format!("check of a List of {items}, on one line"), one_line, Some(pretty));
}
