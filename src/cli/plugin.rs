//! The legacy exec plugin of kustomize (`--enable-alpha-plugins`): the configuration is a file, manifests come
//! on standard input and go to standard output, and all that is said on success is lost.
//!
//! kustomize looks for `$KUSTOMIZE_PLUGIN_HOME/imageswap.dev/v1alpha1/imageswap/ImageSwap` and calls it as
//! `ImageSwap CONFIGFILE [words of argsOneLiner, lines of argsFromFile]`. The variable that holds the
//! configuration as well is not read: kustomize drops it when it is large.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::krm::{self, Ending, FunctionConfig, Verdict, argument_rules};
use crate::manifest::encoding;

use super::exit_code::ExitCode;
use super::function::{self, Prepared};
use super::stderr;
use super::stdio;

/// A call of the plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginCall {
    /// The file with the configuration.
    pub config: PathBuf,
    /// Rules, a word each.
    pub words: Vec<String>,
}

/// Runs the plugin on standard input.
pub fn run(call: &PluginCall) -> Result<ExitCode> {
    let mut prepared = match prepare(call)? {
        Ok(prepared) => prepared,
        Err(reasons) => {
            reasons.iter().for_each(|reason| stderr::error(reason));
            return Ok(ExitCode::Error);
        }
    };
    let bytes = stdio::read()?;
    let text = encoding::decode(&bytes).context("standard input")?;
    let mut plan = prepared.engine.plan_alone(text);
    prepared.pin(&mut plan, text)?;
    let verdict: Verdict = krm::judge(&plan, &prepared.engine.maps, prepared.options, &prepared.notices);
    function::say_errors(&verdict);
    // As a validator the plugin must not say the manifests again: kustomize takes that for a change.
    if verdict.ending == Ending::Done && !prepared.options.validate {
        stdio::print_edited(text, &verdict.edits)?;
    }
    Ok(function::exit_code(&verdict))
}

fn prepare(call: &PluginCall) -> Result<Result<Prepared, Vec<String>>> {
    let name = call.config.display().to_string();
    let text = std::fs::read_to_string(&call.config).map_err(|error| {
        stderr::failure(&format!("cannot read the plugin's configuration {name}"), &error)
    })?;
    let args = function::default_args()?;
    let config = match FunctionConfig::read("the plugin's configuration", &text) {
        Ok(config) => config,
        Err(errors) => return Ok(Err(function::strings(&errors.0))),
    };
    let words = match call.words.as_slice() {
        [] => None,
        words => match argument_rules(words) {
            Ok(text) => Some(text),
            Err(reason) => return Ok(Err(vec![reason])),
        },
    };
    Ok(function::prepared(config, &args, words))
}
