//! `imageswap maps lint`

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Result, bail};

use crate::files::write_file;
use crate::krm::{Held, held};
use crate::maps::{Finding, FindingCode, LintReport, Severity, lint, with_double_colons};
use crate::report::lint as shown;

use super::args::{LintArgs, ReportFormat};
use super::exit_code::ExitCode;
use super::{rules, stderr};

/// Prints what is wrong or suspicious in maps files, by line.
pub fn run(args: &LintArgs) -> Result<ExitCode> {
    if args.files.iter().filter(|file| *file == Path::new("-")).count() > 1 {
        bail!("standard input can be read only once: give `-` only once");
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
    let mut report = lint(&texts);
    if args.fix {
        fix(&read, &report)?;
        report.findings.retain(|finding| finding.code != FindingCode::Deprecated || finding.source == "-");
    }
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
        stderr::print(&format!("{}\n", stderr::count(errors, "error")));
        return Ok(ExitCode::Error);
    }
    let is_warning = |finding: &&Finding| finding.severity == Severity::Warning;
    let lenient = if args.lenient_maps { report.errors.len() } else { 0 };
    let warnings = lenient + report.findings.iter().filter(is_warning).count();
    if args.deny_warnings && warnings > 0 {
        stderr::print(&format!("{}\n", stderr::count(warnings, "warning")));
        return Ok(ExitCode::Error);
    }
    Ok(ExitCode::Done)
}

/// Writes the files anew in which a single `:` separates: none of them, when one cannot be fixed.
fn fix(read: &[(String, String)], report: &LintReport) -> Result<()> {
    let mut fixed = Vec::new();
    for (name, text) in read.iter().filter(|(name, _)| name != "-") {
        let deprecated =
            |finding: &&Finding| finding.code == FindingCode::Deprecated && finding.source == *name;
        let places: BTreeMap<usize, usize> =
            report.findings.iter().filter(deprecated).map(|finding| (finding.line, finding.column)).collect();
        if places.is_empty() {
            continue;
        }
        let new = with_double_colons(text, &places).filter(|new| is_clean(name, new));
        let Some(new) = new else { bail!("{name}: cannot be fixed in place; write :: by hand") };
        fixed.push((name, new, places.len()));
    }
    for (name, text, places) in &fixed {
        write_file(Path::new(name), text.as_bytes())?;
        stderr::print(&format!("{name}: fixed {}\n", stderr::count(*places, "line")));
    }
    Ok(())
}

/// Whether nothing deprecated is left in a text.
fn is_clean(name: &str, text: &str) -> bool {
    let texts = match held(name, text) {
        Ok(Held::Maps(text)) => vec![text],
        Ok(Held::Config(config)) => config.rules,
        Err(_) => return false,
    };
    lint(&texts).findings.iter().all(|finding| finding.code != FindingCode::Deprecated)
}
