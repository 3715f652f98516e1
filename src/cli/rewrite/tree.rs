//! `imageswap rewrite PATH…`: files and folders, planned together and written together.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::files::{
    CommitError, Committed, FoundFile, SourceFile, Transaction, Walked, WriteOptions, is_template, walk,
    write_file,
};
use crate::manifest::edit::{self, Edit};
use crate::manifest::encoding::{self, EncodingError};
use crate::report::{Level, Summary};
use crate::rewrite::{Memory, Plan, Renames, SkipRule, Unread, Uses, unread};

use super::super::args::RewriteArgs;
use super::super::engines::Engines;
use super::super::exit_code::ExitCode;
use super::super::file_kind::FileKind;
use super::super::kustomized::{Followed, Waiting};
use super::super::pin::{self, Pinning, Settler};
use super::super::signals::Signals;
use super::super::{settings, stderr, tree};
use super::file_report::{FileReport, failures, ignored, remarks, report_last, show};
use super::outcome::FileOutcome;
use super::output::{self, Places};
use super::unused::{learn, unused};
use super::{Destination, RunOptions, exit_code};

/// What is said when a signal came in time.
const INTERRUPTED: &str = "interrupted; nothing was written";

/// What all threads share.
struct Run<'r> {
    engines: &'r Engines,
    /// What the arguments leave alone.
    skips: &'r [SkipRule],
    pinning: Option<&'r Pinning>,
    destination: Destination<'r>,
    options: RunOptions<'r>,
    transaction: Transaction<'r>,
    /// With `--output`.
    places: Option<Places<'r>>,
}

/// What there is to do about a file once it is read.
enum Read {
    /// There is nothing to change in it.
    AsIs,
    /// This changes.
    Planned(Plan),
    /// It is a Kustomization, and follows the images of the tree, which are not known yet.
    Waits(Plan),
}

/// What one thread has to itself.
#[derive(Default)]
struct Worker<'r> {
    buffer: Vec<u8>,
    memory: Memory,
    settler: Option<Settler<'r>>,
    renames: Renames,
    summary: Summary,
    uses: Uses,
}

impl Worker<'_> {
    /// Counts what became of a file, and keeps what there is to say.
    fn done(&mut self, mut outcome: FileOutcome) -> FileReport {
        self.summary.add(&outcome.summary);
        FileReport::from(&mut outcome)
    }
}

/// What became of a file in the first pass.
enum Planned {
    Done(FileReport),
    /// A Kustomization, which waits until the images of the tree are known.
    Waits(Waiting),
}

/// Finds the files that the arguments name.
pub(super) fn find(args: &RewriteArgs, destination: Destination<'_>) -> Result<Walked> {
    // A signal ends the walk as it ends any program: there is nothing to clean up yet.
    let mut walked = walk(&args.paths, &settings::walk(&args.walk, &args.formats))?;
    if let Destination::Folder(output) = destination {
        Places::new(output, &args.paths)?.leave_out_earlier(&mut walked.files);
    }
    Ok(walked)
}

/// Rewrites the files that were found.
pub(super) fn run(
    args: &RewriteArgs,
    walked: &Walked,
    engines: &Engines,
    threads: usize,
    destination: Destination<'_>,
    options: RunOptions<'_>,
    mut pinning: Option<&mut Pinning>,
) -> Result<ExitCode> {
    let places = match destination {
        Destination::Folder(output) => Some(Places::new(output, &args.paths)?),
        _ => None,
    };
    let mut all = FileOutcome::default();
    all.rules(options, engines);
    remarks(&mut all, walked, options);
    if options.verbose {
        ignored(&mut all, walked, args, settings::walk(&args.walk, &args.formats), options)?;
    }
    if let Some((file, text)) = engines.without_rules() {
        let file = file.display().to_string();
        if options.strict {
            all.error(options, &file, &text);
        } else {
            all.message(options, Level::Warning, &file, &text);
        }
    }
    if let Some(pinning) = pinning.as_deref_mut().filter(|pinning| pinning.is_online()) {
        pin::collect(&walked.files, threads, engines, pinning);
        let pullers = args.online.then_some(|| pin::online::pullers(&walked.files, threads, engines));
        pinning.ask_registries(pullers, tree::is_watched(options.quiet))?;
    }
    let signals = Signals::watch()?;
    let writing = WriteOptions { sync: !args.no_sync, threads, keep_going: args.keep_going };
    let transaction = Transaction::new(writing, signals.flag());
    let run = Run {
        engines,
        skips: &args.find.skip,
        pinning: pinning.as_deref(),
        destination,
        options,
        transaction,
        places,
    };
    let result = run.rewrite(all, &walked.files, threads, &signals);
    if signals.came()
        && let Err(error) = &result
    {
        stderr::error(&format!("{error:#}"));
    }
    signals.obey();
    result
}

