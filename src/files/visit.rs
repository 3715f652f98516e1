//! Walking the folders: what their entries are, and what becomes of links.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::{DirEntry, ParallelVisitor, ParallelVisitorBuilder, WalkBuilder, WalkState};
use rustc_hash::FxHashMap;

use super::chart::Charts;
use super::dedup::{Candidate, PassedOver};
use super::found::{FoundFile, PassedOverReason, Skipped, WalkError, WalkOptions};
use super::root::Root;
use super::selection::Selection;

#[derive(Default)]
pub(super) struct Gathered {
    pub(super) files: Vec<Candidate>,
    pub(super) skipped: Vec<PassedOver<Skipped>>,
    pub(super) errors: Vec<PassedOver<WalkError>>,
}

impl Gathered {
    fn append(&mut self, mut other: Self) {
        self.files.append(&mut other.files);
        self.skipped.append(&mut other.skipped);
        self.errors.append(&mut other.errors);
    }
}

/// How many threads walk at most: more only stand in each other's way.
const WALKERS_MAX: usize = 12;

/// Folders and entries that one thread has walked before others have started.
const FEW_FOLDERS: usize = 40;
const FEW_ENTRIES: usize = 500;

/// What all threads of a walk share.
struct Walk {
    roots: Vec<Root>,
    /// The number of each root, by where the walker starts.
    numbers: FxHashMap<PathBuf, usize>,
    selection: Selection,
    follow: bool,
    templates: bool,
}

/// Walks all folders at once, of which none has the same start as another, and gives back what it was given.
pub(super) fn walk_folders(
    roots: Vec<Root>,
    selection: Selection,
    options: &WalkOptions,
    gathered: &mut Gathered,
) -> (Vec<Root>, Selection) {
    let Some(first) = roots.first() else { return (roots, selection) };
    let mut builder = WalkBuilder::new(&first.start);
    roots.iter().skip(1).for_each(|root| {
        builder.add(&root.start);
    });
    let numbers = roots.iter().enumerate().map(|(number, root)| (root.start.clone(), number)).collect();
    builder.standard_filters(!options.no_ignore).hidden(false).follow_links(options.follow);
    let one_thread = options.threads == 1 || are_small(&roots);
    let walk =
        Arc::new(Walk { roots, numbers, selection, follow: options.follow, templates: options.templates });
    let chosen = Arc::clone(&walk);
    builder.filter_entry(move |entry| chosen.takes(entry));
    // Where links are followed, the two walkers of the crate tell different things of those that lead nowhere.
    if one_thread && !options.follow {
        let mut share = Share::new(&walk);
        builder.build().for_each(|entry| share.visit(entry));
        gathered.append(share.own);
    } else {
        let all = Mutex::new(Gathered::default());
        let walker =
            builder.threads(if one_thread { 1 } else { options.threads.min(WALKERS_MAX) }).build_parallel();
        walker.visit(&mut Visitors { walk: &walk, all: &all });
        gathered.append(all.into_inner().unwrap_or_else(PoisonError::into_inner));
    }
    drop(builder);
    let walk = Arc::into_inner(walk).expect("the walker and its filter are gone");
    (walk.roots, walk.selection)
}

/// Whether so little lies below the folders that starting threads would take longer than walking.
fn are_small(roots: &[Root]) -> bool {
    let mut folders: Vec<PathBuf> =
        roots.iter().take(FEW_FOLDERS + 1).map(|root| root.start.clone()).collect();
    let (mut seen, mut entries) = (folders.len(), 0);
    while let Some(folder) = folders.pop() {
        if seen > FEW_FOLDERS {
            return false;
        }
        for entry in folder.read_dir().into_iter().flatten().flatten() {
            entries += 1;
            if entries > FEW_ENTRIES {
                return false;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) && entry.file_name() != ".git" {
                seen += 1;
                folders.push(entry.path());
            }
        }
    }
    true
}

