//! `imageswap mirror` through image layouts: out of registries into one, and out of one into registries.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use anyhow::{Result, anyhow};

use crate::image::{Digest, ImageReference, Repository};
use crate::lock::{Lock, Looked};
use crate::maps::Maps;
use crate::mirror::layout::{
    Import, LayoutError, LayoutReader, LayoutWriter, LeftOut, Missing, Stored, missing, since,
};
use crate::mirror::{Copier, RegistryStore, Wanted};
use crate::report::mirror::size;

use super::super::args::MirrorArgs;
use super::super::exit_code::ExitCode;
use super::super::lock_file::LockFile;
use super::super::{rules, runtime, stderr};
use super::wanted::{self, Gathered, Pairs};
use super::{Done, client, go, tags};

/// How many missing blobs are named.
const NAMED: usize = 20;

/// Copies images into a layout.
pub fn export(args: &MirrorArgs, path: &Path) -> Result<ExitCode> {
    let mut gathered = wanted::gather(args, None)?;
    let old = args.layout.since_lock.as_deref().map(|path| LockFile::open(path, true)).transpose()?;
    let (client, copying) = client(args)?;
    let store = || RegistryStore::new(client.clone());
    let runtime = runtime::current_thread()?;
    let left_out = match &old {
        Some(old) => runtime.block_on(known_there(&store(), &old.lock)),
        None => LeftOut::default(),
    };
    let writer =
        LayoutWriter::create(path, args.layout.split, left_out).map_err(|error| with_hint(&error))?;
    let targets = gathered.move_into_layout()?;
    let copier = Copier::new(store(), writer, copying);
    let (code, done) = runtime.block_on(go(args, &copier, gathered, Some(&targets)))?;
    let is_tar = copier.target().folder() != path;
    if code == ExitCode::Error && is_tar {
        let folder = copier.target().folder().display();
        stderr::print(&format!(
            "{} is not written; what is there is kept in {folder} for the next run\n",
            path.display()
        ));
        return Ok(code);
    }
    let made = copier.target().finish(&lock_of(&done)?).map_err(|error| with_hint(&error))?;
    if !args.quiet {
        for path in made {
            let bytes =
                path.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
            let bytes = bytes.map_or(String::new(), |bytes| format!(" ({})", size(bytes)));
            stderr::print(&format!("{}: written{bytes}\n", path.display()));
        }
    }
    Ok(code)
}

/// Copies images out of a layout.
pub fn import(args: &MirrorArgs, path: &Path) -> Result<ExitCode> {
    let reader = LayoutReader::open(path).map_err(|error| with_hint(&error))?;
    let gathered = wanted::gather(args, Some(&reader))?;
    let (client, copying) = client(args)?;
    let runtime = runtime::current_thread()?;
    let target = RegistryStore::new(client);
    if !reader.left_out().is_empty() {
        let imports = imports(&reader, &gathered);
        let targets = Targets::new(args, &reader, &gathered)?;
        let writes = !args.dry_run && !args.check;
        let found = runtime.block_on(missing(&reader, &target, &imports, writes, |from| targets.of(from)))?;
        if !found.is_empty() {
            say_missing(&found);
            return Ok(ExitCode::Error);
        }
    }
    let copier = Copier::new(reader, target, copying);
    let (code, _) = runtime.block_on(go(args, &copier, gathered, None))?;
    Ok(code)
}

/// The blobs of the images that were carried before.
async fn known_there(source: &RegistryStore, old: &Lock) -> LeftOut {
    let (left_out, failed) = since(source, old).await;
    for (image, error) in failed {
        stderr::warning(&format!(
            "{image} of --since-lock cannot be read, so its blobs are carried again: {error}"
        ));
    }
    left_out
}

impl Gathered {
    /// Lets every image go into a layout, under the name that it has at its source. Returns where the maps would have it,
    /// in the same order.
    fn move_into_layout(&mut self) -> Result<Vec<String>> {
        let mut targets = Vec::with_capacity(self.wanted.len());
        for (wanted, _) in &mut self.wanted {
            targets.push(wanted.target.clone());
            let source = ImageReference::parse(&wanted.source)?;
            let tag = source.tag().map(str::to_owned);
            *wanted =
                Wanted { target: wanted.source.clone(), to: wanted.from.clone(), tag, ..wanted.clone() };
        }
        // In the layout as at the source, a tag stands for one image.
        tags::give_each_to_one(&mut self.wanted);
        Ok(targets)
    }
}

/// The lock file of the images that are in the layout.
fn lock_of(done: &[Option<Done>]) -> Result<Lock> {
    let mut lock = Lock::default();
    for image in done.iter().flatten() {
        let Done { mirrored, written, target, .. } = image;
        let Some(digest) = mirrored.digest.as_deref().filter(|_| mirrored.error.is_none()) else { continue };
        let (digest, target) = (Digest::parse(digest)?, ImageReference::parse(target)?);
        for written in written {
            let id = ImageReference::parse(written)?;
            // One that is pinned where it is written needs no entry.
            if id.digest().is_some() {
                continue;
            }
            lock.put(image.entry(id, target, digest.clone()));
        }
    }
    Ok(lock)
}

