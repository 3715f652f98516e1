//! Where `results` goes in the text of a ResourceList: over the old ones, or as a key of its own before
//! `items`. Before, and not behind the last key: what ends a text (a block scalar, no line break) means
//! something, and what stands before a key does not.

use crate::manifest::Span;
use crate::manifest::edit::Edit;

use super::emit;
use super::outline::{Kind, Outline, TopKey};
use super::result::FunctionResult;

/// The edit that makes `results` what the document says under that key; `None` when it says so already, or
/// when there are none and the document has no such key.
///
/// # Errors
/// [`NoPlace`] when the keys are written in a way that leaves no place.
pub(super) fn set_results(
    text: &str,
    outline: &Outline<'_>,
    results: &[FunctionResult],
) -> Result<Option<Edit>, NoPlace> {
    let old = outline.key("results");
    match old.map(|key| key.value) {
        None | Some(Kind::Null | Kind::Sequence(0)) if results.is_empty() => return Ok(None),
        None | Some(Kind::Null | Kind::Scalar | Kind::Sequence(_) | Kind::Mapping | Kind::Alias) => {}
    }
    let line_end = if text.find('\n').is_some_and(|at| text[..at].ends_with('\r')) { "\r\n" } else { "\n" };
    let is_plain = |key: &&TopKey<'_>| indent(text, key.span, outline.flow).is_some();
    if let Some(key) = old {
        let indent = indent(text, key.span, outline.flow).ok_or(NoPlace)?;
        let span = Span::new(key.span.start, end_of_value(text, outline, key));
        let new = if outline.flow { emit::flow(results) } else { emit::block(results, indent, line_end) };
        return Ok((span.of(text) != Some(new.as_str())).then_some(Edit { span, text: new }));
    }
    let before = outline.key("items").filter(is_plain).or_else(|| outline.keys.iter().find(is_plain));
    let before = before.ok_or(NoPlace)?.span;
    let indent = indent(text, before, outline.flow).ok_or(NoPlace)?;
    let new = if outline.flow {
        emit::flow(results) + ", "
    } else {
        emit::block(results, indent, line_end) + line_end + indent
    };
    Ok(Some(Edit { span: Span::new(before.start, before.start), text: new }))
}

/// The document's keys are written (`? key`, `&anchor key`) so that there is no place for `results`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ResourceList's keys are written in a way that leaves no place for results")]
pub struct NoPlace;

/// What stands before a key in its line, when that is nothing but white space (in flow style also `{` or a
/// comma) and a `:` follows.
fn indent(text: &str, key: Span, flow: bool) -> Option<&str> {
    let before = &text[..key.start];
    let line = &before[before.rfind(['\n', '\r']).map_or(0, |at| at + 1)..];
    let line = line.trim_start_matches('\u{feff}');
    let starts_line = line.bytes().all(|b| b == b' ');
    let in_flow = flow && before.trim_end().ends_with(['{', ',']);
    let is_key = text[key.end..].trim_start_matches([' ', '\t']).starts_with(':');
    let blank_line = flow && line.trim().is_empty();
    (key.end > key.start && is_key && (starts_line || in_flow || blank_line)).then_some(line)
}

/// Where the value of a top-level key ends: comments and line ends behind it are not its own.
fn end_of_value(text: &str, outline: &Outline<'_>, key: &TopKey<'_>) -> usize {
    let next = outline.keys.iter().map(|k| k.span.start).filter(|&start| start > key.span.start).min();
    let stop = next.unwrap_or(text.len());
    let mut closers = key.closers;
    let mut end = key.last;
    for (at, byte) in outside_comments(text, Span::new(key.last, stop)) {
        if outline.flow {
            if closers == 0 {
                break;
            }
            if matches!(byte, b']' | b'}') {
                closers -= 1;
            }
            end = at + 1;
        } else {
            let starts_line = at == 0 || matches!(text.as_bytes()[at - 1], b'\n' | b'\r');
            if starts_line && (text[at..].starts_with("...") || text[at..].starts_with("---")) {
                break;
            }
            end = at + 1;
        }
    }
    if outline.flow && key.value == Kind::Null && key.last == key.span.end {
        // An empty node in flow style: nothing but the `:` belongs to it.
        let colon = text[key.last..stop].find(':').map_or(0, |at| at + 1);
        return key.last + colon;
    }
    text[..end].trim_end_matches([' ', '\t', '\n', '\r']).len().max(key.span.end)
}

/// The bytes of `range` that are no white space and stand in no comment, with their offsets.
fn outside_comments(text: &str, range: Span) -> impl Iterator<Item = (usize, u8)> {
    let bytes = text.as_bytes();
    let mut in_comment = false;
    (range.start..range.end).filter_map(move |at| {
        let byte = bytes[at];
        match byte {
            b'\n' | b'\r' => in_comment = false,
            b'#' if at > 0 && bytes[at - 1].is_ascii_whitespace() => in_comment = true,
            _ => {}
        }
        (!in_comment && !byte.is_ascii_whitespace()).then_some((at, byte))
    })
}

