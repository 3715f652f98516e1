//! `imageswap rewrite PATH…`: files and folders, planned together and written together.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};

use crate::files::{
    CommitError, Committed, Found, Options, OutputFolder, Source, Transaction, Walked, WarningKind,
    is_template, walk,
};
use crate::manifest::edit::{self, Edit};
use crate::manifest::{KustomizeImage, encoding};
use crate::report::{Level, Message, Pages, Summary};
use crate::rewrite::{Engine, KustomizeMode, Memory, Plan, Renames, Unread, is_kustomization, unread};

use super::super::args::RewriteArgs;
use super::super::exit_code::ExitCode;
use super::super::{settings, speech, tree};
use super::outcome::Outcome;
use super::{Destination, Manner};

/// What is said when a signal came in time.
const INTERRUPTED: &str = "interrupted; nothing was written";

/// What all threads share.
struct Run<'r> {
    engine: &'r Engine,
    destination: Destination<'r>,
    manner: Manner<'r>,
    roots: &'r [PathBuf],
    transaction: Transaction<'r>,
    output: Option<OutputFolder>,
}

/// What one thread has to itself.
#[derive(Default)]
struct Worker {
    buffer: Vec<u8>,
    memory: Memory,
    renames: Renames,
    summary: Summary,
}

impl Worker {
    /// Counts what became of a file, and keeps what there is to say.
    fn done(&mut self, mut outcome: Outcome) -> Said {
        self.summary.add(&outcome.summary);
        Said::from(&mut outcome)
    }
}

/// What there is to say about a file: an [`Outcome`] without its counts and spare room, since a large tree has many.
struct Said {
    report: Box<str>,
    speech: Box<str>,
    result: Box<str>,
}

impl From<&mut Outcome> for Said {
    fn from(outcome: &mut Outcome) -> Self {
        let take = |text: &mut String| std::mem::take(text).into_boxed_str();
        Self {
            report: take(&mut outcome.pages.report),
            speech: take(&mut outcome.pages.speech),
            result: take(&mut outcome.result),
        }
    }
}

/// What became of a file in the first pass.
enum Planned {
    Done(Said),
    /// A Kustomization, which waits until the images of the tree are known.
    Waits(Vec<KustomizeImage>),
}

/// Rewrites the files that the arguments name.
pub(super) fn run(
    args: &RewriteArgs,
    engine: &Engine,
    destination: Destination<'_>,
    manner: Manner<'_>,
    cancel: &AtomicBool,
) -> Result<ExitCode> {
    let walked = walk(&args.paths, &settings::walk(&args.walk))?;
    let (empty, globs) = tree::remarks(&walked);
    let Walked { mut files, skipped, errors, .. } = walked;
    if let Destination::Folder(folder) = destination {
        // What an earlier run put there is no input.
        let folder = std::path::absolute(folder)?;
        files.retain(|file| std::path::absolute(&file.path).is_ok_and(|path| !path.starts_with(&folder)));
    }
    let threads = settings::threads(&args.walk);
    let run = Run {
        engine,
        destination,
        manner,
        roots: &args.paths,
        transaction: Transaction::new(Options { sync: !args.no_sync, threads }, cancel),
        output: match destination {
            Destination::Folder(folder) => Some(OutputFolder::new(folder)),
            _ => None,
        },
    };
    let mut all = Outcome::default();
    skipped.iter().for_each(|skipped| all.summary.passed_over(tree::passed_over(skipped.reason)));
    for error in &errors {
        all.error(manner, &error.path().display().to_string(), &speech::with_hint(error, tree::hint(error)));
    }
    for (folder, text) in &empty {
        if manner.strict {
            all.error(manner, folder, text);
        } else {
            all.message(manner, Level::Warning, folder, text);
        }
    }
    for text in &globs {
        let message = Message { level: Level::Warning, file: None, location: None, text };
        manner.report.message(&mut all.pages, &message);
    }
    let (said, summary) = run.plan_all(&files, threads, cancel);
    if cancel.load(Ordering::Relaxed) {
        bail!(INTERRUPTED);
    }
    all.summary.add(&summary);
    let good = !all.summary.has_errors() || args.keep_going;
    let written = good && destination.writes();
    let mut end = Outcome::default();
    if written {
        run.write(&mut end)?;
        all.summary.add(&end.summary);
    }
    let summary = std::mem::take(&mut all.summary);
    let mut last = Pages::default();
    manner.report.summary(&mut last, &summary, destination.ending(written));
    end.pages.report.push_str(&last.report);
    let parts = [Said::from(&mut all)].into_iter().chain(said).chain([Said::from(&mut end)]);
    show(&parts.collect::<Vec<_>>(), destination, manner, written, &summary)?;
    speech::say(&last.speech);
    Ok(exit_code(&summary, manner))
}

