//! `imageswap images`: the inventory.

mod built;

use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Result, bail};

use crate::files::{FoundFile, SourceFile, Walked, is_template, walk};
use crate::manifest::encoding;
use crate::report::inventory::{self, Listed};
use crate::report::unique::{self, DistinctImages};
use crate::report::{JsonReport, Level, Location, Message, Pages, Report, TextReport};
use crate::rewrite::{Engine, Memory, Renames, Site, unread};

use super::args::{ImagesArgs, ImagesFormat};
use super::engines::Engines;
use super::exit_code::ExitCode;
use super::file_kind::FileKind;
use super::kustomized::Waiting;
use super::{rules, settings, stderr, stdio, tree};
use built::Built;

/// What one file holds.
#[derive(Debug, Default)]
struct Inventory {
    /// A row for each image, in the format that was asked for; none where only distinct images are.
    rows: String,
    errors: Vec<FileError>,
    /// What is said of places of which it is not known which images come of them, where distinct images are wanted.
    unknown: Vec<String>,
    /// Where distinct images are wanted: what its Kustomizations wait with.
    waits: Option<Waiting>,
}

/// What one thread has to itself.
#[derive(Default)]
struct Worker {
    buffer: Vec<u8>,
    memory: Memory,
    distinct: DistinctImages,
    renames: Renames,
}

/// What is made of the images of each file.
#[derive(Clone, Copy)]
struct Wanted<'r> {
    args: &'r ImagesArgs,
    engines: &'r Engines,
    /// Whether there are rules.
    with_maps: bool,
}

impl Wanted<'_> {
    /// Whether each image is wanted once, whatever its places.
    fn distinct_alone(self) -> bool {
        self.args.unique || self.args.format == ImagesFormat::Kustomize
    }

    /// A row for each of these images.
    fn rows(self, listed: &[Listed]) -> String {
        let with_maps = self.with_maps;
        match self.args.format {
            _ if self.distinct_alone() => String::new(),
            ImagesFormat::Json => inventory::json(listed, with_maps),
            ImagesFormat::Csv => inventory::table(listed, b',', with_maps),
            ImagesFormat::Tsv => inventory::table(listed, b'\t', with_maps),
            ImagesFormat::Text | ImagesFormat::Kustomize => inventory::text(listed, with_maps),
        }
    }
}

/// What stands before the rows of all files.
fn header(format: ImagesFormat, with_maps: bool) -> String {
    match format {
        ImagesFormat::Csv => inventory::table_header(b',', with_maps),
        ImagesFormat::Tsv => inventory::table_header(b'\t', with_maps),
        ImagesFormat::Text | ImagesFormat::Json | ImagesFormat::Kustomize => String::new(),
    }
}

/// Why not all images of a file are listed.
#[derive(Debug)]
struct FileError {
    file: String,
    location: Option<Location>,
    text: String,
}

impl FileError {
    /// An error about a whole file, which `text` names.
    fn new(file: &str, text: String) -> Self {
        Self { file: file.to_owned(), location: None, text }
    }

    fn message(&self) -> Message<'_> {
        let Self { file, location, text } = self;
        Message { level: Level::Error, file: Some(file), location: *location, text }
    }
}

/// The images of files.
pub struct Listing {
    /// Rows for the images, in their order, file by file; none where only distinct images were asked for.
    pub rows: Vec<String>,
    /// The images without their places; none where nobody asks for them.
    pub distinct: DistinctImages,
    /// Whether there are rules.
    pub with_maps: bool,
    /// What is to be said about files and rules.
    pub pages: Pages,
    /// How many files and documents could not be read.
    pub failed: usize,
}

