//! `imageswap rewrite PATH…`: files and folders, planned together and written together.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};

use crate::files::{
    CommitError, Committed, Found, Options, OutputFolder, Source, Transaction, Walked, WarningKind, walk,
};
use crate::manifest::edit::{self, Edit};
use crate::manifest::{KustomizeImage, encoding};
use crate::rewrite::{Decisions, Engine, KustomizeMode, Plan, Renames, is_kustomization, unread};

use super::super::args::{ReportFormat, RewriteArgs};
use super::super::exit_code::ExitCode;
use super::super::{settings, speech, tree};
use super::outcome::Outcome;
use super::summary::Summary;
use super::{Destination, Manner};

/// What is said when a signal came in time.
const INTERRUPTED: &str = "interrupted; nothing was written";

/// What all threads share.
struct Run<'r> {
    engine: &'r Engine,
    destination: Destination<'r>,
    manner: Manner,
    roots: &'r [PathBuf],
    transaction: Transaction<'r>,
    output: Option<OutputFolder>,
}

/// What one thread has to itself.
#[derive(Default)]
struct Worker<'r> {
    buffer: Vec<u8>,
    decisions: Decisions<'r>,
    renames: Renames<'r>,
}

/// What became of a file in the first pass.
enum Planned {
    Done(Outcome),
    /// A Kustomization, which waits until the images of the tree are known.
    Waits(Vec<KustomizeImage>),
}

/// Rewrites the files that the arguments name.
pub(super) fn run(
    args: &RewriteArgs,
    engine: &Engine,
    destination: Destination<'_>,
    manner: Manner,
    cancel: &AtomicBool,
) -> Result<ExitCode> {
    let Walked { files, skipped, errors } = walk(&args.paths, &settings::walk(&args.walk))?;
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
    all.summary.skipped(&skipped);
    for error in &errors {
        all.error(
            manner,
            &error.path().display().to_string(),
            None,
            &speech::with_hint(error, tree::hint(error)),
        );
    }
    let outcomes = run.plan_all(&files, threads, cancel);
    if cancel.load(Ordering::Relaxed) {
        bail!(INTERRUPTED);
    }
    for outcome in outcomes {
        all.report.push_str(&outcome.report);
        all.speech.push_str(&outcome.speech);
        append(&mut all.result, &outcome.result, destination);
        all.summary.add(&outcome.summary);
    }
    let good = !all.summary.has_errors() || args.keep_going;
    let written = good && destination.writes();
    if written {
        run.write(&mut all)?;
    }
    show(all, destination, manner, written)
}

/// Adds a file's result; manifests are kept apart by `---`.
fn append(all: &mut String, result: &str, destination: Destination<'_>) {
    if destination == Destination::Stdout && !all.is_empty() && !result.is_empty() {
        if result.starts_with('%') {
            all.push_str("...\n");
        } else if !result.starts_with("---") {
            all.push_str("---\n");
        }
    }
    all.push_str(result);
}

/// Prints what there is to print, and says how the run ended.
fn show(mut all: Outcome, destination: Destination<'_>, manner: Manner, written: bool) -> Result<ExitCode> {
    speech::say(&all.speech);
    if manner.format == ReportFormat::Json {
        all.summary.json(&mut all.report, written);
    }
    let mut stdout = io::stdout().lock();
    if destination.takes_stdout() {
        speech::say(&all.report);
        if destination == Destination::Diff || written {
            stdout.write_all(all.result.as_bytes())?;
        }
    } else {
        stdout.write_all(all.report.as_bytes())?;
    }
    stdout.flush()?;
    if !manner.quiet && manner.format == ReportFormat::Text {
        speech::say(&all.summary.text(destination, written));
    }
    Ok(exit_code(&all.summary, destination))
}

