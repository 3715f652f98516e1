//! The house's rules, held by reading the sources: which module may use which, and how long a file may be.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

/// The longest file.
const LINES_MAX: usize = 500;

/// A layer: its folder, the modules of the crate that it may use, and whether it is pure.
struct Layer {
    name: &'static str,
    may_use: &'static [&'static str],
    pure: bool,
}

const LAYERS: &[Layer] = &[
    Layer { name: "image", may_use: &[], pure: true },
    Layer { name: "maps", may_use: &["image"], pure: true },
    Layer { name: "manifest", may_use: &["image"], pure: true },
    Layer { name: "rewrite", may_use: &["image", "maps", "manifest"], pure: true },
    Layer { name: "report", may_use: &["image", "maps", "manifest", "rewrite"], pure: true },
    Layer { name: "krm", may_use: &["image", "maps", "manifest", "rewrite", "report"], pure: true },
    Layer { name: "files", may_use: &[], pure: false },
    Layer { name: "lock", may_use: &["image"], pure: true },
    Layer { name: "registry", may_use: &["image"], pure: false },
    Layer { name: "cluster", may_use: &["image", "maps", "manifest"], pure: false },
    Layer { name: "webhook", may_use: &["image", "maps", "manifest", "rewrite", "registry"], pure: false },
    Layer {
        name: "cli",
        may_use: &[
            "image", "maps", "manifest", "rewrite", "report", "krm", "files", "lock", "registry", "cluster",
            "webhook",
        ],
        pure: false,
    },
];

/// Parts of layers that are pure though the layer is not.
const PURE_PARTS: &[(&str, Layer)] = &[(
    "webhook/admission/",
    Layer { name: "webhook", may_use: &["image", "maps", "manifest", "rewrite"], pure: true },
)];

/// What pure modules do without: arguments, files, environment, clock, network, printing, processes.
const IMPURE: &[&str] = &[
    "clap",
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::thread",
    "std::time",
    "SystemTime",
    "Instant",
    "stdin()",
    "stdout()",
    "stderr()",
    "println!",
    "print!",
    "eprintln!",
    "eprint!",
    "rustix",
    "signal_hook",
    "indicatif",
    "tempfile",
    "tokio",
    "hyper",
    "tracing",
    "rustls",
];

/// What is wrong with a source text of `layer`.
fn violations(layer: &Layer, text: &str) -> Vec<String> {
    let code = without_tests_and_comments(text);
    let mut wrong = Vec::new();
    for other in LAYERS.iter().filter(|other| other.name != layer.name) {
        if layer.may_use.contains(&other.name) {
            continue;
        }
        if uses(&code, other.name) {
            wrong.push(format!("{} uses crate::{}", layer.name, other.name));
        }
    }
    if layer.pure {
        for word in IMPURE.iter().filter(|word| holds_word(&code, word)) {
            wrong.push(format!("{} is pure and uses {word}", layer.name));
        }
        // `use std::{fs, io}` hides the names from the search above.
        for group in grouped_std(&code) {
            for part in ["fs", "env", "net", "process", "thread", "time"] {
                if group.split([',', '{', '}']).any(|item| item.trim().split("::").next() == Some(part)) {
                    wrong.push(format!("{} is pure and uses std::{part}", layer.name));
                }
            }
        }
    }
    if layer.name != "cli" && holds_word(&code, "clap") {
        wrong.push(format!("{} knows arguments", layer.name));
    }
    wrong
}

/// Whether `code` names the crate's module `module`: by its path, in a group, or from a sibling of it.
fn uses(code: &str, module: &str) -> bool {
    let grouped = code.match_indices("crate::{").any(|(at, opening)| {
        let rest = &code[at + opening.len()..];
        let group = &rest[..rest.find(';').unwrap_or(rest.len())];
        let mut depth = 0;
        group
            .split_inclusive(['{', '}', ','])
            .scan(0, |_, part| {
                let top = depth == 0;
                depth += part.matches('{').count();
                depth -= part.matches('}').count().min(depth);
                Some((top, part))
            })
            .any(|(top, part)| {
                top && part.trim().trim_end_matches([',', '{', '}']).trim().split("::").next() == Some(module)
            })
    });
    grouped || holds_word(code, &format!("crate::{module}"))
}

/// Whether `code` holds `word` with no letter, digit or `_` on either side.
fn holds_word(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        !code[..at].ends_with(is_part)
            && (!word.ends_with(is_part) || !code[at + word.len()..].starts_with(is_part))
    })
}

/// The groups of `use std::{…};`
fn grouped_std(code: &str) -> Vec<&str> {
    let starts = code.match_indices("std::{").map(|(at, opening)| &code[at + opening.len()..]);
    starts.map(|rest| &rest[..rest.find(';').unwrap_or(rest.len())]).collect()
}

