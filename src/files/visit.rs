//! Walking one folder: what its entries are, and what becomes of links.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::{DirEntry, ParallelVisitor, ParallelVisitorBuilder, WalkBuilder, WalkState};

use super::chart::Charts;
use super::dedup::Candidate;
use super::selection::Selection;
use super::walk::{Found, Root, SkipReason, Skipped, WalkError, WalkOptions};

#[derive(Default)]
pub(super) struct Gathered {
    pub(super) files: Vec<Candidate>,
    pub(super) skipped: Vec<Skipped>,
    pub(super) errors: Vec<WalkError>,
}

impl Gathered {
    fn append(&mut self, mut other: Self) {
        self.files.append(&mut other.files);
        self.skipped.append(&mut other.skipped);
        self.errors.append(&mut other.errors);
    }
}

pub(super) fn walk_folder(
    index: usize,
    roots: &[Root],
    selection: &Arc<Selection>,
    options: &WalkOptions,
    gathered: &mut Gathered,
) {
    let root = &roots[index];
    let mut builder = WalkBuilder::new(&root.start);
    builder.standard_filters(!options.no_ignore).hidden(false);
    builder.follow_links(options.follow).threads(options.threads);
    let start = root.start.clone();
    let chosen = Arc::clone(selection);
    builder.filter_entry(move |entry| {
        let relative = entry.path().strip_prefix(&start).unwrap_or(entry.path());
        match entry.file_type() {
            Some(kind) if kind.is_dir() => chosen.enters(relative),
            // What a link leads to decides; the visitor looks.
            Some(kind) if kind.is_symlink() => true,
            _ => chosen.takes(relative),
        }
    });
    let all = Mutex::new(Gathered::default());
    builder.build_parallel().visit(&mut Visitors {
        index,
        root,
        selection,
        follow: options.follow,
        all: &all,
    });
    gathered.append(all.into_inner().unwrap_or_else(PoisonError::into_inner));
}

struct Visitors<'s> {
    index: usize,
    root: &'s Root,
    selection: &'s Selection,
    follow: bool,
    all: &'s Mutex<Gathered>,
}

impl<'s> ParallelVisitorBuilder<'s> for Visitors<'s> {
    fn build(&mut self) -> Box<dyn ParallelVisitor + 's> {
        let Self { index, root, selection, follow, all } = *self;
        let charts = Charts::new(root);
        Box::new(Visitor { index, root, selection, follow, all, charts, own: Gathered::default() })
    }
}

/// One thread's share of a walk; given to the others when it ends.
struct Visitor<'s> {
    index: usize,
    root: &'s Root,
    selection: &'s Selection,
    follow: bool,
    all: &'s Mutex<Gathered>,
    charts: Charts,
    own: Gathered,
}

impl Drop for Visitor<'_> {
    fn drop(&mut self) {
        let own = std::mem::take(&mut self.own);
        self.all.lock().unwrap_or_else(PoisonError::into_inner).append(own);
    }
}

impl ParallelVisitor for Visitor<'_> {
    fn visit(&mut self, entry: Result<DirEntry, ignore::Error>) -> WalkState {
        match entry {
            Ok(entry) => self.entry(entry),
            Err(error) => self.error(&error, None),
        }
        WalkState::Continue
    }
}

impl Visitor<'_> {
    fn entry(&mut self, entry: DirEntry) {
        let Some(kind) = entry.file_type() else { return };
        if kind.is_dir() {
            return;
        }
        let is_link = entry.path_is_symlink();
        let path = entry.into_path();
        if self.charts.holds(&path, self.root) {
            if self.selection.takes(self.root.relative(&path)) {
                self.skip(path, SkipReason::HelmTemplate);
            }
        } else if is_link {
            self.link(path);
        } else if kind.is_file() {
            self.take(path, None);
        } else {
            self.skip(path, SkipReason::NotRegular);
        }
    }

    fn take(&mut self, path: PathBuf, target: Option<PathBuf>) {
        let found = Found { path: self.root.show(path), target };
        self.own.files.push(Candidate { found, root: Some(self.index) });
    }

    fn skip(&mut self, path: PathBuf, reason: SkipReason) {
        self.own.skipped.push(Skipped { path: self.root.show(path), reason });
    }

    fn link(&mut self, path: PathBuf) {
        let relative = self.root.relative(&path);
        let kind = match path.metadata() {
            Ok(metadata) => metadata.file_type(),
            Err(error) => return self.broken_link(path, error),
        };
        if kind.is_dir() {
            // Excluded folders are not entered, and so their links are not missed.
            if self.selection.enters(relative) {
                self.skip(path, SkipReason::LinkedFolder);
            }
        } else if !self.selection.takes(relative) {
        } else if kind.is_file() {
            match path.canonicalize() {
                Ok(target) if self.follow || target.starts_with(&self.root.real) => {
                    self.take(path, Some(target));
                }
                Ok(target) => {
                    let root = self.root.shown.clone();
                    self.own.errors.push(WalkError::LeavesRoot { path: self.root.show(path), target, root });
                }
                Err(error) => self.broken_link(path, error),
            }
        } else {
            self.skip(path, SkipReason::NotRegular);
        }
    }

    /// A link that cannot be followed: leading nowhere or in a circle is no error, for editors leave such
    /// links as locks.
    fn broken_link(&mut self, path: PathBuf, source: io::Error) {
        if !self.selection.takes(self.root.relative(&path)) {
            return;
        }
        let circle = source.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
        if circle || source.kind() == io::ErrorKind::NotFound {
            self.skip(path, SkipReason::DanglingLink);
        } else {
            self.own.errors.push(WalkError::Io { path: self.root.show(path), source });
        }
    }

    fn error(&mut self, error: &ignore::Error, at: Option<&Path>) {
        match error {
            ignore::Error::Partial(errors) => errors.iter().for_each(|error| self.error(error, at)),
            ignore::Error::WithLineNumber { err, .. } | ignore::Error::WithDepth { err, .. } => {
                self.error(err, at);
            }
            ignore::Error::WithPath { path, err } => self.error(err, Some(path)),
            ignore::Error::Loop { child, .. } => self.skip(child.clone(), SkipReason::LinkedFolder),
            ignore::Error::Io(source) => {
                let path = at.unwrap_or(&self.root.start).to_owned();
                let source = copy_of(source);
                if path.is_symlink() {
                    self.broken_link(path, source);
                } else {
                    self.own.errors.push(WalkError::Io { path: self.root.show(path), source });
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
