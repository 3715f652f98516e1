//! `imageswap mirror`: copies images to where the maps point.

mod ecr;
mod layout;
mod tags;
mod wanted;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use futures_util::{Stream, StreamExt};
use tokio::sync::Semaphore;

use crate::image::{Digest, ImageReference};
use crate::lock::LockEntry;
use crate::mirror::{
    Action, Copied, Copier, CopyError, CopyOptions, Planned, RegistryStore, Source, Target, Wanted,
    give_up_all,
};
use crate::registry::{Client, RegistryOptions};
use crate::report::mirror::{CopiedBytes, CopyFailure, MirrorSummary, Mirrored, size};

use super::args::{MirrorArgs, ReportFormat};
use super::exit_code::ExitCode;
use super::lock_file::LockFile;
use super::progress::Progress;
use super::signals::Signals;
use super::{registries, runtime, stderr};
use wanted::Gathered;

/// How many images are planned at once where nothing is copied.
const PLANS: usize = 32;

/// How often what is done is shown, and looked for signals.
const TICK: Duration = Duration::from_millis(100);

/// What became of an image, and how manifests write it.
struct Done {
    mirrored: Mirrored,
    wanted: Wanted,
    written: BTreeSet<String>,
    /// Where the maps have it, which is not where a layout has it.
    target: String,
    /// Its digest is that of an index of some of the platforms that the source has.
    is_smaller: bool,
}

impl Done {
    /// Its entry in a lock file, for the image that is written as `id` and goes to `target`.
    fn entry(&self, id: ImageReference<'_>, target: ImageReference<'_>, digest: Digest) -> LockEntry {
        let entry = LockEntry::new(id, target, digest);
        // The source has no such digest.
        if self.is_smaller { entry } else { entry.looked_up_at(id) }
    }
}

/// Copies the images of the arguments.
pub fn run(args: &MirrorArgs) -> Result<ExitCode> {
    if let Some(path) = &args.layout.to_layout {
        return layout::export(args, path);
    }
    if let Some(path) = &args.layout.from_layout {
        return layout::import(args, path);
    }
    let gathered = wanted::gather(args, None)?;
    let (client, copying) = client(args)?;
    let store = || RegistryStore::new(client.clone());
    let copier = Copier::new(store(), store(), copying);
    runtime::current_thread()?.block_on(go(args, &copier, gathered, None)).map(|(code, _)| code)
}

/// What talks to registries, and how images are copied.
fn client(args: &MirrorArgs) -> Result<(Client, CopyOptions)> {
    let jobs = args.copying.jobs;
    // A copy is many short questions, and as many blobs are under way as images.
    let defaults = RegistryOptions {
        lookups_per_host: (2 * jobs).max(RegistryOptions::default().lookups_per_host),
        blobs_per_host: jobs.max(RegistryOptions::default().blobs_per_host),
        ..RegistryOptions::default()
    };
    let mut options = registries::options_from(defaults, &args.registry)?;
    // A blob is read and written at once.
    options.concurrency = options.concurrency.max(2);
    let copying = CopyOptions {
        // Each needs further requests while it is under way.
        transfers: jobs.min(options.concurrency / 2),
        attachments: args.copying.referrers.into(),
        platforms: args.copying.platform.clone(),
        sparse: args.copying.sparse,
        deep: args.copying.deep,
        max_size: args.copying.max_size,
    };
    Ok((Client::new(options, registries::keychain(&args.registry)), copying))
}

