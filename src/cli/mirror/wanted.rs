//! Which images are to be copied: those of manifests that the maps move, those of a list, or those of a lock file.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};

use crate::image::{Digest, ImageReference};
use crate::lock::{FoundEntry, Lock};
use crate::maps::{Glob, Maps};
use crate::mirror::Wanted;
use crate::mirror::layout::LayoutReader;
use crate::report::unique;

use super::super::args::{ImagesArgs, ImagesFormat, MirrorArgs, ReportFormat};
use super::super::images::{self, Listing};
use super::super::lock_file::{self, LockFile};
use super::super::{rules, stderr, stdio};
use super::tags;

/// What is to be copied.
pub struct Gathered {
    /// The images, sorted, each with how manifests write it.
    pub wanted: Vec<(Wanted, BTreeSet<String>)>,
    /// What is wrong with others.
    pub errors: Vec<String>,
    /// How many files could not be read, of which enough was said.
    pub unread: usize,
    /// The lock file.
    pub lock: Option<LockFile>,
    /// The digests of indexes in a layout that the registries they come from do not have.
    pub smaller: HashSet<Digest>,
}

/// How manifests write the sources of each pair.
pub type Pairs = BTreeMap<unique::Pair, BTreeSet<String>>;

/// Gathers what the arguments name; all of `layout` when they name nothing.
pub fn gather(args: &MirrorArgs, layout: Option<&LayoutReader>) -> Result<Gathered> {
    let lock = lock(args)?;
    let mut errors = Vec::new();
    let (pairs, unread) = match (&args.images, &lock) {
        (Some(list), _) => (of_list(args, list, &mut errors)?, 0),
        (None, _) if !args.paths.is_empty() => of_manifests(args, &mut errors)?,
        (None, Some(lock)) => (of_lock(&lock.lock), 0),
        (None, None) => {
            let Some(layout) = layout else {
                bail!(
                    "nothing to copy: name files or folders, a list with --images, or a lock file with --lock"
                )
            };
            (super::layout::pairs(args, layout, &mut errors)?, 0)
        }
    };
    let overwrite = args.copying.overwrite.as_deref().map(|glob| {
        Glob::new(glob).map_err(|at| anyhow!("--overwrite={glob}: the `[` at {} is not closed", at + 1))
    });
    let overwrite = overwrite.transpose()?;
    let mut wanted = Vec::new();
    for ((source, target), written) in shared(pairs, &mut errors) {
        match want(args, &source, &target, lock.as_ref()) {
            Ok(all) => wanted.extend(all.into_iter().map(|mut one| {
                one.overwrite = overwrite.as_ref().is_some_and(|glob| glob.matches(&one.target));
                one.keep_tag &= !one.overwrite;
                (one, written.clone())
            })),
            Err(error) => errors.push(format!("{error:#}")),
        }
    }
    tags::give_each_to_one(&mut wanted);
    let smaller = layout.map(super::layout::smaller).unwrap_or_default();
    Ok(Gathered { wanted, errors, unread, lock, smaller })
}

fn lock(args: &MirrorArgs) -> Result<Option<LockFile>> {
    let path = match (&args.lock, args.locked) {
        (Some(path), _) => path.as_path(),
        (None, true) => Path::new(lock_file::NAME),
        (None, false) => return Ok(None),
    };
    let alone = args.images.is_none() && args.paths.is_empty();
    LockFile::open(path, args.locked || alone).map(Some)
}

/// What is said when there are images, and none to be copied.
const NONE_MOVED: &str = "the maps move none of the images of these manifests (are they rewritten already?); with --lock FILE \
    and no PATH, the images of a lock file are copied";

/// The images of manifests, and how many of these could not be read.
fn of_manifests(args: &MirrorArgs, errors: &mut Vec<String>) -> Result<(Pairs, usize)> {
    let asked = ImagesArgs {
        paths: args.paths.clone(),
        all: false,
        unique: true,
        format: match args.format {
            ReportFormat::Text => ImagesFormat::Text,
            ReportFormat::Json => ImagesFormat::Json,
        },
        quiet: args.quiet,
        maps: args.maps.clone(),
        find: args.find.clone(),
        formats: args.formats.clone(),
        walk: args.walk.clone(),
    };
    let Listing { distinct, with_maps, pages, failed, .. } = images::list(&asked)?;
    if !with_maps {
        return Err(rules::none_given());
    }
    stderr::print(&pages.messages);
    io::stdout().lock().write_all(pages.report.as_bytes())?;
    let before = errors.len();
    let moved = unique::moved(&distinct, errors);
    if moved.is_empty() && errors.len() == before && distinct.has_references() && !args.quiet {
        stderr::warning(NONE_MOVED);
    }
    Ok((moved, failed))
}