/// Prints what there is to print.
fn show(
    parts: &[Said],
    destination: Destination<'_>,
    manner: Manner<'_>,
    written: bool,
    summary: &Summary,
) -> Result<()> {
    for part in parts.iter().filter(|part| !part.speech.is_empty()) {
        speech::say(&part.speech);
    }
    let reports: Vec<&str> =
        parts.iter().map(|part| &*part.report).filter(|report| !report.is_empty()).collect();
    let document = manner.report.document(&reports, !summary.has_errors());
    let reports = document.as_deref().map_or(reports, |document| vec![document]);
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    if manner.result_on_stdout {
        let mut stderr = io::BufWriter::new(io::stderr().lock());
        // A closed standard error is nobody's error.
        let _ = reports.iter().try_for_each(|report| stderr.write_all(report.as_bytes()));
        if destination == Destination::Nowhere || written {
            write_results(parts, destination, &mut stdout)?;
        }
    } else {
        reports.iter().try_for_each(|report| stdout.write_all(report.as_bytes()))?;
    }
    Ok(stdout.flush()?)
}

/// Writes the files' results; manifests are kept apart by `---`.
fn write_results(parts: &[Said], destination: Destination<'_>, out: &mut impl Write) -> io::Result<()> {
    let results = parts.iter().map(|part| &*part.result).filter(|result| !result.is_empty());
    for (number, result) in results.enumerate() {
        if destination == Destination::Stdout && number > 0 {
            if result.starts_with('%') {
                out.write_all(b"...\n")?;
            } else if !result.starts_with("---") {
                out.write_all(b"---\n")?;
            }
        }
        out.write_all(result.as_bytes())?;
    }
    Ok(())
}

/// How a run with this summary ends.
pub(super) fn exit_code(summary: &Summary, manner: Manner<'_>) -> ExitCode {
    if summary.has_errors() {
        ExitCode::Error
    } else if manner.check && summary.has_changes() {
        ExitCode::Changes
    } else {
        ExitCode::Done
    }
}

/// Writes one file to `folder`.
pub(super) fn write_one(folder: &Path, relative: &Path, text: &str, edits: &[Edit]) -> Result<()> {
    let output = OutputFolder::new(folder);
    output.stage(relative, &edit::pieces(text, edits)?)?;
    Ok(output.commit()?)
}

impl<'r> Run<'r> {
    /// Plans every file, Kustomizations last, and returns what there is to say in the order of the files, and the counts.
    fn plan_all(&self, files: &[Found], threads: usize, cancel: &AtomicBool) -> (Vec<Said>, Summary) {
        let watched = tree::is_watched(self.manner.quiet);
        let (mut planned, workers) =
            tree::each(files, threads, cancel, watched, Worker::default, |file, worker| {
                self.first(file, worker)
            });
        let (mut renames, mut summary) = (Renames::default(), Summary::default());
        for worker in workers {
            renames.merge(worker.renames);
            summary.add(&worker.summary);
        }
        let waiting: Vec<(Found, usize)> = planned
            .iter()
            .enumerate()
            .filter(|(_, planned)| matches!(planned, Planned::Waits(_)))
            .map(|(index, _)| (files[index].clone(), index))
            .collect();
        let entries: Vec<KustomizeImage> = planned
            .iter_mut()
            .filter_map(|planned| match planned {
                Planned::Waits(entries) => Some(std::mem::take(entries)),
                Planned::Done(_) => None,
            })
            .flatten()
            .collect();
        renames.close(&entries, &self.engine.maps);
        let kustomizations: Vec<Found> = waiting.iter().map(|(file, _)| file.clone()).collect();
        let (followed, workers) =
            tree::each(&kustomizations, threads, cancel, false, Worker::default, |file, worker| {
                let (outcome, _) = self.file(file, worker, Some(&renames));
                worker.done(outcome)
            });
        workers.iter().for_each(|worker| summary.add(&worker.summary));
        for ((_, index), said) in waiting.into_iter().zip(followed) {
            planned[index] = Planned::Done(said);
        }
        let done = planned.into_iter().filter_map(|planned| match planned {
            Planned::Done(said) => Some(said),
            Planned::Waits(_) => None,
        });
        (done.collect(), summary)
    }

    /// Plans a file, and learns what its images become.
    fn first(&self, file: &Found, worker: &mut Worker) -> Planned {
        let (outcome, plan) = self.file(file, worker, None);
        if let Some(plan) = plan {
            worker.renames.learn(&plan);
            if !plan.kustomize_images.is_empty() && self.engine.kustomize != KustomizeMode::Off {
                return Planned::Waits(plan.kustomize_images);
            }
        }
        Planned::Done(worker.done(outcome))
    }

