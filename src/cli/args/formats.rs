//! Which files besides manifests are read for images.

use clap::Args;

use crate::manifest::{PlaceSpec, PlaceSpecError};

// A flag for each format, all alike: without a value the files are those that are usually called so. (A doc comment would
// be taken for what the subcommand is about.)
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Files that are no manifests")]
pub struct FormatArgs {
    /// The values of Helm charts: `values*.yaml`, or GLOB, beside a Chart.yaml
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "",
        value_parser = |text: &str| format_of("helm-values", text))]
    pub helm_values: Vec<PlaceSpec>,
    /// The templates of Helm charts: references whose registry and path are written out
    #[arg(long)]
    pub templates: bool,
    /// Compose files: `compose*.yaml`, `docker-compose*.yml` and the like, or GLOB
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "",
        value_parser = |text: &str| format_of("compose", text))]
    pub compose: Vec<PlaceSpec>,
    /// Configurations of Skaffold: `skaffold*.yaml`, or GLOB
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "",
        value_parser = |text: &str| format_of("skaffold", text))]
    pub skaffold: Vec<PlaceSpec>,
    /// GitLab CI: `.gitlab-ci.yml`, `*.gitlab-ci.yml` and the like, or GLOB
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "",
        value_parser = |text: &str| format_of("gitlab-ci", text))]
    pub gitlab_ci: Vec<PlaceSpec>,
    /// Workflows and actions of GitHub: `.github/workflows/*.yml`, `action.yml` and the like, or GLOB
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "",
        value_parser = |text: &str| format_of("github-workflows", text))]
    pub github_workflows: Vec<PlaceSpec>,
}

impl FormatArgs {
    /// All formats that are named.
    pub fn places(&self) -> impl Iterator<Item = PlaceSpec> {
        let files = self.helm_values.iter().chain(&self.compose).chain(&self.skaffold);
        let files = files.chain(&self.gitlab_ci).chain(&self.github_workflows).cloned();
        let templates = || "templates".parse().expect("it is the name of a format");
        files.chain(self.templates.then(templates))
    }
}

/// Reads a flag that has a format's name, with other names of its files or without.
fn format_of(name: &str, glob: &str) -> Result<PlaceSpec, PlaceSpecError> {
    if glob.is_empty() { name.parse() } else { format!("{name}:{glob}").parse() }
}
