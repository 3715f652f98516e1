//! The pass over a tree that finds out which digests are wanted, before anything is said or written.

use std::sync::atomic::AtomicBool;

use crate::files::{Found, Source, is_template};
use crate::manifest::{KustomizeImage, encoding};
use crate::rewrite::{Engine, KustomizeMode, Memory, Plan, Renames, is_kustomization, unread};

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
pub fn collect(files: &[Found], threads: usize, engine: &Engine, pinning: &Pinning) {
    each_plan(files, threads, engine, &|_, plan| {
        if let Ok(plan) = plan {
            pinning.note(plan);
        }
    });
}

/// Calls `look` with the plan of each file, those of Kustomizations with what they follow, or with why it has none.
pub fn each_plan(
    files: &[Found],
    threads: usize,
    engine: &Engine,
    look: &(dyn Fn(&Found, Result<&Plan, String>) + Sync),
) {
    // A signal ends this as it ends any program: there is nothing to clean up yet.
    let cancel = AtomicBool::new(false);
    let watch = tree::Watch { cancel: &cancel, watched: false, late: None };
    let first = |file: &Found, worker: &mut Worker| -> Option<Vec<KustomizeImage>> {
        let plan = match plan(file, worker, engine) {
            Ok(plan) => plan?,
            Err(reason) => {
                look(file, Err(reason));
                return None;
            }
        };
        worker.renames.learn(&plan);
        look(file, Ok(&plan));
        let waits = !plan.kustomize_images.is_empty() && engine.kustomize != KustomizeMode::Off;
        waits.then_some(plan.kustomize_images)
    };
    let (waiting, workers) = tree::each(files, threads, watch, Worker::default, first);
    let mut renames = Renames::default();
    workers.into_iter().for_each(|worker| renames.merge(worker.renames));
    let kustomizations: Vec<Found> = files
        .iter()
        .zip(&waiting)
        .filter(|(_, waits)| waits.is_some())
        .map(|(file, _)| file.clone())
        .collect();
    let entries: Vec<KustomizeImage> = waiting.into_iter().flatten().flatten().collect();
    renames.close(&entries, &engine.maps);
    tree::each(&kustomizations, threads, watch, Worker::default, |file, worker| {
        if let Ok(Some(mut plan)) = plan(file, worker, engine) {
            engine.follow(&mut plan, &renames);
            look(file, Ok(&plan));
        }
    });
}

/// The plan of a file; none where there is nothing to plan, or nobody meant the file as a manifest.
fn plan(file: &Found, worker: &mut Worker, engine: &Engine) -> Result<Option<Plan>, String> {
    Source::read(file, &mut worker.buffer).map_err(|error| error.to_string())?;
    let Ok(text) = encoding::decode(&worker.buffer) else { return Ok(None) };
    if !engine.scanner.may_hold_image(&worker.buffer) {
        return Ok(None);
    }
    let plan = engine.plan(text, is_kustomization(&file.path.to_string_lossy()), &mut worker.memory);
    match plan.errors.first() {
        None => Ok(Some(plan)),
        Some(_) if unread(text, is_template(&file.path)).is_some() => Ok(None),
        Some(error) => Err(error.to_string()),
    }
}
