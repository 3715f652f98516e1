//! Which files a Kustomization is built from, as far as they are among those that are rewritten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use rustc_hash::FxHashSet;

use crate::manifest::KustomizeImage;

use super::super::input::{Input, InputKind};
use super::entry::suffix;

/// The files of a run, and what its Kustomizations are built from. Paths are absolute, with slashes.
#[derive(Debug, Default)]
pub struct Graph {
    files: FxHashSet<String>,
    inputs: BTreeMap<String, Vec<Input>>,
    /// The Kustomizations that include each component. Found out when all inputs are known.
    includers: OnceLock<BTreeMap<String, BTreeSet<String>>>,
}

/// What a path in a Kustomization leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// A file of the run.
    File(String),
    /// A folder with a Kustomization of the run: its file.
    Kustomization(String),
    /// Something that is fetched.
    Remote,
    /// What is not among the files of the run.
    Missing(String),
}

/// The files that Kustomizations name, among those of the run or not.
pub trait InputFiles {
    /// The text of the file at `path`; `None` when it cannot be read.
    fn text(&self, path: &str) -> Option<String>;
    /// Whether there is a file or folder at `path`.
    fn exists(&self, path: &str) -> bool;
}

/// The names of a folder's Kustomization.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

impl Graph {
    /// The graph of a run over `files`.
    #[must_use]
    pub fn new(files: impl IntoIterator<Item = String>) -> Self {
        Self { files: files.into_iter().map(|file| joined("", &file)).collect(), ..Self::default() }
    }

    /// Adds what the Kustomization in `file` is built from.
    pub fn add(&mut self, file: &str, inputs: Vec<Input>) {
        self.inputs.insert(joined("", file), inputs);
        self.includers.take();
    }

    /// The Kustomizations that include the component in `file`.
    fn includers(&self, file: &str) -> impl Iterator<Item = &String> {
        let find = || {
            let mut includers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for (from, inputs) in &self.inputs {
                for input in inputs.iter().filter(|input| input.kind == InputKind::Component) {
                    if let Given::Kustomization(component) = self.find(from, &input.site.image) {
                        includers.entry(component).or_default().insert(from.clone());
                    }
                }
            }
            includers
        };
        self.includers.get_or_init(find).get(file).into_iter().flatten()
    }

    /// What `path` leads to in the Kustomization `file`.
    #[must_use]
    pub fn find(&self, file: &str, path: &str) -> Given {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let place = joined(folder, path);
        if self.files.contains(&place) {
            return Given::File(place);
        }
        let within = NAMES.iter().map(|name| format!("{place}/{name}"));
        if let Some(file) = within.into_iter().find(|file| self.files.contains(file)) {
            return Given::Kustomization(file);
        }
        if is_remote(path) { Given::Remote } else { Given::Missing(place) }
    }

    /// The files that the Kustomization `file` applies to: all that it is built from, and of a component also all that
    /// those are built from which include it.
    #[must_use]
    pub fn scope(&self, file: &str) -> BTreeSet<String> {
        let mut scope = BTreeSet::new();
        let mut open = vec![joined("", file)];
        let mut roots = open.clone();
        let mut known: BTreeSet<String> = open.iter().cloned().collect();
        while let Some(root) = roots.pop() {
            for from in self.includers(&root) {
                if known.insert(from.clone()) {
                    roots.push(from.clone());
                    open.push(from.clone());
                }
            }
        }
        while let Some(file) = open.pop() {
            for input in self.inputs.get(&file).into_iter().flatten() {
                match self.find(&file, &input.site.image) {
                    Given::File(found) | Given::Kustomization(found) if !scope.contains(&found) => {
                        open.push(found);
                    }
                    Given::File(_) | Given::Kustomization(_) | Given::Remote | Given::Missing(_) => {}
                }
            }
            scope.insert(file);
        }
        scope
    }
}

/// Images by their names: for each, the tags and digests that stand behind it (`:1.27`).
pub type ImagesByName = BTreeMap<String, BTreeSet<String>>;

/// What an entry makes of the images that it is for.
#[derive(Debug, Clone)]
pub struct Renaming {
    name: String,
    new_name: String,
    /// The tag and digest that it sets, if any.
    suffix: String,
}

