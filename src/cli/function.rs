//! `imageswap fn`: a ResourceList from standard input to standard output. Nothing goes to standard output but
//! a ResourceList, and nothing to standard error but why it fails.

use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::krm::{self, Ending, FunctionConfig, FunctionResult, Manner, ResourceList, Severity, Verdict};
use crate::manifest::{Scanner, edit, encoding};
use crate::maps::{Maps, MapsNotice, MapsText, ParseOptions, Parsed, held_text};
use crate::rewrite::Engine;

use super::args::{FindArgs, FunctionArgs, MapsArgs};
use super::exit_code::ExitCode;
use super::{rules, settings, speech};

/// How many errors standard error names: hosts cut after a few lines.
const SPOKEN: usize = 10;

/// Runs the function on standard input.
pub fn run(args: &FunctionArgs) -> Result<ExitCode> {
    on_text(args, encoding::decode(&read_stdin()?).context("standard input")?)
}

/// Runs the function on `text`.
pub fn on_text(args: &FunctionArgs, text: &str) -> Result<ExitCode> {
    let list = ResourceList::read(text)?;
    let verdict = match prepare(&list, args) {
        Ok(Prepared { engine, manner, notices }) => krm::run(&list, &engine, manner, &notices),
        Err(reasons) => krm::failed(&list, &reasons),
    };
    say_errors(&verdict);
    let mut stdout = io::stdout().lock();
    edit::write(text, &verdict.edits, &mut stdout)?;
    stdout.flush()?;
    Ok(exit_code(&verdict))
}

/// All of standard input.
pub fn read_stdin() -> Result<Vec<u8>> {
    if io::stdin().is_terminal() {
        speech::say("reading from the terminal; Ctrl-D ends it\n");
    }
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
    Ok(bytes)
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
    for error in errors.iter().take(SPOKEN) {
        speech::say(&format!("{error}\n"));
    }
    if errors.len() > SPOKEN {
        speech::say(&format!("… and {} more\n", errors.len() - SPOKEN));
    }
}

/// Everything that the configuration decides.
pub struct Prepared {
    pub engine: Engine,
    pub manner: Manner,
    pub notices: Vec<MapsNotice>,
}

fn prepare(list: &ResourceList<'_>, args: &FunctionArgs) -> Result<Prepared, Vec<String>> {
    let config = list.function_config().map_err(|errors| strings(&errors.0))?.unwrap_or_default();
    prepared(config, args, None)
}

/// Puts the configuration and the arguments together: rules of the configuration win over those of the
/// arguments, and `words` over both.
pub fn prepared(
    mut config: FunctionConfig,
    args: &FunctionArgs,
    words: Option<MapsText<'static>>,
) -> Result<Prepared, Vec<String>> {
    let Parsed { maps, warnings } = parse_rules(&mut config, &args.maps, words)?;
    let mut engine = settings::engine(&args.find, maps);
    if let Some(fields) = config.fields {
        let FindArgs { disable_label, .. } = &args.find;
        engine.scanner = Scanner::new(fields, disable_label.clone());
    }
    engine.skips.append(&mut config.skip);
    let manner = Manner { on_unmapped: config.on_unmapped, validate: config.validate };
    Ok(Prepared { engine, manner, notices: warnings })
}

fn parse_rules(
    config: &mut FunctionConfig,
    args: &MapsArgs,
    words: Option<MapsText<'static>>,
) -> Result<Parsed, Vec<String>> {
    let one = |error: anyhow::Error| vec![format!("{error:#}")];
    let mut files = args.maps.clone();
    let given = !files.is_empty() || !args.map.is_empty() || config.has_rules() || words.is_some();
    if !given || args.legacy_prefix.is_some() {
        if let Some(prefix) = rules::legacy_prefix(args).map_err(one)? {
            return Maps::legacy(&prefix).map_err(|error| vec![error.to_string()]);
        }
        files.extend(rules::from_environment());
        if files.is_empty() {
            return Err(vec![none_given().to_owned()]);
        }
    }
    let mut read = Vec::new();
    for file in &files {
        read.push((file.display().to_string(), rules::read_text(file, false).map_err(one)?));
    }
    let given_files = read.len();
    if let Some(name) = &config.maps_file {
        let text = rules::read_text(&resolve(name), false).with_context(|| format!("mapsFile {name}"));
        read.push((name.clone(), text.map_err(one)?));
    }
    let mut texts = Vec::new();
    for (name, text) in &read {
        texts.push(held_text(name, text).map_err(|error| vec![error.to_string()])?);
    }
    // The second --map is its second line.
    let map = args.map.iter().zip(1..).map(|(rule, n)| MapsText::new("--map", rule.as_str()).at(n, 0));
    texts.splice(given_files..given_files, map);
    texts.extend(std::mem::take(&mut config.rules));
    texts.extend(words);
    let options = ParseOptions { lenient: args.lenient_maps, allow_chained: args.allow_chained };
    let parsed = Maps::parse(&texts, options).map_err(|errors| {
        let line = |error: &crate::maps::MapsError| match error.hint() {
            Some(hint) => format!("{error} ({hint})"),
            None => error.to_string(),
        };
        errors.iter().map(line).collect::<Vec<_>>()
    })?;
    // Rules that a template left empty are as good as none.
    if parsed.maps.is_empty() { Err(vec![none_given().to_owned()]) } else { Ok(parsed) }
}

/// Where a `mapsFile` is looked for: a kustomize plugin's in its kustomization, others where the host was
/// started.
fn resolve(name: &str) -> PathBuf {
    match std::env::var_os("KUSTOMIZE_PLUGIN_CONFIG_ROOT") {
        Some(root) => Path::new(&root).join(name),
        None => PathBuf::from(name),
    }
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
