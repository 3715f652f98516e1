//! The engine of each file of a run: files in different folders may have different rules and settings.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::files::FoundFile;
use crate::manifest::{Job, Workers};
use crate::rewrite::{Engine, KustomizeMode};

use super::args::{FindArgs, FormatArgs, MapsArgs};
use super::rules::{FolderRules, RuleSettings, RuleWarning, Ruleset};
use super::{rules, settings, stderr};

/// The engines of a run, and which file has which.
pub struct Engines {
    all: Vec<Engine>,
    rules: FolderRules,
    first_without_rules: Option<PathBuf>,
}

impl Engines {
    /// The engines for `files`, the files of the paths `given`.
    pub fn new(
        maps: &MapsArgs,
        find: &FindArgs,
        formats: &FormatArgs,
        given: &[PathBuf],
        files: &[FoundFile],
    ) -> Result<Self> {
        let rules = FolderRules::read(maps, given, files)?;
        let scanner = settings::scanner(find, formats, None)?;
        let mut all = Vec::new();
        for ruleset in &rules.sets {
            // Clones share what they found for --field.
            all.push(match &ruleset.settings.fields {
                None => settings::engine_with(find, ruleset, scanner.clone()),
                Some(_) => settings::engine_of_files(find, formats, ruleset)?,
            });
        }
        let has_rules = |file: &&FoundFile| rules.sets[rules.number(&file.path)].given;
        let first_without_rules = files.iter().find(|file| !has_rules(file)).map(|file| file.path.clone());
        Ok(Self { all, rules, first_without_rules })
    }

    /// The engine for standard input, with the rules for the folder where the program was started.
    pub fn of_stdin(maps: &MapsArgs, find: &FindArgs, formats: &FormatArgs) -> Result<Self> {
        let rules = FolderRules::of_stdin(maps)?;
        let engine = settings::engine_of_files(find, formats, &rules.sets[0])?;
        Ok(Self { all: vec![engine], rules, first_without_rules: None })
    }

    /// The engine for the file at `path`.
    pub fn of(&self, path: &Path) -> &Engine {
        &self.all[self.rules.number(path)]
    }

    /// What is set for the file at `path`.
    pub fn settings_of(&self, path: &Path) -> &RuleSettings {
        &self.rules.sets[self.number(path)].settings
    }

    /// The number of the engine for the file at `path`.
    pub fn number(&self, path: &Path) -> usize {
        self.rules.number(path)
    }

    /// All engines, by their numbers.
    pub fn all(&self) -> &[Engine] {
        &self.all
    }

    /// What is set, by the numbers of the engines.
    pub fn settings(&self) -> impl Iterator<Item = &RuleSettings> {
        self.rules.sets.iter().map(|ruleset| &ruleset.settings)
    }

    /// Looks for images also where a text cannot hold any by its words.
    pub fn look_everywhere(&mut self) {
        self.all.iter_mut().for_each(|engine| engine.scanner.be_thorough());
        self.list_mentions();
    }

    /// Has large texts read by as many of `threads` threads as `files` files leave to each.
    pub fn share_threads(&mut self, threads: usize, files: usize) {
        let workers = Workers { count: threads / files.max(1), work: in_threads };
        self.all.iter_mut().for_each(|engine| engine.scanner.set_workers(workers));
    }

    /// Notes that images get digests in files with the engines of these numbers.
    pub fn note_pins(&mut self, is_for: impl Fn(usize) -> bool) {
        self.all.iter_mut().enumerate().for_each(|(number, engine)| engine.pins = is_for(number));
    }

    /// Lists everything that looks like an image among what is not checked.
    pub fn list_mentions(&mut self) {
        self.all.iter_mut().for_each(|engine| engine.lists_mentions = true);
    }

    /// Whether the entries of Kustomizations take part; this is the same for all files.
    pub fn kustomizations_take_part(&self) -> bool {
        self.all.iter().any(|engine| engine.kustomize != KustomizeMode::Off)
    }

    /// Whether any file has rules.
    pub fn have_rules(&self) -> bool {
        self.rules.sets.iter().any(|ruleset| ruleset.given)
    }

    /// The engines, or what to do where no file has rules.
    pub fn or_none_given(self) -> Result<Self> {
        if self.have_rules() { Ok(self) } else { Err(rules::none_given()) }
    }

    /// What is to be said about the rules, each once.
    pub fn warnings(&self) -> Vec<RuleWarning> {
        let mut warnings: Vec<RuleWarning> = Vec::new();
        for warning in self.rules.sets.iter().flat_map(Ruleset::warnings) {
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
        warnings
    }

    /// The first file that has no rules, where others have some, and what to say about that.
    pub fn without_rules(&self) -> Option<(&Path, String)> {
        let first = self.first_without_rules.as_deref().filter(|_| self.have_rules())?;
        let sets = self.rules.sets.iter().zip(&self.rules.files);
        let files: usize = sets.filter(|(ruleset, _)| !ruleset.given).map(|(_, files)| files).sum();
        let others = match files {
            0 | 1 => String::new(),
            _ => format!(" and {} more", files - 1),
        };
        let text = format!(
            "{}: no rules for this file{others}: there is no imageswap.maps beside it or above it, and no --maps",
            first.display()
        );
        Some((first, text))
    }

    /// Where the rules are from: a line for each set of them.
    pub fn origins(&self) -> Vec<String> {
        let sets = self.rules.sets.iter().zip(&self.rules.files).filter(|(ruleset, _)| ruleset.given);
        let one = self.rules.sets.len() == 1;
        let line = |(ruleset, files): (&Ruleset, &usize)| {
            let of = if one { String::new() } else { format!("for {}: ", stderr::count(*files, "file")) };
            format!("{of}rules from {}", ruleset.origin())
        };
        sets.map(line).collect()
    }
}

/// Does each of `jobs` in a thread of its own, the first in this one.
fn in_threads(jobs: Vec<Job<'_>>) {
    let mut jobs = jobs.into_iter();
    let first = jobs.next();
    std::thread::scope(|scope| {
        jobs.for_each(|job| drop(scope.spawn(job)));
        first.into_iter().for_each(|job| job());
    });
}
