//! `imageswap fn`: a ResourceList from standard input to standard output. Nothing goes to standard output but
//! a ResourceList, and nothing to standard error but why it fails.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::krm::{
    self, Ending, FunctionConfig, FunctionOptions, FunctionResult, ResourceList, Severity, Verdict,
};
use crate::manifest::encoding;
use crate::maps::{MapsNotice, MapsText};
use crate::rewrite::{Engine, Plan};

use super::args::{FunctionArgs, MapsArgs, OnPinError};
use super::exit_code::ExitCode;
use super::pin::{Pinning, online};
use super::rules::{RuleSettings, RuleSources, SourceError};
use super::{settings, stderr, stdio};

/// How many errors standard error names: hosts cut after a few lines.
const ERRORS_SHOWN: usize = 10;

/// What is said of a registry that cannot be reached.
const NO_NETWORK: &str = "functions in containers have a network only where the host is told so \
    (kpt fn render --allow-network, kpt fn eval --network, kustomize build --network with network: true in the annotation); \
    or give a lock file";

/// Runs the function on standard input.
pub fn run(args: &FunctionArgs) -> Result<ExitCode> {
    on_text(args, encoding::decode(&stdio::read()?).context("standard input")?)
}

/// Runs the function on `text`.
pub fn on_text(args: &FunctionArgs, text: &str) -> Result<ExitCode> {
    let list = ResourceList::read(text)?;
    let verdict = match prepare(&list, args) {
        Ok(mut prepared) => {
            let mut plan = krm::plan(&list, &prepared.engine);
            match prepared.pin(&mut plan, text) {
                Ok(()) => {
                    krm::conclude(&list, &plan, &prepared.engine.maps, prepared.options, &prepared.notices)
                }
                Err(error) => krm::failed(&list, &[format!("{error:#}")]),
            }
        }
        Err(reasons) => krm::failed(&list, &reasons),
    };
    say_errors(&verdict);
    stdio::print_edited(text, &verdict.edits)?;
    Ok(exit_code(&verdict))
}

/// How the run ends for a shell.
pub fn exit_code(verdict: &Verdict) -> ExitCode {
    match verdict.ending {
        Ending::Done => ExitCode::Done,
        Ending::WouldChange => ExitCode::Changes,
        Ending::Failed => ExitCode::Error,
    }
}

/// Says why the run fails: not every host shows results.
pub fn say_errors(verdict: &Verdict) {
    let errors: Vec<&FunctionResult> =
        verdict.results.iter().filter(|result| result.severity == Severity::Error).collect();
    for error in errors.iter().take(ERRORS_SHOWN) {
        stderr::print(&format!("{error}\n"));
    }
    if errors.len() > ERRORS_SHOWN {
        stderr::print(&format!("… and {} more\n", errors.len() - ERRORS_SHOWN));
    }
}

/// Everything that the configuration decides.
pub struct Prepared {
    pub engine: Engine,
    pub pinning: Option<Pinning>,
    /// Whether the pull secrets of the cluster are used.
    online: bool,
    pub options: FunctionOptions,
    pub notices: Vec<MapsNotice>,
}

impl Prepared {
    /// Adds digests to `plan`, which is that of `text`, where that is asked for.
    pub fn pin(&mut self, plan: &mut Plan, text: &str) -> Result<()> {
        let Some(pinning) = self.pinning.as_mut().filter(|_| plan.errors.is_empty()) else { return Ok(()) };
        let pullers = self.online.then_some(|| online::pullers_of(text));
        pinning.settle_alone(&self.engine, plan, pullers)?;
        for missing in &mut plan.missing_digests {
            if pinning.is_unreachable(&missing.lookup) {
                missing.reason = format!("{}; {NO_NETWORK}", missing.reason).into();
            }
        }
        Ok(())
    }
}

fn prepare(list: &ResourceList<'_>, args: &FunctionArgs) -> Result<Prepared, Vec<String>> {
    let config = list.function_config().map_err(|errors| strings(&errors.0))?.unwrap_or_default();
    prepared(config, args, None)
}

/// Puts the configuration and the arguments together: what the configuration says wins over the arguments, and
/// `words` over both.
pub fn prepared(
    config: FunctionConfig,
    args: &FunctionArgs,
    words: Option<MapsText<'static>>,
) -> Result<Prepared, Vec<String>> {
    let ruleset =
        sources(config, &args.maps, words).and_then(RuleSources::read).map_err(|error| error.lines())?;
    // Rules that a template left empty are as good as none.
    if ruleset.maps.is_empty() {
        return Err(vec![none_given().to_owned()]);
    }
    let mut engine = settings::engine(&args.find, &ruleset).map_err(|error| vec![format!("{error:#}")])?;
    // A function reads a lock file and never writes one.
    let pinning = Pinning::new(&args.pin, &ruleset.settings, &args.registry)
        .map_err(|error| vec![format!("{error:#}")])?;
    engine.pins = pinning.is_some();
    if args.online && pinning.is_none() {
        online::refuse_without(None).map_err(|error| vec![format!("{error:#}")])?;
    }
    let missing_digests = match args.pin.on_pin_error {
        OnPinError::Fail => Some(Severity::Error),
        OnPinError::Warn => Some(Severity::Warning),
        OnPinError::Skip => None,
    };
    let RuleSettings { on_unmapped, validate, .. } = ruleset.settings;
    let options = FunctionOptions { on_unmapped, validate: validate.is_some(), missing_digests };
    Ok(Prepared { engine, pinning, online: args.online, options, notices: ruleset.notices })
}

fn sources(
    config: FunctionConfig,
    args: &MapsArgs,
    words: Option<MapsText<'static>>,
) -> Result<RuleSources, SourceError> {
    let mut sources = RuleSources::of_arguments(args, false)?;
    let given = !sources.is_empty() || !args.map.is_empty() || config.has_rules() || words.is_some();
    if !given {
        sources.environment(args, false)?;
    }
    sources.flags(&args.map);
    sources.config(config, "functionConfig", plugin_root().as_deref())?;
    if let Some(words) = words {
        sources.text(words);
    }
    Ok(sources)
}

/// Where a kustomize plugin's files are looked for: in its kustomization. Others start where the host was started.
fn plugin_root() -> Option<PathBuf> {
    std::env::var_os("KUSTOMIZE_PLUGIN_CONFIG_ROOT").map(PathBuf::from)
}

fn none_given() -> &'static str {
    "no rules: put maps (or KEY: VALUE) into the functionConfig, run it as imageswap fn --maps FILE, or set \
     IMAGESWAP_MAPS_FILE"
}

/// The displayed items, one string each.
pub fn strings<T: std::fmt::Display>(items: &[T]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

/// The arguments of a call that gives none, environment included.
pub fn default_args() -> Result<FunctionArgs> {
    use clap::Parser;
    match super::args::Cli::try_parse_from(["imageswap", "fn"])?.command {
        super::args::Command::Fn(args) => Ok(args),
        _ => bail!("imageswap fn is not known"),
    }
}
