//! The file of `--registries`, which docs/registries.md describes: its text becomes [`RegistryOptions`]. Its keys
//! are named as those of containers' registries.conf where they mean the same.

mod form;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use url::Url;

use self::form::{File, Limits, Mirror, Registry, Wrong};
use super::Secret;
use super::options::{ClientCertificate, HostOptions, RegistryOptions, RegistryRule};
use crate::image::{DOCKER_HUB, DOCKER_HUB_API, Repository};

/// Why a configuration file cannot be used. Holds nothing of its values that may be secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {message}")]
pub struct ConfigError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there, and what was expected.
    pub message: String,
}

/// What a table says about the host of its location.
struct Tls {
    plain_http: bool,
    ca: Option<String>,
    client_cert: Option<Spanned<String>>,
    client_key: Option<Spanned<String>>,
}

impl RegistryOptions {
    /// Takes in the text of a configuration file. Relative paths in it start at `folder`. What it does not say
    /// stays as it is.
    ///
    /// # Errors
    /// [`ConfigError`] with the line. The options are not to be used then.
    pub fn read_config(&mut self, text: &str, folder: &Path) -> Result<(), ConfigError> {
        self.take(text, folder).map_err(|Wrong { at, message }| {
            let before = text.bytes().take(at);
            ConfigError { line: 1 + before.filter(|&byte| byte == b'\n').count(), message }
        })
    }

    fn take(&mut self, text: &str, folder: &Path) -> Result<(), Wrong> {
        let file = File::read(text)?;
        self.take_limits(file.client, folder)?;
        for registry in file.registry {
            self.take_registry(registry, folder)?;
        }
        Ok(())
    }

    fn take_limits(&mut self, limits: Limits, folder: &Path) -> Result<(), Wrong> {
        for (value, place) in [
            (limits.concurrency, &mut self.concurrency),
            (limits.lookups_per_registry, &mut self.lookups_per_host),
            (limits.blobs_per_registry, &mut self.blobs_per_host),
        ] {
            if let Some(value) = value {
                *place = within(&value, 256)?.into();
            }
        }
        for (value, place) in [
            (limits.connect_timeout, &mut self.connect_timeout),
            (limits.read_timeout, &mut self.read_timeout),
            (limits.answer_timeout, &mut self.answer_timeout),
            (limits.longest_wait, &mut self.longest_wait),
        ] {
            if let Some(value) = value {
                *place = Duration::from_secs(within(&value, 3600)?.into());
            }
        }
        if let Some(tries) = limits.tries {
            self.tries = within(&tries, 10)?.into();
        }
        for (value, place) in
            [(limits.https_proxy, &mut self.proxies.https), (limits.http_proxy, &mut self.proxies.http)]
        {
            if let Some(value) = value {
                *place = Some(proxy(value)?);
            }
        }
        if let Some(except) = limits.no_proxy {
            self.proxies.except = Some(except.join(","));
        }
        self.ca_files.extend(limits.ca.iter().map(|path| folder.join(path)));
        Ok(())
    }

    fn take_registry(&mut self, registry: Spanned<Registry>, folder: &Path) -> Result<(), Wrong> {
        let at = registry.span().start;
        let Registry { prefix, location, blocked, mirror, plain_http, ca, client_cert, client_key } =
            registry.into_inner();
        let tls = Tls { plain_http, ca, client_cert, client_key };
        let Some(named) = prefix.as_ref().or(location.as_ref()) else {
            let message = "a [[registry]] without prefix, expected one such as prefix = \"docker.io\"";
            return Err(Wrong::new(at, message));
        };
        match named.get_ref().strip_prefix("*.") {
            Some(domain) if prefix.is_some() => check(domain, named.span().start)?,
            Some(_) | None => check(named.get_ref(), named.span().start)?,
        }
        let prefix = named.get_ref().clone();
        if self.rules.iter().any(|rule| rule.prefix == prefix) {
            let message = format!("a second [[registry]] for {prefix}: write one for both");
            return Err(Wrong::new(named.span().start, message));
        }
        if let Some(location) = &location {
            check(location.get_ref(), location.span().start)?;
        }
        self.take_host(location.as_ref().unwrap_or(named), tls, folder)?;
        let mut mirrors = Vec::new();
        for Mirror { location, plain_http, ca, client_cert, client_key } in mirror {
            let tls = Tls { plain_http, ca, client_cert, client_key };
            check(location.get_ref(), location.span().start)?;
            self.take_host(&location, tls, folder)?;
            mirrors.push(location.into_inner());
        }
        let location = location.map(Spanned::into_inner).filter(|location| *location != prefix);
        self.rules.push(RegistryRule { prefix, location, blocked, mirrors });
        Ok(())
    }

