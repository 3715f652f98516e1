//! `imageswap auth check`: which credential a registry gets, from where, and whether it works.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};

use crate::image::ImageReference;
use crate::registry::keychain::{Chain, Configs, MachineKeychain, Search};
use crate::registry::{Credential, Reason, RegistryError, ResolveOptions, blocking};

use super::args::AuthCheckArgs;
use super::exit_code::ExitCode;
use super::pin::online;
use super::{registries, runtime};

/// A repository that no registry has, to be asked for where only a registry is named.
const PROBE_REPOSITORY: &str = "imageswap/auth-check";

/// Checks each registry.
pub fn check(args: &AuthCheckArgs) -> Result<ExitCode> {
    let options = registries::options(&args.registry)?;
    let pullers = online::pullers_of_arguments(&args.online);
    let keychain = Credentials {
        cluster: Arc::new(pullers.as_ref().map(online::keychain).transpose()?.unwrap_or_default()),
        machine: registries::keychain(&args.registry),
    };
    let resolve = ResolveOptions { head_only: true, ..ResolveOptions::default() };
    let chain = Chain::new().then(Arc::clone(&keychain.cluster)).then(keychain.machine.clone());
    let mut resolver = blocking::Resolver::new(options, chain, resolve);
    let mut out = String::new();
    let mut good = true;
    for text in &args.names {
        let asked = Asked::read(text)?;
        let image = ImageReference::parse(&asked.image).map_err(|error| anyhow!("{text}: {error}"))?;
        let repository = image.repository();
        let path = if asked.whole { "" } else { repository.path() };
        good &= credential(&mut out, text, &keychain, repository.registry(), path);
        let mut answers = resolver.resolve_all(&[image], |_, _| {}).context(runtime::NOT_STARTED)?;
        let answer = answers.pop().expect("one image is asked for, and each has an answer");
        good &= verdict(&mut out, asked.whole, answer.err().as_ref());
    }
    io::stdout().lock().write_all(out.as_bytes())?;
    Ok(if good { ExitCode::Done } else { ExitCode::Error })
}

/// Where credentials are looked for.
struct Credentials {
    /// The pull secrets of the cluster; none without `--online`.
    cluster: Arc<Configs>,
    machine: MachineKeychain,
}

impl Credentials {
    fn search(&self, registry: &str, path: &str) -> Search {
        match self.cluster.search(registry, path) {
            Ok(None) => self.machine.search(registry, path),
            found => Search { found, tried: Vec::new() },
        }
    }
}

/// What is to be checked.
struct Asked {
    /// A reference below it.
    image: String,
    /// Only a registry is named.
    whole: bool,
}

impl Asked {
    fn read(text: &str) -> Result<Self> {
        let bare = text.trim_start_matches("https://").trim_end_matches('/');
        let whole = !bare.contains('/');
        if bare.is_empty() {
            return Err(anyhow!("{text:?} is no registry, expected one such as quay.io"));
        }
        Ok(Self { image: if whole { format!("{bare}/{PROBE_REPOSITORY}") } else { bare.to_owned() }, whole })
    }
}

/// Says which credential is used; false when that cannot be told.
fn credential(out: &mut String, name: &str, keychain: &Credentials, registry: &str, path: &str) -> bool {
    let Search { found, tried } = keychain.search(registry, path);
    let good = found.is_ok();
    let _ = match found {
        Ok(Some(found)) => {
            let what = match &found.credential {
                Credential::Basic { user, .. } => format!("user {user:?} and a password"),
                Credential::IdentityToken(_) => "an identity token".to_owned(),
                Credential::Bearer(_) => "a registry token".to_owned(),
            };
            writeln!(out, "{name}: {what}, from {}", found.origin)
        }
        Ok(None) => writeln!(out, "{name}: no credential"),
        Err(error) => match &error.hint {
            Some(hint) => writeln!(out, "{name}: {error}\n  {hint}"),
            None => writeln!(out, "{name}: {error}"),
        },
    };
    for tried in tried {
        let _ = writeln!(out, "  {}: {}", tried.what, tried.why);
    }
    good
}

/// Says how the registry answered; false when it refuses.
fn verdict(out: &mut String, whole: bool, error: Option<&RegistryError>) -> bool {
    let (good, text) = match error {
        None => (true, "works: the image can be read".to_owned()),
        Some(error) => match &*error.reason {
            Reason::NotFound { .. } if whole => (true, "works: the registry lets it in".to_owned()),
            Reason::NotFound { .. } => (true, "works, but there is no such image or tag".to_owned()),
            _ => match error.hint() {
                Some(hint) => (false, format!("does not work: {error}\n  {hint}")),
                None => (false, format!("does not work: {error}")),
            },
        },
    };
    let _ = writeln!(out, "  {text}");
    good
}
