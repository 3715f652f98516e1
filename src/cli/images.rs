//! `imageswap images`: the inventory.

use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Result, bail};

use crate::files::{Found, Source, Walked, is_template, walk};
use crate::manifest::encoding;
use crate::report::inventory::{self, Listed};
use crate::report::unique;
use crate::rewrite::{Engine, Memory, is_kustomization, unread};

use super::args::{ImagesArgs, ImagesFormat};
use super::exit_code::ExitCode;
use super::{function, rules, settings, speech, tree};

/// What one file holds.
#[derive(Debug, Default)]
struct Inventory {
    listed: Vec<Listed>,
    /// Errors, a line each.
    errors: Vec<String>,
}

/// Lists the images of the files that the arguments name.
pub fn run(args: &ImagesArgs) -> Result<ExitCode> {
    let from_stdin = args.paths.iter().any(|path| path == Path::new("-"));
    if from_stdin && args.paths.len() > 1 {
        bail!("'-' (standard input) cannot be combined with other paths");
    }
    let first = if from_stdin { Path::new(".") } else { args.paths[0].as_path() };
    let maps = rules::load(&args.maps, Some(first), !from_stdin, args.quiet)?;
    let with_maps = maps.is_some();
    if args.format == ImagesFormat::Kustomize && !with_maps {
        return Err(rules::none_given());
    }
    let mut engine = settings::engine(&args.find, &maps.unwrap_or_default())?;
    if args.all {
        engine.scanner = engine.scanner.thorough();
    }
    let (listed, mut errors) = if from_stdin {
        let bytes = function::read_stdin()?;
        let inventory = read_bytes("-", &bytes, &engine, &mut Memory::default(), args, with_maps);
        (inventory.listed, inventory.errors)
    } else {
        read_files(args, &engine, with_maps)?
    };
    let printed = match args.format {
        ImagesFormat::Kustomize => unique::kustomize(&listed, &mut errors),
        ImagesFormat::Text if args.unique => unique::text(&listed, with_maps, &mut errors),
        ImagesFormat::Json if args.unique => unique::json(&listed, with_maps, &mut errors),
        ImagesFormat::Csv if args.unique => unique::table(&listed, b',', with_maps, &mut errors),
        ImagesFormat::Tsv if args.unique => unique::table(&listed, b'\t', with_maps, &mut errors),
        ImagesFormat::Text | ImagesFormat::Json | ImagesFormat::Csv | ImagesFormat::Tsv => {
            if with_maps {
                let _ = unique::check_targets(&listed, &mut errors);
            }
            match args.format {
                ImagesFormat::Json => inventory::json(&listed, with_maps),
                ImagesFormat::Csv => inventory::table(&listed, b',', with_maps),
                ImagesFormat::Tsv => inventory::table(&listed, b'\t', with_maps),
                ImagesFormat::Text | ImagesFormat::Kustomize => inventory::text(&listed, with_maps),
            }
        }
    };
    for error in &errors {
        speech::error(error);
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(printed.as_bytes())?;
    stdout.flush()?;
    Ok(if errors.is_empty() { ExitCode::Done } else { ExitCode::Error })
}

fn read_files(args: &ImagesArgs, engine: &Engine, with_maps: bool) -> Result<(Vec<Listed>, Vec<String>)> {
    let walked = walk(&args.paths, &settings::walk(&args.walk))?;
    let (empty, globs) = tree::remarks(&walked);
    for text in empty.iter().map(|(_, text)| text).chain(&globs).filter(|_| !args.quiet) {
        speech::warning(text);
    }
    let Walked { files, errors, .. } = walked;
    let mut errors: Vec<String> =
        errors.iter().map(|error| speech::with_hint(error, tree::hint(error))).collect();
    let never = AtomicBool::new(false);
    let watch = tree::Watch { cancel: &never, watched: tree::is_watched(args.quiet), late: None };
    let threads = settings::threads(&args.walk);
    let start = || (Vec::new(), Memory::default());
    let (inventories, _) = tree::each(&files, threads, watch, start, |file: &Found, state| {
        let (buffer, memory) = state;
        let name = file.path.display().to_string();
        match Source::read(file, buffer) {
            Ok(_) => read_bytes(&name, buffer, engine, memory, args, with_maps),
            Err(error) => Inventory { errors: vec![error.to_string()], ..Inventory::default() },
        }
    });
    let mut listed = Vec::new();
    for inventory in inventories {
        listed.extend(inventory.listed);
        errors.extend(inventory.errors);
    }
    Ok((listed, errors))
}

/// The images of one text. Documents that do not parse are errors, unless nobody meant them as manifests; the others are
/// listed.
fn read_bytes(
    name: &str,
    bytes: &[u8],
    engine: &Engine,
    memory: &mut Memory,
    args: &ImagesArgs,
    with_maps: bool,
) -> Inventory {
    let mut found = Inventory::default();
    let text = match encoding::decode(bytes) {
        Ok(text) => text,
        Err(error) => {
            let lossy = String::from_utf8_lossy(bytes);
            let is_text = matches!(error, encoding::EncodingError::NotUtf8 { .. });
            if !is_text || unread(&lossy, is_template(Path::new(name))).is_none() {
                found.errors.push(format!("{name}: {error}"));
            }
            return found;
        }
    };
    if !engine.scanner.may_hold_image(bytes) {
        return found;
    }
    let mut plan = engine.plan(text, is_kustomization(name), memory);
    if !plan.errors.is_empty() && unread(text, is_template(Path::new(name))).is_none() {
        found.errors.extend(plan.errors.iter().map(|error| format!("{name}:{error}")));
    }
    found.errors.extend(plan.problems.iter().filter(|_| with_maps).map(|problem| {
        let position = problem.site.position;
        let image = &problem.site.image;
        format!("{name}:{}:{}: {image}: {}", position.line, position.column, problem.kind)
    }));
    found.listed = inventory::of_plan(name, &mut plan, args.all);
    found
}