/// Writes one manifest to `output`, or to a file of this name in it.
pub(super) fn write_one(output: &Path, name: &str, text: &str, edits: &[Edit]) -> Result<()> {
    let path = if output::names_file(output) { output.to_owned() } else { output.join(name) };
    let content = edit::pieces(text, edits)?.concat();
    write_file(&path, content.as_bytes()).context("nothing was written")
}

impl<'r> Run<'r> {
    /// Plans every file, Kustomizations last, and returns what there is to say in the order of the files, the counts, and
    /// whether all Kustomizations can follow.
    fn plan_all(
        &self,
        files: &[FoundFile],
        threads: usize,
        signals: &Signals,
    ) -> (Vec<FileReport>, Summary, Uses, bool) {
        // One large file can take long; whoever stops the run does not wait for it.
        let late = || {
            self.transaction.abandon();
            stderr::error(INTERRUPTED);
            signals.obey();
        };
        let watched = tree::is_watched(self.options.quiet);
        let watch = tree::Watch { cancel: signals.flag(), watched, late: Some(&late) };
        let (mut planned, workers) =
            tree::each(files, threads, watch, || self.worker(), |file, worker| self.first(file, worker));
        let (mut renames, mut summary, mut uses) = (Renames::default(), Summary::default(), Uses::default());
        for worker in workers {
            renames.merge(worker.renames);
            summary.add(&worker.summary);
            uses.merge(worker.uses);
        }
        let (mut waiting, mut kept) = (Vec::new(), Vec::new());
        for (index, planned) in planned.iter_mut().enumerate() {
            if let Planned::Waits(one) = planned {
                waiting.push((files[index].clone(), index));
                kept.push((files[index].path.as_path(), std::mem::take(one)));
            }
        }
        let followed_by = Followed::new(self.engines, files, kept, renames);
        let kustomizations: Vec<FoundFile> = waiting.iter().map(|(file, _)| file.clone()).collect();
        let (followed, workers) = tree::each(
            &kustomizations,
            threads,
            tree::Watch { watched: false, ..watch },
            || self.worker(),
            |file, worker| {
                let (outcome, _) = self.file(file, worker, Some(&followed_by));
                worker.done(outcome)
            },
        );
        let mut of_kustomizations = Summary::default();
        for worker in workers {
            of_kustomizations.add(&worker.summary);
            uses.merge(worker.uses);
        }
        summary.add(&of_kustomizations);
        for ((_, index), said) in waiting.into_iter().zip(followed) {
            planned[index] = Planned::Done(said);
        }
        let done = planned.into_iter().filter_map(|planned| match planned {
            Planned::Done(said) => Some(said),
            Planned::Waits(_) => None,
        });
        (done.collect(), summary, uses, !of_kustomizations.has_errors())
    }

