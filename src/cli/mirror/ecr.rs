//! Repositories that must be there before anything is written to them: those of Amazon ECR, made by the program `aws`.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use tokio::sync::OnceCell;

use crate::image::Repository;

/// Whether a repository could be made, or why not.
type Made = Arc<OnceCell<Result<(), String>>>;

/// Repositories that were made in this run.
pub struct Repositories {
    /// Whether they are to be made at all.
    wanted: bool,
    made: Mutex<HashMap<Repository, Made>>,
}

impl Repositories {
    pub fn new(wanted: bool) -> Self {
        Self { wanted, made: Mutex::default() }
    }

    /// Makes a repository where that is needed, once.
    pub async fn create(&self, repository: &Repository) -> Result<()> {
        let Some(region) = region(repository.registry()).filter(|_| self.wanted) else { return Ok(()) };
        let cell = {
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(made.entry(repository.clone()).or_default())
        };
        let made = cell
            .get_or_init(|| async { create(repository, region).await.map_err(|error| format!("{error:#}")) })
            .await;
        match made {
            Ok(()) => Ok(()),
            Err(error) => bail!("{error}"),
        }
    }
}

/// The region of a registry of ECR: `123456789012.dkr.ecr.eu-central-1.amazonaws.com`.
fn region(registry: &str) -> Option<&str> {
    let (account, rest) = registry.split_once(".dkr.ecr.")?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let region = rest.strip_suffix(".amazonaws.com").or_else(|| rest.strip_suffix(".amazonaws.com.cn"))?;
    (is_account && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')).then_some(region)
}

async fn create(repository: &Repository, region: &str) -> Result<()> {
    let name = repository.path().to_owned();
    let arguments = ["ecr", "create-repository", "--region", region, "--repository-name", &name];
    let mut command = std::process::Command::new("aws");
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    // Other images go on meanwhile.
    let output =
        tokio::task::spawn_blocking(move || command.output()).await.context("aws was interrupted")?;
    let output = output.context("--create-repos calls the program aws, which cannot be started")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() || said.contains("RepositoryAlreadyExistsException") {
        return Ok(());
    }
    let said = said.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    bail!("aws cannot create the repository {name}: {}", crate::report::words::escaped(said.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_of_ecr() {
        for (registry, want) in [
            ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", Some("eu-central-1")),
            ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("evil.dkr.ecr.eu-central-1.amazonaws.com", None),
            ("123456789012.dkr.ecr.x.example.com", None),
            ("123456789012.dkr.ecr.--x y.amazonaws.com", None),
            ("docker.io", None),
        ] {
            assert_eq!(region(registry), want, "{registry}");
        }
    }
}
