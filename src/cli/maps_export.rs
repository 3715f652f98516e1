//! `imageswap maps export`

use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::maps::export::{ExportFormat, export};

use super::args::{ExportArgs, ExportTo};
use super::exit_code::ExitCode;
use super::{rules, stderr};

/// Prints the rules in another tool's format, or writes them to a folder.
pub fn run(args: &ExportArgs) -> Result<ExitCode> {
    if args.to == ExportTo::HostsToml && args.output.is_none() {
        bail!("hosts.toml is a file for each registry: name the folder with --output, such as certs.d");
    }
    let ruleset =
        rules::load(&args.maps, Some(Path::new(".")), true, false)?.ok_or_else(rules::none_given)?;
    let exported = export(&ruleset.maps, format(args.to));
    for note in &exported.notes {
        stderr::warning(&format!("the {} {}", note.rule, note.message));
    }
    if args.strict && !exported.notes.is_empty() {
        stderr::error(&format!(
            "{} cannot be expressed in full; nothing was written",
            stderr::count(exported.notes.len(), "rule")
        ));
        return Ok(ExitCode::Error);
    }
    for file in &exported.files {
        match &args.output {
            Some(folder) => {
                let path = folder.join(&file.path);
                let parent = path.parent().unwrap_or(folder);
                std::fs::create_dir_all(parent)
                    .with_context(|| format!("cannot make {}", parent.display()))?;
                std::fs::write(&path, &file.text)
                    .with_context(|| format!("cannot write {}", path.display()))?;
            }
            None => io::stdout().lock().write_all(file.text.as_bytes())?,
        }
    }
    Ok(ExitCode::Done)
}

fn format(to: ExportTo) -> ExportFormat {
    match to {
        ExportTo::RegistriesConf => ExportFormat::RegistriesConf,
        ExportTo::HostsToml => ExportFormat::HostsToml,
        ExportTo::Idms => ExportFormat::ImageDigestMirrorSet,
        ExportTo::Itms => ExportFormat::ImageTagMirrorSet,
        ExportTo::Kustomize => ExportFormat::Kustomize,
        ExportTo::Kyverno => ExportFormat::Kyverno,
    }
}