/// The images of the files that the arguments name.
pub fn list(args: &ImagesArgs) -> Result<Listing> {
    let from_stdin = args.paths.iter().any(|path| path == Path::new("-"));
    if from_stdin && args.paths.len() > 1 {
        bail!("'-' (standard input) cannot be combined with other paths");
    }
    let walked =
        (!from_stdin).then(|| walk(&args.paths, &settings::walk(&args.walk, &args.formats))).transpose()?;
    let mut engines = match &walked {
        Some(walked) => Engines::new(&args.maps, &args.find, &args.formats, &args.paths, &walked.files)?,
        None => Engines::of_stdin(&args.maps, &args.find, &args.formats)?,
    };
    let files = walked.as_ref().map(|walked| &walked.files[..]);
    let threads = settings::threads(&args.walk, files);
    engines.share_threads(threads, files.map_or(1, <[_]>::len));
    let with_maps = engines.have_rules();
    if args.format == ImagesFormat::Kustomize && !with_maps {
        return Err(rules::none_given());
    }
    if args.all {
        engines.look_everywhere();
    }
    let report = &*report(args);
    let mut pages = Pages::default();
    if !args.quiet {
        warn(report, &mut pages, walked.as_ref(), &engines);
    }
    let wanted = Wanted { args, engines: &engines, with_maps };
    let mut unknown = Vec::new();
    let (rows, distinct, file_errors) = if let Some(walked) = &walked {
        read_files(wanted, walked, threads, &mut unknown)
    } else {
        let mut worker = Worker { buffer: stdio::read()?, ..Worker::default() };
        let inventory = read_bytes("-", &engines.all()[0], &mut worker, wanted);
        let Inventory { rows, errors, unknown: of_stdin, .. } = inventory;
        unknown = of_stdin;
        (vec![rows], worker.distinct, errors)
    };
    for text in unknown.iter().filter(|_| !args.quiet) {
        report.message(&mut pages, &Message { level: Level::Warning, file: None, location: None, text });
    }
    file_errors.iter().for_each(|error| report.message(&mut pages, &error.message()));
    Ok(Listing { rows, distinct, with_maps, pages, failed: file_errors.len() })
}

/// The report of these arguments.
fn report(args: &ImagesArgs) -> Box<dyn Report> {
    match args.format {
        ImagesFormat::Json => Box::new(JsonReport),
        ImagesFormat::Text | ImagesFormat::Csv | ImagesFormat::Tsv | ImagesFormat::Kustomize => {
            Box::new(TextReport { verbose: false, quiet: args.quiet })
        }
    }
}

/// Lists the images of the files that the arguments name.
pub fn run(args: &ImagesArgs) -> Result<ExitCode> {
    let Listing { rows, distinct, with_maps, mut pages, failed } = list(args)?;
    let report = report(args);
    let mut errors = Vec::new();
    let printed = match args.format {
        ImagesFormat::Kustomize => unique::kustomize(&distinct, &mut errors),
        ImagesFormat::Text if args.unique => unique::text(&distinct, with_maps, &mut errors),
        ImagesFormat::Json if args.unique => unique::json(&distinct, with_maps, &mut errors),
        ImagesFormat::Csv if args.unique => unique::table(&distinct, b',', with_maps, &mut errors),
        ImagesFormat::Tsv if args.unique => unique::table(&distinct, b'\t', with_maps, &mut errors),
        ImagesFormat::Text | ImagesFormat::Json | ImagesFormat::Csv | ImagesFormat::Tsv => {
            if with_maps {
                let _ = unique::check_targets(&distinct, &mut errors);
            }
            header(args.format, with_maps)
        }
    };
    for text in &errors {
        report.message(&mut pages, &Message { level: Level::Error, file: None, location: None, text });
    }
    stderr::print(&pages.messages);
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    stdout.write_all(printed.as_bytes())?;
    rows.iter().try_for_each(|rows| stdout.write_all(rows.as_bytes()))?;
    stdout.write_all(pages.report.as_bytes())?;
    stdout.flush()?;
    let good = errors.is_empty() && failed == 0;
    Ok(if good { ExitCode::Done } else { ExitCode::Error })
}

/// Adds the warnings about the rules and the paths.
fn warn(report: &dyn Report, pages: &mut Pages, walked: Option<&Walked>, engines: &Engines) {
    engines.warnings().iter().for_each(|warning| warning.report(Level::Warning, report, pages));
    let mut add = |file: Option<&str>, text: &str| {
        report.message(pages, &Message { level: Level::Warning, file, location: None, text });
    };
    if let Some((file, text)) = engines.without_rules() {
        add(file.to_str(), &text);
    }
    let Some(walked) = walked else { return };
    let (empty, globs) = tree::remarks(walked);
    empty.iter().for_each(|(folder, text)| add(Some(folder), text));
    globs.iter().for_each(|text| add(None, text));
}

