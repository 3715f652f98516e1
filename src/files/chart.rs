//! Helm charts: which `templates` folders are a chart's, and so no manifests.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::root::Root;

/// Which `templates` folders belong to a Helm chart; asks once for each.
pub(super) struct Charts {
    /// The walked folder itself lies in one.
    all: bool,
    known: FxHashMap<PathBuf, bool>,
}

impl Charts {
    pub(super) fn new(root: &Root) -> Self {
        Self { all: is_in_chart(&root.real), known: FxHashMap::default() }
    }

    /// Whether `path`, which the walker made, is a template.
    pub(super) fn holds(&mut self, path: &Path, root: &Root) -> bool {
        if self.all {
            return true;
        }
        let relative = root.relative(path);
        if memchr::memmem::find(relative.as_os_str().as_encoded_bytes(), b"templates/").is_none() {
            return false;
        }
        relative.ancestors().skip(1).filter(|folder| folder.ends_with("templates")).any(|folder| {
            let chart = folder.parent().unwrap_or(Path::new(""));
            if let Some(known) = self.known.get(chart) {
                return *known;
            }
            let is_chart = root.start.join(chart).join("Chart.yaml").exists();
            self.known.insert(chart.to_owned(), is_chart);
            is_chart
        })
    }
}

/// Whether a folder, given by its real path, is a chart's `templates` or lies in one.
fn is_in_chart(folder: &Path) -> bool {
    folder
        .ancestors()
        .filter(|folder| folder.ends_with("templates"))
        .any(|folder| folder.with_file_name("Chart.yaml").exists())
}

/// Whether a file is one that a chart's templates may read (`.Files`): below a `files` folder beside a `Chart.yaml`.
#[must_use]
pub fn is_chart_file(file: &Path) -> bool {
    let is_files = |folder: &&Path| folder.ends_with("files") && folder.with_file_name("Chart.yaml").exists();
    file.canonicalize().is_ok_and(|real| real.ancestors().skip(1).any(|folder| is_files(&folder)))
}

/// Whether a file is a template of a chart: below a `templates` folder beside a `Chart.yaml`.
#[must_use]
pub fn is_template(file: &Path) -> bool {
    file.canonicalize().is_ok_and(|real| real.parent().is_some_and(is_in_chart))
}
