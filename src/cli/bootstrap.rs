//! From the arguments to what `cluster::bootstrap` works on.

use super::args::{BootstrapArgs, BootstrapHow};
use crate::cluster::bootstrap::{BootstrapOptions, Mode};

/// The namespace of Secret and Service, where somebody says so: `--namespace` or `IMAGESWAP_NAMESPACE_NAME`, or else the
/// `POD_NAMESPACE` that k8s-digester and others are given.
pub fn namespace(args: &BootstrapArgs, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let said = |name: &String| !name.is_empty();
    args.namespace.clone().filter(said).or_else(|| variable("POD_NAMESPACE").filter(said))
}

/// What the arguments ask for; nothing where they name no way.
pub fn options(args: &BootstrapArgs) -> Option<BootstrapOptions> {
    let mode = match args.bootstrap? {
        BootstrapHow::SelfSigned => Mode::SelfSigned,
        BootstrapHow::Csr => Mode::Csr { signer: args.csr_signer.clone() },
        BootstrapHow::Byo => Mode::Byo,
    };
    Some(BootstrapOptions {
        mode,
        namespace: namespace(args, |name| std::env::var(name).ok()),
        service: args.service.clone(),
        secret: args.tls_secret.clone(),
        webhook_configuration: (!args.disable_auto_mwc).then(|| args.webhook_configuration.clone()),
        extra_names: args.tls_name.clone(),
        ..BootstrapOptions::default()
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        args: BootstrapArgs,
    }

    #[test]
    fn the_namespace_is_what_is_said_first() {
        let of = |given: Option<&str>, pod: Option<&str>| {
            let mut args = Arguments::parse_from(["serve"]).args;
            args.namespace = given.map(str::to_owned);
            namespace(&args, |name| pod.filter(|_| name == "POD_NAMESPACE").map(str::to_owned))
        };
        assert_eq!(of(Some("a"), Some("b")).as_deref(), Some("a"));
        assert_eq!(of(Some(""), Some("b")).as_deref(), Some("b"));
        assert_eq!(of(None, Some("b")).as_deref(), Some("b"));
        assert_eq!(of(None, Some("")), None);
        assert_eq!(of(None, None), None);
    }
}