    /// Reads, plans and stages a file. Without `renames` a Kustomization is planned and not staged.
    fn file(&self, file: &Found, worker: &mut Worker, renames: Option<&Renames>) -> (Outcome, Option<Plan>) {
        let mut outcome = Outcome { summary: Summary::of_file(), ..Outcome::default() };
        let Worker { buffer, memory, .. } = worker;
        let source = match Source::read(file, buffer) {
            Ok(source) => source,
            Err(error) => {
                self.fail(&mut outcome, file, &error, error.hint());
                return (outcome, None);
            }
        };
        let text = match encoding::decode(buffer) {
            Ok(text) => text,
            Err(error) => {
                let lossy = String::from_utf8_lossy(buffer);
                match unread(&lossy, is_template(&file.path))
                    .filter(|_| matches!(error, encoding::EncodingError::NotUtf8 { .. }))
                {
                    Some(why) => outcome.summary.unread(why),
                    None => {
                        let message = format!("{}: {error}", file.path.display());
                        outcome.error(self.manner, &file.path.display().to_string(), &message);
                    }
                }
                return (outcome, None);
            }
        };
        if !self.engine.scanner.may_hold_image(buffer) {
            self.stage(&mut outcome, file, &source, text, &[]);
            return (outcome, None);
        }
        let name = file.path.to_string_lossy();
        let mut plan = self.engine.plan(text, is_kustomization(&name), memory);
        if !plan.errors.is_empty() {
            match unread(text, is_template(&file.path)) {
                Some(why) if !(self.manner.strict && why == Unread::Template) => {
                    outcome.unread(self.manner, &name, why, &plan.errors);
                }
                _ => {
                    plan.errors.iter().for_each(|error| outcome.document_error(self.manner, &name, error));
                    if memchr::memmem::find(text.as_bytes(), b"{{").is_some() {
                        let text = format!("{name}: holds {{{{: leave out templates with --exclude");
                        outcome.message(self.manner, Level::Note, &name, &text);
                    }
                }
            }
            return (outcome, None);
        }
        match renames {
            Some(renames) => self.engine.follow(&mut plan, renames),
            None if !plan.kustomize_images.is_empty() && self.engine.kustomize != KustomizeMode::Off => {
                return (outcome, Some(plan));
            }
            None => {}
        }
        outcome.plan(&name, &plan, self.manner);
        if let Err(error) = outcome.diff(&file.path, text, &plan, self.manner) {
            self.fail(&mut outcome, file, &error, None);
        }
        if !outcome.summary.has_errors() {
            self.stage(&mut outcome, file, &source, text, &plan.edits());
        }
        (outcome, Some(plan))
    }

    /// Stages the new text of a file, where it goes anywhere.
    fn stage(&self, outcome: &mut Outcome, file: &Found, source: &Source<'_>, text: &str, edits: &[Edit]) {
        let pieces = match self.destination {
            Destination::InPlace if edits.is_empty() => return,
            Destination::Nowhere => return,
            Destination::InPlace | Destination::Folder(_) | Destination::Stdout => edit::pieces(text, edits),
        };
        let pieces = match pieces {
            Ok(pieces) => pieces,
            Err(error) => return self.fail(outcome, file, &error, None),
        };
        match &self.output {
            Some(output) => {
                if let Err(error) = output.stage(&self.relative(&file.path), &pieces) {
                    self.fail(outcome, file, &error, None);
                }
            }
            None if self.destination == Destination::Stdout => {
                outcome.result = pieces.concat();
                if !outcome.result.is_empty() && !outcome.result.ends_with('\n') {
                    outcome.result.push('\n');
                }
            }
            None => {
                if let Err(error) = self.transaction.stage(source, &pieces) {
                    self.fail(outcome, file, &error, error.hint());
                }
            }
        }
    }

    /// Carries out what was staged.
    fn write(self, all: &mut Outcome) -> Result<()> {
        if let Some(output) = self.output {
            return output.commit().context("cannot write the output folder");
        }
        let Committed { failed, warnings, .. } = match self.transaction.commit() {
            Ok(committed) => committed,
            Err(CommitError::Cancelled) => bail!(INTERRUPTED),
            Err(error) => bail!("{}; nothing was written", speech::with_hint(&error, error.hint())),
        };
        for error in &failed {
            let message = speech::with_hint(error, error.hint());
            all.error(self.manner, &error.path().display().to_string(), &message);
        }
        for warning in &warnings {
            let path = warning.path.display().to_string();
            let text = match &warning.kind {
                WarningKind::HardLink { others } => {
                    let names = speech::count(usize::try_from(*others).unwrap_or(usize::MAX), "other name");
                    format!("{path}: had {names} (hard links), which keep the old content")
                }
                WarningKind::Owner(change) => {
                    format!("{path}: belongs to user {} now, not to {}", change.to, change.from)
                }
            };
            all.message(self.manner, Level::Warning, &path, &text);
        }
        Ok(())
    }

    fn fail(&self, outcome: &mut Outcome, file: &Found, error: &dyn std::error::Error, hint: Option<&str>) {
        let name = file.path.display().to_string();
        outcome.error(self.manner, &name, &speech::with_hint(error, hint));
    }

    /// The place of a file in the output folder: relative to the given folder, or its name if it was given
    /// itself.
    fn relative(&self, path: &Path) -> PathBuf {
        let below = |root: &PathBuf| path.strip_prefix(root).ok().filter(|p| !p.as_os_str().is_empty());
        let relative = self.roots.iter().find_map(below).or(path.file_name().map(Path::new));
        relative.unwrap_or(path).to_owned()
    }
}
