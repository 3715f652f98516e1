//! A hosts.toml of containerd's folder `certs.d` (containerd's docs/hosts.md). The folder that holds it names the
//! registry: `certs.d/quay.io/hosts.toml`.
//!
//! ```toml
//! server = "https://quay.io"
//! [host."https://mirror.example.com/v2/quay"]
//!   capabilities = ["pull", "resolve"]
//!   override_path = true
//! ```
//! becomes `quay.io::mirror.example.com/quay`.

use serde::Deserialize;

use super::registries_conf::line;
use super::{Collector, ImportError, ImportSource, hub};

#[derive(Deserialize)]
struct Hosts {
    #[serde(default)]
    host: toml::Table,
}

#[derive(Deserialize)]
struct Host {
    capabilities: Option<Vec<String>>,
    #[serde(default)]
    override_path: bool,
}

pub(super) fn read(source: ImportSource<'_>, into: &mut Collector) -> Result<(), ImportError> {
    let registry =
        registry(source.name).ok_or_else(|| ImportError::NoRegistry { file: source.name.to_owned() })?;
    let unreadable = |error: &toml::de::Error| ImportError::Unreadable {
        file: source.name.to_owned(),
        expected: "hosts.toml",
        reason: match error.span() {
            Some(span) => format!("line {}: {}", line(source.text, span.start), error.message()),
            None => error.message().to_owned(),
        },
    };
    let hosts: Hosts = toml::from_str(source.text).map_err(|error| unreadable(&error))?;
    let mut mirrors = Vec::new();
    for (url, settings) in hosts.host {
        let at = source.text.find(&format!("\"{url}\"")).map_or(0, |at| line(source.text, at));
        let host: Host = settings.try_into().map_err(|error| unreadable(&error))?;
        if !host.capabilities.as_ref().is_none_or(|can| can.iter().any(|word| word == "pull")) {
            into.note(at, format!("{url} is not for pulling"));
            continue;
        }
        match name_of(&url, host.override_path) {
            Ok(name) => mirrors.push((name, at)),
            Err(reason) => into.note(at, reason),
        }
    }
    if registry == "_default" {
        let Some((first, at)) = mirrors.first() else { return Ok(()) };
        let message = "_default: the mirror learns the registry by ?ns=; the rule writes it into the path";
        into.note(*at, message);
        into.rule("default", format!("{first}/{{registry}}/{{path}}"), *at);
        return Ok(());
    }
    if mirrors.is_empty() {
        into.note(0, format!("{registry} has no mirror to pull from"));
        return Ok(());
    }
    let at = mirrors[0].1;
    into.mirrors(&registry, &mirrors, at);
    Ok(())
}

/// The registry of `…/REGISTRY/hosts.toml`. Where `:` is not allowed in names, the port is written `_5000_`.
fn registry(file: &str) -> Option<String> {
    let folder = file.rsplit(['/', '\\']).nth(1).filter(|folder| !matches!(*folder, "" | "." | ".."))?;
    let port = folder.strip_suffix('_').and_then(|rest| rest.rsplit_once('_'));
    match port {
        Some((host, port)) if !host.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
            Some(format!("{host}:{port}"))
        }
        _ => Some(folder.to_owned()),
    }
}

/// The front of the names that a host answers for. containerd puts `/v2` behind the path, or, with
/// `override_path`, takes the path as the API's root, where only what follows `/v2` is part of a name.
fn name_of(url: &str, override_path: bool) -> Result<String, String> {
    let plain = hub::without_scheme(url);
    let (host, path) = plain.split_once('/').unwrap_or((plain, ""));
    if !override_path {
        return match path.trim_matches('/') {
            "" | "v2" => Ok(host.to_owned()),
            path => Err(format!("{url}: an API below /{path} is not where a reference's host is asked")),
        };
    }
    match path.strip_prefix("v2").map(|rest| rest.trim_matches('/')) {
        Some("") => Ok(host.to_owned()),
        Some(rest) => Ok(format!("{host}/{rest}")),
        None => {
            Err(format!("{url}: override_path leads to an API outside /v2, which a reference cannot name"))
        }
    }
}
