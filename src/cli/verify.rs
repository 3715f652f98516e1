//! `imageswap verify`: what the manifests will pull is there, and is what it should be.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Mutex;

use anyhow::{Result, anyhow};
use rustc_hash::FxHashMap;

use crate::files::{FoundFile, walk};
use crate::image::{Digest, DigestRef, ImageReference};
use crate::lock::{FoundEntry, Index, Pair};
use crate::registry::Resolved;
use crate::report::digests::{Authority, TargetStatus, Verified, VerifiedSummary};

use super::args::{ReportFormat, VerifyArgs};
use super::engines::Engines;
use super::exit_code::ExitCode;
use super::lock_file::LockFile;
use super::pin::{LookupAnswer, Question, ask, each_plan, online};
use super::{settings, stderr, tree};

/// What a target's digest must be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Expected {
    /// The one that stands in the manifest.
    Written(Digest),
    /// The lock file's.
    Locked(Digest),
    /// That of the image before the maps.
    OfSource(Question, String),
    /// Any: it must be there.
    Any,
}

/// An image to verify.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Check {
    target: String,
    question: Question,
    expected: Expected,
}

impl Check {
    /// What is asked when the tag does not say it all: the image is pulled by the digest that stands beside it.
    fn by_digest(&self) -> Option<Question> {
        let reference = ImageReference::parse(&self.target).ok().filter(|image| image.digest().is_some())?;
        Some(Question::about(reference)).filter(|question| *question != self.question)
    }
}

/// Whether the answer of a tag leaves open that the registry has what is expected: it is one platform's, and of an index
/// some may be missing.
fn is_listed(found: &Resolved, expected: &Digest) -> bool {
    if found.index.is_some() { found.digest == *expected } else { found.images.contains(expected) }
}

/// Verifies the images of the paths.
pub fn run(args: &VerifyArgs) -> Result<ExitCode> {
    let walked = walk(&args.paths, &settings::walk(&args.walk, &args.formats))?;
    if let Some(error) = walked.errors.first() {
        return Err(anyhow!("{}", stderr::with_hint(error, tree::hint(error))));
    }
    let engines =
        Engines::new(&args.maps, &args.find, &args.formats, &args.paths, &walked.files)?.or_none_given()?;
    engines.warnings().iter().for_each(|warning| stderr::warning(&warning.to_string()));
    if let Some((_, text)) = engines.without_rules() {
        stderr::warning(&text);
    }
    let lock = args.lock.as_deref().map(|path| LockFile::open(path, true)).transpose()?;
    let threads = settings::threads(&args.walk, Some(&walked.files));
    let checks = checks(&walked.files, threads, &engines, lock.as_ref().map(|lock| &lock.index))?;
    let sources = checks.keys().filter_map(|check| match &check.expected {
        Expected::OfSource(question, _) => Some(question.clone()),
        Expected::Written(_) | Expected::Locked(_) | Expected::Any => None,
    });
    let questions: Vec<Question> = checks.keys().map(|check| check.question.clone()).chain(sources).collect();
    let pullers = args.online.then(|| online::pullers(&walked.files, threads, &engines));
    let mut answers = ask(&args.registry, pullers.as_ref(), &questions, stderr::is_watched())?;
    let is_open = |check: &&Check| match (answers.get(&check.question), &check.expected) {
        (Some(Ok(found)), Expected::Written(expected)) => is_listed(found, expected),
        (Some(Err(failure)), _) => failure.missing,
        (Some(Ok(_)) | None, _) => false,
    };
    let by_digest: Vec<Question> = checks.keys().filter(is_open).filter_map(Check::by_digest).collect();
    answers.extend(ask(&args.registry, pullers.as_ref(), &by_digest, false)?);
    let lock_name = lock.as_ref().map(LockFile::name).unwrap_or_default();
    let (mut out, mut summary) = (String::new(), VerifiedSummary::default());
    for (check, image) in &checks {
        let verified = verified(check, image, &lock_name, &answers);
        summary.add(verified.status);
        match args.format {
            ReportFormat::Json => verified.json(&mut out),
            ReportFormat::Text => {
                verified.text(&mut out);
                if let Some(message) = verified.message {
                    stderr::error(&stderr::about(image, message));
                }
            }
        }
    }
    let drifted = summary.drifted + summary.missing;
    match args.format {
        ReportFormat::Json => summary.json(&mut out),
        ReportFormat::Text => {}
    }
    io::stdout().lock().write_all(out.as_bytes())?;
    if args.format == ReportFormat::Text {
        let images = stderr::count(summary.images - summary.failed, "image");
        let failed = match summary.failed {
            0 => String::new(),
            failed => format!(", {failed} could not be checked"),
        };
        stderr::print(&format!("verified {images}: {drifted} drifted or missing{failed}\n"));
    }
    Ok(match (summary.failed, drifted) {
        (0, 0) => ExitCode::Done,
        (0, _) => ExitCode::Changes,
        _ => ExitCode::Error,
    })
}