#[cfg(test)]
mod tests {
    use super::super::result::Severity;
    use super::*;
    use crate::manifest::edit;

    fn set(text: &str, messages: &[&str]) -> String {
        let results: Vec<_> = messages.iter().map(|m| FunctionResult::new(Severity::Info, m)).collect();
        let outline = Outline::read(text, None).unwrap();
        let edits: Vec<_> = set_results(text, &outline, &results).unwrap().into_iter().collect();
        edit::apply(text, &edits).unwrap()
    }

    const YAML: &str = "results:\n- message: \"a\"\n  severity: info\n";
    const FLOW: &str = r#""results": [{"message": "a", "severity": "info"}]"#;

    #[test]
    fn puts_results_before_the_items_of_yaml() {
        let cases = [
            ("kind: R\nitems: []\n", "kind: R\n", "items: []\n"),
            ("kind: R\n# c\nitems:\n- a: |\n    b", "kind: R\n# c\n", "items:\n- a: |\n    b"),
            ("items:\n- a\nkind: R", "", "items:\n- a\nkind: R"),
            ("\u{feff}items: []", "\u{feff}", "items: []"),
            ("---\nitems: []\n...\n", "---\n", "items: []\n...\n"),
            ("kind: R\n? items\n: []\n", "", "kind: R\n? items\n: []\n"),
        ];
        for (text, before, after) in cases {
            assert_eq!(set(text, &["a"]), format!("{before}{YAML}{after}"), "{text:?}");
            assert_eq!(set(text, &[]), text);
        }
    }

    #[test]
    fn keeps_indentation_and_line_ends() {
        assert_eq!(
            set("  kind: R\n  items: []\n", &["a"]),
            "  kind: R\n  results:\n  - message: \"a\"\n    severity: info\n  items: []\n"
        );
        let crlf = "results:\r\n- message: \"a\"\r\n  severity: info\r\n";
        assert_eq!(set("kind: R\r\nitems: []\r\n", &["a"]), format!("kind: R\r\n{crlf}items: []\r\n"));
    }

    #[test]
    fn replaces_old_results_of_yaml() {
        for old in [
            "results:",
            "results: []",
            "results: {}",
            "results:\n- message: x\n  tags: {a: []}",
            "results:\n  name: x\n  items:\n  - message: |+\n      # no comment\n\n",
            "results: [a, [b, {}]]",
            "results: !!seq &a []",
            "'results': old",
            "results:\n- message: ''\n- - []\n  -",
        ] {
            for (head, tail) in
                [("kind: R\n", "\nitems: []\n"), ("", ""), ("", "\n# after\nkind: R"), ("---\n", "\n...\n")]
            {
                let text = format!("{head}{old}{tail}");
                let new = set(&text, &["a"]);
                assert!(new.starts_with(&format!("{head}{}", YAML.trim_end())), "{text:?}: {new:?}");
                let rest = new[head.len() + YAML.trim_end().len()..].trim_start();
                assert_eq!(rest, text[head.len() + old.trim_end().len()..].trim_start(), "{text:?}");
                assert_eq!(set(&new, &["a"]), new, "{text:?}");
                assert!(
                    set(&text, &[]).contains("results: []")
                        || matches!(old, "results:" | "results: []" | "results: !!seq &a []"),
                    "{text:?}"
                );
            }
        }
        assert_eq!(
            set("results: [] # c\nitems: []\n", &["a"]),
            format!("{} # c\nitems: []\n", YAML.trim_end())
        );
    }

    #[test]
    fn sets_and_replaces_results_of_json_and_flow() {
        let cases = [
            (r#"{"kind":"R","items":[]}"#, format!(r#"{{"kind":"R",{FLOW}, "items":[]}}"#)),
            (
                "{\n  \"kind\": \"R\",\n  \"items\": []\n}\n",
                format!("{{\n  \"kind\": \"R\",\n  {FLOW}, \"items\": []\n}}\n"),
            ),
            (r#"{"results":[{"a":[{}]}],"items":[]}"#, format!(r#"{{{FLOW},"items":[]}}"#)),
            (r#"{"items":[{"a":[]}],"results":{}}"#, format!(r#"{{"items":[{{"a":[]}}],{FLOW}}}"#)),
            (r#"{"items":[],"results":null}"#, format!(r#"{{"items":[],{FLOW}}}"#)),
            ("{items: [], results: }", format!("{{items: [], {FLOW} }}")),
            ("{items: [], results: [{a: b} # ]\n]} # c", format!("{{items: [], {FLOW}}} # c")),
            ("{kind: R, # c\n items: []}", format!("{{kind: R, # c\n {FLOW}, items: []}}")),
        ];
        for (text, expected) in cases {
            let new = set(text, &["a"]);
            assert_eq!(new, expected, "{text:?}");
            assert_eq!(set(&new, &["a"]), new);
        }
    }
}
