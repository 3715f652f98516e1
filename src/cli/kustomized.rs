//! What the Kustomizations of a run follow: the images of the whole tree, or where that leaves it open what an entry
//! applies to, those that its Kustomization is built from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::files::FoundFile;
use crate::manifest::{KustomizeImage, Text};
use crate::maps::Maps;
use crate::rewrite::{Engine, Graph, Input, InputFiles, Memory, Naming, Plan, Renames, is_kustomization};

use super::engines::Engines;

/// A Kustomization that waits until the images of the tree are known.
#[derive(Debug, Default)]
pub struct Waiting {
    entries: Vec<KustomizeImage>,
    inputs: Vec<Input>,
}

impl Waiting {
    /// What `plan` has to wait with, if anything.
    pub fn of(plan: &Plan, engines: &Engines) -> Option<Self> {
        let has_something = !(plan.kustomize_images.is_empty()
            && plan.kustomize_inputs.is_empty()
            && plan.kustomize_limits.is_empty());
        (has_something && engines.kustomizations_take_part())
            .then(|| Self { entries: plan.kustomize_images.clone(), inputs: plan.kustomize_inputs.clone() })
    }
}

/// What Kustomizations follow.
#[derive(Debug, Default)]
pub struct Followed {
    tree: Renames,
    /// For Kustomizations with entries that the whole tree leaves open.
    scoped: BTreeMap<PathBuf, Renames>,
    graph: Graph,
}

impl Followed {
    /// What the `waiting` Kustomizations among `files` follow, in a tree that becomes what `tree` says.
    pub fn new(
        engines: &Engines,
        files: &[FoundFile],
        waiting: Vec<(&Path, Waiting)>,
        mut tree: Renames,
    ) -> Self {
        if waiting.is_empty() {
            return Self::default();
        }
        let places: BTreeMap<String, &Path> =
            files.iter().map(|file| (absolute(&file.path), file.path.as_path())).collect();
        let mut graph = Graph::new(places.keys().cloned());
        let mut entries: BTreeMap<String, (&Path, Vec<KustomizeImage>)> = BTreeMap::new();
        for (path, waiting) in waiting {
            let file = absolute(path);
            graph.add(&file, waiting.inputs);
            entries.insert(file, (path, waiting.entries));
        }
        let with_maps = |(path, entries): &(&Path, Vec<KustomizeImage>)| {
            let maps = Arc::clone(&engines.of(path).maps);
            entries.iter().map(move |entry| (entry.clone(), Arc::clone(&maps))).collect::<Vec<_>>()
        };
        close(&mut tree, &entries.values().flat_map(with_maps).collect::<Vec<_>>());
        let mut scoped = BTreeMap::new();
        for (file, (path, own)) in &entries {
            if !tree.are_disputed(own) {
                continue;
            }
            let (mut renames, mut known) = (Renames::default(), Vec::new());
            let mut naming = Naming::default();
            for part in graph.scope(file) {
                let Some(path) = places.get(&part) else { continue };
                if let Ok(text) = std::fs::read_to_string(path) {
                    let memory = &mut Memory::default();
                    let mut own = Renames::default();
                    own.learn(&engines.of(path).plan(&text, is_kustomization(&part), memory));
                    naming.names.insert(part.clone(), own.names().map(str::to_owned).collect());
                    renames.merge(own);
                }
                known.extend(entries.get(&part).into_iter().flat_map(with_maps));
                if let Some((_, entries)) = entries.get(&part) {
                    naming.given.insert(part, entries.iter().filter_map(names_given).collect());
                }
            }
            close(&mut renames, &known);
            renames.arrive(graph.arriving(file, &naming));
            scoped.insert((*path).to_owned(), renames);
        }
        Self { tree, scoped, graph }
    }

    /// Adds to the plan of the Kustomization in `file` what its entries become, and what cannot follow.
    pub fn follow(&self, engine: &Engine, file: &Path, plan: &mut Plan) {
        match self.scoped.get(file) {
            Some(scoped) => engine.follow_within(plan, scoped, &self.tree),
            None => engine.follow(plan, &self.tree),
        }
        engine.follow_inputs(plan, &absolute(file), &self.graph, &Disk);
    }
}

/// The name that an entry is for, and the one that it gives.
fn names_given(entry: &KustomizeImage) -> Option<[String; 2]> {
    let text = |text: &Option<Text>| text.as_ref().map(|text| text.value.clone());
    Some([text(&entry.name)?, text(&entry.new_name)?])
}

/// Ends the learning of `renames` with these entries and the maps for their files.
fn close(renames: &mut Renames, entries: &[(KustomizeImage, Arc<Maps>)]) {
    let entries: Vec<(&KustomizeImage, &Maps)> =
        entries.iter().map(|(entry, maps)| (entry, &**maps)).collect();
    renames.add_entries(&entries);
}

/// The files that Kustomizations name.
struct Disk;

impl InputFiles for Disk {
    fn text(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(path).ok()
    }

    fn exists(&self, path: &str) -> bool {
        Path::new(path).exists()
    }
}

/// `path` from the root on.
fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).to_string_lossy().into_owned()
}
