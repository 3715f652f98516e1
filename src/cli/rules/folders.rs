//! The rules of each folder of a run: what is found is the nearest above each file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use rustc_hash::FxHashMap;

use crate::files::FoundFile;

use super::super::args::MapsArgs;
use super::super::discover::{self, Discovery};
use super::{RuleSources, Ruleset, SourceError, with_advice};

/// The rules of each folder of a run.
#[derive(Debug, Default)]
pub struct FolderRules {
    /// The different sets of rules, in the order of the files.
    pub sets: Vec<Ruleset>,
    /// Of each set, how many files it is for.
    pub files: Vec<usize>,
    /// By the path of the folder as the files have it, the number of its set.
    numbers: FxHashMap<PathBuf, usize>,
}

impl FolderRules {
    /// Reads the rules for `files`, and where there are none for the first of the paths `given`. A set may hold no rules.
    pub fn read(args: &MapsArgs, given: &[PathBuf], files: &[FoundFile]) -> Result<Self> {
        let sources = RuleSources::given(args, true)?;
        let mut discovery = Discovery::default();
        let (mut all, mut order) = (Self::default(), FxHashMap::default());
        let mut found = Vec::new();
        let here = [given.first().map_or_else(|| PathBuf::from("."), |path| folder_of_path(path))];
        let folders = files.iter().map(|file| folder_of(&file.path));
        let folders = folders.chain(here.iter().map(PathBuf::as_path).filter(|_| files.is_empty()));
        let mut last: Option<(&Path, usize)> = None;
        for folder in folders {
            let number = match last.filter(|(known, _)| *known == folder) {
                Some((_, number)) => number,
                None => {
                    let nearest = discovery.nearest(folder);
                    let number = *order.entry(Arc::clone(&nearest)).or_insert_with(|| {
                        found.push(nearest);
                        all.files.push(0);
                        found.len() - 1
                    });
                    all.numbers.insert(folder.to_owned(), number);
                    number
                }
            };
            last = Some((folder, number));
            all.files[number] += 1;
        }
        let mut unreadable = None;
        for nearest in &found {
            let mut sources = sources.clone();
            sources.discovered(nearest)?;
            sources.flags(&args.map);
            match sources.read() {
                Ok(ruleset) => all.sets.push(ruleset),
                Err(SourceError::Maps(errors)) => match &mut unreadable {
                    None => unreadable = Some(errors),
                    Some(known) => known.add(errors),
                },
                Err(error) => return Err(with_advice(error)),
            }
        }
        match unreadable {
            Some(errors) => Err(with_advice(SourceError::Maps(errors))),
            None => Ok(all),
        }
    }

    /// Reads the rules for manifests from standard input: those nearest to where the program was started.
    pub fn of_stdin(args: &MapsArgs) -> Result<Self> {
        let mut sources = RuleSources::given(args, false)?;
        sources.discovered(&discover::nearest(Path::new(".")))?;
        sources.flags(&args.map);
        let ruleset = sources.read().map_err(with_advice)?;
        Ok(Self { sets: vec![ruleset], files: vec![1], numbers: FxHashMap::default() })
    }

    /// The number of the set for the file at `path`.
    pub fn number(&self, path: &Path) -> usize {
        if self.sets.len() == 1 {
            return 0;
        }
        self.numbers.get(folder_of(path)).copied().unwrap_or_default()
    }
}

/// The folder of a file.
fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// A given path itself when it is a folder, or that of a file.
fn folder_of_path(path: &Path) -> PathBuf {
    if path.is_dir() { path.to_owned() } else { folder_of(path).to_owned() }
}
