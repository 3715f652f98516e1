//! From arguments to the engine and the walk.

use std::sync::Arc;

use anyhow::{Result, bail};

use crate::files::{FoundFile, WalkOptions};
use crate::manifest::{Places, Scanner};
use crate::rewrite::{Engine, KustomizeMode};

use super::args::{Fields, FindArgs, FormatArgs, KustomizeImages, WalkArgs};
use super::rules::Ruleset;
use super::tree;

/// The scanner that `args` ask for; a configuration that names fields says where to look instead of `--fields`.
pub fn scanner(args: &FindArgs, formats: &FormatArgs, configured: Option<&Places>) -> Result<Scanner> {
    let mut fields = match (configured, args.fields) {
        (Some(table), _) => table.clone(),
        (None, Fields::Known) => Places::known(),
        (None, Fields::Core) => Places::core(),
        (None, Fields::All) => Places::all(),
    };
    for spec in args.places() {
        fields.ask(spec.clone());
    }
    formats.places().for_each(|spec| fields.ask(spec));
    let scanner = Scanner::new(fields, args.disable_label.clone());
    Ok(if wants_fast_reader()? { scanner } else { scanner.without_fast_reader() })
}

/// Whether documents may be read by the fast reader: `IMAGESWAP_READER=yaml` shows whether it is to blame for something.
fn wants_fast_reader() -> Result<bool> {
    match std::env::var_os("IMAGESWAP_READER") {
        None => Ok(true),
        Some(word) if word.is_empty() || word == "fast" => Ok(true),
        Some(word) if word == "yaml" => Ok(false),
        Some(word) => bail!(
            "IMAGESWAP_READER is '{}': set it to 'yaml' (the full YAML reader alone) or 'fast' (the default)",
            word.display()
        ),
    }
}

/// The engine that `args` and the environment ask for, with these rules and settings.
pub fn engine(args: &FindArgs, ruleset: &Ruleset) -> Result<Engine> {
    engine_of_files(args, &FormatArgs::default(), ruleset)
}

/// As [`engine`], for files that need not be manifests.
pub fn engine_of_files(args: &FindArgs, formats: &FormatArgs, ruleset: &Ruleset) -> Result<Engine> {
    let scanner = scanner(args, formats, ruleset.settings.fields.as_ref())?;
    Ok(engine_with(args, ruleset, scanner))
}

/// The engine with these rules and settings, which looks for images with `scanner`.
pub fn engine_with(args: &FindArgs, ruleset: &Ruleset, scanner: Scanner) -> Engine {
    let kustomize = match args.kustomize_images {
        KustomizeImages::Follow => KustomizeMode::Follow,
        KustomizeImages::Report => KustomizeMode::Report,
        KustomizeImages::Off => KustomizeMode::Off,
    };
    let settings = &ruleset.settings;
    let skips = args.skip.iter().chain(&settings.skip).cloned().collect();
    // In full: the default engine reads the table of known places for a scanner of its own.
    let maps = Arc::clone(&ruleset.maps);
    Engine { maps, scanner, skips, kustomize, pins: false, lists_mentions: false }
}

/// How folders are walked.
pub fn walk(args: &WalkArgs, formats: &FormatArgs) -> WalkOptions {
    WalkOptions {
        no_ignore: args.no_ignore,
        include: args.include.clone(),
        exclude: args.exclude.clone(),
        follow: args.follow,
        templates: formats.templates,
        threads: args.threads,
    }
}

/// How many threads work on `files`, or on standard input. The machine is asked only where there is work for more than
/// one: the answer takes a dozen system calls.
pub fn threads(args: &WalkArgs, files: Option<&[FoundFile]>) -> usize {
    match args.threads {
        0 if files.is_some_and(tree::is_little_work) => 1,
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    }
}
