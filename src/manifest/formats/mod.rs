//! Files that are no manifests and name images: the values and templates of Helm charts, Compose files and the like.
//! They are looked at when they are asked for, by their name, and as trees, not by the finder.

mod anchors;
mod before_names;
mod defaults;
mod fields;
mod found;
mod groups;
mod values;

use std::fmt;
use std::sync::LazyLock;

use super::fields::FieldSpec;
use super::name_glob::NameGlob;
use super::path::FieldPath;

pub use defaults::{Chart, Defaults};
pub use fields::find as find_fields;
pub use found::{EmptyDigest, FoundImage, FoundKind, NamePart};
pub use values::{ValuesReader, parse_values};

/// The formats that are known by their paths, as data.
const KNOWN: &str = include_str!("formats.txt");

/// The files of Helm values, if nothing else is said.
pub const HELM_VALUES: &str = "values*.yaml";

/// A format of files that are no manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `values*.yaml` beside a `Chart.yaml`
    HelmValues,
    /// What lies under `templates/` beside a `Chart.yaml`
    HelmTemplates,
    /// One of `formats.txt`
    Paths(&'static PathFormat),
}

/// A format whose images stand at certain paths.
#[derive(Debug, PartialEq, Eq)]
pub struct PathFormat {
    /// The name by which it is asked for.
    pub name: &'static str,
    globs: Vec<&'static str>,
    fields: Vec<FieldSpec>,
}

impl PathFormat {
    /// Whether a file at `path` is called like one of the format.
    #[must_use]
    pub fn names(&self, path: &str) -> bool {
        self.globs.iter().any(|glob| names(glob, path))
    }

    /// Whether the format has images at `path`.
    #[must_use]
    pub fn has(&self, path: &FieldPath) -> bool {
        self.fields.iter().any(|field| field.matches("", "", path, 0))
    }
}

/// Whether `path` is called as `glob` says, which is about as many last parts of it as the glob has.
fn names(glob: &str, path: &str) -> bool {
    let parts = glob.matches('/').count() + 1;
    let start = path.rmatch_indices('/').nth(parts - 1).map_or(0, |(slash, _)| slash + 1);
    NameGlob::new(glob).matches(&path[start..])
}

static PATH_FORMATS: LazyLock<Vec<PathFormat>> = LazyLock::new(|| {
    let mut formats: Vec<PathFormat> = Vec::new();
    for line in KNOWN.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(path) = line.strip_prefix("    ") {
            let format = formats.last_mut().expect("paths stand below a format");
            format.fields.push(format!("*:{path}").parse().expect("the known paths are well-formed"));
        } else {
            let mut words = line.split(' ');
            let name = words.next().expect("a line has a word");
            formats.push(PathFormat { name, globs: words.collect(), fields: Vec::new() });
        }
    }
    formats
});

/// The formats whose images stand at certain paths.
pub fn path_formats() -> impl Iterator<Item = &'static PathFormat> {
    PATH_FORMATS.iter()
}

/// A format that is asked for, and the names of its files.
///
/// Written as `compose`, or `compose:GLOB` for other names than those of the format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatSpec {
    /// The format.
    pub format: Format,
    glob: Option<String>,
}

impl FormatSpec {
    /// The format called `name`, with files called as `glob` says instead of as usual. `None` when there is no such
    /// format, or a glob where there can be none.
    pub(super) fn new(name: &str, glob: Option<&str>) -> Option<Self> {
        let format = match name {
            "helm-values" => Format::HelmValues,
            "templates" if glob.is_some() => return None,
            "templates" => Format::HelmTemplates,
            name => Format::Paths(path_formats().find(|format| format.name == name)?),
        };
        Some(Self { format, glob: glob.map(str::to_owned) })
    }

    /// Whether a file at `path` is called like one of this format. What else must be true of it (a chart around it) others
    /// know.
    #[must_use]
    pub fn names(&self, path: &str) -> bool {
        match (&self.glob, self.format) {
            (Some(glob), _) => names(glob, path),
            (None, Format::HelmValues) => names(HELM_VALUES, path),
            (None, Format::HelmTemplates) => true,
            (None, Format::Paths(format)) => format.names(path),
        }
    }
}

impl fmt::Display for FormatSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.format {
            Format::HelmValues => "helm-values",
            Format::HelmTemplates => "templates",
            Format::Paths(format) => format.name,
        })?;
        self.glob.as_ref().map_or(Ok(()), |glob| write!(f, ":{glob}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_files_by_their_names() {
        let spec = |name, glob| FormatSpec::new(name, glob).unwrap();
        for (name, glob, path, expected) in [
            ("helm-values", None, "a/values.yaml", true),
            ("helm-values", None, "a/values-prod.yaml", true),
            ("helm-values", None, "a/myvalues.yaml", false),
            ("helm-values", Some("env/*.yaml"), "a/env/x.yaml", true),
            ("helm-values", Some("env/*.yaml"), "env/x.yaml", true),
            ("helm-values", Some("env/*.yaml"), "a/x.yaml", false),
            ("compose", None, "docker-compose.prod.yml", true),
            ("compose", None, "x/compose.yaml", true),
            ("compose", None, "x/stack.yaml", false),
            ("compose", Some("stack*"), "x/stack.yaml", true),
            ("gitlab-ci", None, ".gitlab-ci.yml", true),
            ("github-workflows", None, "r/.github/workflows/ci.yaml", true),
            ("github-workflows", None, "r/workflows/ci.yaml", false),
        ] {
            assert_eq!(spec(name, glob).names(path), expected, "{name} {glob:?} {path}");
        }
        assert!(
            FormatSpec::new("dockerfile", None).is_none()
                && FormatSpec::new("templates", Some("x")).is_none()
        );
    }
}
