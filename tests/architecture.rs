//! The house's rules, held by reading the sources: which module may use which, and how long a file may be.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

#[path = "architecture/paths.rs"]
mod paths;

use paths::paths;

/// The longest file.
const LINES_MAX: usize = 500;

/// A layer: its folder, the modules of the crate that it may use, and whether it is pure.
struct Layer {
    name: &'static str,
    may_use: &'static [&'static str],
    crates: Crates,
    pure: bool,
}

/// Which crates a layer may use.
#[derive(Clone, Copy)]
enum Crates {
    /// These alone.
    Only(&'static [&'static str]),
    /// All but these.
    AllBut(&'static [&'static str]),
}

const LAYERS: &[Layer] = &[
    Layer { name: "nearest", may_use: &[], crates: Crates::Only(&["strsim"]), pure: true },
    Layer { name: "image", may_use: &[], crates: Crates::Only(&["thiserror"]), pure: true },
    Layer {
        name: "maps",
        may_use: &["image"],
        crates: Crates::Only(&[
            "hashbrown",
            "memchr",
            "rustc_hash",
            "serde",
            "serde_json",
            "serde_saphyr",
            "thiserror",
            "toml",
            "aho_corasick",
            "strsim",
        ]),
        pure: true,
    },
    Layer {
        name: "manifest",
        may_use: &["image"],
        crates: Crates::Only(&[
            "aho_corasick",
            "granit_parser",
            "memchr",
            "rustc_hash",
            "serde_json",
            "simdutf8",
            "thiserror",
            "wide",
        ]),
        pure: true,
    },
    Layer {
        name: "rewrite",
        may_use: &["image", "maps", "manifest"],
        crates: Crates::Only(&["memchr", "rustc_hash", "thiserror"]),
        pure: true,
    },
    Layer {
        name: "report",
        may_use: &["image", "maps", "manifest", "rewrite"],
        crates: Crates::Only(&["anstyle", "csv", "memchr", "serde", "serde_json", "similar"]),
        pure: true,
    },
    Layer {
        name: "krm",
        may_use: &["maps", "manifest", "nearest", "rewrite"],
        crates: Crates::Only(&[
            "memchr",
            "rustc_hash",
            "schemars",
            "serde_json",
            "serde_saphyr",
            "thiserror",
        ]),
        pure: true,
    },
    Layer {
        name: "files",
        may_use: &[],
        crates: Crates::Only(&["ignore", "memchr", "rustc_hash", "rustix", "thiserror"]),
        pure: false,
    },
    Layer {
        name: "lock",
        may_use: &["image"],
        crates: Crates::Only(&["rustc_hash", "serde", "serde_saphyr", "thiserror"]),
        pure: true,
    },
    Layer {
        name: "registry",
        may_use: &["image", "nearest"],
        crates: Crates::AllBut(&["clap", "anyhow", "indicatif", "kube", "k8s_openapi", "granit_parser"]),
        pure: false,
    },
    Layer {
        name: "mirror",
        may_use: &["image", "lock", "registry"],
        crates: Crates::AllBut(&[
            "clap",
            "anyhow",
            "indicatif",
            "reqwest",
            "kube",
            "k8s_openapi",
            "granit_parser",
        ]),
        pure: false,
    },
    Layer {
        name: "cluster",
        may_use: &["manifest"],
        crates: Crates::AllBut(&["clap", "anyhow", "indicatif", "reqwest", "granit_parser"]),
        pure: false,
    },
    Layer {
        name: "webhook",
        may_use: &["image", "maps", "manifest", "rewrite", "registry", "mirror"],
        crates: Crates::AllBut(&["clap", "anyhow", "indicatif", "kube", "k8s_openapi", "granit_parser"]),
        pure: false,
    },
    Layer {
        name: "cli",
        may_use: &[
            "image", "maps", "manifest", "rewrite", "report", "krm", "files", "lock", "registry", "mirror",
            "cluster", "webhook",
        ],
        crates: Crates::AllBut(&["kube", "k8s_openapi", "reqwest", "granit_parser", "rustix"]),
        pure: false,
    },
];

