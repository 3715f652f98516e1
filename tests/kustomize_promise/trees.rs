//! The trees of `trees/`, a file for each family. For each tree and each of several maps: what is built of the rewritten
//! tree is what is made of what is built of the tree, or it is said where it is not, with file and line.
//!
//! A file starts with what the family has in common: a sentence, lines `maps: RULE | RULE` (a set of maps each), and
//! files that all its trees have. Each `=== NAME` starts a tree, with lines of what is special about it:
//!
//! | line | |
//! |---|---|
//! | `build: FOLDER` | what is built, `o` if nothing is said |
//! | `paths: PATH` | what of the tree is rewritten, all of it if nothing is said |
//! | `flags: FLAG VALUE` | flags of every rewrite |
//! | `says: FILE:LINE TEXT` | what is said where the promise does not hold |
//! | `applies: FILE` | the images of this object of Flux or Argo CD are set before the build |
//! | `renders: FILE` | what a chart renders, which is not rewritten and is built with the images of `applies` |
//! | `succeeds: always` | it is no error, though something is said |
//! | `uses: FILE` | a Kustomization that is renamed before the build |
//!
//! `-- FILE --` starts a file.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::folders::copy;
use super::kustomize::Kustomize;
use super::{difference, write};

/// What the families use that say nothing else.
const MAPS: &[&[&str]] = &[
    &["docker.io::m.example/hub/{path}", "default::m.example/{registry}/{path}"],
    &["docker.io::m.example:5000/hub", "quay.io::localhost:5000/quay"],
    &["default::m.example/all-"],
    &["other.example::m.example"],
];

/// Files by their paths.
type Files = BTreeMap<String, String>;

#[derive(Debug, Default)]
pub struct Tree {
    pub name: String,
    build: Option<String>,
    pub paths: Option<String>,
    pub flags: Vec<String>,
    says: Vec<(String, String)>,
    pub applies: Option<String>,
    renders: Option<String>,
    uses: Option<String>,
    succeeds: bool,
    files: Files,
}

#[derive(Debug)]
pub struct Family {
    pub maps: Vec<Vec<String>>,
    pub trees: Vec<Tree>,
}

impl Family {
    /// Those of `trees/`.
    pub fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kustomize_promise/trees");
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<PathBuf> = files.collect();
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let family = path.file_stem().unwrap().to_str().unwrap();
        let (mut maps, mut shared, mut trees): (Vec<Vec<String>>, Files, Vec<Tree>) =
            (Vec::new(), Files::new(), Vec::new());
        let mut file: Option<String> = None;
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("=== ") {
                let name = format!("{family}: {name}");
                trees.push(Tree { name, files: shared.clone(), ..Tree::default() });
                file = None;
                continue;
            }
            let files = trees.last_mut().map_or(&mut shared, |tree| &mut tree.files);
            if let Some(name) = line.strip_prefix("-- ").and_then(|line| line.strip_suffix(" --")) {
                files.insert(name.to_owned(), String::new());
                file = Some(name.to_owned());
            } else if let Some(file) = &file {
                let text = files.get_mut(file).unwrap();
                text.push_str(line);
                text.push('\n');
            } else if let Some((key, value)) = line.split_once(": ") {
                let value = value.to_owned();
                match (key, trees.last_mut()) {
                    ("maps", None) => maps.push(value.split(" | ").map(str::to_owned).collect()),
                    ("build", Some(tree)) => tree.build = Some(value),
                    ("paths", Some(tree)) => tree.paths = Some(value),
                    ("applies", Some(tree)) => tree.applies = Some(value),
                    ("renders", Some(tree)) => tree.renders = Some(value),
                    ("uses", Some(tree)) => tree.uses = Some(value),
                    ("succeeds", Some(tree)) => tree.succeeds = value == "always",
                    ("flags", Some(tree)) => {
                        let (flag, value) = value.split_once(' ').unwrap();
                        tree.flags.extend([flag.to_owned(), value.to_owned()]);
                    }
                    ("says", Some(tree)) => {
                        let (place, text) = value.split_once(' ').unwrap();
                        tree.says.push((format!("{place}:"), text.to_owned()));
                    }
                    (_, Some(tree)) => panic!("{}: no line '{key}' is known", tree.name),
                    (_, None) => {}
                }
            }
        }
        // The empty line before the next file or tree is no part of a file.
        for tree in &mut trees {
            for text in tree.files.values_mut() {
                while text.ends_with("\n\n") {
                    text.pop();
                }
            }
        }
        if maps.is_empty() {
            maps = MAPS.iter().map(|maps| maps.iter().map(|rule| (*rule).to_owned()).collect()).collect();
        }
        Self { maps, trees }
    }
}

