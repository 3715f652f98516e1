//! Where an image is looked for: at the mirrors of its prefix, then where it belongs.

use super::{Client, Reason, RegistryError, RegistryOptions, RegistryRule, Step};
use crate::image::Repository;

/// Whether `prefix` (`docker.io`, `quay.io/team`, `*.example.com`) covers a repository.
fn covers(prefix: &str, repository: &Repository) -> bool {
    if let Some(domain) = prefix.strip_prefix('*') {
        return domain.starts_with('.') && repository.registry().ends_with(domain);
    }
    rest(prefix, repository).is_some()
}

/// What stands behind `prefix` in the name of a repository: nothing, or `/…`.
fn rest<'a>(prefix: &str, repository: &'a Repository) -> Option<&'a str> {
    repository.canonical().strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The repository with `location` instead of `prefix`.
fn moved(repository: &Repository, prefix: &str, location: &str) -> Option<Repository> {
    Repository::parse(&format!("{location}{}", rest(prefix, repository)?)).ok()
}

impl Client {
    /// Where to look for images of a repository, in this order: mirrors, then where it belongs.
    ///
    /// # Errors
    /// [`RegistryError`] when the configuration blocks it.
    pub fn endpoints(&self, image: &str, repository: &Repository) -> Result<Vec<Repository>, RegistryError> {
        let found = self.options().endpoints(repository);
        found.map_err(|reason| RegistryError::new(image, repository.registry(), Step::Lookup, reason))
    }
}

impl RegistryOptions {
    /// The rule with the longest prefix that covers a repository.
    fn rule(&self, repository: &Repository) -> Option<&RegistryRule> {
        let fitting = self.rules.iter().filter(|rule| covers(&rule.prefix, repository));
        fitting.max_by_key(|rule| rule.prefix.len())
    }

    /// Where to look for images of a repository, in this order; an error when that is blocked.
    pub(super) fn endpoints(&self, repository: &Repository) -> Result<Vec<Repository>, Reason> {
        let Some(rule) = self.rule(repository) else { return Ok(vec![repository.clone()]) };
        if rule.blocked {
            let message = format!("images of {} are blocked by the registry configuration", rule.prefix);
            return Err(Reason::Name { message });
        }
        // A pattern stands for whole registries.
        let prefix = if rule.prefix.starts_with('*') { repository.registry() } else { &rule.prefix };
        let moved = rule.mirrors.iter().chain(&rule.location).filter_map(|to| moved(repository, prefix, to));
        let mut endpoints: Vec<Repository> = moved.collect();
        if rule.location.is_none() {
            endpoints.push(repository.clone());
        }
        Ok(endpoints)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ImageReference;

    #[test]
    fn where_images_are_looked_for() {
        let rule = |prefix: &str, location: Option<&str>, mirrors: &[&str]| RegistryRule {
            prefix: prefix.to_owned(),
            location: location.map(str::to_owned),
            blocked: false,
            mirrors: mirrors.iter().map(|&mirror| mirror.to_owned()).collect(),
        };
        let options = RegistryOptions {
            rules: vec![
                rule("docker.io", None, &["m.io/hub", "n.io"]),
                rule("docker.io/library", Some("o.io/official"), &[]),
                rule("*.example.com", None, &["m.io"]),
                RegistryRule { blocked: true, ..rule("evil.io", None, &[]) },
            ],
            ..RegistryOptions::default()
        };
        for (image, want) in [
            ("team/app", "m.io/hub/team/app n.io/team/app docker.io/team/app"),
            ("nginx", "o.io/official/nginx"),
            ("a.example.com/x/y", "m.io/x/y a.example.com/x/y"),
            ("example.com/x", "example.com/x"),
            ("quay.io/x", "quay.io/x"),
        ] {
            let repository = ImageReference::parse(image).unwrap().repository();
            let found = options.endpoints(&repository).unwrap();
            let found: Vec<&str> = found.iter().map(Repository::canonical).collect();
            assert_eq!(found.join(" "), want, "{image}");
        }
        let blocked = ImageReference::parse("evil.io/x").unwrap().repository();
        assert!(options.endpoints(&blocked).is_err());
    }
}
