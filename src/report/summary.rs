//! What a run did, in numbers: what changed, what was left alone and why, what was not looked at.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::manifest::Place;
use crate::rewrite::{Plan, Unread};

use super::words::count;

/// What became of the changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// They were written.
    Written,
    /// They would have been written, but for errors.
    NotWritten,
    /// Nothing was to be written.
    OnlyShown,
}

/// Counts of a file, or of a whole run.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    pub(super) files: usize,
    pub(super) changed_files: usize,
    pub(super) changes: usize,
    pub(super) kept: usize,
    pub(super) unmapped: usize,
    pub(super) errors: usize,
    pub(super) read_slowly: usize,
    pub(super) left_alone: BTreeMap<&'static str, usize>,
    pub(super) not_checked: BTreeMap<&'static str, usize>,
    pub(super) passed_over: BTreeMap<&'static str, usize>,
}

impl Summary {
    /// A file that was read and not more.
    #[must_use]
    pub fn of_file() -> Self {
        Self { files: 1, ..Self::default() }
    }

    /// Counts what is planned for a file.
    pub fn plan(&mut self, plan: &Plan) {
        self.changes += plan.changes.len();
        self.changed_files += usize::from(!plan.changes.is_empty());
        self.kept += plan.kept.len();
        self.read_slowly += plan.read_slowly;
        self.unmapped += plan.kept.iter().filter(|kept| kept.unmapped).count();
        for skip in &plan.skips {
            *self.left_alone.entry(skip.reason.category()).or_default() += 1;
        }
        if !plan.missing_digests.is_empty() {
            *self.left_alone.entry("without a digest").or_default() += plan.missing_digests.len();
        }
        for site in &plan.unchecked {
            let what = if site.place == Place::RenderInput { "render inputs" } else { "mentions" };
            *self.not_checked.entry(what).or_default() += 1;
        }
    }

    /// Counts a file that does not parse and is no manifest.
    pub fn unread(&mut self, unread: Unread) {
        let what = match unread {
            Unread::Template => "templates that are no YAML",
            Unread::NoManifest => "files that are no manifests and do not parse",
        };
        *self.passed_over.entry(what).or_default() += 1;
    }

    /// Counts something that was not read.
    pub fn passed_over(&mut self, what: &'static str) {
        *self.passed_over.entry(what).or_default() += 1;
    }

    /// Counts errors.
    pub fn errors(&mut self, errors: usize) {
        self.errors += errors;
    }

    /// Whether there were any.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Whether anything changes.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.changes > 0
    }

    /// How many images change.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.changes
    }

    /// How many documents the fast reader did not read, of files that parse.
    #[must_use]
    pub fn read_slowly(&self) -> usize {
        self.read_slowly
    }

    /// Takes back that so many images of a file change: it was not written after all.
    pub fn not_written(&mut self, changes: usize) {
        self.changes = self.changes.saturating_sub(changes);
        self.changed_files = self.changed_files.saturating_sub(usize::from(changes > 0));
    }

    /// Whether files were passed over, as templates are.
    #[must_use]
    pub fn has_passed_over(&self) -> bool {
        !self.passed_over.is_empty()
    }

    /// Adds the counts of another file.
    pub fn add(&mut self, other: &Self) {
        let Self { files, changed_files, changes, kept, unmapped, errors, read_slowly, .. } = other;
        self.files += files;
        self.changed_files += changed_files;
        self.changes += changes;
        self.kept += kept;
        self.unmapped += unmapped;
        self.errors += errors;
        self.read_slowly += read_slowly;
        let maps = [
            (&mut self.left_alone, &other.left_alone),
            (&mut self.not_checked, &other.not_checked),
            (&mut self.passed_over, &other.passed_over),
        ];
        for (all, some) in maps {
            for (what, n) in some {
                *all.entry(what).or_default() += n;
            }
        }
    }

    /// The summary in words.
    #[must_use]
    pub fn text(&self, ending: Ending) -> String {
        let mut out = String::new();
        let (images, files) = (count(self.changes, "image"), count(self.changed_files, "file"));
        let rest = self.stay().map_or(String::new(), |stay| format!("; {stay}"));
        let failed = self.errors > 0;
        let _ = match ending {
            Ending::NotWritten if failed => {
                writeln!(out, "{}; nothing was written", count(self.errors, "error"))
            }
            // That there is nothing to do nobody knows who could not read everything.
            Ending::Written | Ending::NotWritten | Ending::OnlyShown if self.changes == 0 && failed => Ok(()),
            Ending::Written | Ending::NotWritten | Ending::OnlyShown if self.changes == 0 => {
                let images = match self.stay() {
                    Some(stay) => format!(": {stay}"),
                    None if self.left_alone.is_empty() => ": no images".to_owned(),
                    None => String::new(),
                };
                writeln!(out, "nothing to do{images} in {}", count(self.files, "file"))
            }
            Ending::Written | Ending::NotWritten => writeln!(out, "rewrote {images} in {files}{rest}"),
            Ending::OnlyShown => writeln!(out, "would rewrite {images} in {files}{rest}"),
        };
        if failed && ending != Ending::NotWritten {
            let _ = writeln!(out, "{}", count(self.errors, "error"));
        }
        list(&mut out, "left alone", &self.left_alone);
        list(&mut out, "not checked", &self.not_checked);
        list(&mut out, "passed over", &self.passed_over);
        out
    }

    /// `3 images stay as they are (1 covered by no rule)`
    fn stay(&self) -> Option<String> {
        let (kept, unmapped) = (self.kept, self.unmapped);
        let stay = match kept {
            0 => return None,
            1 => "1 image stays as it is".to_owned(),
            _ => format!("{kept} images stay as they are"),
        };
        Some(if unmapped > 0 { format!("{stay} ({unmapped} covered by no rule)") } else { stay })
    }
}

/// `left alone: invalid 1, templated 3`
fn list(out: &mut String, title: &str, counts: &BTreeMap<&'static str, usize>) {
    if counts.is_empty() {
        return;
    }
    let parts: Vec<String> = counts.iter().map(|(what, n)| format!("{what} {n}")).collect();
    let _ = writeln!(out, "{title}: {}", parts.join(", "));
}
