//! A place for one more key of a mapping, behind a scalar that is one of its values.

use super::Slot;
use super::event::ScalarStyle;
use super::layers::Layers;
use super::occurrence::Text;
use super::span::Span;

/// What is written before the value of a key that is not there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewKey {
    name: &'static str,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// On a line of its own, behind this many spaces.
    Block { indent: usize, carriage_return: bool },
    /// Behind a comma.
    Flow { quoted: bool },
}

impl NewKey {
    /// The key `name: ` with `value`, which is encoded already, as it is to be inserted.
    pub(super) fn before(self, value: &str) -> String {
        let name = self.name;
        match self.form {
            Form::Block { indent, carriage_return } => {
                let end = if carriage_return { "\r\n" } else { "\n" };
                format!("{end}{:indent$}{name}: {value}", "")
            }
            Form::Flow { quoted: true } => format!(", \"{name}\": {value}"),
            Form::Flow { quoted: false } => format!(", {name}: {value}"),
        }
    }
}

/// Where the key `name` goes, whose value is a plain word, behind `sibling`, the value of the key `key` of the same
/// mapping; `None` where `text` is written in a way that has no sure place for it.
#[must_use]
pub fn place_behind(text: &str, sibling: &Text, key: &str, name: &'static str) -> Option<Slot> {
    // Of a text within a text, the lines are not those of the file.
    let edit = sibling.edit.filter(|edit| *edit == sibling.span && sibling.within == Layers::default())?;
    let line_start = text[..edit.start].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[line_start..edit.start];
    let written = before.trim_end_matches([' ', '\t']).strip_suffix(':')?.trim_end_matches([' ', '\t']);
    let quoted = ['"', '\''].into_iter().find(|quote| written.ends_with(*quote));
    let lead = match quoted {
        Some(quote) => written.strip_suffix(quote)?.strip_suffix(key)?.strip_suffix(quote)?,
        None => written.strip_suffix(key)?,
    };
    let slot = |at: usize, style: ScalarStyle, form: Form| Slot {
        span: Span { start: at, end: at },
        style,
        flow: sibling.flow,
        refuses_brackets: false,
        within: sibling.within,
        new_key: Some(NewKey { name, form }),
    };
    if sibling.flow {
        let quoted = quoted == Some('"');
        let style = if quoted { ScalarStyle::DoubleQuoted } else { ScalarStyle::Plain };
        return Some(slot(edit.end, style, Form::Flow { quoted }));
    }
    // Spaces and the dashes of the sequences that the mapping stands in.
    let lead = lead.strip_prefix('\u{feff}').filter(|_| line_start == 0).unwrap_or(lead);
    if !lead.bytes().all(|byte| matches!(byte, b' ' | b'-')) {
        return None;
    }
    let rest = &text[edit.end..];
    let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
    let carriage_return = line.ends_with('\r');
    let line = line.strip_suffix('\r').unwrap_or(line);
    let behind = line.trim_start_matches([' ', '\t']);
    let is_comment = behind.starts_with('#') && behind.len() < line.len();
    if line.contains('\r') || !(behind.is_empty() || is_comment) {
        return None;
    }
    let form = Form::Block { indent: lead.chars().count(), carriage_return };
    Some(slot(edit.end + line.len(), ScalarStyle::Plain, form))
}

#[cfg(test)]
mod tests {
    use super::super::{Scanner, edit};
    use super::*;

    /// The Kustomization with `digest: x` behind its first `newTag`.
    fn with_digest(text: &str) -> Option<String> {
        let scan = Scanner::default().scan(text);
        assert!(scan.errors.is_empty(), "{:?}", scan.errors);
        let tag = scan.kustomize_images[0].new_tag.clone().unwrap();
        let slot = place_behind(text, &tag, "newTag", "digest")?;
        Some(edit::apply(text, &[slot.edit("x")]).unwrap())
    }

    #[test]
    fn every_form() {
        let head = "kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\n";
        for (name, before, after) in [
            (
                "last of a block",
                "images:\n- name: a\n  newTag: v1\n",
                "images:\n- name: a\n  newTag: v1\n  digest: x\n",
            ),
            (
                "first of a block",
                "images:\n  - newTag: v1\n    name: a\n",
                "images:\n  - newTag: v1\n    digest: x\n    name: a\n",
            ),
            (
                "a comment",
                "images:\n- newTag: 'v1'  # why\n  name: a\n",
                "images:\n- newTag: 'v1'  # why\n  digest: x\n  name: a\n",
            ),
            (
                "no line end",
                "images:\n- name: a\n  newTag: v1",
                "images:\n- name: a\n  newTag: v1\n  digest: x",
            ),
            (
                "CRLF",
                "images:\r\n- name: a\r\n  newTag: v1\r\n",
                "images:\r\n- name: a\r\n  newTag: v1\r\n  digest: x\r\n",
            ),
            (
                "a quoted key",
                "images:\n- name: a\n  \"newTag\": v1\n",
                "images:\n- name: a\n  \"newTag\": v1\n  digest: x\n",
            ),
            ("flow", "images: [{name: a, newTag: v1}]\n", "images: [{name: a, newTag: v1, digest: x}]\n"),
            (
                "flow over lines",
                "images: [\n  {\n    \"name\": \"a\",\n    \"newTag\": \"v1\"\n  }\n]\n",
                "images: [\n  {\n    \"name\": \"a\",\n    \"newTag\": \"v1\", \"digest\": \"x\"\n  }\n]\n",
            ),
        ] {
            assert_eq!(with_digest(&format!("{head}{before}")), Some(format!("{head}{after}")), "{name}");
        }
        let json = r#"{"kind":"Kustomization","apiVersion":"kustomize.config.k8s.io/v1beta1","images":[{"name":"a","newTag":"v1"}]}"#;
        assert_eq!(with_digest(json), Some(json.replace(r#""v1""#, r#""v1", "digest": "x""#)));
        for (name, text) in [
            ("on another line", "images:\n- name: a\n  newTag:\n    v1\n"),
            ("an anchor", "images:\n- name: a\n  newTag: &t v1\n"),
            ("a tag", "images:\n- name: a\n  newTag: !!str 1\n"),
            ("a tab behind the dash", "images:\n-\tnewTag: v1\n"),
        ] {
            assert_eq!(with_digest(&format!("{head}{text}")), None, "{name}");
        }
    }
}