impl Walk {
    /// The number of the root below which the walker made `path`, `depth` folders deep.
    fn number(&self, path: &Path, depth: usize) -> usize {
        if self.roots.len() == 1 {
            return 0;
        }
        let start = path.ancestors().nth(depth).and_then(|start| self.numbers.get(start));
        start.copied().unwrap_or_else(|| self.number_around(path))
    }

    /// The number of the root that is nearest around `path`.
    fn number_around(&self, path: &Path) -> usize {
        path.ancestors().find_map(|start| self.numbers.get(start)).copied().unwrap_or(0)
    }

    /// Whether an entry is of interest, as far as its name tells.
    fn takes(&self, entry: &DirEntry) -> bool {
        if entry.depth() == 0 {
            return true;
        }
        let relative = self.roots[self.number(entry.path(), entry.depth())].relative(entry.path());
        match entry.file_type() {
            Some(kind) if kind.is_dir() => self.selection.enters(relative),
            // What a link leads to decides; the visitor looks.
            Some(kind) if kind.is_symlink() => true,
            _ => self.selection.takes(relative) || self.selection.is_dockerfile(relative),
        }
    }
}

struct Visitors<'s> {
    walk: &'s Walk,
    all: &'s Mutex<Gathered>,
}

impl<'s> ParallelVisitorBuilder<'s> for Visitors<'s> {
    fn build(&mut self) -> Box<dyn ParallelVisitor + 's> {
        Box::new(Visitor { share: Share::new(self.walk), all: self.all })
    }
}

/// One thread's share of a walk; given to the others when it ends.
struct Visitor<'s> {
    share: Share<'s>,
    all: &'s Mutex<Gathered>,
}

impl Drop for Visitor<'_> {
    fn drop(&mut self) {
        let own = std::mem::take(&mut self.share.own);
        self.all.lock().unwrap_or_else(PoisonError::into_inner).append(own);
    }
}

impl ParallelVisitor for Visitor<'_> {
    fn visit(&mut self, entry: Result<DirEntry, ignore::Error>) -> WalkState {
        self.share.visit(entry);
        WalkState::Continue
    }
}

/// What one thread finds.
struct Share<'s> {
    walk: &'s Walk,
    /// Of each root, once the thread has come by.
    charts: FxHashMap<usize, Charts>,
    own: Gathered,
}

impl<'s> Share<'s> {
    fn new(walk: &'s Walk) -> Self {
        Self { walk, charts: FxHashMap::default(), own: Gathered::default() }
    }

    fn visit(&mut self, entry: Result<DirEntry, ignore::Error>) {
        match entry {
            Ok(entry) => self.entry(entry),
            Err(error) => self.error(&error, None),
        }
    }

    fn entry(&mut self, entry: DirEntry) {
        let Some(kind) = entry.file_type() else { return };
        if kind.is_dir() {
            return;
        }
        let number = self.walk.number(entry.path(), entry.depth());
        let root = &self.walk.roots[number];
        let is_link = entry.path_is_symlink();
        let path = entry.into_path();
        let charts = self.charts.entry(number).or_insert_with(|| Charts::new(root));
        let is_template = charts.holds(&path, root);
        if is_template && !self.walk.templates {
            if self.walk.selection.takes(root.relative(&path)) {
                self.skip(root, path, PassedOverReason::HelmTemplate);
            }
        } else if !is_template && self.walk.templates && path.extension().is_some_and(|end| end == "tpl") {
            // Of such files only templates are read.
        } else if is_link {
            self.link(number, path);
        } else if self.is_dockerfile(root.relative(&path)) {
            self.skip(root, path, PassedOverReason::Dockerfile);
        } else if kind.is_file() {
            self.take(number, path, None);
        } else {
            self.skip(root, path, PassedOverReason::NotRegular);
        }
    }

    /// Whether nothing but its being a Dockerfile has brought a file here.
    fn is_dockerfile(&self, relative: &Path) -> bool {
        let selection = &self.walk.selection;
        selection.is_dockerfile(relative) && !selection.takes(relative)
    }