/// What came of one rewrite.
pub struct Run {
    pub stdout: String,
    pub said: String,
    pub success: bool,
}

/// Rewrites `path` in `folder`; with `-`, `input`.
pub fn rewrite(maps: &[String], flags: &[String], folder: &Path, path: &str, input: &str) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imageswap"));
    command.arg("rewrite").args(maps.iter().flat_map(|rule| ["--map", rule])).args(flags).arg(path);
    command.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    let said = stderr + if path == "-" { "" } else { &stdout };
    Run { said: said.replace("./", ""), stdout, success: output.status.success() }
}

impl Tree {
    /// Puts the tree into `folder`, and applies nothing yet.
    pub fn write(&self, folder: &Path) {
        self.files.iter().for_each(|(path, text)| write(&folder.join(path), text));
    }

    /// What `folder`, with the tree in it, builds to.
    pub fn build(&self, kustomize: &Kustomize, folder: &Path) -> Result<String, String> {
        let place = folder.join(self.build.as_deref().unwrap_or("o"));
        if let Some(used) = &self.uses {
            fs::rename(folder.join(used), place.join("kustomization.yaml")).unwrap();
        }
        let copied = tempfile::tempdir().unwrap();
        let place = match &self.applies {
            None => place,
            Some(object) => {
                copy(folder, copied.path());
                let place = match &self.renders {
                    Some(rendered) => {
                        let place = copied.path().join("rendered");
                        write(&place.join("all.yaml"), &self.files[rendered]);
                        write(&place.join("kustomization.yaml"), "resources: [all.yaml]\n");
                        place
                    }
                    None => copied.path().join(self.build.as_deref().unwrap_or("o")),
                };
                let object = fs::read_to_string(folder.join(object)).unwrap();
                set_images(kustomize, &place, &object);
                place
            }
        };
        kustomize.build(&place)
    }

    /// What is wrong with the tree under `maps`, and how many of its says were said.
    fn check(&self, kustomize: &Kustomize, maps: &[String], built: &str) -> (Vec<usize>, Option<String>) {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        self.write(folder);
        let rendered = self.renders.as_ref().map(|rendered| fs::remove_file(folder.join(rendered)));
        assert!(rendered.is_none_or(|removed| removed.is_ok()), "{}", self.name);
        let path = self.paths.as_deref().unwrap_or(".");
        let first = rewrite(maps, &self.flags, folder, path, "");
        let said: Vec<usize> = (0..self.says.len())
            .filter(|number| {
                let (place, text) = &self.says[*number];
                first.said.lines().any(|line| line.contains(place.as_str()) && line.contains(text.as_str()))
            })
            .collect();
        let wrong = |what: &str| Some(format!("{}, {maps:?}: {what}\n{}", self.name, first.said));
        if !first.success {
            let is_expected = !(said.is_empty() || self.succeeds) && first.said.contains("error: ");
            return (said, if is_expected { None } else { wrong("fails") });
        }
        let second = rewrite(maps, &self.flags, folder, path, "");
        if second.success && second.said.contains("rewrote") {
            return (said, wrong(&format!("a second run changes more:\n{}", second.said)));
        }
        let expected = rewrite(maps, &self.flags, folder, "-", built).stdout;
        let actual = match self.build(kustomize, folder) {
            Ok(actual) => actual,
            Err(why) => return (said, wrong(&format!("builds no more: {why}"))),
        };
        if actual != expected && said.is_empty() {
            let difference = difference(&expected, &actual);
            return (said, wrong(&format!("differs, and nothing is said:\n{difference}")));
        }
        let is_quiet = !first.said.contains("left alone: in kustomize");
        if self.says.is_empty() && !is_quiet {
            return (said, wrong("something is said, and nothing was expected"));
        }
        (said, None)
    }
}

