//! `imageswap maps lint`

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Result, bail};

use crate::maps::{Severity, held_text, lint};
use crate::report::json;

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
        texts.push(held_text(name, text)?);
    }
    let report = lint(&texts);
    let mut out = String::new();
    let fault = if args.lenient_maps { "warning" } else { "error" };
    for error in &report.errors {
        match args.format {
            ReportFormat::Text => {
                let _ = writeln!(
                    out,
                    "{}:{}:{}: {fault}: {} in `{}`, expected {}",
                    error.source_name(),
                    error.line(),
                    error.column(),
                    error.kind(),
                    error.text(),
                    error.expected()
                );
                if let Some(hint) = error.hint() {
                    let _ = writeln!(out, "  {hint}");
                }
            }
            ReportFormat::Json => json::line(
                &mut out,
                &serde_json::json!({
                    "severity": fault, "file": error.source_name(), "line": error.line(),
                    "column": error.column(), "code": "syntax", "text": error.text(),
                    "message": error.kind().to_string(), "expected": error.expected(), "hint": error.hint(),
                }),
            ),
        }
    }
    for finding in &report.findings {
        let severity = severity(finding.severity);
        match args.format {
            ReportFormat::Text => {
                let _ = writeln!(
                    out,
                    "{}:{}:{}: {severity}: {} [{}]",
                    finding.source, finding.line, finding.column, finding.message, finding.code
                );
            }
            ReportFormat::Json => json::line(
                &mut out,
                &serde_json::json!({
                    "severity": severity, "file": finding.source, "line": finding.line,
                    "column": finding.column, "code": finding.code, "message": finding.message,
                }),
            ),
        }
    }
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

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Hint => "hint",
    }
}