    fn worker(&self) -> Worker<'r> {
        Worker { settler: self.pinning.map(Pinning::settler), ..Worker::default() }
    }

    /// Plans a file, and learns what its images become.
    fn first(&self, file: &FoundFile, worker: &mut Worker<'_>) -> Planned {
        let (outcome, plan) = self.file(file, worker, None);
        if let Some(plan) = plan {
            worker.renames.learn(&plan);
            if let Some(waiting) = Waiting::of(&plan, self.engines) {
                return Planned::Waits(waiting);
            }
        }
        Planned::Done(worker.done(outcome))
    }

    /// Reads, plans and stages a file. Without what is `followed` a Kustomization is planned and not staged.
    fn file(
        &self,
        file: &FoundFile,
        worker: &mut Worker<'_>,
        followed: Option<&Followed>,
    ) -> (FileOutcome, Option<Plan>) {
        let mut outcome = FileOutcome { summary: Summary::of_file(), ..FileOutcome::default() };
        let Worker { buffer, memory, settler, uses, .. } = worker;
        let source = match SourceFile::read(file, buffer) {
            Ok(source) => source,
            Err(error) => {
                self.fail(&mut outcome, file, &error, error.hint());
                return (outcome, None);
            }
        };
        let text = match encoding::decode(buffer) {
            Ok(text) => text,
            Err(error) => {
                self.is_no_text(&mut outcome, file, buffer, &error);
                self.stage(&mut outcome, file, &source, &[&**buffer], false);
                return (outcome, None);
            }
        };
        let read = self.plan(&mut outcome, file, text, (memory, settler.as_mut()), followed);
        if let Read::Planned(plan) = &read {
            learn(uses, plan, self.skips, self.options);
        }
        match read {
            Read::Waits(plan) => (outcome, Some(plan)),
            Read::Planned(plan) if !outcome.summary.has_errors() => {
                match edit::pieces(text, &plan.edits()) {
                    Ok(pieces) => self.stage(&mut outcome, file, &source, &pieces, !plan.changes.is_empty()),
                    Err(error) => self.fail(&mut outcome, file, &error, None),
                }
                (outcome, Some(plan))
            }
            Read::Planned(plan) => {
                self.stage(&mut outcome, file, &source, &[text], false);
                (outcome, Some(plan))
            }
            Read::AsIs => {
                self.stage(&mut outcome, file, &source, &[text], false);
                (outcome, None)
            }
        }
    }

    /// Adds what there is to say of a file that is no text.
    fn is_no_text(&self, outcome: &mut FileOutcome, file: &FoundFile, bytes: &[u8], error: &EncodingError) {
        let (name, lossy) = (file.path.to_string_lossy(), String::from_utf8_lossy(bytes));
        let is_not_utf8 = matches!(error, EncodingError::NotUtf8 { .. });
        match unread(&lossy, is_template(&file.path)).filter(|_| is_not_utf8) {
            Some(why) => outcome.summary.unread(why),
            None => outcome.error(self.options, &name, &format!("{name}: {error}")),
        }
    }

    /// Plans what changes in `text`, which stands in `file`, and adds what there is to say about it.
    fn plan(
        &self,
        outcome: &mut FileOutcome,
        file: &FoundFile,
        text: &str,
        (memory, settler): (&mut Memory, Option<&mut Settler<'_>>),
        followed: Option<&Followed>,
    ) -> Read {
        let (engine, name) = (self.engines.of(&file.path), file.path.to_string_lossy());
        let kind = match FileKind::of(&file.path, engine) {
            Ok(kind) => kind,
            Err(error) => {
                outcome.error(
                    self.options,
                    &name,
                    &format!("{name}: cannot read the chart around it: {error}"),
                );
                return Read::AsIs;
            }
        };
        if !kind.may_hold_image(engine, &name, text.as_bytes()) {
            self.holds_no_image(outcome, &name);
            return Read::AsIs;
        }
        let mut plan = kind.plan(engine, &name, text, memory);
        if !plan.errors.is_empty() {
            if kind.is_manifest() {
                self.does_not_parse(outcome, file, text, &plan);
            } else {
                plan.errors.iter().for_each(|error| outcome.document_error(self.options, &name, error));
            }
            return Read::AsIs;
        }
        match followed {
            Some(followed) => followed.follow(engine, &file.path, &mut plan),
            None if Waiting::of(&plan, self.engines).is_some() => return Read::Waits(plan),
            None => {}
        }
        if plan.changes.is_empty()
            && plan.kept.is_empty()
            && plan.skips.is_empty()
            && plan.problems.is_empty()
        {
            self.holds_no_image(outcome, &name);
        }
        let settler = settler.filter(|settler| settler.is_for(self.engines.number(&file.path)));
        let remarks = settler.map(|settler| settler.settle(engine, &mut plan, self.options.check));
        let options = self.options.with(self.engines.settings_of(&file.path));
        outcome.plan(&name, &plan, &remarks.unwrap_or_default(), options);
        if let Err(error) = outcome.diff(&file.path, text, &plan, self.options) {
            self.fail(outcome, file, &error, None);
        }
        Read::Planned(plan)
    }

    fn holds_no_image(&self, outcome: &mut FileOutcome, name: &str) {
        if self.options.verbose {
            outcome.message(self.options, Level::Note, name, &format!("{name}: holds no image"));
        }
    }

    /// Adds the errors of a file that does not parse, unless nobody meant it as a manifest.
    fn does_not_parse(&self, outcome: &mut FileOutcome, file: &FoundFile, text: &str, plan: &Plan) {
        let name = file.path.to_string_lossy();
        match unread(text, is_template(&file.path)) {
            Some(why) if !(self.options.strict && why == Unread::Template) => {
                outcome.unread(self.options, &name, why, &plan.errors);
            }
            _ => {
                plan.errors.iter().for_each(|error| outcome.document_error(self.options, &name, error));
                if let Some(at) = memchr::memmem::find(text.as_bytes(), b"{{") {
                    outcome.may_be_template(self.options, &name, text, at);
                }
            }
        }
    }

    /// Stages the content of a file, where it goes anywhere. To a folder goes every file that was read, as it would lie there
    /// had it been rewritten in place.
    fn stage(
        &self,
        outcome: &mut FileOutcome,
        file: &FoundFile,
        source: &SourceFile<'_>,
        parts: &[impl AsRef<[u8]>],
        changed: bool,
    ) {
        let staged = match (self.destination, &self.places) {
            (_, Some(places)) => self.transaction.stage_at(&places.of(&file.path), Some(source), parts),
            (Destination::InPlace, None) if changed => self.transaction.stage(source, parts),
            (Destination::Stdout, None)
                if !outcome.summary.has_errors() && !outcome.summary.has_passed_over() =>
            {
                let bytes: Vec<u8> = parts.iter().flat_map(AsRef::as_ref).copied().collect();
                outcome.result = String::from_utf8(bytes).unwrap_or_default();
                if !outcome.result.is_empty() && !outcome.result.ends_with('\n') {
                    outcome.result.push('\n');
                }
                return;
            }
            _ => return,
        };
        if let Err(error) = staged {
            outcome.summary.not_written(outcome.summary.changes());
            self.fail(outcome, file, &error, error.hint());
        }
    }

    /// Plans everything, reports it, and writes it.
    fn rewrite(
        self,
        mut all: FileOutcome,
        files: &[FoundFile],
        threads: usize,
        signals: &Signals,
    ) -> Result<ExitCode> {
        let (destination, options, pinning) = (self.destination, self.options, self.pinning);
        let (planned, summary, uses, all_follow) = self.plan_all(files, threads, signals);
        if signals.came() {
            bail!(INTERRUPTED);
        }
        all.summary.add(&summary);
        unused(&mut all, self.engines, self.skips, &uses, options);
        let mut summary = std::mem::take(&mut all.summary);
        // What a Kustomization cannot follow must not happen, whatever else is written.
        let goes_on = self.transaction.keeps_going() && all_follow;
        let mut written = destination.writes() && (!summary.has_errors() || goes_on);
        let changes: Vec<usize> = planned.iter().map(|report| report.changes).collect();
        let mut reports = vec![FileReport::from(&mut all)];
        reports.extend(planned);
        if written {
            self.report_first(&mut reports, &summary)?;
        }
        let mut end = FileOutcome::default();
        if written && destination != Destination::Stdout {
            written = self.write(&mut end, &mut summary, files, &changes)?;
        }
        if let Some(pinning) = pinning.filter(|_| written) {
            pinning.save()?;
        }
        report_last(reports, end, &summary, destination, options, written)?;
        Ok(exit_code(&summary, options))
    }

    /// Reports what will be written, and takes it out of `reports`: nothing has changed yet, and who cannot be told what
    /// changes would not want it changed. Where the result goes to standard output, or the report is one document, it
    /// comes last.
    fn report_first(&self, reports: &mut Vec<FileReport>, summary: &Summary) -> Result<()> {
        if self.options.result_on_stdout || self.options.report.document(&[], true).is_some() {
            return Ok(());
        }
        match show(reports, self.destination, self.options, true, summary) {
            Err(error) if !stderr::is_closed_pipe(&error) => {
                Err(error.context("cannot write the report; nothing was written"))
            }
            _ => {
                reports.clear();
                Ok(())
            }
        }
    }

    /// Puts the staged files into place, and takes those that failed out of `summary`; `changes` are the numbers of
    /// changed images of `files`. Whether anything was written.
    fn write(
        self,
        end: &mut FileOutcome,
        summary: &mut Summary,
        files: &[FoundFile],
        changes: &[usize],
    ) -> Result<bool> {
        let (options, places) = (self.options, self.places);
        let Committed { written, failed, warnings } = self.commit()?;
        failures(end, &failed, &warnings, options);
        let is_written = |file: &FoundFile| {
            let place = places.map_or_else(|| file.path.clone(), |places| places.of(&file.path));
            written.binary_search_by(|path| path.as_os_str().cmp(place.as_os_str())).is_ok()
        };
        if !failed.is_empty() {
            let lost = files.iter().zip(changes).filter(|(file, _)| !is_written(file));
            lost.for_each(|(_, changes)| summary.not_written(*changes));
        }
        summary.add(&end.summary);
        Ok(!written.is_empty() || !summary.has_errors())
    }

    /// Carries out what was staged.
    fn commit(self) -> Result<Committed> {
        match self.transaction.commit() {
            Ok(committed) => Ok(committed),
            Err(CommitError::Cancelled) => bail!(INTERRUPTED),
            Err(error) => bail!("{}; nothing was written", stderr::with_hint(&error, error.hint())),
        }
    }

    fn fail(
        &self,
        outcome: &mut FileOutcome,
        file: &FoundFile,
        error: &dyn std::error::Error,
        hint: Option<&str>,
    ) {
        let name = file.path.display().to_string();
        outcome.error(self.options, &name, &stderr::with_hint(error, hint));
    }
}
