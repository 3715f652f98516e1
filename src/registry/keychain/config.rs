//! Docker's `config.json`, Podman's `auth.json`, and the pull secrets of a cluster: one format.
//!
//! ```json
//! {
//!   "auths": {
//!     "https://index.docker.io/v1/": {"auth": "dXNlcjpwYXNzd29yZA=="},
//!     "ghcr.io/owner/private": {"identitytoken": "…"}
//!   },
//!   "credHelpers": {"gcr.io": "gcr"},
//!   "credsStore": "secretservice"
//! }
//! ```

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::super::{Credential, CredentialError, Secret};
use super::key::Key;

/// The user that stands for "the password is an identity token".
pub(super) const TOKEN_USER: &str = "<token>";

/// Base64 as Docker reads it, and without its padding, too.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The credentials of one file, and the programs that it names.
pub struct DockerConfig {
    /// Where it was read, for reports.
    pub(super) origin: String,
    auths: Vec<(Key, Auth)>,
    helpers: Vec<(Key, String)>,
    /// The program to ask when nothing else fits.
    pub(super) store: Option<String>,
}

/// What one key of `auths` holds.
enum Auth {
    Credential(Credential),
    /// Empty: the store holds it.
    Elsewhere,
    /// It cannot be read; why, without what it holds.
    Broken(&'static str),
}

/// What a configuration has under one key.
pub(super) enum Kept<'c> {
    Credential(&'c Credential),
    /// A program: `docker-credential-NAME`.
    Helper(&'c str),
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    auths: Option<BTreeMap<String, Option<Entry>>>,
    #[serde(default, rename = "credHelpers")]
    helpers: Option<BTreeMap<String, String>>,
    #[serde(default, rename = "credsStore")]
    store: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

impl DockerConfig {
    /// Reads the text of a `config.json`, an `auth.json` or a `.dockerconfigjson`. `origin` says where it stands, for
    /// reports.
    ///
    /// # Errors
    /// [`CredentialError`] with the place, which never holds what stands there.
    pub fn parse(origin: &str, text: &str) -> Result<Self, CredentialError> {
        let file: File = serde_json::from_str(text).map_err(|error| broken(origin, &error))?;
        let present = |store: &String| !store.is_empty();
        Ok(Self {
            origin: origin.to_owned(),
            auths: auths(file.auths.unwrap_or_default()),
            helpers: file
                .helpers
                .unwrap_or_default()
                .iter()
                .map(|(key, name)| (Key::new(key), name.clone()))
                .collect(),
            store: file.store.filter(present),
        })
    }

    /// Reads the text of a `.dockercfg`, which is what stands under `auths` alone.
    ///
    /// # Errors
    /// As [`DockerConfig::parse`].
    pub fn parse_legacy(origin: &str, text: &str) -> Result<Self, CredentialError> {
        let entries = serde_json::from_str(text).map_err(|error| broken(origin, &error))?;
        Ok(Self { origin: origin.to_owned(), auths: auths(entries), helpers: Vec::new(), store: None })
    }

    /// The configuration without the programs it names: of a stranger's text none is called.
    #[must_use]
    pub fn without_programs(mut self) -> Self {
        self.helpers.clear();
        self.store = None;
        self
    }

    /// What is kept for exactly `wanted`, a registry with or without a path.
    pub(super) fn get(&self, wanted: &str) -> Result<Option<Kept<'_>>, CredentialError> {
        if let Some((_, name)) = self.helpers.iter().find(|(key, _)| key.fits(wanted)) {
            return Ok(Some(Kept::Helper(name)));
        }
        // A pattern fits where nothing names the registry itself.
        let named = self.auths.iter().find(|(key, _)| *key == Key::new(wanted));
        let fitting = || self.auths.iter().find(|(key, _)| key.fits(wanted));
        match named.or_else(fitting).map(|(_, auth)| auth) {
            Some(Auth::Credential(credential)) => Ok(Some(Kept::Credential(credential))),
            Some(Auth::Elsewhere) | None => Ok(None),
            Some(Auth::Broken(reason)) => Err(CredentialError {
                origin: self.origin.clone(),
                message: format!("the entry for {wanted} cannot be read: {reason}"),
                hint: Some(format!("log in again, as with 'docker login {wanted}'")),
            }),
        }
    }
}

/// Says which registries it knows, and nothing of what it keeps for them.
impl fmt::Debug for DockerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&Key> = self.auths.iter().map(|(key, _)| key).collect();
        f.debug_struct("DockerConfig")
            .field("origin", &self.origin)
            .field("auths", &keys)
            .field("helpers", &self.helpers)
            .field("store", &self.store)
            .finish()
    }
}

/// A fault of the JSON; serde's own message might show a value.
fn broken(origin: &str, error: &serde_json::Error) -> CredentialError {
    let what = if error.is_data() { "holds something else than credentials there" } else { "is no JSON" };
    CredentialError {
        origin: format!("{origin}:{}:{}", error.line(), error.column()),
        message: format!("{what}, expected auths, credHelpers or credsStore as Docker and Podman write them"),
        hint: None,
    }
}

fn auths(entries: BTreeMap<String, Option<Entry>>) -> Vec<(Key, Auth)> {
    entries.into_iter().map(|(key, entry)| (Key::new(&key), entry.unwrap_or_default().into())).collect()
}

impl From<Entry> for Auth {
    fn from(entry: Entry) -> Self {
        let present = |text: &String| !text.is_empty();
        if let Some(token) = entry.registrytoken.filter(present) {
            return Self::Credential(Credential::Bearer(Secret::from(token)));
        }
        if let Some(token) = entry.identitytoken.filter(present) {
            return Self::Credential(Credential::IdentityToken(Secret::from(token)));
        }
        if let Some(auth) = entry.auth.filter(present) {
            return Self::decode(&auth);
        }
        match (entry.username.filter(present), entry.password.filter(present)) {
            (Some(user), Some(password)) => Self::Credential(credential(user, password)),
            (None, None) => Self::Elsewhere,
            (Some(_), None) => Self::Broken("it has a username and no password"),
            (None, Some(_)) => Self::Broken("it has a password and no username"),
        }
    }
}

impl Auth {
    /// Reads base64 of `user:password`.
    fn decode(auth: &str) -> Self {
        let Ok(bytes) = BASE64.decode(auth.trim()) else { return Self::Broken("its auth is no base64") };
        let Ok(text) = String::from_utf8(bytes) else { return Self::Broken("its auth is no text") };
        match text.split_once(':') {
            // Old clients filled up with NUL.
            Some((user, password)) => {
                Self::Credential(credential(user.to_owned(), password.trim_end_matches('\0').to_owned()))
            }
            None => Self::Broken("its auth has no ':'"),
        }
    }
}

/// What `user` and `password` mean.
pub(super) fn credential(user: String, password: String) -> Credential {
    let password = Secret::from(password);
    if user == TOKEN_USER {
        Credential::IdentityToken(password)
    } else {
        Credential::Basic { user, password }
    }
}
