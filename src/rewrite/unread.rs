//! Files that do not parse: which of them nobody meant as manifests.

use memchr::memmem;

/// Why a file that does not parse is passed over and counted instead of being an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unread {
    /// It holds `{{`: a template.
    Template,
    /// No line of it starts with `apiVersion` or `kind`.
    NoManifest,
}

/// Whether `text`, which does not parse, is to be passed over.
#[must_use]
pub fn unread(text: &str) -> Option<Unread> {
    if memmem::find(text.as_bytes(), b"{{").is_some() {
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
        assert_eq!(unread("kind: Pod\n{{ if }}"), Some(Unread::Template));
        assert_eq!(unread("a: [\n  kind: x"), Some(Unread::NoManifest));
        assert_eq!(unread("kind: Pod\na: ["), None);
        assert_eq!(unread("a: [\napiVersion: v1"), None);
        assert_eq!(unread("{\n\t\"kind\": \"Pod\","), None);
        assert_eq!(unread("'apiVersion' : v1"), None);
    }
}
