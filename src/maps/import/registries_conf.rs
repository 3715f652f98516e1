//! registries.conf of containers/image, version 2 (containers-registries.conf(5)).
//!
//! ```toml
//! [[registry]]
//! prefix = "quay.io/team"
//! location = "mirror.example.com/team"
//! ```
//! becomes `quay.io/team::mirror.example.com/team`; the first `[[registry.mirror]]` wins over `location`.

use serde::Deserialize;
use toml::Spanned;

use super::{Collector, ImportError, ImportSource, hub};

const EXPECTED: &str = "registries.conf (version 2)";

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Config {
    #[serde(default)]
    registry: Vec<Registry>,
    unqualified_search_registries: Option<Spanned<toml::Value>>,
    aliases: Option<Spanned<toml::Value>>,
    /// Version 1 had `[registries.search]` and so on.
    registries: Option<Spanned<toml::Value>>,
}

#[derive(Deserialize)]
struct Registry {
    prefix: Option<Spanned<String>>,
    location: Option<Spanned<String>>,
    #[serde(default)]
    blocked: bool,
    #[serde(default)]
    mirror: Vec<Mirror>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Mirror {
    location: Spanned<String>,
    pull_from_mirror: Option<Spanned<String>>,
}

pub(super) fn read(source: ImportSource<'_>, into: &mut Collector) -> Result<(), ImportError> {
    let unreadable =
        |reason: String| ImportError::Unreadable { file: source.name.to_owned(), expected: EXPECTED, reason };
    let config: Config = toml::from_str(source.text).map_err(|error| {
        let at =
            error.span().map_or(String::new(), |span| format!("line {}: ", line(source.text, span.start)));
        unreadable(format!("{at}{}", error.message()))
    })?;
    if config.registries.is_some() {
        return Err(unreadable("[registries.*] is version 1 of the format".to_owned()));
    }
    if let Some(search) = config.unqualified_search_registries {
        let message =
            "unqualified-search-registries: in manifests an image without a registry is Docker Hub's";
        into.note(line(source.text, search.span().start), message);
    }
    if let Some(aliases) = config.aliases {
        let message = "[aliases]: in manifests a short name is Docker Hub's";
        into.note(line(source.text, aliases.span().start), message);
    }
    for registry in &config.registry {
        self::registry(source, registry, into);
    }
    Ok(())
}

fn registry(source: ImportSource<'_>, registry: &Registry, into: &mut Collector) {
    let at = |text: &Spanned<String>| line(source.text, text.span().start);
    let Some(prefix) = registry.prefix.as_ref().or(registry.location.as_ref()) else {
        into.note(0, "a [[registry]] without prefix and location");
        return;
    };
    let name = prefix.get_ref().as_str();
    if registry.blocked {
        into.note(at(prefix), format!("{name} is blocked there; a rule cannot forbid an image"));
        return;
    }
    for mirror in &registry.mirror {
        if let Some(which) = mirror.pull_from_mirror.as_ref().filter(|which| which.get_ref() != "all") {
            let message = format!("{name}: pull-from-mirror = {:?} there, all images here", which.get_ref());
            into.note(at(which), message);
        }
    }
    let mut mirrors: Vec<(String, usize)> = registry
        .mirror
        .iter()
        .map(|mirror| (mirror.location.get_ref().clone(), at(&mirror.location)))
        .collect();
    let moved = registry.location.as_ref().filter(|location| location.get_ref() != name);
    match moved {
        // Without a mirror the location is where the images come from.
        Some(location) if mirrors.is_empty() => mirrors.push((location.get_ref().clone(), at(location))),
        Some(location) => {
            let message = format!(
                "{name}: a rule has one target, so the location {} behind the mirrors is left out",
                location.get_ref()
            );
            into.note(at(location), message);
        }
        // Named without a mirror: it stays what it is, whatever a wider prefix says.
        None if mirrors.is_empty() => {
            into.rule(hub::key(name), "", at(prefix));
            return;
        }
        None => {}
    }
    into.mirrors(name, &mirrors, at(prefix));
}

/// The line, from 1, of the byte `at`.
pub(super) fn line(text: &str, at: usize) -> usize {
    1 + memchr::memchr_iter(b'\n', &text.as_bytes()[..at.min(text.len())]).count()
}
