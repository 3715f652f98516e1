//! `imageswap lock`: the digests of a lock file against those of the registries.

use std::io::{self, Write};

use anyhow::{Result, bail};

use crate::image::ImageReference;
use crate::lock::{Lock, LockEntry};
use crate::report::digests::{Compared, ComparedSummary, Comparison};

use super::args::{LockArgs, LockDiffArgs, ReportFormat};
use super::exit_code::ExitCode;
use super::lock_file::LockFile;
use super::pin::{LookupAnswer, Question, ask, online};
use super::stderr;

/// Looks the digests up anew and writes them.
pub fn update(args: &LockArgs) -> Result<ExitCode> {
    let file = LockFile::open(&args.lock, true)?;
    let compared = compare(args, &file)?;
    let errors: Vec<String> = compared
        .iter()
        .filter_map(|(entry, answer)| Some(format!("{}: {}", entry.id, answer.as_ref().err()?.text)))
        .collect();
    if !errors.is_empty() {
        let noun = stderr::count(errors.len(), "digest");
        bail!("{noun} not found; {} stays as it is\n  {}", file.name(), errors.join("\n  "));
    }
    let mut lock = file.lock.clone();
    for (entry, answer) in &compared {
        if let Ok(resolved) = answer {
            lock.put(entry.renewed(resolved.digest.clone()));
        }
    }
    file.save(&lock)?;
    let summary = show(&compared, ReportFormat::Text)?;
    let of = stderr::count(compared.len(), "image");
    stderr::print(&format!("{}: {} of {of} changed\n", file.name(), summary.changed));
    Ok(ExitCode::Done)
}

/// Says which digests differ.
pub fn diff(args: &LockDiffArgs) -> Result<ExitCode> {
    let file = LockFile::open(&args.lock.lock, true)?;
    let compared = compare(&args.lock, &file)?;
    let summary = show(&compared, args.format)?;
    Ok(match summary {
        ComparedSummary { failed: 1.., .. } => ExitCode::Error,
        ComparedSummary { changed: 0, missing: 0, .. } => ExitCode::Done,
        _ => ExitCode::Changes,
    })
}

/// The chosen entries of the lock file with what the registries say now.
fn compare<'l>(args: &LockArgs, file: &'l LockFile) -> Result<Vec<(&'l LockEntry, LookupAnswer)>> {
    let entries = chosen(&file.lock, &args.only)?;
    let questions: Vec<Question> = entries.iter().map(|entry| Question::of(entry)).collect::<Result<_>>()?;
    let pullers = online::pullers_of_arguments(&args.online);
    let answers = ask(&args.registry, pullers.as_ref(), &questions, stderr::is_watched())?;
    let answer = |entry: &'l LockEntry, question| {
        (entry, answers.get(question).cloned().expect("each question that is asked has an answer"))
    };
    let compared = entries.into_iter().zip(&questions);
    Ok(compared.map(|(entry, question)| answer(entry, question)).collect())
}

/// The entries that `only` names, or all.
fn chosen<'l>(lock: &'l Lock, only: &[String]) -> Result<Vec<&'l LockEntry>> {
    let names = |text: &str, wanted: &str| {
        text == wanted || ImageReference::parse(text).is_ok_and(|reference| reference.name() == wanted)
    };
    for wanted in only {
        if !lock.entries().any(|entry| names(&entry.id, wanted) || names(&entry.target, wanted)) {
            bail!("the lock file has no entry for {wanted}");
        }
    }
    let is_chosen = |entry: &&LockEntry| {
        only.is_empty() || only.iter().any(|wanted| names(&entry.id, wanted) || names(&entry.target, wanted))
    };
    Ok(lock.entries().filter(is_chosen).collect())
}

/// Prints what differs, and counts it.
fn show(compared: &[(&LockEntry, LookupAnswer)], format: ReportFormat) -> Result<ComparedSummary> {
    let (mut out, mut summary) = (String::new(), ComparedSummary::default());
    for (entry, answer) in compared {
        let status = match answer {
            Ok(resolved) if resolved.digest == entry.digest => Comparison::Same,
            Ok(_) => Comparison::Changed,
            Err(failure) if failure.missing => Comparison::Missing,
            Err(_) => Comparison::Failed,
        };
        summary.add(status);
        let line = Compared {
            status,
            image: &entry.id,
            target: &entry.target,
            lookup: entry.looked_up(),
            platform: entry.platform.as_deref(),
            locked: entry.digest.as_str(),
            digest: answer.as_ref().ok().map(|resolved| resolved.digest.as_str()),
            message: answer.as_ref().err().map(|failure| &*failure.text),
        };
        match format {
            ReportFormat::Json => line.json(&mut out),
            ReportFormat::Text => {
                line.text(&mut out);
                if let (Comparison::Failed, Some(message)) = (status, line.message) {
                    stderr::error(&stderr::about(&entry.id, message));
                }
            }
        }
    }
    if format == ReportFormat::Json {
        summary.json(&mut out);
    }
    io::stdout().lock().write_all(out.as_bytes())?;
    Ok(summary)
}