/// Has the Kustomization in `folder` set the images of an object of Flux or Argo CD, as these do it: Flux puts its entries
/// behind those that are there, or in their place; Argo CD calls `kustomize edit set image`.
fn set_images(kustomize: &Kustomize, folder: &Path, object: &str) {
    let object: Value = serde_saphyr::from_str(object).unwrap();
    let mut images = Vec::new();
    collect(&object, &mut images);
    assert!(!images.is_empty(), "{object}");
    if let Some(Value::String(_)) = images.first() {
        let images: Vec<String> = images.iter().map(|image| image.as_str().unwrap().to_owned()).collect();
        return kustomize.set_images(folder, &images);
    }
    let file = folder.join("kustomization.yaml");
    let mut own: Value = serde_saphyr::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let entries = own.as_object_mut().unwrap().entry("images").or_insert_with(|| Value::Array(Vec::new()));
    let entries = entries.as_array_mut().unwrap();
    for image in images {
        match entries.iter_mut().find(|entry| entry["name"] == image["name"]) {
            Some(entry) => *entry = image,
            None => entries.push(image),
        }
    }
    write(&file, &own.to_string());
}

/// Adds the elements of all `images` in `node`.
fn collect(node: &Value, images: &mut Vec<Value>) {
    match node {
        Value::Object(entries) => {
            for (key, value) in entries {
                match (key.as_str(), value) {
                    ("images", Value::Array(entries)) => images.extend(entries.iter().cloned()),
                    _ => collect(value, images),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, images)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn constructed_trees_build_the_rewritten_images_or_it_is_said() {
    let Some(kustomize) = Kustomize::find() else { return };
    let families = Family::all();
    let trees: Vec<(&Family, &Tree)> =
        families.iter().flat_map(|family| family.trees.iter().map(move |tree| (family, tree))).collect();
    let (next, held, wrong) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some((family, tree)) = trees.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if tree.applies.is_some() && !kustomize.is_itself() {
                        continue;
                    }
                    let faults = check(&kustomize, family, tree);
                    held.fetch_add(usize::from(faults.is_empty()), Ordering::Relaxed);
                    wrong.lock().unwrap().extend(faults);
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    eprintln!("{} of {} trees hold", held.into_inner(), trees.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with `tree` under the maps of its family.
fn check(kustomize: &Kustomize, family: &Family, tree: &Tree) -> Vec<String> {
    let original = tempfile::tempdir().unwrap();
    tree.write(original.path());
    let built = match tree.build(kustomize, original.path()) {
        Ok(built) => built,
        // The kustomize within kubectl is older, and knows less.
        Err(_) if !kustomize.is_itself() => return Vec::new(),
        Err(why) => return vec![format!("{}: does not build: {why}", tree.name)],
    };
    let mut wrong = Vec::new();
    let mut heard = vec![false; tree.says.len()];
    for maps in &family.maps {
        let (said, fault) = tree.check(kustomize, maps, &built);
        said.into_iter().for_each(|number| heard[number] = true);
        wrong.extend(fault);
    }
    for (said, heard) in tree.says.iter().zip(heard) {
        if !heard {
            wrong.push(format!("{}: never says {} {}", tree.name, said.0, said.1));
        }
    }
    wrong
}
