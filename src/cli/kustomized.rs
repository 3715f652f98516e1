//! What the Kustomizations of a run follow: the images of the whole tree, or where that leaves it open what an entry
//! applies to, those that its Kustomization is built from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::files::FoundFile;
use crate::manifest::KustomizeImage;
use crate::maps::Maps;
use crate::rewrite::{
    Arriving, Engine, Graph, Input, InputFiles, Memory, Naming, Plan, Renames, Renaming, is_kustomization,
};

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
    /// For Kustomizations with entries, what these apply to: only where the images that are built are listed.
    arriving: BTreeMap<PathBuf, Arriving>,
    graph: Graph,
}

/// The Kustomizations of a run by their absolute paths, each with its entries.
type Entries<'p> = BTreeMap<String, (&'p Path, Vec<KustomizeImage>)>;

impl Followed {
    /// What the `waiting` Kustomizations among `files` follow, in a tree that becomes what `tree` says.
    pub fn new(
        engines: &Engines,
        files: &[FoundFile],
        waiting: Vec<(&Path, Waiting)>,
        tree: Renames,
    ) -> Self {
        Self::make(engines, files, waiting, tree, false)
    }

    /// As [`Followed::new`], for [`Followed::list_built`], too.
    pub fn with_built(
        engines: &Engines,
        files: &[FoundFile],
        waiting: Vec<(&Path, Waiting)>,
        tree: Renames,
    ) -> Self {
        Self::make(engines, files, waiting, tree, true)
    }

    fn make(
        engines: &Engines,
        files: &[FoundFile],
        waiting: Vec<(&Path, Waiting)>,
        mut tree: Renames,
        lists_built: bool,
    ) -> Self {
        if waiting.is_empty() {
            return Self::default();
        }
        let places: BTreeMap<String, &Path> =
            files.iter().map(|file| (absolute(&file.path), file.path.as_path())).collect();
        let mut graph = Graph::new(places.keys().cloned());
        let mut entries: Entries<'_> = BTreeMap::new();
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
                if let Some(own) = learned(engines, path, &part) {
                    naming.images.insert(part.clone(), own.images());
                    renames.merge(own);
                }
                known.extend(entries.get(&part).into_iter().flat_map(with_maps));
                if let Some((_, entries)) = entries.get(&part) {
                    naming.given.insert(part, entries.iter().filter_map(Renaming::of).collect());
                }
            }
            close(&mut renames, &known);
            renames.arrive(graph.arriving(file, &naming));
            scoped.insert((*path).to_owned(), renames);
        }
        let arriving =
            if lists_built { arriving(engines, &places, &entries, &graph) } else { BTreeMap::new() };
        Self { tree, scoped, arriving, graph }
    }

    /// Adds to the plan of the Kustomization in `file`, which follows the others, the images that are built with its entries.
    pub fn list_built(&self, engine: &Engine, file: &Path, plan: &mut Plan) {
        let unknown = Arriving::default();
        engine.list_built(plan, self.arriving.get(file).unwrap_or(&unknown), &self.tree);
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

/// The images of the file at `path`, whose absolute path is `part`.
fn learned(engines: &Engines, path: &Path, part: &str) -> Option<Renames> {
    let text = std::fs::read_to_string(path).ok()?;
    let mut own = Renames::default();
    own.learn(&engines.of(path).plan(&text, is_kustomization(part), &mut Memory::default()));
    Some(own)
}

/// What the entries of each Kustomization apply to.
fn arriving(
    engines: &Engines,
    places: &BTreeMap<String, &Path>,
    entries: &Entries<'_>,
    graph: &Graph,
) -> BTreeMap<PathBuf, Arriving> {
    let mut naming = Naming::default();
    for (file, (_, entries)) in entries {
        naming.given.insert(file.clone(), entries.iter().filter_map(Renaming::of).collect());
    }
    let mut arriving = BTreeMap::new();
    for (file, (path, _)) in entries.iter().filter(|(_, (_, entries))| !entries.is_empty()) {
        for part in graph.scope(file) {
            if let Some(path) = places.get(&part)
                && !naming.images.contains_key(&part)
            {
                let images = learned(engines, path, &part).map(|own| own.images()).unwrap_or_default();
                naming.images.insert(part, images);
            }
        }
        let images = graph.arriving_images(file, &naming);
        arriving.insert((*path).to_owned(), Arriving { images, is_whole: graph.is_whole(file) });
    }
    arriving
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