/// What the registries say of a check.
fn verified<'a>(
    check: &'a Check,
    image: &'a str,
    lock_name: &'a str,
    answers: &'a FxHashMap<Question, LookupAnswer>,
) -> Verified<'a> {
    let answer =
        |question: &Question| answers.get(question).expect("each question that is asked has an answer");
    let found = answer(&check.question);
    let (expected, expected_by) = match &check.expected {
        Expected::Any => (Ok(None), None),
        Expected::Written(digest) => (Ok(Some(digest)), Some(Authority::Manifest)),
        Expected::Locked(digest) => (Ok(Some(digest)), Some(Authority::Lock(lock_name))),
        Expected::OfSource(question, source) => {
            let source_digest = answer(question).as_ref().map(|resolved| Some(&resolved.digest));
            (source_digest, Some(Authority::Source(source)))
        }
    };
    let mut digest = found.as_ref().ok().map(|resolved| &resolved.digest);
    let (status, message) = match (found, &expected) {
        (_, Err(failure)) => (TargetStatus::Failed, Some(&*failure.text)),
        (Err(failure), Ok(_)) if failure.missing => {
            by_digest(check, answers).unwrap_or((TargetStatus::Missing, None))
        }
        (Err(failure), _) => (TargetStatus::Failed, Some(&*failure.text)),
        // An image of one platform, as `--platform` pins it, while the tag stands for all of them.
        (Ok(found), Ok(Some(expected))) if is_listed(found, expected) => {
            by_digest(check, answers).unwrap_or((TargetStatus::Ok, None))
        }
        (Ok(found), Ok(Some(expected))) if found.digest != **expected => (TargetStatus::Drifted, None),
        (Ok(_), Ok(_)) => (TargetStatus::Ok, None),
    };
    // What was asked for by its digest has that one.
    match (status, &expected) {
        (TargetStatus::Ok, Ok(Some(expected))) => digest = Some(expected),
        (TargetStatus::Missing, _) => digest = None,
        _ => {}
    }
    Verified {
        status,
        image,
        target: &check.target,
        digest: digest.map(Digest::as_str),
        expected: expected.ok().flatten().map(Digest::as_str),
        expected_by,
        message,
    }
}

/// What the registry says of the digest that stands beside a tag, where it was asked.
fn by_digest<'a>(
    check: &Check,
    answers: &'a FxHashMap<Question, LookupAnswer>,
) -> Option<(TargetStatus, Option<&'a str>)> {
    Some(match answers.get(&check.by_digest()?)? {
        Ok(_) => (TargetStatus::Ok, None),
        Err(failure) if failure.missing => (TargetStatus::Missing, None),
        Err(failure) => (TargetStatus::Failed, Some(&*failure.text)),
    })
}

/// The distinct images of the paths to verify, each with one spelling of the image before the maps.
fn checks(
    files: &[FoundFile],
    threads: usize,
    engines: &Engines,
    index: Option<&Index>,
) -> Result<BTreeMap<Check, String>> {
    let checks = Mutex::new(BTreeMap::new());
    let unknown = Mutex::new(BTreeSet::new());
    let errors = Mutex::new(Vec::new());
    each_plan(files, threads, engines, &|file, plan| match plan {
        Ok(plan) => {
            let name = file.path.display().to_string();
            let not_verified = plan.unknown(&name).map(|text| format!("{text}: not verified"));
            let not_verified = not_verified.chain(plan.unbuilt_in(&name, "not verified"));
            unknown.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(not_verified);
            let mut checks = checks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            for (image, target) in plan.images() {
                if let Some(check) = check(image, target, index) {
                    checks.entry(check).or_insert_with(|| image.to_owned());
                }
            }
        }
        Err(error) => {
            let mut errors = errors.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            errors.push(error);
        }
    });
    for text in unknown.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        stderr::warning(&text);
    }
    let mut errors = errors.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !errors.is_empty() {
        errors.sort_unstable();
        return Err(anyhow!("{}", errors.join("\n")));
    }
    Ok(checks.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn check(image: &str, target: &str, index: Option<&Index>) -> Option<Check> {
    let (source, reference) = (ImageReference::parse(image).ok()?, ImageReference::parse(target).ok()?);
    let digest = reference.digest().map(DigestRef::to_digest);
    // With a tag, it is the tag's digest that may have moved away from the one that stands there.
    let asked = match (&digest, reference.tag()) {
        (Some(digest), Some(_)) => &target[..target.len() - digest.as_str().len() - 1],
        _ => target,
    };
    let mut question = Question::about(ImageReference::parse(asked).ok()?);
    let locked = index.and_then(|index| match (index.pair(reference), index.find(source, reference, None)) {
        // A digest that stands there belongs to one entry alone.
        (Some(Pair::Agrees(entry)), _)
        | (_, FoundEntry::Current(entry) | FoundEntry::Platforms(entry, _)) => Some(entry),
        (_, FoundEntry::Stale(_) | FoundEntry::Missing) => None,
    });
    if let Some(entry) = locked {
        question = question.for_platform_of(entry);
    }
    let expected = match (digest, locked) {
        (Some(digest), _) => Expected::Written(digest),
        (None, Some(entry)) => Expected::Locked(entry.digest.clone()),
        (None, None) if source.canonical() == reference.canonical() => Expected::Any,
        (None, None) => Expected::OfSource(Question::about(source), image.to_owned()),
    };
    Some(Check { target: target.to_owned(), question, expected })
}
