//! Rules as the configuration of other tools, as far as these can say them.
//!
//! Other tools redirect a registry or a front of names (a *prefix*) to a *location*; `redirect.rs` says which rules do
//! that. Every rule that a format cannot say becomes an [`ExportNote`] with the reason.

mod containerd;
mod kustomize;
mod kyverno;
mod mirror_set;
mod object;
mod redirect;
mod registries_conf;

use rustc_hash::FxHashMap;

use super::{Maps, Rule};

/// The formats that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExportFormat {
    /// registries.conf of containers/image, version 2.
    RegistriesConf,
    /// A folder of containerd, `REGISTRY/hosts.toml`.
    HostsToml,
    /// OpenShift's ImageDigestMirrorSet.
    ImageDigestMirrorSet,
    /// OpenShift's ImageTagMirrorSet.
    ImageTagMirrorSet,
    /// An `images:` list for kustomize.
    Kustomize,
    /// A MutatingPolicy for Kyverno.
    Kyverno,
}

/// A file that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedFile {
    /// Where it belongs, below the folder of the configuration.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// What a rule says and the format cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportNote {
    /// The rule, as messages name it.
    pub rule: String,
    /// What is left out or differs, and why.
    pub message: String,
}

/// What became of the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// The files; more than one only of [`ExportFormat::HostsToml`].
    pub files: Vec<ExportedFile>,
    /// What they leave out, in the order of the rules.
    pub notes: Vec<ExportNote>,
}

/// Writes the rules of `maps` in `format`.
#[must_use]
pub fn export(maps: &Maps, format: ExportFormat) -> Exported {
    let mut exported = Exported::default();
    let mut redirects = Vec::new();
    for rule in maps.rules() {
        match redirect::of(rule) {
            Ok(redirect) => {
                let image = redirect::of_official_image(maps, rule, &redirect);
                redirects.push((rule, redirect));
                // kustomize's lists have one short name for both.
                redirects.extend(
                    image.filter(|_| format != ExportFormat::Kustomize).map(|redirect| (rule, redirect)),
                );
            }
            Err(reason) => exported.note(rule, reason),
        }
    }
    match format {
        ExportFormat::RegistriesConf => registries_conf::write(&redirects, &mut exported),
        ExportFormat::HostsToml => containerd::write(&redirects, &mut exported),
        ExportFormat::ImageDigestMirrorSet | ExportFormat::ImageTagMirrorSet => {
            mirror_set::write(&redirects, format, &mut exported);
        }
        ExportFormat::Kustomize => kustomize::write(&redirects, &mut exported),
        ExportFormat::Kyverno => kyverno::write(&redirects, &mut exported),
    }
    let order: FxHashMap<String, usize> =
        maps.rules().enumerate().map(|(number, rule)| (rule.to_string(), number)).collect();
    exported.notes.sort_by_key(|note| order.get(&note.rule).copied());
    exported
}

impl Exported {
    fn note(&mut self, rule: &Rule, message: impl Into<String>) {
        self.notes.push(ExportNote { rule: rule.to_string(), message: message.into() });
    }

    fn file(&mut self, path: impl Into<String>, text: String) {
        self.files.push(ExportedFile { path: path.into(), text });
    }
}

#[cfg(test)]
mod tests;
