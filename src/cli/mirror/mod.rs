//! `imageswap mirror`: copies images to where the maps point.

mod ecr;
mod layout;
mod progress;
mod wanted;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use futures_util::StreamExt;
use tokio::runtime::{Builder, Runtime};

use crate::image::ImageReference;
use crate::lock::Entry;
use crate::mirror::{
    Action, Copied, Copier, CopyError, CopyOptions, Planned, RegistryStore, Source, Target, Wanted,
};
use crate::registry::Client;
use crate::report::mirror::{CopiedBytes, CopyFailure, MirrorSummary, Mirrored};

use super::args::{MirrorArgs, ReportFormat};
use super::exit_code::ExitCode;
use super::lock_file::LockFile;
use super::{registries, speech};
use progress::Progress;
use wanted::Gathered;

/// How many images are planned at once where nothing is copied.
const PLANS: usize = 32;

/// What became of an image, and how manifests write it.
struct Done {
    mirrored: Mirrored,
    wanted: Wanted,
    written: BTreeSet<String>,
    /// Where the maps have it, which is not where a layout has it.
    target: String,
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
    runtime()?.block_on(go(args, &copier, gathered, None)).map(|(code, _)| code)
}

/// What talks to registries, and how images are copied.
fn client(args: &MirrorArgs) -> Result<(Client, CopyOptions)> {
    let options = registries::options(&args.registry)?;
    let copying = CopyOptions {
        // Each needs further requests while it is under way.
        transfers: args.copying.jobs.min((options.concurrency / 2).max(1)),
        attachments: args.copying.referrers.into(),
        platforms: args.copying.platform.clone(),
        sparse: args.copying.sparse,
        deep: args.copying.deep,
        max_size: args.copying.max_size,
    };
    Ok((Client::new(options, registries::keychain(&args.registry)), copying))
}

fn runtime() -> Result<Runtime> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start what talks to registries")
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
        speech::error(error);
    }
    let Gathered { wanted, errors, unread, lock } = gathered;
    let writes = !args.dry_run && !args.check;
    let at_once = if writes { args.copying.jobs } else { PLANS };
    let stop = AtomicBool::new(false);
    let total = wanted.len();
    let mut progress = Progress::new(total, speech::is_watched() && !args.quiet);
    let repositories = ecr::Repositories::new(args.copying.create_repos && writes);
    let (stop, repositories) = (&stop, &repositories);
    let images = wanted.into_iter().enumerate().map(|(at, (wanted, written))| async move {
        if stop.load(Ordering::Relaxed) {
            return (at, None);
        }
        let mirrored = one(copier, wanted.clone(), writes, repositories).await;
        if args.copying.fail_fast && (mirrored.error.is_some() || is_failure(&mirrored)) {
            stop.store(true, Ordering::Relaxed);
        }
        let target = targets.map_or(&wanted.target, |targets| &targets[at]).clone();
        (at, Some(Done { mirrored, wanted, written, target }))
    });
    let mut running = futures_util::stream::iter(images).buffer_unordered(at_once);
    let mut summary = MirrorSummary { written: writes, ..MirrorSummary::default() };
    let mut done: Vec<Option<Done>> = Vec::new();
    done.resize_with(total, || None);
    let (mut finished, mut ended, mut shown) = (vec![false; total], 0, 0);
    loop {
        let next = tokio::time::timeout(progress::TICK, running.next()).await;
        match next {
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
        // In their order, whichever is ready first.
        while shown < total && finished[shown] {
            if let Some(done) = &done[shown] {
                progress.aside(|| show(args, &done.mirrored))?;
            }
            shown += 1;
        }
        progress.show(ended, copier.bytes_read());
    }
    progress.finish();
    summary.failed += errors.len() + unread;
    summary.images += errors.len();
    if let Some(lock) = lock.filter(|_| writes && !args.locked) {
        remember(&lock, &done)?;
    }
    if args.format == ReportFormat::Json {
        print(&summary.json())?;
    } else if !args.quiet {
        speech::print(&summary.text());
    }
    let code = if summary.is_failure() {
        ExitCode::Error
    } else if args.check && summary.copied + summary.tagged > 0 {
        ExitCode::Changes
    } else {
        ExitCode::Done
    };
    Ok((code, done))
}

/// Plans an image, and copies it where anything is written.
async fn one<S: Source, T: Target>(
    copier: &Copier<S, T>,
    wanted: Wanted,
    writes: bool,
    repositories: &ecr::Repositories,
) -> Mirrored {
    let (source, target) = (wanted.source.clone(), wanted.target.clone());
    let to = wanted.to.clone();
    let planned = match copier.plan(wanted).await {
        Ok(planned) => planned,
        Err(error) => {
            return Mirrored {
                source,
                target,
                action: None,
                digest: None,
                target_digest: None,
                bytes: None,
                referrers: 0,
                tries: 1,
                error: Some(failure(&error)),
            };
        }
    };
    if !writes || !planned.action.is_work() {
        return mirrored(&planned, None);
    }
    if let Err(error) = repositories.create(&to).await {
        let mut mirrored = mirrored(&planned, None);
        let (step, message) = ("creating the repository".to_owned(), format!("{source}: {error:#}"));
        let error = CopyFailure { step, status: None, code: "no-repository", message, hint: None };
        mirrored.error = Some(error);
        return mirrored;
    }
    let copied = copier.copy(&planned).await;
    mirrored(&planned, Some(copied))
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
    let shown = |digest: &Option<crate::image::Digest>| {
        digest.as_ref().map_or("nothing".to_owned(), ToString::to_string)
    };
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

/// A failure whose words name the image themselves.
fn failure(error: &CopyError) -> CopyFailure {
    CopyFailure {
        step: error.step(),
        status: error.status(),
        code: error.code(),
        message: error.to_string(),
        hint: error.hint(),
    }
}

fn failure_of(wanted: &Wanted, error: &CopyError) -> CopyFailure {
    let mut failure = failure(error);
    if !matches!(error, CopyError::Store(_)) {
        failure.message = format!("{}: {}", wanted.source, failure.message);
    }
    failure
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
        speech::error(&format!("{}{hint}", error.message));
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
    for Done { mirrored, wanted, written, target } in done.iter().flatten() {
        let Some(digest) = mirrored.digest.as_deref().filter(|_| mirrored.error.is_none()) else { continue };
        let digest = crate::image::Digest::parse(digest)?;
        let target = ImageReference::parse(target)?;
        let known = file.index.entries(target).any(|entry| entry.digest == digest);
        if known || wanted.digest.is_some() {
            continue;
        }
        for written in written {
            let id = ImageReference::parse(written)?;
            lock.put(Entry::new(id, target, digest.clone()).looked_up_at(id));
        }
    }
    if file.save(&lock)? {
        speech::print(&format!("{}: written\n", file.name()));
    }
    Ok(())
}