/// The images of a list: two columns with blanks, tabs or commas between them, or one, and the maps say the other.
fn of_list(args: &MirrorArgs, list: &Path, errors: &mut Vec<String>) -> Result<Pairs> {
    let is_stdin = list == Path::new("-");
    let bytes = if is_stdin {
        stdio::read()?
    } else {
        fs::read(list).map_err(|error| stderr::failure(&format!("cannot read {}", list.display()), &error))?
    };
    let text = String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", list.display()))?;
    let first = if is_stdin { Path::new(".") } else { list };
    let mut maps: Option<std::sync::Arc<Maps>> = None;
    let mut pairs = Pairs::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let mut columns = line.split([' ', '\t', ',']).filter(|column| !column.is_empty());
        let Some(source) = columns.next() else { continue };
        let at = |what: String| format!("{}:{}: {what}", list.display(), number + 1);
        let target = match (columns.next(), columns.next()) {
            (_, Some(more)) => {
                errors.push(at(format!("expected SOURCE TARGET, and found {more:?} behind them")));
                continue;
            }
            (Some(target), None) => target.to_owned(),
            (None, None) => {
                let maps = match &maps {
                    Some(maps) => maps,
                    None => {
                        let read = rules::load(&args.maps, Some(first), !is_stdin, args.quiet)?;
                        maps.insert(read.ok_or_else(rules::none_given)?.maps)
                    }
                };
                match target(maps, source) {
                    Ok(target) => target,
                    Err(error) => {
                        errors.push(at(error));
                        continue;
                    }
                }
            }
        };
        let parsed = (ImageReference::parse(source), ImageReference::parse(&target));
        match parsed {
            (Ok(from), Ok(to)) if from.canonical() == to.canonical() => {}
            (Ok(from), Ok(_)) => {
                pairs.entry((from.canonical(), target)).or_default().insert(source.to_owned());
            }
            (Err(error), _) => errors.push(at(format!("{source:?} is no image: {error}"))),
            (_, Err(error)) => errors.push(at(format!("{target:?} is no image: {error}"))),
        }
    }
    Ok(pairs)
}

/// What the maps make of an image.
pub fn target(maps: &Maps, source: &str) -> Result<String, String> {
    let image = ImageReference::parse(source).map_err(|error| format!("{source:?} is no image: {error}"))?;
    let decision = maps.decide(&image);
    if decision.outcome.is_error() {
        return Err(format!("the rules do not agree about {source}: 'imageswap explain {source}' says why"));
    }
    Ok(decision.outcome.changed().unwrap_or(source).to_owned())
}

/// The images of a lock file.
pub fn of_lock(lock: &Lock) -> Pairs {
    let mut pairs = Pairs::new();
    for entry in lock.entries() {
        let (Ok(id), Ok(target)) = (ImageReference::parse(&entry.id), ImageReference::parse(&entry.target))
        else {
            continue;
        };
        if id.canonical() != target.canonical() {
            pairs.entry((id.canonical(), entry.target.clone())).or_default().insert(entry.id.clone());
        }
    }
    pairs
}

/// The pairs whose target is theirs alone; of two for one place neither is copied.
fn shared(pairs: Pairs, errors: &mut Vec<String>) -> Pairs {
    let canonical =
        |target: &str| ImageReference::parse(target).map_or(target.to_owned(), ImageReference::canonical);
    let mut sources: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (source, target) in pairs.keys() {
        sources.entry(canonical(target)).or_default().insert(source.clone());
    }
    sources.retain(|_, sources| sources.len() > 1);
    for (target, sources) in &sources {
        let names: Vec<&str> = sources.iter().map(String::as_str).collect();
        errors.push(format!(
            "{} share the target {target}: only one of them can be there",
            names.join(" and ")
        ));
    }
    pairs.into_iter().filter(|((_, target), _)| !sources.contains_key(&canonical(target))).collect()
}

/// The image with the digest that the lock file has for it; once for each, where that has those of several platforms.
fn want(args: &MirrorArgs, source: &str, target: &str, lock: Option<&LockFile>) -> Result<Vec<Wanted>> {
    let parse = |text: &str| -> Result<()> {
        ImageReference::parse(text).map(drop).map_err(|error| anyhow!("{text:?} is no image: {error}"))
    };
    parse(source)?;
    parse(target)?;
    let (from, to) = (ImageReference::parse(source)?, ImageReference::parse(target)?);
    let platform = match args.copying.platform.as_slice() {
        [one] => Some(one.to_string()),
        _ => None,
    };
    let entries = match lock.map(|lock| (lock, lock.index.find(from, to, platform.as_deref()))) {
        Some((_, FoundEntry::Current(entry))) => vec![entry],
        Some((lock, FoundEntry::Platforms(..))) => lock.index.entries(to).collect(),
        Some((lock, FoundEntry::Stale(_) | FoundEntry::Missing))
            if args.locked && from.digest().is_none() =>
        {
            let name = lock.name();
            bail!(
                "{name} has no entry for {source} at {target}: run 'imageswap mirror --lock {name}' without --locked"
            )
        }
        Some((_, FoundEntry::Stale(_) | FoundEntry::Missing)) | None => {
            return Ok(vec![Wanted::new(from, to, None)?]);
        }
    };
    let mut all = Vec::new();
    for entry in entries {
        let mut wanted = Wanted::new(from, to, Some(entry.digest.clone()))?;
        // The tag stands for the index of all platforms, if that is there.
        wanted.keep_tag = entry.platform.is_some();
        if !all.contains(&wanted) {
            all.push(wanted);
        }
    }
    Ok(all)
}