/// How a run with this summary ends.
pub(super) fn exit_code(summary: &Summary, destination: Destination<'_>) -> ExitCode {
    if summary.has_errors() {
        ExitCode::Error
    } else if destination == Destination::Check && summary.has_changes() {
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
    /// Plans every file, Kustomizations last, and returns what became of each in the order of the files.
    fn plan_all(&self, files: &[Found], threads: usize, cancel: &AtomicBool) -> Vec<Outcome> {
        let watched = tree::is_watched(self.manner.quiet);
        let (mut planned, workers) =
            tree::each(files, threads, cancel, watched, Worker::default, |file, worker| {
                self.first(file, worker)
            });
        let mut renames = Renames::default();
        for worker in workers {
            renames.merge(worker.renames);
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
        let (followed, _) =
            tree::each(&kustomizations, threads, cancel, false, Worker::default, |file, worker| {
                self.file(file, worker, Some(&renames))
            });
        for ((_, index), outcome) in waiting.into_iter().zip(followed) {
            planned[index] = Planned::Done(outcome.0);
        }
        let done = planned.into_iter().filter_map(|planned| match planned {
            Planned::Done(outcome) => Some(outcome),
            Planned::Waits(_) => None,
        });
        done.collect()
    }

    /// Plans a file, and learns what its images become.
    fn first(&self, file: &Found, worker: &mut Worker<'r>) -> Planned {
        let (outcome, plan) = self.file(file, worker, None);
        let Some(plan) = plan else { return Planned::Done(outcome) };
        worker.renames.learn(&plan);
        if !plan.kustomize_images.is_empty() && self.engine.kustomize != KustomizeMode::Off {
            return Planned::Waits(plan.kustomize_images);
        }
        Planned::Done(outcome)
    }

    /// Reads, plans and stages a file. Without `renames` a Kustomization is planned and not staged.
    fn file(
        &self,
        file: &Found,
        worker: &mut Worker<'r>,
        renames: Option<&Renames<'r>>,
    ) -> (Outcome, Option<Plan<'r>>) {
        let mut outcome = Outcome { summary: Summary::of_file(), ..Outcome::default() };
        let Worker { buffer, decisions, .. } = worker;
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
                match unread(&lossy).filter(|_| matches!(error, encoding::EncodingError::NotUtf8 { .. })) {
                    Some(why) => outcome.summary.unread(why),
                    None => {
                        let message = format!("{}: {error}", file.path.display());
                        outcome.error(self.manner, &file.path.display().to_string(), None, &message);
                    }
                }
                return (outcome, None);
            }
        };
        if !self.engine.scanner.may_hold_image(buffer) {
            self.stage(&mut outcome, file, &source, text, &[]);
            return (outcome, None);
        }
        let mut plan = self.engine.plan(text, is_kustomization(&file.path.to_string_lossy()), decisions);
        let name = file.path.display().to_string();
        if !plan.errors.is_empty() {
            match unread(text) {
                Some(why) => outcome.summary.unread(why),
                None => {
                    for error in &plan.errors {
                        let place = Some((error.document, error.position.line, error.position.column));
                        outcome.error(self.manner, &name, place, &error.message);
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
        if let Err(error) = outcome.diff(&file.path, text, &plan, self.destination, self.manner) {
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
            Destination::Check | Destination::Diff | Destination::DryRun => return,
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
            all.error(self.manner, &error.path().display().to_string(), None, &message);
        }
        for warning in warnings.iter().filter(|_| !self.manner.quiet) {
            let path = warning.path.display();
            let line = match &warning.kind {
                WarningKind::HardLink { others } => {
                    let names = speech::count(usize::try_from(*others).unwrap_or(usize::MAX), "other name");
                    format!("warning: {path}: had {names} (hard links), which keep the old content\n")
                }
                WarningKind::Owner(change) => {
                    format!("warning: {path}: belongs to user {} now, not to {}\n", change.to, change.from)
                }
            };
            all.speech.push_str(&line);
        }
        Ok(())
    }

    fn fail(&self, outcome: &mut Outcome, file: &Found, error: &dyn std::error::Error, hint: Option<&str>) {
        let name = file.path.display().to_string();
        outcome.error(self.manner, &name, None, &speech::with_hint(error, hint));
    }

    /// The place of a file in the output folder: relative to the given folder, or its name if it was given
    /// itself.
    fn relative(&self, path: &Path) -> PathBuf {
        let below = |root: &PathBuf| path.strip_prefix(root).ok().filter(|p| !p.as_os_str().is_empty());
        let relative = self.roots.iter().find_map(below).or(path.file_name().map(Path::new));
        relative.unwrap_or(path).to_owned()
    }
}
