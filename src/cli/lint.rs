//! `imageswap maps lint`

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Result, bail};

use crate::krm::{Held, held};
use crate::maps::{Severity, lint};
use crate::report::lint as shown;

use super::args::{LintArgs, ReportFormat};
use super::exit_code::ExitCode;
use super::{rules, speech};

/// Prints what is wrong or suspicious in maps files, by line.
pub fn run(args: &LintArgs) -> Result<ExitCode> {
    if args.files.iter().filter(|file| *file == Path::new("-")).count() > 1 {
        bail!("standard input can be read only once");
    }
    let mut read = Vec::new();
    for file in &args.files {
        read.push((file.display().to_string(), rules::read_text(file, true)?));
    }
    let mut texts = Vec::new();
    for (name, text) in &read {
        match held(name, text)? {
            Held::Maps(text) => texts.push(text),
            Held::Config(config) => texts.extend(config.rules),
        }
    }
    let report = lint(&texts);
    let fault = if args.lenient_maps { Severity::Warning } else { Severity::Error };
    let out = match args.format {
        ReportFormat::Text => shown::text(&report, fault),
        ReportFormat::Json => shown::json(&report, fault),
    };
    io::stdout().lock().write_all(out.as_bytes())?;
    let faults = if args.lenient_maps { 0 } else { report.errors.len() };
    let errors =
        faults + report.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    if errors > 0 {
        speech::say(&format!("{}\n", speech::count(errors, "error")));
        return Ok(ExitCode::Error);
    }
    Ok(ExitCode::Done)
}
