//! A [SARIF 2.1.0](https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html) log, as code scanning takes it: one
//! run, a result for each finding.

use serde_json::{Value, json};

use super::entry::{Level, Message, ReportEntry};
use super::finding::{ABOUT_FILE, Finding, RULES};
use super::format::{Pages, Report};
use super::json;
use super::summary::{Ending, Summary};

/// A SARIF log.
#[derive(Debug, Clone, Copy)]
pub struct SarifReport {
    /// How much it matters that an image changes.
    pub change: Level,
}

impl Report for SarifReport {
    fn entry(&self, pages: &mut Pages, file: &str, entry: &ReportEntry<'_>) {
        let Some(finding) = Finding::of(file, entry, self.change) else { return };
        let mut region = json!({
            "startLine": finding.position.line,
            "startColumn": finding.position.column,
        });
        if let Some(span) = finding.span {
            region["byteOffset"] = span.start.into();
            region["byteLength"] = (span.end - span.start).into();
        }
        let mut location = json!({
            "physicalLocation": { "artifactLocation": { "uri": uri(file) }, "region": region },
        });
        if let Some(site) = finding.site {
            location["logicalLocations"] = json!([{ "fullyQualifiedName": site.path.to_string() }]);
        }
        let result = json!({
            "ruleId": finding.rule.id,
            "level": finding.level.as_str(),
            "message": { "text": finding.message },
            "locations": [location],
        });
        json::line(&mut pages.report, &result);
    }

    fn message(&self, pages: &mut Pages, message: &Message<'_>) {
        let Message { level, file, location, text } = *message;
        let mut result = json!({
            "ruleId": ABOUT_FILE.id,
            "level": level.as_str(),
            "message": { "text": text },
        });
        if let Some(file) = file {
            let mut physical = json!({ "artifactLocation": { "uri": uri(file) } });
            if let Some(at) = location {
                physical["region"] =
                    json!({ "startLine": at.position.line, "startColumn": at.position.column });
            }
            result["locations"] = json!([{ "physicalLocation": physical }]);
        }
        json::line(&mut pages.report, &result);
    }

    fn summary(&self, _: &mut Pages, _: &Summary, _: Ending) {}

    fn document(&self, parts: &[&str], success: bool) -> Option<String> {
        let rules: Vec<Value> = RULES
            .iter()
            .map(|rule| json!({ "id": rule.id, "shortDescription": { "text": rule.description } }))
            .collect();
        let driver = json!({
            "name": "imageswap",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "informationUri": env!("CARGO_PKG_REPOSITORY"),
            "rules": rules,
        });
        let results: Vec<&str> = parts.iter().flat_map(|part| part.lines()).collect();
        // A result a line, so that logs of two runs can be compared.
        let results = results.join(",\n");
        Some(format!(
            "{{\"version\":\"2.1.0\",\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"runs\":[{{\n\
             \"tool\":{{\"driver\":{driver}}},\n\
             \"columnKind\":\"unicodeCodePoints\",\n\
             \"invocations\":[{{\"executionSuccessful\":{success}}}],\n\
             \"results\":[\n{results}\n]}}]}}\n"
        ))
    }
}

/// A path as a URI relative to where the program runs, or absolute.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    if path.starts_with('/') {
        out.push_str("file://");
    }
    for byte in path.strip_prefix("./").unwrap_or(path).bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_uris() {
        for (path, want) in
            [("./a/b.yaml", "a/b.yaml"), ("/x/ä b.yaml", "file:///x/%C3%A4%20b.yaml"), ("a:b%c", "a%3Ab%25c")]
        {
            assert_eq!(uri(path), want);
        }
    }

    #[test]
    fn a_log_without_results_is_one_too() {
        let log = SarifReport { change: Level::Error }.document(&[], true).unwrap();
        let log: Value = serde_json::from_str(&log).unwrap();
        assert_eq!(log["runs"][0]["results"], json!([]));
        assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], true);
    }
}
