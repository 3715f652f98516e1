//! The certificate of `serve`: files that are watched, or what the cluster's bootstrap issues.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::cli::args::ServeArgs;
use crate::cli::bootstrap;
use crate::cluster::bootstrap::{Bootstrap, BootstrapOptions, Event, Issued};
use crate::webhook::{App, CertificateFiles, NameCheck, check_authority};

/// How long to wait before the cluster is asked again.
const RETRY: [u64; 5] = [1, 2, 5, 10, 30];

/// Sees to it that there is a certificate, now or as soon as it can be had, and from then on a good one.
pub(super) fn provide(args: &ServeArgs, app: &Arc<App>, reload_interval: Duration) {
    if let Some(options) = bootstrap::options(&args.bootstrap) {
        tokio::spawn(from_cluster(options, Arc::clone(app)));
        return;
    }
    let mut files = CertificateFiles::new(&args.tls_cert, &args.tls_key);
    files.reload_if_changed(&app.certificate, &app.metrics);
    check(args, &files);
    tokio::spawn(files.watch(Arc::clone(app), reload_interval));
}

/// Says whether API servers will take the certificate, as far as that can be told from the CA's file.
fn check(args: &ServeArgs, files: &CertificateFiles) {
    let beside = |name| files.certificate.with_file_name(name);
    let found = || ["ca.crt", "rootca.pem"].map(beside).into_iter().find(|path: &PathBuf| path.is_file());
    let Some(authority) = args.tls_ca.clone().or_else(found) else { return };
    let (Ok(chain), Ok(ca)) = (std::fs::read(&files.certificate), std::fs::read(&authority)) else {
        let (certificate, ca) = (files.certificate.display(), authority.display());
        tracing::warn!(%certificate, %ca, "the certificate cannot be checked against its CA: no such file");
        return;
    };
    let namespace = bootstrap::namespace(&args.bootstrap, |name| std::env::var(name).ok());
    let mut names = args.bootstrap.tls_name.clone();
    names.extend(namespace.map(|namespace| format!("{}.{namespace}.svc", args.bootstrap.service)));
    match check_authority(&chain, &ca, &names) {
        Err(error) => tracing::warn!(%error, ca = %authority.display(), "the certificate cannot be checked"),
        Ok(findings) => findings.iter().for_each(|finding| say(finding, &authority)),
    }
}

fn say(finding: &NameCheck, authority: &Path) {
    let ca = authority.display();
    match finding {
        NameCheck::Good { name } => {
            tracing::info!(name, %ca, "the CA signed the certificate, which fits the name");
        }
        NameCheck::Bad { name, reason } => {
            tracing::error!(name, reason, %ca, "API servers will refuse the certificate");
        }
    }
}

async fn from_cluster(options: BootstrapOptions, app: Arc<App>) {
    let bootstrap = {
        let mut tries = 0;
        loop {
            match Bootstrap::connect(options.clone()).await {
                Ok(bootstrap) => break bootstrap,
                Err(error) => failed(&app, &error),
            }
            let wait = RETRY[tries.min(RETRY.len() - 1)];
            tokio::time::sleep(Duration::from_secs(wait)).await;
            tries += 1;
        }
    };
    bootstrap
        .keep(|event| match event {
            Event::Issued(issued) => install(&app, &issued),
            Event::Failed(error) => failed(&app, &error),
        })
        .await;
}

fn install(app: &App, issued: &Issued) {
    let installed = app.certificate.set(issued.chain_pem.as_bytes(), issued.key_pem.as_str().as_bytes());
    app.metrics.certificate_loaded(installed.is_ok());
    match installed {
        Ok(installed) => {
            let (subject, names) = (installed.subject, installed.names.join(" "));
            tracing::info!(subject, names, not_after = %issued.not_after, "certificate issued");
        }
        Err(error) => tracing::error!(%error, "the issued certificate cannot be used"),
    }
}

fn failed(app: &App, error: &dyn std::error::Error) {
    app.metrics.certificate_loaded(false);
    let kept = if app.certificate.is_set() { "the last good one stays in use" } else { "there is none yet" };
    tracing::error!(error = %chain(error), "no certificate from the cluster, {kept}");
}

/// The error and what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