    /// What is said about the host of `location`.
    fn take_host(&mut self, location: &Spanned<String>, tls: Tls, folder: &Path) -> Result<(), Wrong> {
        let client = match (tls.client_cert, tls.client_key) {
            (Some(certificate), Some(key)) => {
                let key = folder.join(key.into_inner());
                Some(ClientCertificate { certificate: folder.join(certificate.into_inner()), key })
            }
            (None, None) => None,
            (Some(alone), None) | (None, Some(alone)) => {
                return Err(Wrong::new(alone.span().start, "client-cert and client-key go together"));
            }
        };
        let ca: Option<PathBuf> = tls.ca.map(|path| folder.join(path));
        let said = HostOptions { plain_http: tls.plain_http, ca, client };
        if said == HostOptions::default() {
            return Ok(());
        }
        let at = location.span().start;
        let host = location.get_ref().split('/').next().unwrap_or_default();
        if host.starts_with('*') {
            let message =
                format!("plain-http, ca, client-cert and client-key belong to one host, not to {host}");
            return Err(Wrong::new(at, message));
        }
        if said.plain_http && (said.ca.is_some() || said.client.is_some()) {
            let message = format!("{host} has plain-http and a certificate: only one of them can be meant");
            return Err(Wrong::new(at, message));
        }
        if self.hosts.get(host).is_some_and(|other| *other != said) {
            let message = format!("{host} stands here with other certificates or plain-http than further up");
            return Err(Wrong::new(at, message));
        }
        if let Some(name) = in_urls(host, said.plain_http) {
            self.hosts.insert(name.to_owned(), said.clone());
        }
        self.hosts.insert(host.to_owned(), said);
        Ok(())
    }
}

/// What a host is called in URLs, where that is not its name in images.
fn in_urls(host: &str, plain_http: bool) -> Option<&str> {
    if host == DOCKER_HUB {
        return Some(DOCKER_HUB_API);
    }
    host.strip_suffix(if plain_http { ":80" } else { ":443" })
}

fn within(value: &Spanned<u16>, most: u16) -> Result<u16, Wrong> {
    let number = *value.get_ref();
    if (1..=most).contains(&number) {
        return Ok(number);
    }
    Err(Wrong::new(value.span().start, format!("{number} is out of range, expected 1 to {most}")))
}

/// A proxy, which may hold a password: messages do not show it.
fn proxy(value: Spanned<String>) -> Result<Secret, Wrong> {
    let at = value.span().start;
    let good = Url::parse(value.get_ref())
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
    if good {
        return Ok(Secret::from(value.into_inner()));
    }
    Err(Wrong::new(at, "this is no URL of a proxy, expected one such as http://proxy.example.com:3128"))
}

/// A registry, and perhaps the start of a path, as images have them: no scheme, no tag.
fn check(text: &str, at: usize) -> Result<(), Wrong> {
    // Two parts, since one alone would be an official image of Docker Hub.
    let below = format!("{text}/x/x");
    let meant = match Repository::parse(&below) {
        Ok(repository) if repository.canonical() == below => return Ok(()),
        Ok(repository) => repository.canonical().strip_suffix("/x/x").map(str::to_owned),
        Err(_) => None,
    };
    let message = match meant {
        // What stands before it may be a password.
        _ if text.contains('@') => "a registry is named without user, password and digest".to_owned(),
        Some(meant) => format!("{text:?} is not how a registry is named here, expected {meant:?}"),
        None => format!("{text:?} is no registry, expected host[:port][/path] without https:// and tag"),
    };
    Err(Wrong::new(at, message))
}
