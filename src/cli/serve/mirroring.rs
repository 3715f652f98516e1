//! How `serve` mirrors images, and what users of image-cloner have configured for that.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use futures_util::future::BoxFuture;

use crate::cli::args::{MirrorMissing, MirrorWhen, ServeArgs};
use crate::cli::registries;
use crate::cluster::pod_specs::Puller;
use crate::registry::keychain::MachineKeychain;
use crate::registry::{
    AddressGuard, Client, Credential, CredentialFuture, FoundCredential, Keychain, RegistryOptions, Secret,
};
use crate::webhook::admission::{Reviewed, WhenMissing};
use crate::webhook::{
    Clients, Copier, MirrorMode, Mirroring, MirroringOptions, PodCredentials, PullIdentities, PullIdentity,
    QueueLimits, RegistryCopier,
};

use super::pull_secrets::{self, PullSecrets};

/// Where image-cloner's Deployment mounts the account of the backup registry.
const ACCOUNT: &str = "/auth";

/// How long the pull secrets of a pod are good.
const REMEMBER: Duration = Duration::from_secs(60);

/// What the arguments ask for; nothing without `--mirror`.
pub(super) fn from(args: &ServeArgs) -> Result<Option<Mirroring>> {
    let cloner = Cloner::from_environment();
    let mode = match args.mirroring.mirror {
        Some(MirrorWhen::Enqueue) => MirrorMode::Enqueue,
        Some(MirrorWhen::Wait) => MirrorMode::Wait,
        None if cloner.is_some() => MirrorMode::Wait,
        None => {
            let needs_mirror = [
                ("--mirror-missing", args.mirroring.mirror_missing.is_some()),
                ("--mirror-pod-credentials", args.mirroring.mirror_pod_credentials.is_some()),
            ];
            if let Some((option, _)) = needs_mirror.into_iter().find(|(_, is_given)| *is_given) {
                bail!("{option} is about copies, and without --mirror there are none: add --mirror wait")
            }
            return Ok(None);
        }
        Some(MirrorWhen::Off) => return Ok(None),
    };
    let when_missing = match args.mirroring.mirror_missing {
        Some(MirrorMissing::Target) => WhenMissing::Target,
        Some(MirrorMissing::Deny) => WhenMissing::Deny,
        None if cloner.is_some() => WhenMissing::Deny,
        Some(MirrorMissing::Original) | None => WhenMissing::Original,
    };
    let keychain = Arc::new(Account { of: cloner, others: registries::keychain(&args.registry) });
    let options = |defaults: RegistryOptions| -> Result<RegistryOptions> {
        let mut options = registries::options_from(defaults, &args.registry)?;
        options.guard = AddressGuard::Public { allow: args.allow_addresses.clone() };
        Ok(options)
    };
    // A review waits a second for a look; a copy has time.
    let looks = options(RegistryOptions {
        tries: 2,
        connect_timeout: Duration::from_secs(1),
        read_timeout: Duration::from_secs(1),
        answer_timeout: Duration::from_secs(2),
        longest_wait: Duration::from_millis(500),
        ..RegistryOptions::default()
    })?;
    let copies = options(RegistryOptions::default())?;
    let clients = move |keychain: Arc<dyn Keychain>| Clients {
        looks: Client::new(looks.clone(), Arc::clone(&keychain)),
        copies: Client::new(copies.clone(), keychain),
    };
    let copier = Arc::new(RegistryCopier::new(&clients(keychain.clone())));
    let pods = args.mirroring.mirror_pod_credentials.clone().map(|targets| {
        let general = Arc::clone(&copier);
        let secrets = PullSecrets::new(Arc::clone(&copier), keychain, REMEMBER, move |keychain| {
            Arc::new(general.reading_with(clients(Arc::new(keychain))))
        });
        PodCredentials { targets, identities: Arc::new(Pods { secrets: Arc::new(secrets) }) }
    });
    let options = MirroringOptions { mode, when_missing, limits: QueueLimits::default() };
    Ok(Some(Mirroring::new(options, copier, pods)))
}

/// Pods, which read images with their pull secrets.
struct Pods {
    secrets: Arc<PullSecrets<Arc<RegistryCopier>>>,
}

impl PullIdentities for Pods {
    fn of(&self, object: &Reviewed<'_>) -> Option<Arc<dyn PullIdentity>> {
        let pullers = pull_secrets::pullers(&object.namespace, object.text);
        let name = format!("{pullers:?}");
        let secrets = Arc::clone(&self.secrets);
        (!pullers.is_empty()).then(|| Arc::new(Pullers { secrets, pullers, name }) as Arc<dyn PullIdentity>)
    }
}

/// Pods that pull alike.
struct Pullers {
    secrets: Arc<PullSecrets<Arc<RegistryCopier>>>,
    pullers: BTreeSet<Puller>,
    name: String,
}

impl PullIdentity for Pullers {
    fn name(&self) -> &str {
        &self.name
    }

    fn copier(&self) -> BoxFuture<'_, Arc<dyn Copier>> {
        Box::pin(async { self.secrets.of(&self.pullers).await as Arc<dyn Copier> })
    }
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
                Ok(Some(FoundCredential { credential, origin: format!("{ACCOUNT}/username") }))
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
