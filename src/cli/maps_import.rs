//! `imageswap maps import`

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::maps::import::{ImportFormat, ImportSource, import};

use super::args::{ImportArgs, ImportFrom};
use super::exit_code::ExitCode;
use super::{stderr, stdio};

/// Prints the rules of all files. Of a key that several files give, the first file's rule is kept.
pub fn run(args: &ImportArgs) -> Result<ExitCode> {
    if args.paths.iter().filter(|path| *path == Path::new("-")).count() > 1 {
        bail!("standard input can be read only once: give `-` only once");
    }
    let mut out = String::new();
    let mut keys = std::collections::BTreeMap::new();
    for path in files(&args.paths)? {
        let name = path.display().to_string();
        let text = read(&path)?;
        let source = ImportSource { name: &name, text: &text };
        let mut imported = import(source, args.from.map(format), args.target.as_deref())
            .map_err(|error| anyhow::anyhow!(stderr::with_hint(&error, Some(error.hint()))))?;
        imported.rules.retain(|rule| match keys.get(&rule.key) {
            None => {
                keys.insert(rule.key.clone(), (rule.value.clone(), name.clone()));
                true
            }
            Some((value, file)) => {
                if *value != rule.value {
                    let key = &rule.key;
                    stderr::warning(&format!(
                        "{name}:{}: {key} goes to {value} by {file} already; {} is left out",
                        rule.line, rule.value
                    ));
                }
                false
            }
        });
        for note in &imported.notes {
            let place = if note.line > 0 { format!("{name}:{}", note.line) } else { name.clone() };
            stderr::warning(&format!("{place}: {}", note.message));
        }
        out.push_str(&imported.to_maps(&name));
    }
    io::stdout().lock().write_all(out.as_bytes())?;
    Ok(ExitCode::Done)
}

fn read(path: &Path) -> Result<String> {
    if path == Path::new("-") {
        return stdio::read_text();
    }
    std::fs::read_to_string(path)
        .map_err(|error| stderr::failure(&format!("cannot read {}", path.display()), &error))
}

fn format(from: ImportFrom) -> ImportFormat {
    match from {
        ImportFrom::Kustomize => ImportFormat::Kustomize,
        ImportFrom::Openshift => ImportFormat::MirrorSet,
        ImportFrom::RegistriesConf => ImportFormat::RegistriesConf,
        ImportFrom::HostsToml => ImportFormat::HostsToml,
        ImportFrom::Kbld => ImportFormat::ImagesLock,
        ImportFrom::Relocation => ImportFormat::Relocation,
        ImportFrom::Zarf => ImportFormat::Zarf,
        ImportFrom::Helm => ImportFormat::Helm,
    }
}

/// The files, and for a folder the hosts.toml of each folder in it, sorted.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path == Path::new("-") || !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        if path.join("hosts.toml").is_file() {
            files.push(path.join("hosts.toml"));
            continue;
        }
        let mut found = Vec::new();
        let entries = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
        for entry in entries {
            let file =
                entry.with_context(|| format!("cannot read {}", path.display()))?.path().join("hosts.toml");
            if file.is_file() {
                found.push(file);
            }
        }
        if found.is_empty() {
            bail!("{}: no REGISTRY/hosts.toml in this folder: name the files to import", path.display());
        }
        found.sort();
        files.extend(found);
    }
    Ok(files)
}
