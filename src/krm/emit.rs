//! Writes results as YAML in block style or as JSON. Every text is in double quotes with JSON's escapes,
//! which YAML reads the same, so nothing that stands in a manifest can break out of its line.

use std::fmt::Write;

use super::result::FunctionResult;

/// A field of a result: text, number, or a mapping of such.
enum ResultValue<'a> {
    Word(&'static str),
    Text(&'a str),
    Number(i64),
    Mapping(Vec<(&'static str, ResultValue<'a>)>),
}

/// `results` and its elements, `indent` before every line but the first; no line end at the end.
pub(super) fn block(results: &[FunctionResult], indent: &str, line_end: &str) -> String {
    if results.is_empty() {
        return "results: []".to_owned();
    }
    let mut out = String::from("results:");
    for result in results {
        let mut lead = "- ";
        for (key, value) in fields(result) {
            let _ = write!(out, "{line_end}{indent}{lead}{key}:");
            lead = "  ";
            match value {
                ResultValue::Mapping(pairs) => {
                    for (key, value) in pairs {
                        let _ = write!(out, "{line_end}{indent}    {key}: ");
                        scalar(&mut out, &value, false);
                    }
                }
                ResultValue::Word(_) | ResultValue::Text(_) | ResultValue::Number(_) => {
                    out.push(' ');
                    scalar(&mut out, &value, false);
                }
            }
        }
    }
    out
}

/// `"results": […]`
pub(super) fn flow(results: &[FunctionResult]) -> String {
    let mut out = String::from("\"results\": [");
    for (i, result) in results.iter().enumerate() {
        out.push_str(if i > 0 { ", " } else { "" });
        scalar(&mut out, &ResultValue::Mapping(fields(result)), true);
    }
    out.push(']');
    out
}

/// The fields that a result has, in the order of kyaml's `framework.Result`.
fn fields(result: &FunctionResult) -> Vec<(&'static str, ResultValue<'_>)> {
    fn texts<'a>(pairs: &[(&'static str, Option<&'a str>)]) -> Vec<(&'static str, ResultValue<'a>)> {
        pairs.iter().filter_map(|(key, text)| text.map(|text| (*key, ResultValue::Text(text)))).collect()
    }
    let mut fields = vec![
        ("message", ResultValue::Text(&result.message)),
        ("severity", ResultValue::Word(result.severity.as_str())),
    ];
    if let Some(resource) = &result.resource_ref {
        let pairs = texts(&[
            ("apiVersion", Some(&resource.api_version)),
            ("kind", Some(&resource.kind)),
            ("name", resource.name.as_deref()),
            ("namespace", resource.namespace.as_deref()),
        ]);
        fields.push(("resourceRef", ResultValue::Mapping(pairs)));
    }
    if let Some(field) = &result.field {
        let pairs = texts(&[
            ("path", Some(&field.path)),
            ("currentValue", field.current_value.as_deref()),
            ("proposedValue", field.proposed_value.as_deref()),
        ]);
        fields.push(("field", ResultValue::Mapping(pairs)));
    }
    if let Some(file) = &result.file {
        let mut pairs = texts(&[("path", Some(&file.path))]);
        pairs.extend(file.index.map(|index| ("index", ResultValue::Number(index))));
        fields.push(("file", ResultValue::Mapping(pairs)));
    }
    fields
}

fn scalar(out: &mut String, value: &ResultValue<'_>, json: bool) {
    match value {
        ResultValue::Word(word) if json => quote(out, word),
        ResultValue::Word(word) => out.push_str(word),
        ResultValue::Text(text) => quote(out, text),
        ResultValue::Number(number) => {
            let _ = write!(out, "{number}");
        }
        ResultValue::Mapping(pairs) => {
            out.push('{');
            for (i, (key, value)) in pairs.iter().enumerate() {
                let _ = write!(out, "{}\"{key}\": ", if i > 0 { ", " } else { "" });
                scalar(out, value, true);
            }
            out.push('}');
        }
    }
}

/// `text` as a string that JSON and YAML read alike: what YAML does not print is escaped.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..=' '
            | '\x7f'..='\u{a0}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}'
                if c != ' ' =>
            {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::super::result::Severity;
    use super::*;

    #[test]
    fn quotes_what_a_reader_gives_back() {
        let texts =
            ["", "a: b # c", "\"\\", "\0\u{1b}\n\r\t", "\u{7f}\u{85}\u{a0}\u{2028}\u{feff}\u{ffff}", "é🦀"];
        for text in texts {
            let mut quoted = String::new();
            quote(&mut quoted, text);
            assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
            assert_eq!(serde_saphyr::from_str::<String>(&quoted).unwrap(), text);
            let mut result = FunctionResult::new(Severity::Info, "");
            result.message = text.to_owned();
            for out in [block(std::slice::from_ref(&result), "", "\n"), format!("{{{}}}", flow(&[result]))] {
                let read: serde_json::Value = serde_saphyr::from_str(&out).unwrap();
                assert_eq!(read["results"][0]["message"], text, "{out}");
            }
        }
    }
}