/// Plans and copies, and says what becomes of each image. `targets`: where the maps have the images, in their order, when
/// they are copied elsewhere.
async fn go<S: Source, T: Target>(
    args: &MirrorArgs,
    copier: &Copier<S, T>,
    gathered: Gathered,
    targets: Option<&[String]>,
) -> Result<(ExitCode, Vec<Option<Done>>)> {
    for error in &gathered.errors {
        stderr::error(error);
    }
    let Gathered { wanted, errors, unread, lock, smaller } = gathered;
    let writes = !args.dry_run && !args.check;
    // While some are copied, the next ones are looked up.
    let at_once = if writes { 2 * args.copying.jobs } else { PLANS };
    let copies = Semaphore::new(args.copying.jobs);
    let stop = AtomicBool::new(false);
    let total = wanted.len();
    let repositories = ecr::Repositories::new(args.copying.create_repos && writes);
    let (stop, repositories, copies) = (&stop, &repositories, &copies);
    let is_smaller = |planned: &Planned| {
        planned.instead.is_some() || planned.digest.as_ref().is_some_and(|digest| smaller.contains(digest))
    };
    let is_smaller = &is_smaller;
    let images = wanted.into_iter().enumerate().map(|(at, (wanted, written))| async move {
        if stop.load(Ordering::Relaxed) {
            return (at, None);
        }
        let (mirrored, is_smaller) = match copier.plan(wanted.clone()).await {
            Ok(planned) if writes && planned.action.is_work() => {
                let _permit = copies.acquire().await.expect("the semaphore is never closed");
                if stop.load(Ordering::Relaxed) {
                    return (at, None);
                }
                (copy(copier, &planned, repositories).await, is_smaller(&planned))
            }
            Ok(planned) => (mirrored(&planned, None), is_smaller(&planned)),
            Err(error) => (not_planned(&wanted, &error), false),
        };
        if args.copying.fail_fast && (mirrored.error.is_some() || is_failure(&mirrored)) {
            stop.store(true, Ordering::Relaxed);
        }
        let target = targets.map_or(&wanted.target, |targets| &targets[at]).clone();
        (at, Some(Done { mirrored, wanted, written, target, is_smaller }))
    });
    let running = futures_util::stream::iter(images).buffer_unordered(at_once);
    let (mut summary, done) = follow(args, copier, running, total, writes).await?;
    copier.target().give_up_dropped(registries::SHUTDOWN_TIMEOUT).await;
    summary.failed += errors.len() + unread;
    summary.images += errors.len();
    if let Some(lock) = lock.filter(|_| writes && !args.locked) {
        remember(&lock, &done)?;
    }
    if args.format == ReportFormat::Json {
        print(&summary.json())?;
    } else if !args.quiet {
        stderr::print(&summary.text());
    }
    Ok((exit_code(args, &summary), done))
}

/// Waits for what is `running`, one result for each of `total` images by its number, shows it in the order of the images,
/// and counts it. `None` for an image that was not tried. A signal calls off what is under way, and ends the program.
async fn follow<S: Source, T: Target>(
    args: &MirrorArgs,
    copier: &Copier<S, T>,
    running: impl Stream<Item = (usize, Option<Done>)>,
    total: usize,
    writes: bool,
) -> Result<(MirrorSummary, Vec<Option<Done>>)> {
    let signals = if writes { Some(Signals::watch()?) } else { None };
    let mut progress = Progress::new(total, "images", stderr::is_watched() && !args.quiet);
    let mut running = Box::pin(running);
    let mut summary = MirrorSummary { written: writes, ..MirrorSummary::default() };
    let mut done: Vec<Option<Done>> = Vec::new();
    done.resize_with(total, || None);
    let (mut finished, mut ended, mut shown) = (vec![false; total], 0, 0);
    loop {
        match tokio::time::timeout(TICK, running.next()).await {
            Err(_) => {}
            Ok(None) => break,
            Ok(Some((at, result))) => {
                finished[at] = true;
                ended += 1;
                match &result {
                    Some(done) => summary.add(&done.mirrored),
                    None => summary.not_tried += 1,
                }
                done[at] = result;
            }
        }
        if signals.as_ref().is_some_and(Signals::came) && ended < total {
            break;
        }
        // In their order, whichever is ready first.
        while shown < total && finished[shown] {
            if let Some(done) = &done[shown] {
                progress.aside(|| show(args, &done.mirrored))?;
            }
            shown += 1;
        }
        progress.show_bytes(ended, copier.bytes_read(), size);
    }
    drop(progress);
    // What was under way is called off by this.
    drop(running);
    if let Some(signals) = &signals {
        if signals.came() && ended < total {
            give_up_all(copier.target(), registries::SHUTDOWN_TIMEOUT).await;
            stderr::error(&format!(
                "interrupted; {ended} of {} are done, and the next run goes on from there",
                stderr::count(total, "image")
            ));
            signals.obey();
        }
        signals.release();
    }
    Ok((summary, done))
}

/// What `summary` means to whoever called.
fn exit_code(args: &MirrorArgs, summary: &MirrorSummary) -> ExitCode {
    if summary.is_failure() {
        ExitCode::Error
    } else if args.check && summary.copied + summary.tagged > 0 {
        ExitCode::Changes
    } else {
        ExitCode::Done
    }
}

/// An image of which it cannot be known what is to be done.
fn not_planned(wanted: &Wanted, error: &CopyError) -> Mirrored {
    Mirrored {
        source: wanted.source.clone(),
        target: wanted.target.clone(),
        action: None,
        digest: None,
        target_digest: None,
        bytes: None,
        referrers: 0,
        tries: 1,
        error: Some(failure_of(wanted, error)),
    }
}

