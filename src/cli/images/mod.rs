//! `imageswap images`: the inventory.

mod list;
mod unique;

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Result, bail};

use crate::files::{Found, Source, Walked, walk};
use crate::manifest::encoding;
use crate::rewrite::{Engine, Memory, is_kustomization, unread};

use super::args::{ImagesArgs, ImagesFormat};
use super::exit_code::ExitCode;
use super::{rules, settings, speech, tree};
use list::Listed;

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
    let mut engine = settings::engine(&args.find, maps.unwrap_or_default());
    if args.all {
        engine.scanner = engine.scanner.thorough();
    }
    let (listed, mut errors) = if from_stdin {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes)?;
        let inventory = read_bytes("-", &bytes, &engine, &mut Memory::default(), args, with_maps);
        (inventory.listed, inventory.errors)
    } else {
        read_files(args, &engine, with_maps)?
    };
    let unique = args.unique || args.format == ImagesFormat::Kustomize;
    let printed = if unique {
        unique::print(&listed, args.format, with_maps, &mut errors)?
    } else {
        if with_maps {
            let _ = unique::check_targets(&listed, &mut errors);
        }
        list::print(&listed, args.format, with_maps)?
    };
    for error in &errors {
        speech::error(error);
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(&printed)?;
    stdout.flush()?;
    Ok(if errors.is_empty() { ExitCode::Done } else { ExitCode::Error })
}

fn read_files(args: &ImagesArgs, engine: &Engine, with_maps: bool) -> Result<(Vec<Listed>, Vec<String>)> {
    let Walked { files, errors, .. } = walk(&args.paths, &settings::walk(&args.walk))?;
    let mut errors: Vec<String> =
        errors.iter().map(|error| speech::with_hint(error, tree::hint(error))).collect();
    let never = AtomicBool::new(false);
    let watched = tree::is_watched(args.quiet);
    let threads = settings::threads(&args.walk);
    let start = || (Vec::new(), Memory::default());
    let (inventories, _) = tree::each(&files, threads, &never, watched, start, |file: &Found, state| {
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
fn read_bytes<'m>(
    name: &str,
    bytes: &[u8],
    engine: &'m Engine,
    memory: &mut Memory<'m>,
    args: &ImagesArgs,
    with_maps: bool,
) -> Inventory {
    let mut inventory = Inventory::default();
    let text = match encoding::decode(bytes) {
        Ok(text) => text,
        Err(error) => {
            let lossy = String::from_utf8_lossy(bytes);
            let is_text = matches!(error, encoding::EncodingError::NotUtf8 { .. });
            if !is_text || unread(&lossy).is_none() {
                inventory.errors.push(format!("{name}: {error}"));
            }
            return inventory;
        }
    };
    if !engine.scanner.may_hold_image(bytes) {
        return inventory;
    }
    let mut plan = engine.plan(text, is_kustomization(name), memory);
    if !plan.errors.is_empty() && unread(text).is_none() {
        inventory.errors.extend(plan.errors.iter().map(|error| format!("{name}:{error}")));
    }
    inventory.errors.extend(plan.problems.iter().filter(|_| with_maps).map(|problem| {
        let position = problem.site.position;
        let image = &problem.site.image;
        format!("{name}:{}:{}: {image}: {}", position.line, position.column, problem.kind)
    }));
    inventory.listed = list::of_plan(name, &mut plan, args.all);
    inventory
}