/// The rows of each file, the distinct images of all, and what went wrong.
fn read_files(
    wanted: Wanted<'_>,
    walked: &Walked,
    threads: usize,
    unknown: &mut Vec<String>,
) -> (Vec<String>, DistinctImages, Vec<FileError>) {
    let Wanted { args, engines, .. } = wanted;
    let Walked { files, errors, .. } = walked;
    let errors = errors.iter().map(|error| {
        let file = error.path().display().to_string();
        FileError::new(&file, stderr::with_hint(error, tree::hint(error)))
    });
    let mut errors: Vec<FileError> = errors.collect();
    let never = AtomicBool::new(false);
    let watch = tree::Watch { cancel: &never, watched: tree::is_watched(args.quiet), late: None };
    let (inventories, workers) =
        tree::each(files, threads, watch, Worker::default, |file: &FoundFile, worker| {
            let name = file.path.display().to_string();
            match SourceFile::read(file, &mut worker.buffer) {
                Ok(_) => read_bytes(&name, engines.of(&file.path), worker, wanted),
                Err(error) => {
                    let errors = vec![FileError::new(&name, error.to_string())];
                    Inventory { errors, ..Inventory::default() }
                }
            }
        });
    let (mut rows, mut waiting) = (Vec::new(), Vec::new());
    for (file, inventory) in files.iter().zip(inventories) {
        waiting.extend(inventory.waits.map(|waits| (file, waits)));
        rows.extend(Some(inventory.rows).filter(|rows| !rows.is_empty()));
        errors.extend(inventory.errors);
        unknown.extend(inventory.unknown);
    }
    let (mut distinct, mut renames) = (DistinctImages::default(), Renames::default());
    for worker in workers {
        distinct.merge(worker.distinct);
        renames.merge(worker.renames);
    }
    let built = Built::of(files, waiting, threads, engines, renames);
    distinct.merge(built.distinct);
    unknown.extend(built.unknown);
    (rows, distinct, errors)
}

/// The images of the text in the buffer of `worker`. Documents that do not parse are errors, unless nobody meant them as
/// manifests; the others are listed.
fn read_bytes(name: &str, engine: &Engine, worker: &mut Worker, wanted: Wanted<'_>) -> Inventory {
    let Wanted { args, engines, with_maps } = wanted;
    let Worker { buffer, memory, distinct, renames } = worker;
    let bytes = buffer.as_slice();
    let mut found = Inventory::default();
    let text = match encoding::decode(bytes) {
        Ok(text) => text,
        Err(error) => {
            let lossy = String::from_utf8_lossy(bytes);
            let is_text = matches!(error, encoding::EncodingError::NotUtf8 { .. });
            if !is_text || unread(&lossy, is_template(Path::new(name))).is_none() {
                found.errors.push(FileError::new(name, format!("{name}: {error}")));
            }
            return found;
        }
    };
    let kind = match FileKind::of(Path::new(name), engine) {
        Ok(kind) => kind,
        Err(error) => {
            found
                .errors
                .push(FileError::new(name, format!("{name}: cannot read the chart around it: {error}")));
            return found;
        }
    };
    if !kind.may_hold_image(engine, name, bytes) {
        return found;
    }
    let mut plan = kind.plan(engine, name, text, memory);
    let is_meant = || !kind.is_manifest() || unread(text, is_template(Path::new(name))).is_none();
    if !plan.errors.is_empty() && is_meant() {
        found.errors.extend(plan.errors.iter().map(|error| FileError {
            file: name.to_owned(),
            location: Some(Location::from(error)),
            text: error.message.clone(),
        }));
    }
    found.errors.extend(plan.problems.iter().filter(|_| with_maps).map(|problem| {
        let Site { document, position, image, .. } = &problem.site;
        FileError {
            file: name.to_owned(),
            location: Some(Location { document: Some(*document), position: *position }),
            text: format!("{image}: {}", problem.kind),
        }
    }));
    if wanted.distinct_alone() {
        found.unknown = plan.unknown(name).map(|text| format!("{text}: it is left out")).collect();
        if name == "-" {
            let mut built = Built::default();
            built.add(name, &engine.plan_alone_with(text, memory));
            distinct.merge(built.distinct);
            found.unknown.extend(built.unknown);
        } else {
            renames.learn(&plan);
            found.waits = Waiting::of(&plan, engines);
        }
    }
    let listed = inventory::of_plan(name, &mut plan, args.all);
    found.rows = wanted.rows(&listed);
    if with_maps || wanted.distinct_alone() {
        let known = listed.into_iter().filter(|image| image.site.unknown_rest().is_none());
        known.for_each(|image| distinct.add(image));
    }
    found
}
