//! How `serve` mirrors images, and what users of image-cloner have configured for that.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::cli::args::{MirrorMissing, MirrorWhen, ServeArgs};
use crate::cli::registries;
use crate::registry::keychain::MachineKeychain;
use crate::registry::{
    AddressGuard, Client, Credential, CredentialFuture, Found, Keychain, RegistryOptions, Secret,
};
use crate::webhook::admission::WhenMissing;
use crate::webhook::{MirrorMode, Mirroring, MirroringOptions, QueueLimits, RegistryCopier};

/// Where image-cloner's Deployment mounts the account of the backup registry.
const ACCOUNT: &str = "/auth";

/// What the arguments ask for; nothing without `--mirror`.
pub(super) fn from(args: &ServeArgs) -> Result<Option<Mirroring>> {
    let cloner = Cloner::from_environment();
    let mode = match args.mirroring.mirror {
        Some(MirrorWhen::Enqueue) => MirrorMode::Enqueue,
        Some(MirrorWhen::Wait) => MirrorMode::Wait,
        None if cloner.is_some() => MirrorMode::Wait,
        None if args.mirroring.mirror_missing.is_some() => {
            bail!(
                "--mirror-missing says what to do about an image that --mirror has not copied yet: add --mirror wait"
            )
        }
        Some(MirrorWhen::Off) | None => return Ok(None),
    };
    let when_missing = match args.mirroring.mirror_missing {
        Some(MirrorMissing::Target) => WhenMissing::Target,
        Some(MirrorMissing::Deny) => WhenMissing::Deny,
        None if cloner.is_some() => WhenMissing::Deny,
        Some(MirrorMissing::Original) | None => WhenMissing::Original,
    };
    let keychain = Arc::new(Account { of: cloner, others: registries::keychain(&args.registry) });
    let client = |defaults: RegistryOptions| -> Result<Client> {
        let mut options = registries::options_from(defaults, &args.registry)?;
        options.guard = AddressGuard::Public { allow: args.allow_addresses.clone() };
        Ok(Client::new(options, Arc::clone(&keychain)))
    };
    // A review waits a second for a look; a copy has time.
    let looks = client(RegistryOptions {
        tries: 2,
        connect_timeout: Duration::from_secs(1),
        read_timeout: Duration::from_secs(1),
        answer_timeout: Duration::from_secs(2),
        longest_wait: Duration::from_millis(500),
        ..RegistryOptions::default()
    })?;
    let copier = RegistryCopier::new(looks, client(RegistryOptions::default())?);
    let options = MirroringOptions { mode, when_missing, limits: QueueLimits::default() };
    Ok(Some(Mirroring::new(options, Arc::new(copier))))
}

/// What image-cloner was told: where copies go, and as whom.
pub(super) struct Cloner {
    registry: String,
    user: Option<(String, Secret)>,
}

impl Cloner {
    /// What `REGISTRY` and the mounted account say; `None` without `REGISTRY`.
    pub(super) fn from_environment() -> Option<Self> {
        let registry = std::env::var("REGISTRY").ok().filter(|registry| !registry.trim().is_empty())?;
        Some(Self::of(&registry, Path::new(ACCOUNT)))
    }

    fn of(registry: &str, account: &Path) -> Self {
        let read = |name| fs::read_to_string(account.join(name)).ok();
        let user = read("username").map(|user| user.trim().to_owned()).filter(|user| !user.is_empty());
        let password = read("password").map(|password| Secret::new(password.trim_end_matches(['\r', '\n'])));
        let registry = registry.trim().trim_end_matches('/').to_owned();
        Self { registry, user: user.zip(password) }
    }

    /// The rule that says where copies go. Unlike image-cloner's, which keep the last part of a name alone, no two images
    /// get the same one.
    pub(super) fn rule(&self) -> String {
        let user = self.user.as_ref().map(|(user, _)| format!("/{user}")).unwrap_or_default();
        format!("default::{}{user}/{{registry}}/{{path}}", self.registry)
    }

    fn host(&self) -> &str {
        self.registry.split('/').next().unwrap_or_default()
    }
}

/// The account of image-cloner for the backup registry; what the machine knows for all others.
struct Account {
    of: Option<Cloner>,
    others: MachineKeychain,
}

impl Keychain for Account {
    fn find<'a>(&'a self, registry: &'a str, repository: &'a str) -> CredentialFuture<'a> {
        let account = self.of.as_ref().filter(|cloner| cloner.host() == registry);
        match account.and_then(|cloner| cloner.user.clone()) {
            Some((user, password)) => Box::pin(async move {
                let credential = Credential::Basic { user, password };
                Ok(Some(Found { credential, origin: format!("{ACCOUNT}/username") }))
            }),
            None => self.others.find(registry, repository),
        }
    }

    fn refused(&self, registry: &str) {
        self.others.refused(registry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_image_cloner_was_told() {
        let account = tempfile::TempDir::new().unwrap();
        assert_eq!(
            Cloner::of("quay.io/backup/", account.path()).rule(),
            "default::quay.io/backup/{registry}/{path}"
        );
        fs::write(account.path().join("username"), "team\n").unwrap();
        fs::write(account.path().join("password"), "secret\n").unwrap();
        let cloner = Cloner::of("backup.example:5000", account.path());
        assert_eq!(cloner.rule(), "default::backup.example:5000/team/{registry}/{path}");
        assert_eq!(cloner.host(), "backup.example:5000");
        assert_eq!(cloner.user, Some(("team".to_owned(), Secret::new("secret"))));
    }
}
