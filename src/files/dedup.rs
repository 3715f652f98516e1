//! Each file once: a file that is reached by several paths or links is read by one of them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::found::FoundFile;
use super::root::Root;

/// A file that a walk came by.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) found: FoundFile,
    /// The walked folder it lies in (an index), if any.
    pub(super) root: Option<usize>,
}

/// Something that a walk passed over or could not read, and where it is: several given folders may lead to it.
pub(super) struct PassedOver<T> {
    /// Its path, without links above it.
    pub(super) real: PathBuf,
    pub(super) what: T,
}

/// The candidates sorted by path, each file once: by a path that is no link, if there is one, else by the
/// first in order. `followed`: links to folders were. Where they were not and one path was given, only links can name a file
/// twice.
///
/// Hard links are different files here: each name is rewritten for itself.
pub(super) fn once(
    mut candidates: Vec<Candidate>,
    roots: &[Root],
    paths: usize,
    followed: bool,
) -> Vec<FoundFile> {
    if paths > 1 || followed || candidates.iter().any(|candidate| candidate.found.target.is_some()) {
        let mut folders = Folders { roots, known: FxHashMap::default(), followed };
        let mut keyed: Vec<_> =
            candidates.into_iter().map(|candidate| (folders.real(&candidate), candidate)).collect();
        keyed.sort_unstable_by(|(a_real, a), (b_real, b)| {
            let rank = |candidate: &Candidate| candidate.found.target.is_some();
            (a_real, rank(a), a.found.path.as_os_str()).cmp(&(b_real, rank(b), b.found.path.as_os_str()))
        });
        keyed.dedup_by(|(a, _), (b, _)| a == b);
        candidates = keyed.into_iter().map(|(_, candidate)| candidate).collect();
    }
    let mut files: Vec<_> = candidates.into_iter().map(|candidate| candidate.found).collect();
    files.sort_unstable_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
    files
}

/// Each thing once, by the first of its paths; all of them sorted by those.
pub(super) fn passed_over_once<T>(mut passed: Vec<PassedOver<T>>, path: impl Fn(&T) -> &Path) -> Vec<T> {
    let shown = |passed: &PassedOver<T>| path(&passed.what).as_os_str().to_owned();
    passed.sort_by_cached_key(|passed| (passed.real.clone(), shown(passed)));
    passed.dedup_by(|next, before| next.real == before.real);
    let mut once: Vec<T> = passed.into_iter().map(|passed| passed.what).collect();
    once.sort_by(|a, b| path(a).as_os_str().cmp(path(b).as_os_str()));
    once
}

/// The real paths of folders, asked for once.
struct Folders<'r> {
    roots: &'r [Root],
    known: FxHashMap<PathBuf, PathBuf>,
    followed: bool,
}

impl Folders<'_> {
    /// The one path without links of a candidate.
    fn real(&mut self, candidate: &Candidate) -> OsString {
        let path = &candidate.found.path;
        if let Some(target) = &candidate.found.target {
            return target.clone().into_os_string();
        }
        // No link is between a root and what was found below it.
        if !self.followed
            && let Some(root) = candidate.root.map(|index| &self.roots[index])
            && let Ok(relative) = path.strip_prefix(&root.shown)
        {
            return root.real.join(relative).into_os_string();
        }
        let folder = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let real = match self.known.get(folder) {
            Some(real) => real,
            None => {
                let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
                self.known.entry(folder.to_owned()).or_insert(real)
            }
        };
        path.file_name().map_or_else(|| real.clone(), |name| real.join(name)).into_os_string()
    }
}
