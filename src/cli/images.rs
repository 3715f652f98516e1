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
use super::engines::Engines;
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
    let walked = (!from_stdin).then(|| walk(&args.paths, &settings::walk(&args.walk))).transpose()?;
    let mut engines = match &walked {
        Some(walked) => Engines::new(&args.maps, &args.find, &args.paths, &walked.files)?,
        None => Engines::of_stdin(&args.maps, &args.find)?,
    };
    let with_maps = engines.have_rules();
    if args.format == ImagesFormat::Kustomize && !with_maps {
        return Err(rules::none_given());
    }
    if args.all {
        engines.look_everywhere();
    }
    if !args.quiet {
        let missing = engines.without_rules().map(|(_, text)| text);
        engines.warnings().iter().chain(&missing).for_each(|warning| speech::warning(warning));
    }
    let (listed, mut errors) = if let Some(walked) = &walked {
        read_files(args, walked, &engines, with_maps)
    } else {
        let engine = &engines.all()[0];
        let bytes = function::read_stdin()?;
        let inventory = read_bytes("-", &bytes, engine, &mut Memory::default(), args, with_maps);
        (inventory.listed, inventory.errors)
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

fn read_files(
    args: &ImagesArgs,
    walked: &Walked,
    engines: &Engines,
    with_maps: bool,
) -> (Vec<Listed>, Vec<String>) {
    let (empty, globs) = tree::remarks(walked);
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
    let (inventories, _) = tree::each(files, threads, watch, start, |file: &Found, state| {
        let (buffer, memory) = state;
        let name = file.path.display().to_string();
        match Source::read(file, buffer) {
            Ok(_) => read_bytes(&name, buffer, engines.of(&file.path), memory, args, with_maps),
            Err(error) => Inventory { errors: vec![error.to_string()], ..Inventory::default() },
        }
    });
    let mut listed = Vec::new();
    for inventory in inventories {
        listed.extend(inventory.listed);
        errors.extend(inventory.errors);
    }
    (listed, errors)
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
