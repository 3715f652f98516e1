//! The files of a Helm chart that say what its values mean.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How deep charts may lie within charts.
const DEPTH_MAX: usize = 6;

/// The texts of a chart: its metadata, values and templates, and those of the charts in it.
#[derive(Debug, Clone, Default)]
pub struct ChartFiles {
    /// `Chart.yaml`
    pub metadata: String,
    /// `values.yaml`
    pub values: Option<String>,
    /// Further values, which come on top of these: `values-prod.yaml`.
    pub more_values: Vec<String>,
    /// What lies under `templates/`.
    pub templates: Vec<String>,
    /// The charts that lie unpacked in `charts/`.
    pub charts: Vec<ChartFiles>,
    /// The chart in whose `charts/` it lies, with no more of the charts there than their `Chart.yaml`.
    pub parent: Option<Box<ChartFiles>>,
}

/// The folder of the chart that `values` are of: the one beside whose `Chart.yaml` the file lies. `None` when there is none.
#[must_use]
pub fn chart_of_values(values: &Path) -> Option<PathBuf> {
    let folder = values.canonicalize().ok()?.parent()?.to_owned();
    folder.join("Chart.yaml").is_file().then_some(folder)
}

impl ChartFiles {
    /// Reads the chart at `folder`. What is missing is left out.
    ///
    /// # Errors
    /// Those of the system.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let chart = Self::read_at(folder, 0)?;
        Ok(Self { parent: Self::read_parent(folder, 0)?, ..chart })
    }

    fn read_parent(folder: &Path, depth: usize) -> io::Result<Option<Box<Self>>> {
        let charts = folder.parent().filter(|charts| charts.file_name().is_some_and(|name| name == "charts"));
        let Some(folder) = charts.and_then(Path::parent) else { return Ok(None) };
        if depth == DEPTH_MAX || !folder.join("Chart.yaml").is_file() {
            return Ok(None);
        }
        // With its depth at the most, none of its charts is read; that they are there counts.
        let mut own = Self::read_at(folder, DEPTH_MAX)?;
        for chart in entries(&folder.join("charts"))? {
            if chart.join("Chart.yaml").is_file() {
                let metadata = text(&chart.join("Chart.yaml"))?.unwrap_or_default();
                own.charts.push(Self { metadata, ..Self::default() });
            }
        }
        own.parent = Self::read_parent(folder, depth + 1)?;
        Ok(Some(Box::new(own)))
    }

    fn read_at(folder: &Path, depth: usize) -> io::Result<Self> {
        let mut chart = Self {
            metadata: text(&folder.join("Chart.yaml"))?.unwrap_or_default(),
            values: text(&folder.join("values.yaml"))?,
            ..Self::default()
        };
        for file in entries(folder)? {
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if name.starts_with("values") && name.ends_with(".yaml") && name != "values.yaml" {
                chart.more_values.extend(text(&file)?);
            }
        }
        for file in files_below(&folder.join("templates"), depth)? {
            chart.templates.extend(text(&file)?);
        }
        if depth < DEPTH_MAX {
            for folder in entries(&folder.join("charts"))? {
                if folder.join("Chart.yaml").is_file() {
                    chart.charts.push(Self::read_at(&folder, depth + 1)?);
                }
            }
        }
        Ok(chart)
    }
}

/// The text of a file; `None` when it is not there, or is no text.
fn text(file: &Path) -> io::Result<Option<String>> {
    match fs::read(file) {
        Ok(bytes) => Ok(String::from_utf8(bytes).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What lies in a folder, in order; nothing when there is none.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut paths = listed.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// The files of a folder and those below it. Links to folders are not followed.
fn files_below(folder: &Path, depth: usize) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        if path.is_file() {
            files.push(path);
        } else if depth < DEPTH_MAX && !path.is_symlink() {
            files.extend(files_below(&path, depth + 1)?);
        }
    }
    Ok(files)
}