impl Renaming {
    /// That of `entry`.
    #[must_use]
    pub fn of(entry: &KustomizeImage) -> Option<Self> {
        let name = entry.name.as_ref()?;
        let new_name = entry.new_name.as_ref().unwrap_or(name).value.clone();
        Some(Self { name: name.value.clone(), new_name, suffix: suffix(entry) })
    }

    /// Applies it to `images`, and returns the tags and digests that its images have then; `None` where it is for none.
    pub(super) fn apply(&self, images: &mut ImagesByName) -> Option<BTreeSet<String>> {
        let mut suffixes = images.remove(&self.name)?;
        if !self.suffix.is_empty() {
            suffixes = BTreeSet::from([self.suffix.clone()]);
        }
        images.entry(self.new_name.clone()).or_default().extend(suffixes.iter().cloned());
        Some(suffixes)
    }
}

/// The images of the files of a scope, and what these do to them.
#[derive(Debug, Default)]
pub struct Naming {
    /// The images in each file.
    pub images: BTreeMap<String, ImagesByName>,
    /// For each Kustomization, what its entries do, in their order.
    pub given: BTreeMap<String, Vec<Renaming>>,
}

impl Naming {
    /// `images` once the entries of `file` are applied.
    fn applied(&self, file: &str, mut images: ImagesByName) -> ImagesByName {
        for renaming in self.given.get(file).into_iter().flatten() {
            renaming.apply(&mut images);
        }
        images
    }
}

/// Images on their way through a build.
struct Building<'n> {
    naming: &'n Naming,
    /// Images are kept as they were before components, too.
    keeps_earlier: bool,
    known: BTreeMap<String, ImagesByName>,
    open: BTreeSet<String>,
}

impl<'n> Building<'n> {
    fn new(naming: &'n Naming, keeps_earlier: bool) -> Self {
        Self { naming, keeps_earlier, known: BTreeMap::new(), open: BTreeSet::new() }
    }
}

fn merge(images: &mut ImagesByName, others: ImagesByName) {
    for (name, suffixes) in others {
        images.entry(name).or_default().extend(suffixes);
    }
}

impl Graph {
    /// The names that images have where the entries of the Kustomization `file` are applied: those of what it is built from,
    /// and of a component also those of its includers, before and after the entries of their other components.
    #[must_use]
    pub fn arriving(&self, file: &str, naming: &Naming) -> BTreeSet<String> {
        self.images_at(file, Building::new(naming, true)).into_keys().collect()
    }

    /// The images that the entries of the Kustomization `file` are applied to. Those of a component, as with
    /// [`Graph::arriving`].
    #[must_use]
    pub fn arriving_images(&self, file: &str, naming: &Naming) -> ImagesByName {
        let is_included = self.includers(&joined("", file)).next().is_some();
        self.images_at(file, Building::new(naming, is_included))
    }

    /// Whether all that the Kustomization `file` is built from is among the files of the run.
    #[must_use]
    pub fn is_whole(&self, file: &str) -> bool {
        let is_found = |part: &str, input: &Input| {
            let found = self.find(part, &input.site.image);
            matches!(found, Given::File(_) | Given::Kustomization(_))
        };
        self.scope(file).iter().all(|part| {
            let inputs = self.inputs.get(part).into_iter().flatten();
            let mut sources = inputs.filter(|input| {
                matches!(input.kind, InputKind::Resource | InputKind::Component | InputKind::Transformer)
            });
            sources.all(|input| is_found(part, input))
        })
    }

    fn images_at(&self, file: &str, mut building: Building<'_>) -> ImagesByName {
        let file = joined("", file);
        let mut images = self.built(&file, &mut building);
        for includer in self.includers(&file) {
            merge(&mut images, self.built(includer, &mut building));
        }
        images
    }

