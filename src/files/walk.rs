//! Which files are read: the given ones, and those of the given folders.
//!
//! In a folder the same files count as in `rg --hidden --files`: hidden ones too; what `.gitignore`,
//! `.ignore`, `.git/info/exclude` and git's global excludes name is left out, and as with ripgrep a
//! `.gitignore` counts only inside a git repository. `.git` is never entered. Of these, the manifest names
//! are read (`*.yaml`, `*.yml`, `*.json`, `Kustomization`).
//!
//! | in a walked folder | what happens |
//! |---|---|
//! | link to a file of the folder | its target is edited, the link stays; once, whatever the number of links |
//! | link to a file elsewhere | [`WalkError::LeavesRoot`], unless [`WalkOptions::follow`] |
//! | link to a folder | skipped and counted, unless [`WalkOptions::follow`] |
//! | `Dockerfile` and its like | skipped and counted |
//! | link to nothing, FIFO, socket, device | skipped and counted |
//! | `templates/` beside a `Chart.yaml` | skipped and counted, unless [`WalkOptions::templates`] |
//!
//! A file that is given itself is read whatever its name, and a link that is given itself is followed
//! wherever it leads: that is what was asked for.

use std::path::Path;

use rustc_hash::FxHashSet;

use super::dedup::{self, Candidate, PassedOver};
use super::found::{WalkError, WalkOptions, Walked};
use super::root::{Given, Root};
use super::selection::{GlobError, Selection};
use super::visit::{Gathered, walk_folders};

/// Finds the files of `paths`: files as they are, folders walked, all of them in one walk.
///
/// Errors of single paths are collected in [`Walked::errors`]; the walk goes on.
///
/// # Errors
/// [`GlobError`] for an include or exclude glob that cannot be read.
pub fn walk(paths: &[impl AsRef<Path>], options: &WalkOptions) -> Result<Walked, GlobError> {
    let selection = Selection::new(options)?;
    let mut gathered = Gathered::default();
    let (mut roots, mut starts) = (Vec::new(), FxHashSet::default());
    for path in paths {
        match Given::at(path.as_ref()) {
            Ok(Given::File(found)) => gathered.files.push(Candidate { found, root: None }),
            // A folder that is given twice is walked once.
            Ok(Given::Folder(root)) => roots.extend(starts.insert(root.start.clone()).then_some(root)),
            Err(what) => gathered.errors.push(PassedOver { real: path.as_ref().to_owned(), what }),
        }
    }
    let (roots, selection) = walk_folders(roots, selection, options, &mut gathered);
    let mut is_empty = vec![true; roots.len()];
    gathered.files.iter().filter_map(|candidate| candidate.root).for_each(|root| is_empty[root] = false);
    let failed = |root: &Root| gathered.errors.iter().any(|error| error.what.path().starts_with(&root.shown));
    let empty = roots.iter().zip(is_empty).filter(|(root, is_empty)| *is_empty && !failed(root));
    let empty = empty.map(|(root, _)| root.shown.clone()).collect();
    let walked = Walked {
        files: dedup::once(gathered.files, &roots, paths.len(), options.follow),
        skipped: dedup::passed_over_once(gathered.skipped, |skipped| &skipped.path),
        errors: dedup::passed_over_once(gathered.errors, WalkError::path),
        empty,
        // Globs are for folders.
        unused_globs: if roots.is_empty() { Vec::new() } else { selection.unused() },
    };
    Ok(walked)
}
