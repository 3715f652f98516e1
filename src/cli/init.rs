//! `imageswap init`: the certificate of the webhook, made once, for an init container.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};

use super::args::{BootstrapHow, InitArgs};
use super::exit_code::ExitCode;
use super::{bootstrap, runtime, stderr};
use crate::cluster::bootstrap::{Bootstrap, Issued, Published};

/// Makes or reads the certificate, publishes its CA, and writes both to files.
pub fn run(args: &InitArgs) -> Result<ExitCode> {
    let mut asked = args.bootstrap.clone();
    asked.bootstrap.get_or_insert(BootstrapHow::SelfSigned);
    let options = bootstrap::options(&asked).expect("a way was set above");
    let issued =
        runtime::current_thread()?.block_on(async { Bootstrap::connect(options).await?.ensure().await })?;
    if let Some(folder) = &args.tls_dir {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        write(&folder.join("tls.key"), issued.key_pem.as_str(), 0o600)?;
        write(&folder.join("tls.crt"), &issued.chain_pem, 0o644)?;
    }
    stderr::print(&format!("{}\n", summary(&issued, &args.bootstrap.webhook_configuration)));
    Ok(ExitCode::Done)
}

fn summary(issued: &Issued, configuration: &str) -> String {
    let published = match issued.published {
        Published::Yes => format!("MutatingWebhookConfiguration {configuration} has its CA"),
        Published::NoConfiguration => {
            format!("there is no MutatingWebhookConfiguration {configuration}, so nothing is called")
        }
        Published::NotOurs => "the webhook configuration is left alone".to_owned(),
    };
    format!("the certificate is good until {}; {published}", issued.not_after.date())
}

/// Writes the file whole or not at all.
fn write(path: &Path, text: &str, mode: u32) -> Result<()> {
    let temp = path.with_extension(format!("{}.tmp", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&temp)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&temp, path));
    if written.is_err() {
        // The error that is reported is the one that counts.
        let _ = fs::remove_file(&temp);
    }
    written.with_context(|| format!("cannot write {}", path.display()))
}
