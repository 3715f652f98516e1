//! The rules of `serve`: fixed ones from a prefix or flags, or files that are watched.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::cli::args::{FindArgs, MapsArgs, Mode, ServeArgs};
use crate::cli::rules::{self, RuleSources, Ruleset};
use crate::cli::settings;
use crate::krm;
use crate::webhook::admission::OnUnmapped;
use crate::webhook::{App, NewRules, RuleFiles};

use super::mirroring::Cloner;

/// Where imageswap-webhook has its maps.
const DEFAULT: &str = "/app/maps/imageswap-maps.conf";

/// Loads the rules, and says which files are to be watched. Files that cannot be read yet are no error: the server is
/// not ready until they can.
pub(super) fn load(args: &ServeArgs, app: &App) -> Result<Option<RuleFiles>> {
    if let Some(prefix) = legacy_prefix(args)? {
        let ruleset = RuleSources::legacy(prefix).read()?;
        tell(&ruleset);
        let generation = app.rules.set(new_rules(&args.find, &ruleset)?);
        app.metrics.maps_loaded(generation, app.rules.digest().as_deref());
        return Ok(None);
    }
    let mut files = args.maps.maps.clone();
    if files.is_empty() {
        files.extend(rules::from_environment());
    }
    let mut maps = args.maps.clone();
    if files.is_empty() && maps.map.is_empty() {
        match Cloner::from_environment() {
            Some(cloner) if !Path::new(DEFAULT).exists() => maps.map.push(cloner.rule()),
            Some(_) | None => files.push(PathBuf::from(DEFAULT)),
        }
    }
    if files.iter().any(|file| file == Path::new("-")) {
        bail!("serve reads maps from files, which it watches: give --maps FILE");
    }
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let find = args.find.clone();
    let mut watched = RuleFiles::new(files, move |contents| read(&names, contents, &maps, &find));
    watched.reload_if_changed(&app.rules, &app.metrics);
    Ok(Some(watched))
}

fn legacy_prefix(args: &ServeArgs) -> Result<Option<String>> {
    if args.maps.legacy_prefix.is_some() {
        return Ok(args.maps.legacy_prefix.clone());
    }
    match args.mode {
        Mode::Maps => Ok(None),
        Mode::Legacy => match std::env::var("IMAGE_PREFIX") {
            Ok(prefix) => Ok(Some(prefix)),
            Err(_) => bail!("--mode legacy (IMAGESWAP_MODE) needs IMAGE_PREFIX or --legacy-prefix"),
        },
    }
}

fn read(
    names: &[String],
    contents: &[Vec<u8>],
    maps: &MapsArgs,
    find: &FindArgs,
) -> Result<NewRules, String> {
    let mut sources = RuleSources::new(maps);
    for (name, content) in names.iter().zip(contents) {
        let text = simdutf8::basic::from_utf8(content).map_err(|_| format!("{name} is not UTF-8"))?;
        sources.content(Path::new(name), text).map_err(|error| format!("{error:#}"))?;
    }
    sources.flags(&maps.map);
    let ruleset = sources.read().map_err(|error| error.lines().join("; "))?;
    tell(&ruleset);
    new_rules(find, &ruleset).map_err(|error| format!("{error:#}"))
}

/// The rules, and what their configuration says of images that no rule covers, and of changes.
fn new_rules(find: &FindArgs, ruleset: &Ruleset) -> Result<NewRules> {
    let on_unmapped = match ruleset.settings.on_unmapped {
        krm::OnUnmapped::Ignore => OnUnmapped::Ignore,
        krm::OnUnmapped::Warn => OnUnmapped::Warn,
        krm::OnUnmapped::Error => OnUnmapped::Deny,
    };
    let validate = ruleset.settings.validate.is_some();
    Ok(NewRules { engine: settings::engine(find, ruleset)?, on_unmapped, validate })
}

/// Says what is to be said about the rules.
fn tell(ruleset: &Ruleset) {
    ruleset.notices.iter().for_each(|notice| tracing::warn!("{notice}"));
    if ruleset.settings.pin || ruleset.settings.lock.is_some() {
        tracing::warn!(
            "the configuration asks for digests: serve adds them with --pin, and reads no lock file"
        );
    }
    if ruleset.maps.is_empty() {
        tracing::warn!("the maps contain no rules, so nothing will change");
    }
}