/// The text without comments and unit tests, which may read files and print.
fn without_tests_and_comments(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().map(|line| match line.find("//") {
        Some(at) if !line[..at].contains('"') => &line[..at],
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Calls `visit` for each source file of the crate, with its path below `src`.
fn sources(folder: &Path, visit: &mut dyn FnMut(&str, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, visit);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix("src").unwrap().to_str().unwrap();
            visit(name, &fs::read_to_string(&path).unwrap());
        }
    }
}

/// Whether the file at `name` holds nothing but tests.
fn is_test(name: &str) -> bool {
    name.split('/').any(|part| part == "tests" || part == "tests.rs")
}

#[test]
fn dependencies_point_inward() {
    let mut wrong = Vec::new();
    let mut read = 0;
    sources(Path::new("src"), &mut |name, text| {
        if is_test(name) || !name.contains('/') {
            return;
        }
        let folder = name.split('/').next().unwrap();
        let part = PURE_PARTS.iter().find(|(part, _)| name.starts_with(part)).map(|(_, layer)| layer);
        let layer = part.or_else(|| LAYERS.iter().find(|layer| layer.name == folder));
        let layer = layer.unwrap_or_else(|| panic!("src/{folder} has no place in the dependency rule"));
        wrong.extend(violations(layer, text).into_iter().map(|what| format!("src/{name}: {what}")));
        read += 1;
    });
    assert!(read > 50, "only {read} files were read");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_stay_short() {
    let mut long = Vec::new();
    sources(Path::new("src"), &mut |name, text| {
        let lines = text.lines().count();
        if lines > LINES_MAX {
            long.push(format!("src/{name} has {lines} lines"));
        }
    });
    assert!(long.is_empty(), "split by {LINES_MAX} lines: {}", long.join(", "));
}

#[test]
fn modules_say_what_they_own() {
    let mut silent = Vec::new();
    sources(Path::new("src"), &mut |name, text| {
        if !text.starts_with("//!") {
            silent.push(name.to_owned());
        }
    });
    assert!(silent.is_empty(), "no //! at the start of {}", silent.join(", "));
}

#[test]
fn only_the_command_line_prints() {
    let mut prints = Vec::new();
    sources(Path::new("src"), &mut |name, text| {
        let code = without_tests_and_comments(text);
        let out = ["println!", "print!", "eprintln!", "eprint!", "stdout()", "stderr()"];
        if !name.starts_with("cli/") && !is_test(name) && out.iter().any(|word| holds_word(&code, word)) {
            prints.push(name.to_owned());
        }
    });
    assert!(prints.is_empty(), "{} print", prints.join(", "));
}

/// A checker that finds nothing would pass everything above.
#[test]
fn the_checker_finds_violations() {
    let layer = |name| LAYERS.iter().find(|layer: &&Layer| layer.name == name).unwrap();
    for (name, text) in [
        ("manifest", "use crate::maps::Maps;"),
        ("manifest", "use crate::{image, maps};"),
        ("manifest", "use crate::{image::{A, B}, maps::Maps};"),
        ("manifest", "fn f() { crate::rewrite::f() }"),
        ("maps", "use crate::manifest::Span;"),
        ("image", "use crate::maps;"),
        ("rewrite", "use crate::cli::args;"),
        ("report", "use crate::files::Found;"),
        ("files", "use crate::cli;"),
        ("files", "use clap::Parser;"),
        ("maps", "use std::fs;"),
        ("maps", "use std::{fmt, fs};"),
        ("maps", "use std::{collections::BTreeMap, env::var};"),
        ("report", "fn f() { println!(\"x\") }"),
        ("krm", "fn f() { std::io::stdin().lock(); }"),
        ("image", "let now = std::time::Instant::now();"),
    ] {
        assert!(!violations(layer(name), text).is_empty(), "{name}: {text}");
    }
    let (_, admission) = &PURE_PARTS[0];
    for text in ["use tokio::sync::Semaphore;", "use crate::registry::Client;", "let now = Instant::now();"] {
        assert!(!violations(admission, text).is_empty(), "{text}");
    }
    for (name, text) in [
        ("manifest", "// use crate::maps;\nuse crate::image;"),
        ("manifest", "use super::maps_of_documents;"),
        ("manifest", "use std::{fmt, str::FromStr};"),
        ("rewrite", "use crate::{image, manifest::Span, maps::Maps};"),
        ("rewrite", "fn environment_fs() {}\n#[cfg(test)]\nmod tests {\n use std::fs;\n}"),
        ("cli", "use crate::files; use clap::Parser; use std::env;"),
    ] {
        let wrong = violations(layer(name), text);
        assert!(wrong.is_empty(), "{name}: {text}: {wrong:?}");
    }
}
