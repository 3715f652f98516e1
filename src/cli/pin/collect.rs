//! The pass over a tree that finds out which digests are wanted, before anything is said or written.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use crate::files::{FoundFile, SourceFile, is_template};
use crate::manifest::encoding;
use crate::rewrite::{Engine, Memory, Plan, Renames, unread};

use super::super::engines::Engines;
use super::super::file_kind::FileKind;
use super::super::kustomized::{Followed, Waiting};
use super::super::tree;
use super::Pinning;

/// What one thread has to itself.
#[derive(Default)]
struct Worker {
    buffer: Vec<u8>,
    memory: Memory,
    renames: Renames,
}

/// Notes in `pinning` what the images of `files` want. What cannot be read is passed over: the pass that writes says it.
pub fn collect(files: &[FoundFile], threads: usize, engines: &Engines, pinning: &Pinning) {
    each_followed(files, threads, engines, Followed::new, &|file, plan| {
        if let Ok(plan) = plan
            && pinning.is_for(engines.number(&file.path))
        {
            pinning.note(plan);
        }
    });
}

/// Calls `look` with the plan of each file, those of Kustomizations with what they follow and build, or with why it has none.
pub fn each_plan(
    files: &[FoundFile],
    threads: usize,
    engines: &Engines,
    look: &(dyn Fn(&FoundFile, Result<&Plan, String>) + Sync),
) {
    each_followed(files, threads, engines, Followed::with_built, look);
}

/// Makes what Kustomizations follow of those that wait and of the images of the tree.
type Follow = fn(&Engines, &[FoundFile], Vec<(&Path, Waiting)>, Renames) -> Followed;

/// As [`each_plan`]; `follow` says what Kustomizations follow.
fn each_followed(
    files: &[FoundFile],
    threads: usize,
    engines: &Engines,
    follow: Follow,
    look: &(dyn Fn(&FoundFile, Result<&Plan, String>) + Sync),
) {
    // A signal ends this as it ends any program: there is nothing to clean up yet.
    let cancel = AtomicBool::new(false);
    let watch = tree::Watch { cancel: &cancel, watched: false, late: None };
    let first = |file: &FoundFile, worker: &mut Worker| -> Option<Waiting> {
        let plan = match plan(file, worker, engines.of(&file.path)) {
            Ok(plan) => plan?,
            Err(reason) => {
                look(file, Err(reason));
                return None;
            }
        };
        worker.renames.learn(&plan);
        look(file, Ok(&plan));
        Waiting::of(&plan, engines)
    };
    let (waiting, workers) = tree::each(files, threads, watch, Worker::default, first);
    let mut renames = Renames::default();
    workers.into_iter().for_each(|worker| renames.merge(worker.renames));
    let waiting = files.iter().zip(waiting).filter_map(|(file, waits)| Some((file, waits?))).collect();
    let followed = |waiting| follow(engines, files, waiting, renames);
    each_waiting(waiting, threads, engines, followed, &|file, plan| look(file, Ok(plan)));
}

/// Calls `look` with the plan of each Kustomization that is `waiting`; `followed` says what they follow.
pub fn each_waiting<'f>(
    waiting: Vec<(&'f FoundFile, Waiting)>,
    threads: usize,
    engines: &Engines,
    followed: impl FnOnce(Vec<(&'f Path, Waiting)>) -> Followed,
    look: &(dyn Fn(&FoundFile, &Plan) + Sync),
) {
    let cancel = AtomicBool::new(false);
    let watch = tree::Watch { cancel: &cancel, watched: false, late: None };
    let (kustomizations, waiting): (Vec<FoundFile>, Vec<_>) =
        waiting.into_iter().map(|(file, waits)| (file.clone(), (file.path.as_path(), waits))).unzip();
    let followed = followed(waiting);
    tree::each(&kustomizations, threads, watch, Worker::default, |file, worker| {
        let engine = engines.of(&file.path);
        if let Ok(Some(mut plan)) = plan(file, worker, engine) {
            followed.follow(engine, &file.path, &mut plan);
            followed.list_built(engine, &file.path, &mut plan);
            look(file, &plan);
        }
    });
}

/// The plan of a file; none where there is nothing to plan, or nobody meant the file as a manifest.
fn plan(file: &FoundFile, worker: &mut Worker, engine: &Engine) -> Result<Option<Plan>, String> {
    SourceFile::read(file, &mut worker.buffer).map_err(|error| error.to_string())?;
    let Ok(text) = encoding::decode(&worker.buffer) else { return Ok(None) };
    let name = file.path.to_string_lossy();
    let kind = FileKind::of(&file.path, engine)
        .map_err(|error| format!("{name}: cannot read the chart around it: {error}"))?;
    if !kind.may_hold_image(engine, &name, &worker.buffer) {
        return Ok(None);
    }
    let plan = kind.plan(engine, &name, text, &mut worker.memory);
    match plan.errors.first() {
        None => Ok(Some(plan)),
        Some(_) if kind.is_manifest() && unread(text, is_template(&file.path)).is_some() => Ok(None),
        Some(error) => Err(format!("{name}:{error}")),
    }
}
