//! Calls without a subcommand, told apart by what they get: hosts that run a program without arguments (a
//! container, an exec function, a Helm post-renderer), and kustomize's legacy plugin.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::Path;

use anyhow::{Context, Result};
use clap::{CommandFactory, Parser};

use crate::krm::ResourceList;
use crate::manifest::encoding;

use super::args::{Cli, Command};
use super::exit_code::ExitCode;
use super::plugin::{self, PluginCall};
use super::{function, rewrite, rules, stderr, stdio};

/// A call without a subcommand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BareCall {
    /// kustomize's legacy plugin.
    Plugin(PluginCall),
    /// No arguments: standard input tells what is wanted.
    Stdin,
}

/// What `args` (the first is the program's name) are a call of; `None` when they are for clap.
pub fn detect(args: &[OsString]) -> Option<BareCall> {
    let Some(first) = args.get(1) else {
        return (!io::stdin().is_terminal()).then_some(BareCall::Stdin);
    };
    let named_plugin =
        args.first().is_some_and(|name| Path::new(name).file_name() == Some("ImageSwap".as_ref()));
    let is_plugin = named_plugin || std::env::var_os("KUSTOMIZE_PLUGIN_CONFIG_ROOT").is_some();
    let word = first.to_string_lossy();
    let is_command = || Cli::command().get_subcommands().any(|command| command.get_name() == word);
    if !is_plugin || word.starts_with('-') || is_command() {
        return None;
    }
    // kustomize gives a whole path; a single word that is no file is a command that somebody mistyped.
    if !named_plugin && !Path::new(first).is_file() && !word.contains('/') {
        return None;
    }
    let words = args[2..].iter().map(|word| word.to_string_lossy().into_owned()).collect();
    Some(BareCall::Plugin(PluginCall { config: first.into(), words }))
}

/// Runs the call.
pub fn run(call: &BareCall) -> Result<ExitCode> {
    match call {
        BareCall::Plugin(call) => plugin::run(call),
        BareCall::Stdin => on_stdin(),
    }
}

fn on_stdin() -> Result<ExitCode> {
    let bytes = stdio::read()?;
    let text = encoding::decode(&bytes).context("standard input")?;
    if ResourceList::is_meant(text) {
        return function::on_text(&function::default_args()?, text);
    }
    if !text.trim().is_empty()
        && rules::from_environment().is_some()
        && let Command::Rewrite(args) = Cli::try_parse_from(["imageswap", "rewrite", "-"])?.command
    {
        return rewrite::run_on(&args, Some(&bytes));
    }
    stderr::print(&format!("{}\n", Cli::command().render_help()));
    stderr::error(
        "no command given, and standard input is not a ResourceList (as imageswap fn takes); to rewrite other \
         manifests use imageswap rewrite -, or set IMAGESWAP_MAPS_FILE",
    );
    Ok(ExitCode::Error)
}