/// Parts of layers that are pure though the layer is not: each a file, or a folder.
const PURE_PARTS: &[(&str, Layer)] = &[
    (
        "webhook/admission/",
        Layer {
            name: "webhook",
            may_use: &["image", "maps", "manifest", "rewrite"],
            crates: Crates::Only(&["base64", "memchr", "rustc_hash", "serde_json", "simdutf8", "thiserror"]),
            pure: true,
        },
    ),
    (
        "mirror/plan.rs",
        Layer {
            name: "mirror",
            may_use: &["image", "registry"],
            crates: Crates::Only(&["thiserror"]),
            pure: true,
        },
    ),
    (
        "mirror/platforms.rs",
        Layer { name: "mirror", may_use: &["registry"], crates: Crates::Only(&["serde_json"]), pure: true },
    ),
    (
        "cluster/pod_specs.rs",
        Layer { name: "cluster", may_use: &["manifest"], crates: Crates::Only(&["thiserror"]), pure: true },
    ),
    (
        "cluster/manifests/",
        Layer {
            name: "cluster",
            may_use: &["manifest"],
            crates: Crates::Only(&["serde", "serde_json", "serde_saphyr"]),
            pure: true,
        },
    ),
    (
        "cluster/bootstrap/step.rs",
        Layer {
            name: "cluster",
            may_use: &[],
            // Keys and certificates are read with these; the time of day is passed in.
            crates: Crates::Only(&["rcgen", "rustls_pki_types", "time", "x509_parser"]),
            pure: true,
        },
    ),
];

/// What pure modules do without, besides crates: arguments, files, environment, clock, network, printing, processes.
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
];

