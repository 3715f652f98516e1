//! `imageswap verify`: what the manifests will pull is there, and is what it should be.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Mutex;

use anyhow::{Result, anyhow};

use crate::files::{Found as FoundFile, walk};
use crate::image::{Digest, DigestRef, ImageReference};
use crate::lock::{Found, Index};
use crate::rewrite::Plan;

use super::args::VerifyArgs;
use super::engines::Engines;
use super::exit_code::ExitCode;
use super::lock_file::LockFile;
use super::pin::{Question, ask, each_plan};
use super::{registries, settings, speech, tree};

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

/// Verifies the images of the paths.
pub fn run(args: &VerifyArgs) -> Result<ExitCode> {
    let walked = walk(&args.paths, &settings::walk(&args.walk, &args.formats))?;
    if let Some(error) = walked.errors.first() {
        return Err(anyhow!("{}", speech::with_hint(error, tree::hint(error))));
    }
    let engines =
        Engines::new(&args.maps, &args.find, &args.formats, &args.paths, &walked.files)?.or_none_given()?;
    engines.warnings().iter().for_each(|warning| speech::warning(&warning.to_string()));
    if let Some((_, text)) = engines.without_rules() {
        speech::warning(&text);
    }
    let lock = args.lock.as_deref().map(|path| LockFile::open(path, true)).transpose()?;
    let checks = checks(args, &walked.files, &engines, lock.as_ref().map(|lock| &lock.index))?;
    let sources = checks.keys().filter_map(|check| match &check.expected {
        Expected::OfSource(question, _) => Some(question.clone()),
        Expected::Written(_) | Expected::Locked(_) | Expected::Any => None,
    });
    let questions: Vec<Question> = checks.keys().map(|check| check.question.clone()).chain(sources).collect();
    let answers =
        ask(&registries::options(&args.registry)?, &args.registry, &questions, speech::is_watched())?;
    let (mut out, mut drifted, mut failed) = (String::new(), 0, 0);
    let lock_name = lock.as_ref().map(LockFile::name).unwrap_or_default();
    for (check, image) in &checks {
        let answer = |question: &Question| {
            answers.get(question).ok_or_else(|| anyhow!("nobody answered for {}", check.target))
        };
        let expected = match &check.expected {
            Expected::Written(digest) => Some((digest.clone(), "the manifest".to_owned())),
            Expected::Locked(digest) => Some((digest.clone(), lock_name.clone())),
            Expected::Any => None,
            Expected::OfSource(question, source) => match answer(question)? {
                Ok(resolved) => Some((resolved.digest.clone(), source.clone())),
                Err(failure) => {
                    failed += 1;
                    speech::error(&format!("{image}: {}", failure.text));
                    continue;
                }
            },
        };
        match (answer(&check.question)?, expected) {
            (Ok(found), Some((digest, _))) if found.digest == digest => {}
            (Ok(_), None) => {}
            (Ok(found), Some((digest, whose))) => {
                drifted += 1;
                out.push_str(&format!(
                    "drift: {}: {}, expected {digest} ({whose})\n",
                    check.target, found.digest
                ));
            }
            (Err(failure), _) if failure.missing => {
                drifted += 1;
                out.push_str(&format!("missing: {} (for {image})\n", check.target));
            }
            (Err(failure), _) => {
                failed += 1;
                speech::error(&format!("{image}: {}", failure.text));
            }
        }
    }
    io::stdout().lock().write_all(out.as_bytes())?;
    speech::say(&format!(
        "verified {}: {drifted} drifted or missing\n",
        speech::count(checks.len(), "image")
    ));
    Ok(match (failed, drifted) {
        (0, 0) => ExitCode::Done,
        (0, _) => ExitCode::Changes,
        _ => ExitCode::Error,
    })
}

/// The distinct images of the paths to verify, each with one spelling of the image before the maps.
fn checks(
    args: &VerifyArgs,
    files: &[FoundFile],
    engines: &Engines,
    index: Option<&Index>,
) -> Result<BTreeMap<Check, String>> {
    let checks = Mutex::new(BTreeMap::new());
    let errors = Mutex::new(Vec::new());
    each_plan(files, settings::threads(&args.walk), engines, &|file, plan| match plan {
        Ok(plan) => {
            let mut checks = checks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            for (image, target) in images(plan) {
                if let Some(check) = check(image, target, index) {
                    checks.entry(check).or_insert_with(|| image.to_owned());
                }
            }
        }
        Err(reason) => {
            let mut errors = errors.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            errors.push(format!("{}: {reason}", file.path.display()));
        }
    });
    let mut errors = errors.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !errors.is_empty() {
        errors.sort_unstable();
        return Err(anyhow!("{}", errors.join("\n")));
    }
    Ok(checks.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// The images of a plan, each with what it becomes.
fn images(plan: &Plan) -> impl Iterator<Item = (&str, &str)> {
    let changes = plan.changes.iter().filter(|change| change.site.place.is_whole());
    let changes = changes.map(|change| (change.site.image.as_str(), &*change.to));
    let kept = plan.kept.iter().filter(|kept| kept.site.place.is_whole());
    let kept = kept.map(|kept| (kept.site.image.as_str(), kept.site.image.as_str()));
    let entries = plan.entry_images.iter().filter(|entry| entry.sets_tag);
    changes.chain(kept).chain(entries.map(|entry| (entry.site.image.as_str(), entry.to.as_str())))
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
    let locked = index.and_then(|index| match index.find(source, reference, None) {
        Found::Entry(entry) => Some(entry),
        Found::Stale(_) | Found::Missing => None,
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
