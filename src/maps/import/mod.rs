//! Rules out of what people have already: mirror configurations, kustomize lists, locks, relocation files.
//!
//! Each format has a file that reads its text into [`ImportedRule`]s. What a rule of the maps language cannot say
//! is never dropped in silence: it becomes an [`ImportNote`] that names the place and the reason.

mod containerd;
mod hub;
mod image_list;
mod images_lock;
mod kustomize;
mod mirror_set;
mod registries_conf;
mod relocation;
mod yaml;

use std::fmt;

use rustc_hash::FxHashMap;

use super::{Maps, MapsText, ParseOptions};

/// The formats that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImportFormat {
    /// The `images:` list of a Kustomization.
    Kustomize,
    /// OpenShift's ImageDigestMirrorSet, ImageTagMirrorSet and ImageContentSourcePolicy.
    MirrorSet,
    /// registries.conf of containers/image (Podman, CRI-O, skopeo), version 2.
    RegistriesConf,
    /// A hosts.toml of containerd's `certs.d` folder.
    HostsToml,
    /// An ImagesLock as kbld and imgpkg write it, or the `overrides` of a kbld Config.
    ImagesLock,
    /// CNAB's relocation-mapping.json: an object of `"source": "target"`.
    Relocation,
    /// The images of a Zarf package (`zarf.yaml`). They name no target, so one must be given.
    Zarf,
    /// The annotation `artifacthub.io/images` of a Chart.yaml. It names no target, so one must be given.
    Helm,
}

impl ImportFormat {
    /// The format of a file, by its name and its `kind`; `None` when neither tells.
    #[must_use]
    pub fn detect(file_name: &str, text: &str) -> Option<Self> {
        let base = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
        match base {
            "hosts.toml" => return Some(Self::HostsToml),
            "Chart.yaml" => return Some(Self::Helm),
            "relocation-mapping.json" => return Some(Self::Relocation),
            _ if base.ends_with(".conf") => return Some(Self::RegistriesConf),
            _ => {}
        }
        let kinds = yaml::kinds(text).unwrap_or_default();
        let by_kind = kinds.iter().find_map(|kind| match kind.as_str() {
            "Kustomization" | "Component" => Some(Self::Kustomize),
            "ImageDigestMirrorSet" | "ImageTagMirrorSet" | "ImageContentSourcePolicy" => {
                Some(Self::MirrorSet)
            }
            "ImagesLock" | "BundleLock" | "Config" | "ImageOverrides" => Some(Self::ImagesLock),
            "ZarfPackageConfig" => Some(Self::Zarf),
            _ => None,
        });
        let is_kustomization = matches!(base, "kustomization.yaml" | "kustomization.yml" | "Kustomization");
        by_kind.or(is_kustomization.then_some(Self::Kustomize))
    }
}

/// One text to import.
#[derive(Clone, Copy, Debug)]
pub struct ImportSource<'a> {
    /// What messages call it. Of a hosts.toml also what says the registry: its folder.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// A rule that a file gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedRule {
    /// The left side, `[EXACT]` included.
    pub key: String,
    /// The right side; empty leaves alone.
    pub value: String,
    /// The line it comes from, from 1; 0 where the format gives none.
    pub line: usize,
}

/// What a file says and a rule cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportNote {
    /// The line it is about, from 1; 0 where the format gives none.
    pub line: usize,
    /// What is left out or differs, and why.
    pub message: String,
}

/// What one text gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The rules, in the order of the text, each key once.
    pub rules: Vec<ImportedRule>,
    /// What they leave out.
    pub notes: Vec<ImportNote>,
}

/// Why a text cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It is not of the format.
    #[error("{file}: not a readable {expected}: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// What was expected of it.
        expected: &'static str,
        /// The parser's reason, with line and column where it gives them.
        reason: String,
    },
    /// Neither its name nor its kind tells the format.
    #[error("{file}: cannot recognise the format by name or kind")]
    UnknownFormat {
        /// The file.
        file: String,
    },
    /// The format lists images without saying where they are to come from.
    #[error("{file}: a list of images names no target")]
    NoTarget {
        /// The file.
        file: String,
    },
    /// The target is no registry or registry and path.
    #[error("the target {target:?} is not a registry, or a registry and a path: {reason}")]
    BadTarget {
        /// The target.
        target: String,
        /// Why.
        reason: String,
    },
    /// A hosts.toml whose folder does not say the registry.
    #[error("{file}: the folder of a hosts.toml names its registry, and this one has none")]
    NoRegistry {
        /// The file.
        file: String,
    },
}