/// Copies an image.
async fn copy<S: Source, T: Target>(
    copier: &Copier<S, T>,
    planned: &Planned,
    repositories: &ecr::Repositories,
) -> Mirrored {
    let Wanted { source, to, .. } = &planned.wanted;
    if let Err(error) = repositories.create(to).await {
        let mut mirrored = mirrored(planned, None);
        let (step, message) = ("creating the repository".to_owned(), format!("{source}: {error:#}"));
        let error = CopyFailure { step, status: None, code: "no-repository", message, hint: None };
        mirrored.error = Some(error);
        return mirrored;
    }
    let copied = copier.copy(planned).await;
    mirrored(planned, Some(copied))
}

fn mirrored(planned: &Planned, copied: Option<Copied>) -> Mirrored {
    let Planned { wanted, action, digest, tag, .. } = planned;
    let bytes = copied.as_ref().map(|copied| CopiedBytes {
        moved: copied.bytes.moved,
        mounted: copied.bytes.mounted,
        present: copied.bytes.present,
    });
    let tries = copied.as_ref().map_or(1, |copied| copied.tries);
    let referrers = copied.as_ref().map_or(0, |copied| copied.attached);
    let error = match (action, copied.map(|copied| copied.result)) {
        (_, Some(Err(error))) => Some(failure_of(wanted, &error)),
        (Action::Conflict, _) => Some(conflict(planned)),
        (Action::Missing, _) => Some(CopyFailure {
            step: "looking up the digest".to_owned(),
            status: Some(404),
            code: "not-found",
            message: format!("{}: there is no such image", wanted.source),
            hint: Some("check the name and the tag".to_owned()),
        }),
        (Action::Copy | Action::Tag | Action::Skip, _) => None,
    };
    Mirrored {
        source: wanted.source.clone(),
        target: wanted.target.clone(),
        action: Some(action.as_str()),
        digest: digest.as_ref().map(ToString::to_string),
        target_digest: tag.as_ref().map(ToString::to_string),
        bytes,
        referrers,
        tries,
        error,
    }
}

fn is_failure(mirrored: &Mirrored) -> bool {
    matches!(mirrored.action, Some("conflict" | "missing"))
}

fn conflict(planned: &Planned) -> CopyFailure {
    let shown = |digest: &Option<Digest>| digest.as_ref().map_or("nothing".to_owned(), ToString::to_string);
    CopyFailure {
        step: "planning".to_owned(),
        status: None,
        code: "conflict",
        message: format!(
            "{} stands for {}, and {} for {}",
            planned.wanted.target,
            shown(&planned.tag),
            planned.wanted.source,
            shown(&planned.digest)
        ),
        hint: Some(format!("--overwrite={} moves the tag", planned.wanted.target)),
    }
}

/// A failure that names the image, as the registries' do themselves.
fn failure_of(wanted: &Wanted, error: &CopyError) -> CopyFailure {
    let message = match error {
        CopyError::Store(_) => error.to_string(),
        _ => format!("{}: {error}", wanted.source),
    };
    CopyFailure {
        step: error.step(),
        status: error.status(),
        code: error.code(),
        message,
        hint: error.hint(),
    }
}

/// Says what became of an image.
fn show(args: &MirrorArgs, mirrored: &Mirrored) -> Result<()> {
    if args.format == ReportFormat::Json {
        return print(&mirrored.json());
    }
    if !args.quiet {
        print(&mirrored.text())?;
    }
    if let Some(error) = &mirrored.error {
        let hint = error.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        stderr::error(&format!("{}{hint}", error.message));
    }
    Ok(())
}

/// Prints to standard output. When nobody reads it any more, the copying goes on: what is left out must not look done.
fn print(text: &str) -> Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Remembers the digests of what is at its target in the lock file.
fn remember(file: &LockFile, done: &[Option<Done>]) -> Result<()> {
    let mut lock = file.lock.clone();
    for image in done.iter().flatten() {
        let Done { mirrored, wanted, written, target, .. } = image;
        let Some(digest) = mirrored.digest.as_deref().filter(|_| mirrored.error.is_none()) else { continue };
        let digest = Digest::parse(digest)?;
        let target = ImageReference::parse(target)?;
        let known = file.index.entries(target).any(|entry| entry.digest == digest);
        if known || wanted.digest.is_some() {
            continue;
        }
        for written in written {
            let id = ImageReference::parse(written)?;
            lock.put(image.entry(id, target, digest.clone()));
        }
    }
    if file.save(&lock)? {
        stderr::print(&format!("{}: written\n", file.name()));
    }
    Ok(())
}