    fn take(&mut self, number: usize, path: PathBuf, target: Option<PathBuf>) {
        let found = FoundFile { path: self.walk.roots[number].show(path), target };
        self.own.files.push(Candidate { found, root: Some(number) });
    }

    fn skip(&mut self, root: &Root, path: PathBuf, reason: PassedOverReason) {
        let real = root.real_of(&path);
        self.own.skipped.push(PassedOver { real, what: Skipped { path: root.show(path), reason } });
    }

    fn fail(&mut self, root: &Root, path: PathBuf, source: io::Error) {
        let real = root.real_of(&path);
        self.own.errors.push(PassedOver { real, what: WalkError::Io { path: root.show(path), source } });
    }

    fn link(&mut self, number: usize, path: PathBuf) {
        let Walk { roots, selection, follow, .. } = self.walk;
        let root = &roots[number];
        let relative = root.relative(&path);
        let kind = match path.metadata() {
            Ok(metadata) => metadata.file_type(),
            Err(error) => return self.broken_link(root, path, error),
        };
        if kind.is_dir() {
            // Excluded folders are not entered, and so their links are not missed.
            if selection.enters(relative) {
                self.skip(root, path, PassedOverReason::LinkedFolder);
            }
        } else if !selection.takes(relative) {
        } else if kind.is_file() {
            match path.canonicalize() {
                Ok(target) if *follow || target.starts_with(&root.real) => {
                    self.take(number, path, Some(target));
                }
                Ok(target) => {
                    let shown = root.shown.clone();
                    let real = root.real_of(&path);
                    let what = WalkError::LeavesRoot { path: root.show(path), target, root: shown };
                    self.own.errors.push(PassedOver { real, what });
                }
                Err(error) => self.broken_link(root, path, error),
            }
        } else {
            self.skip(root, path, PassedOverReason::NotRegular);
        }
    }

    /// A link that cannot be followed: leading nowhere or in a circle is no error, for editors leave such
    /// links as locks.
    fn broken_link(&mut self, root: &Root, path: PathBuf, source: io::Error) {
        if !self.walk.selection.takes(root.relative(&path)) {
            return;
        }
        let circle = source.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
        if circle || source.kind() == io::ErrorKind::NotFound {
            self.skip(root, path, PassedOverReason::DanglingLink);
        } else {
            self.fail(root, path, source);
        }
    }

    fn error(&mut self, error: &ignore::Error, at: Option<&Path>) {
        match error {
            ignore::Error::Partial(errors) => errors.iter().for_each(|error| self.error(error, at)),
            ignore::Error::WithLineNumber { err, .. } | ignore::Error::WithDepth { err, .. } => {
                self.error(err, at);
            }
            ignore::Error::WithPath { path, err } => self.error(err, Some(path)),
            ignore::Error::Loop { child, .. } => {
                let root = &self.walk.roots[self.walk.number_around(child)];
                self.skip(root, child.clone(), PassedOverReason::LinkedFolder);
            }
            ignore::Error::Io(source) => {
                let root = &self.walk.roots[at.map_or(0, |at| self.walk.number_around(at))];
                let path = at.unwrap_or(&root.start).to_owned();
                let source = copy_of(source);
                if path.is_symlink() {
                    self.broken_link(root, path, source);
                } else {
                    self.fail(root, path, source);
                }
            }
            // A line of an ignore file that is no glob, which git passes over, too.
            ignore::Error::Glob { .. }
            | ignore::Error::UnrecognizedFileType(_)
            | ignore::Error::InvalidDefinition => {}
        }
    }
}

/// An error of the system once more; [`io::Error`] cannot be cloned.
fn copy_of(error: &io::Error) -> io::Error {
    error
        .raw_os_error()
        .map_or_else(|| io::Error::new(error.kind(), error.to_string()), io::Error::from_raw_os_error)
}
