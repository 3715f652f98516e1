//! `imageswap manifests`: the installation, printed.

use std::io::{self, Write};

use anyhow::Result;

use super::args::{BootstrapHow, ManifestsArgs, MapsArgs, PolicyName, ResourcesName, ScopeName};
use super::exit_code::ExitCode;
use super::rules;
use crate::cluster::manifests::{self, FailurePolicy, InstallOptions, Resources, Scope, Signing};

/// Prints the installation that the arguments describe.
pub fn run(args: &ManifestsArgs) -> Result<ExitCode> {
    let mut options = InstallOptions {
        namespace: args.namespace.clone(),
        replicas: args.replicas,
        failure_policy: args.failure_policy.map(|policy| match policy {
            PolicyName::Fail => FailurePolicy::Fail,
            PolicyName::Ignore => FailurePolicy::Ignore,
        }),
        resources: match args.resources {
            ResourcesName::Pods => Resources::Pods,
            ResourcesName::Workloads => Resources::Workloads,
        },
        scope: match args.scope {
            ScopeName::Labelled => Scope::Labelled,
            ScopeName::All => Scope::All,
        },
        pin: args.pin,
        pull_secrets: args.pull_secrets,
        signing: match args.bootstrap {
            BootstrapHow::SelfSigned => Signing::SelfSigned,
            BootstrapHow::Csr => Signing::Csr(args.csr_signer.clone()),
            BootstrapHow::Byo => Signing::Byo,
        },
        timeout_seconds: args.timeout_seconds,
        label: args.label.clone(),
        env: args.env.clone(),
        autoscale: args.autoscale,
        network_policy: args.network_policy,
        ..InstallOptions::default()
    };
    if let Some(image) = &args.image {
        options.image.clone_from(image);
    }
    if let Some(path) = &args.maps {
        // What serve would refuse is not installed.
        rules::load(&MapsArgs { maps: vec![path.clone()], ..MapsArgs::default() }, None, true, false)?;
        options.maps = rules::read_text(path, false)?;
    }
    io::stdout().lock().write_all(manifests::render(&options).as_bytes())?;
    Ok(ExitCode::Done)
}
