//! Which rules win: the one order in which the command line, the function and the plugin put the sources of rules
//! and settings together. Later ones win over earlier ones of the same key.
//!
//! 1. the files of `--maps`, or else of `IMAGESWAP_MAPS_FILE`
//! 2. what is found beside the manifests or above them (not in the function and the plugin)
//! 3. `--map`
//! 4. the function's configuration
//! 5. words of the plugin's command line

mod error;
mod folders;
mod ruleset;

use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, bail};

use crate::krm::{FunctionConfig, Held, OnUnmapped, held};
use crate::maps::{Maps, MapsText, ParseOptions, Parsed};

use super::args::MapsArgs;
use super::{discover, stderr, stdio};

pub use error::{SourceError, UnreadableMaps, with_advice};
pub use folders::FolderRules;
pub use ruleset::{RuleSettings, RuleWarning, Ruleset};

/// What messages call the rules of the command line.
const FLAG: &str = "--map";

/// Sources of rules and settings, in their order.
#[derive(Debug, Clone, Default)]
pub struct RuleSources {
    /// The prefix of LEGACY mode, which takes no other rules.
    legacy: Option<String>,
    texts: Vec<MapsText<'static>>,
    settings: RuleSettings,
    /// Files by their absolute paths, so that none is read twice.
    files: Vec<PathBuf>,
    names: Vec<String>,
    options: ParseOptions,
}

impl RuleSources {
    /// No sources yet, to be read as `args` ask for.
    pub fn new(args: &MapsArgs) -> Self {
        let options = ParseOptions { lenient: args.lenient_maps, allow_chained: args.allow_chained };
        Self { options, ..Self::default() }
    }

    /// The prefix of LEGACY mode.
    pub fn legacy(prefix: String) -> Self {
        Self { legacy: Some(prefix), ..Self::default() }
    }

    /// The sources that the arguments name, or else the environment; without `--map`, which comes later.
    /// `stdin_free` says that standard input holds no manifests.
    pub fn given(args: &MapsArgs, stdin_free: bool) -> Result<Self> {
        let mut sources = Self::of_arguments(args, stdin_free)?;
        if args.maps.is_empty() && sources.legacy.is_none() {
            sources.environment(args, stdin_free)?;
        }
        Ok(sources)
    }

    /// The sources that the arguments name, without `--map` and the environment.
    pub fn of_arguments(args: &MapsArgs, stdin_free: bool) -> Result<Self> {
        let mut sources = Self { legacy: args.legacy_prefix.clone(), ..Self::new(args) };
        if sources.legacy.is_none() {
            args.maps.iter().try_for_each(|file| sources.file(file, stdin_free))?;
        }
        Ok(sources)
    }

