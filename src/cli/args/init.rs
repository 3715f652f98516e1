//! What `init` takes.

use std::path::PathBuf;

use clap::Args;

use super::BootstrapArgs;

#[derive(Debug, Args)]
pub struct InitArgs {
    /// Write the certificate to DIR/tls.crt and its key to DIR/tls.key
    #[arg(long, value_name = "DIR")]
    pub tls_dir: Option<PathBuf>,
    #[command(flatten)]
    pub bootstrap: BootstrapArgs,
}
