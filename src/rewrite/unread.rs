//! Files that do not parse: which of them nobody meant as manifests.

use memchr::memmem;

/// Why a file that does not parse is passed over and counted instead of being an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unread {
    /// A chart's template that holds `{{`.
    Template,
    /// No line of it starts with `apiVersion` or `kind`.
    NoManifest,
}

impl Unread {
    /// What such a file is.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Template => "a chart's template",
            Self::NoManifest => "no manifest",
        }
    }
}

/// Whether `text`, which does not parse, is to be passed over. `is_template`: its path is that of a chart's template;
/// elsewhere `{{` in a manifest that does not parse excuses nothing.
#[must_use]
pub fn unread(text: &str, is_template: bool) -> Option<Unread> {
    if is_template && memmem::find(text.as_bytes(), b"{{").is_some() {
        return Some(Unread::Template);
    }
    let names_resource = |line: &str| {
        let line = line.trim_start_matches('\u{feff}');
        let is_key = |key: &str, quote: &str| {
            let rest =
                line.trim_start_matches(if quote.is_empty() { &[][..] } else { &[' ', '\t', '{', '['][..] });
            rest.strip_prefix(quote)
                .and_then(|rest| rest.strip_prefix(key))
                .and_then(|rest| rest.strip_prefix(quote))
                .is_some_and(|rest| rest.trim_start().starts_with(':'))
        };
        ["apiVersion", "kind"].iter().any(|key| ["", "\"", "'"].iter().any(|quote| is_key(key, quote)))
    };
    (!text.split(['\n', '\r']).any(names_resource)).then_some(Unread::NoManifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_manifests_from_the_rest() {
        assert_eq!(unread("kind: Pod\n{{ if }}", true), Some(Unread::Template));
        assert_eq!(unread("kind: Pod\n{{ if }}", false), None);
        assert_eq!(unread("kind: Pod\na: [", true), None);
        assert_eq!(unread("a: [\n  kind: x", false), Some(Unread::NoManifest));
        assert_eq!(unread("kind: Pod\na: [", false), None);
        assert_eq!(unread("a: [\napiVersion: v1", false), None);
        assert_eq!(unread("{\n\t\"kind\": \"Pod\",", false), None);
        assert_eq!(unread("'apiVersion' : v1", false), None);
    }
}