    /// Adds what the environment names: the prefix of LEGACY mode, or a file.
    pub fn environment(&mut self, args: &MapsArgs, stdin_free: bool) -> Result<()> {
        if args.map.is_empty() {
            self.legacy = legacy_of_environment()?;
        }
        match from_environment() {
            Some(file) if self.legacy.is_none() => {
                self.file(&file, stdin_free).context("IMAGESWAP_MAPS_FILE")
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Adds a file: maps, or a manifest with maps in it.
    fn file(&mut self, path: &Path, stdin_free: bool) -> Result<()> {
        self.content(path, &read_text(path, stdin_free)?)
    }

    /// Adds what the file at `path` holds.
    pub fn content(&mut self, path: &Path, text: &str) -> Result<()> {
        let name = path.display().to_string();
        match held(&name, text)? {
            Held::Maps(text) => self.text(text),
            Held::Config(config) => self.config(*config, &name, path.parent())?,
        }
        self.named(path, name);
        Ok(())
    }

    fn named(&mut self, path: &Path, name: String) {
        self.files.extend(std::path::absolute(path));
        self.names.push(name);
    }

    /// Adds the files that belong to a folder: its own, or those of the nearest folder above that has any.
    pub fn discovered(&mut self, found: &discover::Nearest) -> Result<()> {
        if self.legacy.is_some() {
            return Ok(());
        }
        if let Some(path) = found.maps.as_ref().filter(|path| !self.has(path)) {
            self.file(path, false)?;
        }
        if let Some(path) = found.config.as_ref().filter(|path| !self.has(path)) {
            self.file(path, false)?;
        }
        Ok(())
    }

    fn has(&self, path: &Path) -> bool {
        std::path::absolute(path).is_ok_and(|path| self.files.contains(&path))
    }

    /// Adds the rules of `--map`.
    pub fn flags(&mut self, map: &[String]) {
        // The second --map is its second line.
        let flags = map.iter().zip(1..);
        self.texts.extend(flags.map(|(rule, number)| MapsText::new(FLAG, rule.clone()).at(number, 0)));
        self.names.extend((!map.is_empty()).then(|| FLAG.to_owned()));
    }

    /// Adds a text of rules.
    pub fn text(&mut self, text: MapsText<'_>) {
        let MapsText { source, text, first_line, indent, on_one_line } = text;
        let text = text.into_owned().into();
        self.texts.push(MapsText { source, text, first_line, indent, on_one_line });
    }

    /// Adds a configuration that is called `name`. Its `mapsFile` is looked for in `folder`, or where the program was
    /// started.
    pub fn config(&mut self, config: FunctionConfig, name: &str, folder: Option<&Path>) -> Result<()> {
        let FunctionConfig { rules, maps_file, fields, skip, on_unmapped, validate, pin, lock } = config;
        if let Some(file) = maps_file {
            let path = folder.map_or_else(|| PathBuf::from(&file), |folder| folder.join(&file));
            let text = read_text(&path, false).with_context(|| format!("mapsFile {file}"))?;
            match held(&file, &text)? {
                Held::Maps(text) => self.text(text),
                Held::Config(inner) if inner.maps_file.is_none() => {
                    self.config(*inner, &file, None)?;
                }
                Held::Config(_) => bail!("mapsFile {file}: names a mapsFile itself, expected rules"),
            }
        }
        self.texts.extend(rules);
        self.settings.fields = fields.or(self.settings.fields.take());
        self.settings.skip.extend(skip);
        match on_unmapped {
            OnUnmapped::Ignore => {}
            OnUnmapped::Warn | OnUnmapped::Error => self.settings.on_unmapped = on_unmapped,
        }
        self.settings.pin |= pin;
        if let Some(lock) = lock {
            self.settings.lock =
                Some(folder.map_or_else(|| PathBuf::from(&lock), |folder| folder.join(&lock)));
        }
        if validate {
            self.settings.validate = Some(name.to_owned());
        }
        Ok(())
    }

    /// Whether no source says anything about rules.
    pub fn is_empty(&self) -> bool {
        self.legacy.is_none() && self.texts.is_empty()
    }

    /// Reads the rules.
    pub fn read(self) -> Result<Ruleset, SourceError> {
        let Parsed { maps, warnings } = match &self.legacy {
            Some(prefix) => Maps::legacy(prefix).map_err(Error::from)?,
            None => Maps::parse(&self.texts, self.options)?,
        };
        let given = !self.is_empty();
        let Self { settings, names, legacy, .. } = self;
        let names = legacy.map_or(names, |prefix| vec![format!("the prefix {prefix}")]);
        Ok(Ruleset { maps: maps.into(), settings, notices: warnings, names, given })
    }
}

/// Reads the rules that `args` and the environment name, and those nearest to `path`; `None` when there are none
/// anywhere. `stdin_free` says that standard input holds no manifests. Warnings are said at once unless `quiet`.
pub fn load(args: &MapsArgs, path: Option<&Path>, stdin_free: bool, quiet: bool) -> Result<Option<Ruleset>> {
    let mut sources = RuleSources::given(args, stdin_free)?;
    if let Some(path) = path {
        sources.discovered(&discover::nearest(path))?;
    }
    sources.flags(&args.map);
    if sources.is_empty() {
        return Ok(None);
    }
    let ruleset = sources.read().map_err(with_advice)?;
    if !quiet {
        ruleset.announce();
    }
    Ok(Some(ruleset))
}

/// The text of a file, or of standard input for `-`.
pub fn read_text(file: &Path, stdin_free: bool) -> Result<String> {
    if file == Path::new("-") {
        if !stdin_free {
            bail!("standard input cannot hold both the manifests and the maps: give one of them as a file");
        }
        return stdio::read_text().context("the maps");
    }
    std::fs::read_to_string(file)
        .map_err(|error| stderr::failure(&format!("cannot read the maps file {}", file.display()), &error))
}

/// The prefix of LEGACY mode, if the environment asks for that.
fn legacy_of_environment() -> Result<Option<String>> {
    match std::env::var("IMAGESWAP_MODE") {
        Ok(mode) if mode.eq_ignore_ascii_case("legacy") => match std::env::var("IMAGE_PREFIX") {
            Ok(prefix) => Ok(Some(prefix)),
            Err(_) => bail!("IMAGESWAP_MODE is LEGACY but IMAGE_PREFIX is not set: set it, or use --maps"),
        },
        _ => Ok(None),
    }
}

/// The maps file that the environment names.
pub fn from_environment() -> Option<PathBuf> {
    std::env::var_os("IMAGESWAP_MAPS_FILE").filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// What to say when there are no rules.
pub fn none_given() -> Error {
    anyhow::anyhow!(
        "no rules: give --maps FILE or --map KEY::VALUE, set IMAGESWAP_MAPS_FILE, or put an {} file \
         beside the manifests or in a folder above them",
        discover::MAPS
    )
}
