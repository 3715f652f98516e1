//! What is found out about digests, as text and as JSON: targets that are verified, and entries of a lock file that are
//! compared with the registries.

use std::fmt::Write;

use serde::Serialize;

use super::json::typed_line;
use super::words::escaped;

/// A target that was verified.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Verified<'a> {
    /// How it is.
    pub status: TargetStatus,
    /// The image as written, one spelling of it.
    pub image: &'a str,
    /// What it becomes by the maps.
    pub target: &'a str,
    /// The digest that the registry has, where it was found.
    pub digest: Option<&'a str>,
    /// The digest that it must have, where there is one.
    pub expected: Option<&'a str>,
    /// Who says so.
    #[serde(rename = "expectedBy")]
    pub expected_by: Option<Authority<'a>>,
    /// Why it could not be verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<&'a str>,
}

/// How a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetStatus {
    /// It is there, and has the digest that it must have.
    Ok,
    /// It has another digest.
    Drifted,
    /// It is not there.
    Missing,
    /// A registry could not be asked.
    Failed,
}

/// Who says which digest a target must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind", content = "name")]
pub enum Authority<'a> {
    /// The digest stands in the manifest.
    Manifest,
    /// The lock file of this name.
    Lock(&'a str),
    /// The image before the maps, of this name.
    Source(&'a str),
}

/// An entry of a lock file, compared with its registry.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Compared<'a> {
    /// How they compare.
    pub status: Comparison,
    /// The image as it was written: the entry's id.
    pub image: &'a str,
    /// What it became, with its tag.
    pub target: &'a str,
    /// The reference that was looked up.
    pub lookup: &'a str,
    /// The platform whose digest it is; `None` for all.
    pub platform: Option<&'a str>,
    /// The digest in the lock file.
    pub locked: &'a str,
    /// The digest that the registry has now, where it was found.
    pub digest: Option<&'a str>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<&'a str>,
}

/// How an entry compares with its registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Comparison {
    /// Both have the same digest.
    Same,
    /// The registry has another one.
    Changed,
    /// The registry has the image no longer.
    Missing,
    /// The registry could not be asked.
    Failed,
}

/// The last line of a report on targets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct VerifiedSummary {
    /// How many were verified.
    pub images: usize,
    /// How many have another digest.
    pub drifted: usize,
    /// How many are not there.
    pub missing: usize,
    /// How many could not be asked for.
    pub failed: usize,
}

/// The last line of a report on entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ComparedSummary {
    /// How many were compared.
    pub entries: usize,
    /// How many have another digest now.
    pub changed: usize,
    /// How many are there no longer.
    pub missing: usize,
    /// How many could not be asked for.
    pub failed: usize,
}

impl Verified<'_> {
    /// Adds a line of JSON.
    pub fn json(&self, out: &mut String) {
        typed_line(out, "verified", self);
    }

    /// Adds a line of text about a target that drifted or is missing; nothing about others.
    pub fn text(&self, out: &mut String) {
        let target = escaped(self.target);
        match (self.status, self.digest, self.expected) {
            (TargetStatus::Drifted, Some(found), Some(expected)) => {
                let by = match self.expected_by {
                    Some(Authority::Manifest) | None => "the manifest".into(),
                    Some(Authority::Lock(name) | Authority::Source(name)) => escaped(name),
                };
                let _ = writeln!(out, "drift: {target}: {found}, expected {expected} ({by})");
            }
            (TargetStatus::Missing, ..) => {
                let _ = writeln!(out, "missing: {target} (for {})", escaped(self.image));
            }
            _ => {}
        }
    }
}

impl VerifiedSummary {
    /// Counts a target.
    pub fn add(&mut self, status: TargetStatus) {
        self.images += 1;
        match status {
            TargetStatus::Ok => {}
            TargetStatus::Drifted => self.drifted += 1,
            TargetStatus::Missing => self.missing += 1,
            TargetStatus::Failed => self.failed += 1,
        }
    }

    /// Adds a line of JSON.
    pub fn json(&self, out: &mut String) {
        typed_line(out, "summary", self);
    }
}

impl Compared<'_> {
    /// Adds a line of JSON.
    pub fn json(&self, out: &mut String) {
        typed_line(out, "entry", self);
    }

    /// Adds a line of text about an entry that differs; nothing about others.
    pub fn text(&self, out: &mut String) {
        let now = match self.status {
            Comparison::Changed => self.digest.unwrap_or_default(),
            Comparison::Missing => "not there any more",
            Comparison::Same | Comparison::Failed => return,
        };
        let of = self.platform.map_or(String::new(), |platform| format!(" ({})", escaped(platform)));
        let _ = writeln!(out, "{}{of}: {} -> {now}", escaped(self.lookup), self.locked);
    }
}

impl ComparedSummary {
    /// Counts an entry.
    pub fn add(&mut self, comparison: Comparison) {
        self.entries += 1;
        match comparison {
            Comparison::Same => {}
            Comparison::Changed => self.changed += 1,
            Comparison::Missing => self.missing += 1,
            Comparison::Failed => self.failed += 1,
        }
    }

    /// Adds a line of JSON.
    pub fn json(&self, out: &mut String) {
        typed_line(out, "summary", self);
    }
}
