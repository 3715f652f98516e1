//! What became of images that were to be copied: one line per image, and a summary.

use std::fmt::Write as _;

use serde::Serialize;

use super::json::typed_line;
use super::words::count;

/// Bytes of blobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CopiedBytes {
    /// They were read from the source and written to the target.
    pub moved: u64,
    /// They were taken from another repository of the target's registry.
    pub mounted: u64,
    /// They were there.
    pub present: u64,
}

/// Why an image was not copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CopyFailure {
    /// What was being done.
    pub step: String,
    /// The HTTP status that was the answer, where there was one.
    pub status: Option<u16>,
    /// A short name.
    pub code: &'static str,
    /// In words.
    pub message: String,
    /// What to try.
    pub hint: Option<String>,
}

/// What became of an image, or would become of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mirrored {
    /// Where it comes from.
    pub source: String,
    /// Where it goes.
    pub target: String,
    /// copy, tag, skip, conflict or missing; `None` when that could not be found out.
    pub action: Option<&'static str>,
    /// The digest that it has at its target.
    pub digest: Option<String>,
    /// What the target's tag stood for before.
    pub target_digest: Option<String>,
    /// How many bytes went which way; `None` where nothing was done.
    pub bytes: Option<CopiedBytes>,
    /// How many signatures and other things came along.
    pub referrers: usize,
    /// How often it was tried.
    pub tries: u32,
    /// Why it is not there.
    pub error: Option<CopyFailure>,
}

/// How many images became what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MirrorSummary {
    /// All images.
    pub images: usize,
    /// They were copied, or would be.
    pub copied: usize,
    /// They were there, and got their tag, or would get it.
    pub tagged: usize,
    /// They were there.
    pub skipped: usize,
    /// Their target's tag stands for something else.
    pub conflicts: usize,
    /// Their source does not have them.
    pub missing: usize,
    /// Something else went wrong.
    pub failed: usize,
    /// They were not begun, since another one failed.
    pub not_tried: usize,
    /// Bytes of blobs.
    pub bytes: CopiedBytes,
    /// Whether anything was to be written.
    pub written: bool,
}

impl MirrorSummary {
    /// Counts an image.
    pub fn add(&mut self, image: &Mirrored) {
        self.images += 1;
        *match (image.action, &image.error) {
            (Some("conflict"), _) => &mut self.conflicts,
            (Some("missing"), _) => &mut self.missing,
            (_, Some(error)) if error.code == "conflict" => &mut self.conflicts,
            (_, Some(_)) | (None, None) => &mut self.failed,
            (Some("copy"), None) => &mut self.copied,
            (Some("tag"), None) => &mut self.tagged,
            (Some(_), None) => &mut self.skipped,
        } += 1;
        if let Some(bytes) = image.bytes {
            self.bytes.moved += bytes.moved;
            self.bytes.mounted += bytes.mounted;
            self.bytes.present += bytes.present;
        }
    }

    /// Whether anything went wrong.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.conflicts + self.missing + self.failed + self.not_tried > 0
    }

    /// The summary in words.
    #[must_use]
    pub fn text(&self) -> String {
        let mut parts = Vec::new();
        let verb = |done: &'static str, planned: &'static str| if self.written { done } else { planned };
        let mut add = |n: usize, text: &str| {
            if n > 0 {
                parts.push(format!("{n} {text}"));
            }
        };
        add(self.copied, verb("copied", "to copy"));
        add(self.tagged, verb("tagged", "to tag"));
        add(self.skipped, "there already");
        add(self.conflicts, if self.conflicts == 1 { "conflict" } else { "conflicts" });
        add(self.missing, "missing at the source");
        add(self.failed, "failed");
        add(self.not_tried, "not tried");
        let mut text = count(self.images + self.not_tried, "image");
        if !parts.is_empty() {
            let _ = write!(text, ": {}", parts.join(", "));
        }
        if self.written {
            let CopiedBytes { moved, mounted, present: _ } = self.bytes;
            let _ = write!(text, "; {} copied", size(moved));
            if mounted > 0 {
                let _ = write!(text, ", {} mounted", size(mounted));
            }
        }
        text.push('\n');
        text
    }

    /// The summary as a line of JSON.
    #[must_use]
    pub fn json(&self) -> String {
        let mut out = String::new();
        typed_line(&mut out, "summary", self);
        out
    }
}

impl Mirrored {
    /// `copy      docker.io/library/nginx:1.27@sha256:… -> m.io/nginx:1.27 (12.3 MB)`
    #[must_use]
    pub fn text(&self) -> String {
        let action = if self.error.is_some() && !matches!(self.action, Some("conflict" | "missing")) {
            "failed"
        } else {
            self.action.unwrap_or("failed")
        };
        let mut text = format!("{action:<8} {}", self.source);
        if let Some(digest) = self.digest.as_ref().filter(|_| !self.source.contains('@')) {
            let _ = write!(text, "@{digest}");
        }
        let _ = write!(text, " -> {}", self.target);
        if let Some(bytes) = self.bytes.filter(|_| self.action == Some("copy") && self.error.is_none()) {
            let _ = write!(text, " ({})", size(bytes.moved));
        }
        text.push('\n');
        text
    }

    /// The image as a line of JSON.
    #[must_use]
    pub fn json(&self) -> String {
        let mut out = String::new();
        typed_line(&mut out, "image", self);
        out
    }
}

/// `12.3 MB`
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "it is shown with one digit behind the point")]
    let mut shown = bytes as f64 / 1000.0;
    let mut unit = 0;
    // What would be shown as 1000.0 has the next unit.
    while shown >= 999.95 && unit + 1 < UNITS.len() {
        shown /= 1000.0;
        unit += 1;
    }
    format!("{shown:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (bytes, want) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_951, "1.0 MB"),
            (12_345_678, "12.3 MB"),
            (5_000_000_000_000_000, "5000.0 TB"),
        ] {
            assert_eq!(size(bytes), want, "{bytes}");
        }
    }
}
