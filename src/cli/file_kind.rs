//! What a file is, by its name and by what lies around it, and how it is planned.

use std::path::Path;

use crate::files::{ChartFiles, chart_of_values, is_chart_file, is_template};
use crate::manifest::{Chart, Format, PathFormat};
use crate::rewrite::{Engine, Memory, Plan, is_kustomization};

/// What a file is.
pub enum FileKind {
    /// Manifests, or anything that nobody asked for by another name.
    Manifest,
    /// Values of a chart; `is_own`: its `values.yaml`.
    Values { chart: Box<Chart>, is_own: bool },
    /// A template of a chart.
    Template,
    /// A file that a chart's templates may read: a template itself where it has placeholders.
    ChartFile,
    /// A file of a format whose images stand at known paths.
    Paths(&'static PathFormat),
}

impl FileKind {
    /// What the file at `path` is to `engine`. A chart that cannot be read is an error.
    pub fn of(path: &Path, engine: &Engine) -> std::io::Result<Self> {
        if !engine.scanner.reads_formats() {
            return Ok(Self::Manifest);
        }
        let name = path.to_string_lossy();
        for spec in engine.scanner.formats_of(&name) {
            let kind = match spec.format {
                Format::HelmTemplates if is_template(path) => Self::Template,
                Format::HelmTemplates if is_chart_file(path) => Self::ChartFile,
                Format::HelmTemplates => continue,
                // Values for tests and templates that are called values.yaml are none of the chart's.
                Format::HelmValues => match chart_of_values(path) {
                    Some(folder) => Self::Values {
                        chart: Box::new(chart(ChartFiles::read(&folder)?)),
                        is_own: path.file_name().is_some_and(|name| name == "values.yaml"),
                    },
                    None => continue,
                },
                Format::Paths(format) => Self::Paths(format),
            };
            engine.scanner.found_format(spec);
            return Ok(kind);
        }
        Ok(Self::Manifest)
    }

    /// Whether it is read as manifests are: passed over where no image can be in it, and counted where nobody meant it as one.
    pub fn is_manifest(&self) -> bool {
        matches!(self, Self::Manifest)
    }

    /// Whether the file, which is called `name`, may hold an image; one that may not is not parsed.
    pub fn may_hold_image(&self, engine: &Engine, name: &str, bytes: &[u8]) -> bool {
        !self.is_manifest() || engine.scanner.may_hold_image(bytes) || is_kustomization(name)
    }

    /// Plans the rewrite of the file, which is called `name`.
    pub fn plan(&self, engine: &Engine, name: &str, text: &str, memory: &mut Memory) -> Plan {
        let mut plan = match self {
            Self::Manifest => engine.plan(text, is_kustomization(name), memory),
            Self::Values { chart, is_own } => engine.plan_values(text, chart, *is_own, memory),
            Self::ChartFile if !text.contains("{{") => engine.plan(text, is_kustomization(name), memory),
            Self::Template | Self::ChartFile => engine.plan_template(text, memory),
            Self::Paths(format) => engine.plan_paths(text, format, memory),
        };
        if !matches!(self, Self::Template | Self::ChartFile) {
            engine.list_mentions(text, &mut plan);
        }
        plan
    }
}

fn chart(files: ChartFiles) -> Chart {
    let ChartFiles { metadata, values, more_values, templates, charts, parent } = files;
    let parent = parent.map(|parent| Box::new(chart(*parent)));
    let outline = |files: &ChartFiles| Chart { metadata: files.metadata.clone(), ..Chart::default() };
    let outlines = charts.iter().map(outline).collect();
    let mut own = Chart { metadata, values, more_values, templates, charts: outlines, parent };
    let charts =
        charts.into_iter().map(|files| Chart { parent: Some(Box::new(own.clone())), ..chart(files) });
    own.charts = charts.collect();
    own
}
