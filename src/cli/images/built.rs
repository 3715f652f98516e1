//! The distinct images that are built with the entries of Kustomizations.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::files::FoundFile;
use crate::report::unique::DistinctImages;
use crate::rewrite::{Plan, Renames, Skip};

use super::super::engines::Engines;
use super::super::kustomized::{Followed, Waiting};
use super::super::pin::each_waiting;

/// The images that are built with entries.
#[derive(Debug, Default)]
pub(super) struct Built {
    pub(super) distinct: DistinctImages,
    /// What is said of entries of which this is not known.
    pub(super) unknown: BTreeSet<String>,
}

impl Built {
    /// Those of `waiting`, of `files`, in a tree whose images become what `renames` says.
    pub(super) fn of(
        files: &[FoundFile],
        waiting: Vec<(&FoundFile, Waiting)>,
        threads: usize,
        engines: &Engines,
        renames: Renames,
    ) -> Self {
        let built = Mutex::new(Self::default());
        let followed = |waiting| Followed::with_built(engines, files, waiting, renames);
        each_waiting(waiting, threads, engines, followed, &|file, plan| {
            let name = file.path.display().to_string();
            built.lock().unwrap_or_else(PoisonError::into_inner).add(&name, plan);
        });
        built.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds those of `plan`, of the file `name`.
    pub(super) fn add(&mut self, name: &str, plan: &Plan) {
        plan.built.iter().for_each(|built| self.distinct.add_built(built));
        let lines = plan.unbuilt_in(name, "not copied").zip(&plan.unbuilt);
        self.unknown.extend(lines.map(|(line, entry)| format!("{line}; {}", advice(name, entry))));
    }
}

/// How the images of `entry`, in the file `name`, are copied all the same.
fn advice(name: &str, entry: &Skip) -> String {
    let resource = entry.site.resource.as_deref();
    if resource.is_some_and(|resource| !resource.is_kustomization()) {
        return "name them in a list for `imageswap mirror --images LIST`".to_owned();
    }
    let folder = Path::new(name).parent().filter(|folder| !folder.as_os_str().is_empty() && name != "-");
    let folder = folder.unwrap_or(Path::new(".")).display();
    format!("use `kustomize build {folder} | imageswap mirror --maps FILE -`")
}
