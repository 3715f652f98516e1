//! References that a template fills in, as far as they are written out: `quay.io/a/b:{{ .tag }}`.

use super::mention;
use super::{Lines, Position, Span};
use crate::image::ImageReference;

/// The start of a reference that is written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiteralStart<'t> {
    /// A whole name, or its first parts without a `/` behind them.
    pub text: &'t str,
    /// Whether it is a whole name, so that only tag and digest are filled in.
    pub is_name: bool,
}

/// Where a placeholder may begin.
const PLACEHOLDERS: [&str; 4] = ["{{", "${", "$(", "$"];

/// The start of `value` that is written out, up to its first placeholder. `None` when that does not hold registry and path,
/// or there is no placeholder.
#[must_use]
pub fn literal_start(value: &str) -> Option<LiteralStart<'_>> {
    let end = PLACEHOLDERS.iter().filter_map(|sign| value.find(sign)).min()?;
    let before = &value[..end];
    let slash = before.rfind('/')?;
    let start = match before[slash..].find([':', '@']) {
        Some(sign) => LiteralStart { text: &before[..slash + sign], is_name: true },
        None => LiteralStart { text: &before[..slash], is_name: false },
    };
    let (host, path) = start.text.split_once('/').unwrap_or((start.text, ""));
    // A port is no tag, and a registry alone says too little.
    (is_registry(host) && (!path.is_empty() || !start.is_name)).then_some(start)
}

/// Whether `text` can stand before a path as its registry.
pub(crate) fn is_registry(text: &str) -> bool {
    ImageReference::parse(&format!("{text}/x")).is_ok_and(|image| image.host().is_some())
}

/// A value of a template's line that says image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateValue<'t> {
    /// The value as written, without quotes.
    pub value: &'t str,
    /// The key before it.
    pub key: &'t str,
    /// Where the value stands.
    pub span: Span,
    /// Where it starts.
    pub position: Position,
    /// Whether it stands behind a key that says image. What does not is only mentioned.
    pub is_image: bool,
}

/// The values of a template's lines `image: VALUE` (and of other keys that say image), and other texts that look like an image.
/// A template is no YAML, so that this goes line by line; comments are passed over.
#[must_use]
pub fn template_values(text: &str) -> Vec<TemplateValue<'_>> {
    let mut lines = Lines::new(text);
    let mut found = Vec::new();
    let mut in_comment = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let at = start;
        start += line.len();
        let was_in_comment = in_comment;
        // `{{/*` to `*/}}`
        if let Some(open) = line.rfind("/*") {
            in_comment = !line[open..].contains("*/");
        } else if line.contains("*/") {
            in_comment = false;
        }
        let line = line.trim_end();
        if was_in_comment || line.trim_start().starts_with('#') || line.trim_start().starts_with("{{/*") {
            continue;
        }
        if let Some((key, value)) = entry(line) {
            let offset = at + (value.as_ptr() as usize - line.as_ptr() as usize);
            let names_image = mention::names_image(key);
            let is_value = names_image
                && (key == "image" || mention::is_image_like(value) || literal_start(value).is_some());
            if (is_value || mention::is_image_like(value)) && !value.is_empty() {
                let (span, position) = (Span::new(offset, offset + value.len()), lines.position(offset));
                found.push(TemplateValue { value, key, span, position, is_image: is_value });
            }
        }
    }
    found
}

/// Key and value of a line `key: value`, `- key: value` or `{{…}}key: value`; the value without quotes and comment.
fn entry(line: &str) -> Option<(&str, &str)> {
    let (before, behind) = line.split_once(": ")?;
    let key_start =
        before.rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/')));
    let key = &before[key_start.map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8))..];
    let lead = before[..before.len() - key.len()].trim();
    if key.is_empty() || !(lead.is_empty() || lead.ends_with('-') || lead.ends_with("}}")) {
        return None;
    }
    let value = behind.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote) {
            let end = closing_quote(inner, quote)?;
            return Some((key, &inner[..end]));
        }
    }
    let value = value.split(" #").next().unwrap_or_default().trim_end();
    Some((key, value))
}

/// Where the quoted text ends; what a `{{ }}` holds does not end it.
fn closing_quote(inner: &str, quote: char) -> Option<usize> {
    let mut rest = inner;
    loop {
        let close = rest.find(quote)?;
        match rest.find("{{") {
            Some(open) if open < close => {
                let behind = open + rest[open..].find("}}")? + 2;
                rest = &rest[behind..];
            }
            _ => return Some(inner.len() - rest.len() + close),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_is_written_out() {
        for (value, expected) in [
            ("quay.io/a/b:{{ .tag }}", Some(("quay.io/a/b", true))),
            ("quay.io/a/b@{{ .digest }}", Some(("quay.io/a/b", true))),
            ("quay.io/a/b:v{{ .tag }}-x", Some(("quay.io/a/b", true))),
            ("r.io:5000/a:{{ .tag }}", Some(("r.io:5000/a", true))),
            ("quay.io/a/{{ .name }}:1", Some(("quay.io/a", false))),
            ("quay.io/a/b-{{ .name }}:1", Some(("quay.io/a", false))),
            ("quay.io/a/b{{ .suffix }}", Some(("quay.io/a", false))),
            ("quay.io/{{ .name }}", Some(("quay.io", false))),
            ("quay.io/a:${TAG:-1}", Some(("quay.io/a", true))),
            ("team/b:{{ .tag }}", None),
            ("{{ .registry }}/b:{{ .tag }}", None),
            ("nginx:{{ .tag }}", None),
            ("quay.io/a/b:1", None),
        ] {
            let found = literal_start(value).map(|start| (start.text, start.is_name));
            assert_eq!(found, expected, "{value}");
        }
    }

    #[test]
    fn finds_the_values_of_templates() {
        let text = "{{/*\nimage: a.io/b:1\n*/}}\n# image: a.io/b:1\nspec:\n  - image: \"q.io/a/b:{{ .x | default \
                    \"1\" }}\" # why\n    {{- if .y }}image: q.io/c:1{{ end }}\n    value: q.io/d:1\n    image: {{ \
                    .z }}\n    imagePullPolicy: Always\n";
        let values: Vec<(&str, bool)> =
            template_values(text).into_iter().map(|found| (found.value, found.is_image)).collect();
        assert_eq!(
            values,
            [
                ("q.io/a/b:{{ .x | default \"1\" }}", true),
                ("q.io/c:1{{ end }}", true),
                ("q.io/d:1", false),
                ("{{ .z }}", true)
            ]
        );
        for found in template_values(text) {
            assert_eq!(found.span.of(text), Some(found.value));
        }
    }
}
