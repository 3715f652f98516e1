//! `imageswap lock`: the digests of a lock file against those of the registries.

use std::fmt::Write as _;
use std::io::{self, Write};

use anyhow::{Result, anyhow, bail};

use crate::image::{Digest, ImageReference};
use crate::lock::{Entry, Lock};

use super::args::LockArgs;
use super::exit_code::ExitCode;
use super::lock_file::LockFile;
use super::pin::{Question, ask};
use super::{registries, speech};

/// Looks the digests up anew and writes them.
pub fn update(args: &LockArgs) -> Result<ExitCode> {
    let file = LockFile::open(&args.lock, true)?;
    let compared = compare(args, &file)?;
    let mut lock = file.lock.clone();
    for (entry, digest) in &compared {
        lock.put(entry.renewed(digest.clone()));
    }
    file.save(&lock)?;
    let changed = show(&compared)?;
    let of = speech::count(compared.len(), "image");
    speech::say(&format!("{}: {changed} of {of} changed\n", file.name()));
    Ok(ExitCode::Done)
}

/// Says which digests differ.
pub fn diff(args: &LockArgs) -> Result<ExitCode> {
    let file = LockFile::open(&args.lock, true)?;
    let compared = compare(args, &file)?;
    let changed = show(&compared)?;
    Ok(if changed > 0 { ExitCode::Changes } else { ExitCode::Done })
}

/// The chosen entries of the lock file with the digests that the registries have now.
fn compare<'l>(args: &LockArgs, file: &'l LockFile) -> Result<Vec<(&'l Entry, Digest)>> {
    let entries = chosen(&file.lock, &args.only)?;
    let questions: Vec<Question> = entries.iter().map(|entry| Question::of(entry)).collect::<Result<_>>()?;
    let answers =
        ask(&registries::options(&args.registry)?, &args.registry, &questions, speech::is_watched())?;
    let (mut compared, mut errors) = (Vec::new(), Vec::new());
    for (entry, question) in entries.into_iter().zip(&questions) {
        match answers.get(question) {
            Some(Ok(resolved)) => compared.push((entry, resolved.digest.clone())),
            Some(Err(failure)) => errors.push(format!("{}: {}", entry.id, failure.text)),
            None => errors.push(format!("{}: nobody answered", entry.id)),
        }
    }
    if errors.is_empty() {
        return Ok(compared);
    }
    let noun = speech::count(errors.len(), "digest");
    Err(anyhow!("{noun} not found; {} stays as it is\n  {}", file.name(), errors.join("\n  ")))
}

/// The entries that `only` names, or all.
fn chosen<'l>(lock: &'l Lock, only: &[String]) -> Result<Vec<&'l Entry>> {
    let names = |text: &str, wanted: &str| {
        text == wanted || ImageReference::parse(text).is_ok_and(|reference| reference.name() == wanted)
    };
    for wanted in only {
        if !lock.entries().any(|entry| names(&entry.id, wanted) || names(&entry.target, wanted)) {
            bail!("the lock file has no entry for {wanted}");
        }
    }
    let is_chosen = |entry: &&Entry| {
        only.is_empty() || only.iter().any(|wanted| names(&entry.id, wanted) || names(&entry.target, wanted))
    };
    Ok(lock.entries().filter(is_chosen).collect())
}

/// Prints what differs, and counts it.
fn show(compared: &[(&Entry, Digest)]) -> Result<usize> {
    let mut out = String::new();
    let mut changed = 0;
    for (entry, digest) in compared.iter().filter(|(entry, digest)| entry.digest != *digest) {
        changed += 1;
        let of = entry.platform.as_ref().map_or(String::new(), |platform| format!(" ({platform})"));
        let _ = writeln!(out, "{}{of}: {} -> {digest}", entry.looked_up(), entry.digest);
    }
    io::stdout().lock().write_all(out.as_bytes())?;
    Ok(changed)
}