    /// The images in what `file` is built from, with those that its components leave.
    fn built(&self, file: &str, building: &mut Building<'_>) -> ImagesByName {
        if let Some(images) = building.known.get(file) {
            return images.clone();
        }
        let naming = building.naming;
        let mut images = naming.images.get(file).cloned().unwrap_or_default();
        if !building.open.insert(file.to_owned()) {
            return images;
        }
        let inputs = self.inputs.get(file).map_or(&[][..], Vec::as_slice);
        let (components, others): (Vec<&Input>, Vec<&Input>) =
            inputs.iter().partition(|input| input.kind == InputKind::Component);
        for input in others {
            match self.find(file, &input.site.image) {
                Given::File(file) => {
                    merge(&mut images, naming.images.get(&file).cloned().unwrap_or_default());
                }
                Given::Kustomization(file) => {
                    let built = self.built(&file, building);
                    merge(&mut images, naming.applied(&file, built));
                }
                Given::Remote | Given::Missing(_) => {}
            }
        }
        for input in components {
            if let Given::Kustomization(file) = self.find(file, &input.site.image) {
                merge(&mut images, self.built(&file, building));
                let earlier = if building.keeps_earlier { images.clone() } else { ImagesByName::new() };
                images = naming.applied(&file, images);
                merge(&mut images, earlier);
            }
        }
        building.open.remove(file);
        building.known.insert(file.to_owned(), images.clone());
        images
    }
}

/// Whether kustomize fetches `path`, which is none of the run.
fn is_remote(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    path.contains("://")
        || path.contains("?ref=")
        || path.starts_with("git@")
        || (first.contains('.') && !first.starts_with('.') && path.contains('/'))
}

/// `path` from `folder` on, without `.` and `..` as far as they can be resolved.
fn joined(folder: &str, path: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
    let mut steps: Vec<&str> = Vec::new();
    for step in whole.split('/') {
        match step {
            "" | "." => {}
            ".." if steps.last().is_some_and(|last| *last != "..") => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    format!("/{}", steps.join("/"))
}

#[cfg(test)]
mod tests {
    use super::super::input::{Context, look};
    use crate::manifest::Scanner;
    use crate::maps::Maps;

    use super::*;

    fn graph(files: &[(&str, &str)]) -> Graph {
        let (scanner, maps) = (Scanner::default(), Maps::default());
        let context = Context { scanner: &scanner, maps: &maps, pins: false };
        let mut graph = Graph::new(files.iter().map(|(file, _)| (*file).to_owned()));
        for (file, text) in files.iter().filter(|(file, _)| file.ends_with("kustomization.yaml")) {
            graph.add(file, look(context, text, true).inputs);
        }
        graph
    }

    #[test]
    fn finds_what_paths_lead_to() {
        let graph = graph(&[("/t/base/kustomization.yaml", ""), ("/t/o/web.yaml", "")]);
        let find = |path| graph.find("/t/o/kustomization.yaml", path);
        assert_eq!(find("../base/"), Given::Kustomization("/t/base/kustomization.yaml".to_owned()));
        assert_eq!(find("./web.yaml"), Given::File("/t/o/web.yaml".to_owned()));
        assert_eq!(find("../other"), Given::Missing("/t/other".to_owned()));
        for remote in ["https://x.io/a.yaml", "github.com/a/b//c?ref=v1", "git@x.io:a/b"] {
            assert_eq!(find(remote), Given::Remote, "{remote}");
        }
    }

    #[test]
    fn a_component_applies_to_what_its_includers_are_built_from() {
        let graph = graph(&[
            ("/c/kustomization.yaml", "kind: Component\nimages: []\n"),
            ("/o/kustomization.yaml", "resources: [../b]\ncomponents: [../c]\n"),
            ("/b/kustomization.yaml", "resources: [web.yaml]\n"),
            ("/b/web.yaml", ""),
            ("/x/kustomization.yaml", "resources: [web.yaml]\n"),
            ("/x/web.yaml", ""),
        ]);
        let scope = |file| graph.scope(file).into_iter().collect::<Vec<_>>().join(" ");
        let (b, c, o) = ("/b/kustomization.yaml", "/c/kustomization.yaml", "/o/kustomization.yaml");
        assert_eq!(scope(c), format!("{b} /b/web.yaml {c} {o}"));
        assert_eq!(scope(b), format!("{b} /b/web.yaml"));
        assert_eq!(scope("/x/kustomization.yaml"), "/x/kustomization.yaml /x/web.yaml");
    }
}
