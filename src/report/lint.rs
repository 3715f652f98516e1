//! What lint found in maps files, as text and as JSON.

use std::borrow::Cow;
use std::fmt::Write;

use serde::Serialize;

use crate::maps::{Finding, LintReport, MapsError, Severity};

use super::json;

/// A line of JSON about a line of a maps file.
#[derive(Debug, Serialize)]
struct LintLine<'a> {
    severity: &'static str,
    file: &'a str,
    line: usize,
    column: usize,
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<Cow<'static, str>>,
}

/// The report as text; `fault` is how bad faults are.
#[must_use]
pub fn text(report: &LintReport, fault: Severity) -> String {
    let mut out = String::new();
    for error in &report.errors {
        let (file, line, column) = (error.source_name(), error.line(), error.column());
        let (severity, kind, text, expected) = (fault.as_str(), error.kind(), error.text(), error.expected());
        let _ = writeln!(out, "{file}:{line}:{column}: {severity}: {kind} in `{text}`, expected {expected}");
        if let Some(hint) = error.hint() {
            let _ = writeln!(out, "  {hint}");
        }
    }
    for Finding { severity, source, line, column, code, message } in &report.findings {
        let _ =
            writeln!(out, "{source}:{line}:{column}: {}: {message} [{}]", severity.as_str(), code.as_str());
    }
    out
}

/// The report as JSON, one object per line.
#[must_use]
pub fn json(report: &LintReport, fault: Severity) -> String {
    let mut out = String::new();
    report.errors.iter().for_each(|error| error_line(&mut out, error, fault));
    for Finding { severity, source, line, column, code, message } in &report.findings {
        json::line(
            &mut out,
            &LintLine {
                severity: severity.as_str(),
                file: source,
                line: *line,
                column: *column,
                code: code.as_str(),
                message: message.clone(),
                text: None,
                expected: None,
                hint: None,
            },
        );
    }
    out
}

fn error_line(out: &mut String, error: &MapsError, fault: Severity) {
    json::line(
        out,
        &LintLine {
            severity: fault.as_str(),
            file: error.source_name(),
            line: error.line(),
            column: error.column(),
            code: "syntax",
            message: error.kind().to_string(),
            text: Some(error.text()),
            expected: Some(error.expected()),
            hint: error.hint(),
        },
    );
}
