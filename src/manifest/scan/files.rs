//! Which files that are no manifests a scanner was asked to read.

use super::Scanner;
use crate::manifest::formats::FormatSpec;

impl Scanner {
    /// The formats that were asked for, and that a file at `path` may have by its name.
    pub fn formats_of(&self, path: &str) -> impl Iterator<Item = &FormatSpec> {
        let formats = self.places.formats();
        formats.iter().filter(|format| format.names(path))
    }

    /// Whether any format of files that are no manifests was asked for.
    #[must_use]
    pub fn reads_formats(&self) -> bool {
        !self.places.formats().is_empty()
    }

    /// Remembers that there is a file of this format.
    pub fn found_format(&self, format: &FormatSpec) {
        self.places.found_format(format);
    }
}