/// What is wrong with a source text of `layer`.
fn violations(layer: &Layer, module: &[&str], text: &str) -> Vec<String> {
    let code = without_tests_and_comments(text);
    let mut wrong = Vec::new();
    let external = crates();
    for path in paths(module, text) {
        let first = path[0].as_str();
        if first == "crate" {
            match path.get(1).map(String::as_str) {
                Some("*") | None => wrong.push(format!("{} uses all of the crate", layer.name)),
                Some(other) => {
                    let is_layer = LAYERS.iter().any(|layer| layer.name == other);
                    if is_layer && other != layer.name && !layer.may_use.contains(&other) {
                        wrong.push(format!("{} uses crate::{other}", layer.name));
                    }
                }
            }
        } else if external.iter().any(|name| name == first) {
            let allowed = match layer.crates {
                Crates::Only(names) => names.contains(&first),
                Crates::AllBut(names) => !names.contains(&first),
            };
            if !allowed {
                wrong.push(format!("{} uses the crate {first}", layer.name));
            }
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

/// The crates of Cargo.toml, as code names them.
fn crates() -> Vec<String> {
    let manifest = fs::read_to_string("Cargo.toml").unwrap();
    let dependencies = manifest.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let names = dependencies.lines().filter_map(|line| line.split_once(" = "));
    names.map(|(name, _)| name.replace('-', "_")).collect()
}

/// The module that the file `name` below `src` is.
fn module_of(name: &str) -> Vec<&str> {
    let path = name.strip_suffix(".rs").unwrap_or(name);
    path.strip_suffix("/mod").unwrap_or(path).split('/').collect()
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
        if is_test(name) || ["lib.rs", "main.rs"].contains(&name) {
            return;
        }
        let folder = module_of(name)[0];
        let part = PURE_PARTS.iter().find(|(part, _)| name.starts_with(part)).map(|(_, layer)| layer);
        let layer = part.or_else(|| LAYERS.iter().find(|layer| layer.name == folder));
        let layer = layer.unwrap_or_else(|| panic!("src/{name} has no place in the dependency rule"));
        wrong.extend(
            violations(layer, &module_of(name), text).into_iter().map(|what| format!("src/{name}: {what}")),
        );
        read += 1;
    });
    assert!(read > 50, "only {read} files were read");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The files and folders of a layer that use themselves by way of others, when each uses what `uses` says.
fn in_cycles(uses: &BTreeMap<String, BTreeSet<String>>) -> Vec<&str> {
    let reaches_itself = |start: &String| {
        let mut seen: BTreeSet<&String> = BTreeSet::new();
        let mut next: Vec<&String> = uses[start].iter().collect();
        while let Some(file) = next.pop() {
            if file == start {
                return true;
            }
            if seen.insert(file) {
                next.extend(uses.get(file).into_iter().flatten());
            }
        }
        false
    };
    uses.keys().filter(|file| reaches_itself(file)).map(String::as_str).collect()
}

#[test]
fn files_of_a_layer_use_one_another_in_no_cycle() {
    for Layer { name: layer, .. } in LAYERS.iter().filter(|layer| Path::new("src").join(layer.name).is_dir())
    {
        let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        sources(&Path::new("src").join(layer), &mut |name, text| {
            let module = module_of(name);
            if !is_test(name) && module.len() > 1 {
                let used = paths(&module, &without_tests_and_comments(text))
                    .into_iter()
                    .filter(|path| path[0] == "crate" && path.get(1).is_some_and(|name| name == layer))
                    .filter_map(|path| path.into_iter().nth(2));
                uses.entry(module[1].to_owned()).or_default().extend(used);
            }
        });
        let files: BTreeSet<String> = uses.keys().cloned().collect();
        for (file, used) in &mut uses {
            used.retain(|other| files.contains(other) && other != file);
        }
        assert!(uses.values().any(|used| !used.is_empty()), "{layer}");
        assert_eq!(in_cycles(&uses), Vec::<&str>::new(), "cycles in src/{layer}");
    }
    let cycle = [("a", "b"), ("b", "c"), ("c", "b"), ("d", "a")];
    let cycle = cycle.map(|(file, used)| (file.to_owned(), BTreeSet::from([used.to_owned()])));
    assert_eq!(in_cycles(&BTreeMap::from(cycle)), ["b", "c"]);
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
        ("maps", "use super::super::super::manifest;"),
        ("maps", "use super::super::super::{image, manifest::Span};"),
        ("maps", "fn f() -> super::super::super::manifest::Span { todo }"),
        ("maps", "mod c { use super::super::super::super::manifest; }"),
        ("maps", "use self::super::super::super::*;"),
        ("maps", "use granit_parser::Parser;"),
        ("maps", "use ::tokio::spawn;"),
        ("maps", "async fn f() { tokio::spawn(g()).await }"),
        ("maps", "use {std::fmt, granit_parser as yaml};"),
        ("files", "use crate::manifest::edit;"),
        ("registry", "use crate::rewrite::Plan;"),
        ("webhook", "use kube::Client;"),
        ("cli", "use kube::Client;"),
        ("report", "use reqwest::Client;"),
        ("krm", "use granit_parser::Event;"),
        ("manifest", "use crate::{image, maps};"),
        ("manifest", "use crate::{image::{A, B}, maps::Maps};"),
        ("manifest", "fn f() { crate::rewrite::f() }"),
        ("maps", "use crate::manifest::Span;"),
        ("image", "use crate::maps;"),
        ("rewrite", "use crate::cli::args;"),
        ("report", "use crate::files::FoundFile;"),
        ("files", "use crate::cli;"),
        ("files", "use clap::Parser;"),
        ("maps", "use std::fs;"),
        ("maps", "use std::{fmt, fs};"),
        ("maps", "use std::{collections::BTreeMap, env::var};"),
        ("report", "fn f() { println!(\"x\") }"),
        ("krm", "fn f() { std::io::stdin().lock(); }"),
        ("image", "let now = std::time::Instant::now();"),
    ] {
        assert!(!violations(layer(name), &[name, "a", "b"], text).is_empty(), "{name}: {text}");
    }
    let (_, admission) = &PURE_PARTS[0];
    for text in ["use tokio::sync::Semaphore;", "use crate::registry::Client;", "let now = Instant::now();"] {
        assert!(!violations(admission, &["webhook", "admission", "a"], text).is_empty(), "{text}");
    }
    for (name, text) in [
        ("manifest", "// use crate::maps;\nuse crate::image;"),
        ("manifest", "use super::maps_of_documents;"),
        ("maps", "use super::super::manifest;"),
        ("maps", "const S: &str = \"use tokio::spawn\"; /* tokio::spawn */ // granit_parser::x"),
        ("maps", "const S: char = '\"'; const T: &str = r#\"tokio::\"x\"#; fn f<'a>(x: &'a str) {}"),
        ("maps", "#[cfg(test)]\nmod tests {\n use tokio::spawn;\n}"),
        ("maps", "use self::tokio::x; fn tokio() {}"),
        ("cluster", "use kube::Client;"),
        ("manifest", "use std::{fmt, str::FromStr};"),
        ("rewrite", "use crate::{image, manifest::Span, maps::Maps};"),
        ("rewrite", "fn environment_fs() {}\n#[cfg(test)]\nmod tests {\n use std::fs;\n}"),
        ("cli", "use crate::files; use clap::Parser; use std::env;"),
    ] {
        let wrong = violations(layer(name), &[name, "a", "b"], text);
        assert!(wrong.is_empty(), "{name}: {text}: {wrong:?}");
    }
}