impl ImportError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "check the file, or name its format with --from",
            Self::UnknownFormat { .. } => "give it with --from",
            Self::NoTarget { .. } => "say with --target where the images are to come from",
            Self::BadTarget { .. } => "give one such as --target mirror.example.com/images",
            Self::NoRegistry { .. } => "give the folder above it, such as certs.d",
        }
    }
}

/// Reads `source`. `target` is where images come from in formats that only list them.
///
/// # Errors
/// [`ImportError`], which names the file and what to do.
pub fn import(
    source: ImportSource<'_>,
    format: Option<ImportFormat>,
    target: Option<&str>,
) -> Result<Imported, ImportError> {
    let format = format
        .or_else(|| ImportFormat::detect(source.name, source.text))
        .ok_or_else(|| ImportError::UnknownFormat { file: source.name.to_owned() })?;
    let mut collector = Collector::default();
    match format {
        ImportFormat::Kustomize => kustomize::read(source, &mut collector)?,
        ImportFormat::MirrorSet => mirror_set::read(source, &mut collector)?,
        ImportFormat::RegistriesConf => registries_conf::read(source, &mut collector)?,
        ImportFormat::HostsToml => containerd::read(source, &mut collector)?,
        ImportFormat::ImagesLock => images_lock::read(source, &mut collector)?,
        ImportFormat::Relocation => relocation::read(source, &mut collector)?,
        ImportFormat::Zarf => image_list::zarf(source, target, &mut collector)?,
        ImportFormat::Helm => image_list::helm(source, target, &mut collector)?,
    }
    Ok(collector.imported)
}

/// Gathers rules: each key once, and only such as the maps language takes.
#[derive(Default)]
struct Collector {
    imported: Imported,
    /// Where in the rules each key stands.
    known: FxHashMap<String, usize>,
}

impl Collector {
    fn note(&mut self, line: usize, message: impl Into<String>) {
        self.imported.notes.push(ImportNote { line, message: message.into() });
    }

    /// Adds `key::value`. A second rule for the same key, or one that the language does not take, becomes a note.
    fn rule(&mut self, key: impl Into<String>, value: impl Into<String>, line: usize) {
        let (key, value) = (key.into(), value.into());
        if let Some(number) = self.known.get(&key) {
            let earlier = &self.imported.rules[*number];
            if earlier.value != value {
                let message = format!("{key} goes to {} already; {value} is left out", earlier.value);
                self.note(line, message);
            }
            return;
        }
        let rule = ImportedRule { key, value, line };
        match Maps::parse(&[MapsText::new("", rule.to_string())], ParseOptions::default()) {
            Ok(_) => {
                self.known.insert(rule.key.clone(), self.imported.rules.len());
                self.imported.rules.push(rule);
            }
            Err(errors) => {
                let reasons: Vec<String> = errors.iter().map(|error| error.kind().to_string()).collect();
                self.note(line, format!("{rule} is no rule: {}", reasons.join(", ")));
            }
        }
    }

    /// Adds the rule that takes what lies under `source` from the first of `mirrors`. The others have no place in
    /// the maps: a reference has one registry.
    fn mirrors(&mut self, source: &str, mirrors: &[(String, usize)], line: usize) {
        let Some(((first, _), others)) = mirrors.split_first() else {
            self.note(line, format!("{source} has no mirror"));
            return;
        };
        if source.contains('*') {
            self.note(line, format!("{source}: a rule names whole registries, without wildcards"));
            return;
        }
        self.rule(hub::key(source), hub::value(source, first), line);
        for (other, line) in others {
            self.note(*line, format!("{source}: a rule has one target, so the mirror {other} is left out"));
        }
    }
}

impl fmt::Display for ImportedRule {
    /// The rule as a line of a maps file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.key, self.value)
    }
}

impl Imported {
    /// The text of a maps file: where the rules come from, the rules, and what they leave out as comments.
    #[must_use]
    pub fn to_maps(&self, file: &str) -> String {
        let mut out = format!("# from {}\n", one_line(file));
        for rule in &self.rules {
            out.push_str(&format!("{rule}\n"));
        }
        for note in &self.notes {
            out.push_str("# not imported: ");
            if note.line > 0 {
                out.push_str(&format!("line {}: ", note.line));
            }
            out.push_str(&one_line(&note.message));
            out.push('\n');
        }
        out
    }
}

/// `text` fit for a comment: what would end the line is escaped.
fn one_line(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escaped: Vec<char> = if c.is_control() { c.escape_default().collect() } else { vec![c] };
            escaped
        })
        .collect()
}

#[cfg(test)]
mod tests;