/// The digests of a layout's indexes of some platforms: the lock file in it has them as their targets' alone.
pub(super) fn smaller(reader: &LayoutReader) -> HashSet<Digest> {
    let entries = reader.lock().into_iter().flat_map(Lock::entries);
    let smaller = entries.filter(|entry| entry.looked == Looked::Target && entry.id != entry.target);
    smaller.map(|entry| entry.digest.clone()).collect()
}

/// All images of a layout: where the maps have them, else where the lock file in it says.
pub(super) fn pairs(args: &MirrorArgs, reader: &LayoutReader, errors: &mut Vec<String>) -> Result<Pairs> {
    let maps = rules::load(&args.maps, Some(Path::new(".")), true, args.quiet)?;
    let Some(maps) = maps.map(|ruleset| ruleset.maps) else {
        let lock = reader.lock().ok_or_else(rules::none_given)?;
        return Ok(wanted::of_lock(lock));
    };
    let mut pairs = Pairs::new();
    for stored in reader.stored() {
        let Some(reference) = &stored.reference else {
            unnamed(reader, stored);
            continue;
        };
        if is_attached(reference) {
            continue;
        }
        match wanted::target(&maps, reference) {
            Ok(target) if target == *reference => {
                stderr::warning(&format!("{reference} is left out: no rule moves it"));
            }
            Ok(target) => _ = pairs.entry((reference.clone(), target)).or_default().insert(reference.clone()),
            Err(error) => errors.push(error),
        }
    }
    Ok(pairs)
}

/// Says that an image has no name that the maps could be asked about. Manifests without any are there for others.
fn unnamed(reader: &LayoutReader, stored: &Stored) {
    if let Some(name) = stored.listed.name() {
        let path = reader.path().display();
        stderr::warning(&format!(
            "{path} calls an image {name:?} alone, which does not say where it comes from: it is left out"
        ));
    }
}

/// Whether a tag is one of those that hold an image's signatures and the like, which travel with it.
fn is_attached(reference: &str) -> bool {
    let tag = ImageReference::parse(reference).ok().and_then(ImageReference::tag);
    let Some(rest) = tag.and_then(|tag| tag.strip_prefix("sha256-")) else { return false };
    let hex = rest.split('.').next().unwrap_or_default();
    hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What is to be copied and is in the layout.
fn imports(reader: &LayoutReader, gathered: &Gathered) -> Vec<Import> {
    let import = |wanted: &Wanted| {
        let source =
            format!("{}{}{}", wanted.from.canonical(), separator(&wanted.reference), wanted.reference);
        let stored = reader.find(ImageReference::parse(&source).ok()?)?;
        Some(Import {
            image: wanted.source.clone(),
            digest: stored.digest.clone(),
            target: wanted.to.clone(),
        })
    };
    gathered.wanted.iter().filter_map(|(wanted, _)| import(wanted)).collect()
}

fn separator(reference: &str) -> char {
    if Digest::parse(reference).is_ok() { '@' } else { ':' }
}

/// Where the images of repositories go.
struct Targets {
    known: HashMap<Repository, Repository>,
    maps: Option<std::sync::Arc<Maps>>,
}

impl Targets {
    fn new(args: &MirrorArgs, reader: &LayoutReader, gathered: &Gathered) -> Result<Self> {
        let maps = rules::load(&args.maps, Some(Path::new(".")), true, true)?.map(|ruleset| ruleset.maps);
        let of_lock = reader.lock().into_iter().flat_map(Lock::entries).filter_map(|entry| {
            let (id, target) =
                (ImageReference::parse(&entry.id).ok()?, ImageReference::parse(&entry.target).ok()?);
            Some((id.repository(), target.repository()))
        });
        let mut known: HashMap<Repository, Repository> = of_lock.collect();
        known.extend(gathered.wanted.iter().map(|(wanted, _)| (wanted.from.clone(), wanted.to.clone())));
        Ok(Self { known, maps })
    }

    fn of(&self, from: &Repository) -> Option<Repository> {
        self.known.get(from).cloned().or_else(|| {
            let target = wanted::target(self.maps.as_deref()?, from.canonical()).ok()?;
            ImageReference::parse(&target).ok().map(ImageReference::repository)
        })
    }
}

fn say_missing(found: &[Missing]) {
    for Missing { image, digest, size: bytes, looked } in found.iter().take(NAMED) {
        let looked: BTreeSet<&str> = looked.iter().map(Repository::canonical).collect();
        let looked: Vec<&str> = looked.into_iter().collect();
        stderr::error(&format!(
            "{image}: the blob {digest} ({}) was left out of the layout, and is not in {}",
            size(*bytes),
            looked.join(" nor in ")
        ));
    }
    if let Some(more) = found.len().checked_sub(NAMED).filter(|more| *more > 0) {
        stderr::error(&format!("and {} more", stderr::count(more, "blob")));
    }
    stderr::error(
        "nothing was pushed: write the layout again without --since-lock, or with the lock file of what is there",
    );
}

fn with_hint(error: &LayoutError) -> anyhow::Error {
    anyhow!("{}", stderr::with_hint(error, error.hint()))
}
