//! Where the rules come from: flags, environment, or the nearest `imageswap.maps`.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::maps::{Maps, MapsErrors, MapsText, ParseOptions, Parsed, held_text};

use super::args::MapsArgs;
use super::speech;

/// The name that is looked for upwards from the first path.
const NEAREST: &str = "imageswap.maps";

/// Reads the rules that `args` and the environment name; `None` when there are none anywhere. `first_path`
/// is where the search for a nearest file starts; `stdin_free` says that standard input holds no manifests.
/// Warnings are said at once unless `quiet`.
pub fn load(
    args: &MapsArgs,
    first_path: Option<&Path>,
    stdin_free: bool,
    quiet: bool,
) -> Result<Option<Maps>> {
    let Some(Parsed { maps, warnings }) = parse(args, first_path, stdin_free)? else { return Ok(None) };
    if !quiet {
        for warning in &warnings {
            let line = if warning.line() > 0 {
                format!("{}:{}: {}", warning.source_name(), warning.line(), warning.message())
            } else {
                format!("{}: {}", warning.source_name(), warning.message())
            };
            speech::warning(&line);
        }
    }
    if maps.is_empty() && !quiet {
        speech::warning("the maps hold no rule, so nothing changes");
    }
    Ok(Some(maps))
}

fn parse(args: &MapsArgs, first_path: Option<&Path>, stdin_free: bool) -> Result<Option<Parsed>> {
    if let Some(prefix) = legacy_prefix(args)? {
        return Ok(Some(Maps::legacy(&prefix)?));
    }
    let mut files = args.maps.clone();
    let mut origin = "";
    if files.is_empty() {
        files.extend(from_environment());
        origin = if files.is_empty() { "" } else { "IMAGESWAP_MAPS_FILE" };
    }
    if files.is_empty() && args.map.is_empty() {
        files.extend(first_path.and_then(nearest));
    }
    if files.is_empty() && args.map.is_empty() {
        return Ok(None);
    }
    let mut read = Vec::new();
    for file in &files {
        let mut text = read_text(file, stdin_free);
        if !origin.is_empty() {
            text = text.context(origin);
        }
        read.push((file.display().to_string(), text?));
    }
    let mut texts = Vec::new();
    for (name, text) in &read {
        texts.push(held_text(name, text)?);
    }
    // The second --map is its second line.
    let flags = args.map.iter().zip(1..);
    texts.extend(flags.map(|(rule, number)| MapsText::new("--map", rule.as_str()).at(number, 0)));
    let options = ParseOptions { lenient: args.lenient_maps, allow_chained: args.allow_chained };
    Maps::parse(&texts, options).map(Some).map_err(|errors| UnreadableMaps(errors).into())
}

/// Maps with lines that cannot be read: all of them, with what to do about them.
#[derive(Debug)]
pub struct UnreadableMaps(pub MapsErrors);

impl std::error::Error for UnreadableMaps {}

impl fmt::Display for UnreadableMaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = speech::count(self.0.iter().count(), "line");
        let advice = "run 'imageswap maps lint' on it, or see docs/maps.md for the language";
        write!(f, "{noun} of the maps cannot be read\n{}\n{advice}", errors_with_hints(&self.0))
    }
}

/// The errors, a line each, with what to do about them.
pub fn errors_with_hints(errors: &crate::maps::MapsErrors) -> String {
    let lines: Vec<String> = errors
        .iter()
        .map(|error| match error.hint() {
            Some(hint) => format!("  {error}\n    {hint}"),
            None => format!("  {error}"),
        })
        .collect();
    lines.join("\n")
}

/// The text of a file, or of standard input for `-`.
pub fn read_text(file: &Path, stdin_free: bool) -> Result<String> {
    if file == Path::new("-") {
        if !stdin_free {
            bail!("standard input cannot hold both the manifests and the maps: give one of them as a file");
        }
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read the maps from standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(file)
        .map_err(|error| speech::failure(&format!("cannot read the maps file {}", file.display()), &error))
}

/// The prefix of LEGACY mode, if that is on.
pub fn legacy_prefix(args: &MapsArgs) -> Result<Option<String>> {
    if args.legacy_prefix.is_some() {
        return Ok(args.legacy_prefix.clone());
    }
    let given = !args.maps.is_empty() || !args.map.is_empty();
    match std::env::var("IMAGESWAP_MODE") {
        Ok(mode) if mode.eq_ignore_ascii_case("legacy") && !given => match std::env::var("IMAGE_PREFIX") {
            Ok(prefix) => Ok(Some(prefix)),
            Err(_) => bail!("IMAGESWAP_MODE is LEGACY but IMAGE_PREFIX is not set: set it, or use --maps"),
        },
        _ => Ok(None),
    }
}

/// The maps file that the environment names.
pub fn from_environment() -> Option<PathBuf> {
    std::env::var_os("IMAGESWAP_MAPS_FILE").filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The `imageswap.maps` nearest to `path`, upwards.
fn nearest(path: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(path).ok()?;
    let candidates = absolute.ancestors().map(|folder| folder.join(NEAREST));
    let found = candidates.into_iter().find(|candidate| candidate.is_file())?;
    // Shown as people would type it, where that is possible.
    let here = std::env::current_dir().ok();
    let relative = here.and_then(|here| found.strip_prefix(here).map(Path::to_path_buf).ok());
    Some(relative.unwrap_or(found))
}

/// What to say when there are no rules.
pub fn none_given() -> anyhow::Error {
    anyhow::anyhow!(
        "no rules: give --maps FILE or --map KEY::VALUE, set IMAGESWAP_MAPS_FILE, or put an {NEAREST} file \
         beside the manifests or in a folder above them"
    )
}
