//! From the arguments to what `cluster::bootstrap` works on.

use super::args::{BootstrapArgs, BootstrapHow};
use crate::cluster::bootstrap::{Mode, Options};

/// What the arguments ask for; nothing where they name no way.
pub fn options(args: &BootstrapArgs) -> Option<Options> {
    let mode = match args.bootstrap? {
        BootstrapHow::SelfSigned => Mode::SelfSigned,
        BootstrapHow::Csr => Mode::Csr { signer: args.csr_signer.clone() },
        BootstrapHow::Byo => Mode::Byo,
    };
    Some(Options {
        mode,
        namespace: args.namespace.clone().filter(|name| !name.is_empty()),
        service: args.service.clone(),
        secret: args.tls_secret.clone(),
        webhook_configuration: (!args.disable_auto_mwc).then(|| args.webhook_configuration.clone()),
        extra_names: args.tls_name.clone(),
        ..Options::default()
    })
}
