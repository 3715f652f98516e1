//! Rules that do not come as a maps text: a ConfigMap's own keys, and words of a command line.

use crate::maps::MapsText;

/// Keys that are rules though they hold no `.`, `/` or `:`.
pub(super) const RULE_WORDS: [&str; 3] = ["default", "noswap_wildcards", "localhost"];

/// Whether a key of a ConfigMap's `data` is a rule, as `kpt fn eval … -- docker.io=mirror.example.com/hub`
/// sends it.
pub(super) fn is_rule_key(key: &str) -> bool {
    RULE_WORDS.contains(&key) || key.starts_with('[') || key.contains(['.', '/', ':'])
}

/// The rule `key::value` as a maps text called `source`.
///
/// # Errors
/// What would not be read as one rule.
pub(super) fn rule_text(source: String, key: &str, value: &str) -> Result<MapsText<'static>, String> {
    let value = value.trim();
    if key.contains(|c: char| c == '#' || c.is_whitespace() || c.is_control()) {
        return Err("a rule's key has no white space and no #".to_owned());
    }
    if value.contains(['\n', '\r']) {
        return Err("expected one line; several rules go into maps".to_owned());
    }
    Ok(MapsText::new(source, format!("{key}::{value}")))
}

/// The words of a command line, each a rule as `KEY::VALUE` or `KEY=VALUE`, as one maps text. Lines of a maps
/// file are such words: that is how kustomize hands on `argsFromFile`.
///
/// # Errors
/// A word that looks like an option.
pub fn argument_rules(words: &[String]) -> Result<MapsText<'static>, String> {
    let mut lines = Vec::new();
    for word in words {
        let word = word.trim();
        if word.starts_with('-') {
            return Err(format!("'{word}' is no rule: the plugin takes rules as KEY::VALUE, and no options"));
        }
        match word.split_once('=') {
            Some((key, value)) if !word.contains("::") && !word.starts_with('#') => {
                lines.push(format!("{key}::{value}"));
            }
            _ => lines.push(word.to_owned()),
        }
    }
    Ok(MapsText::new("arguments", lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_rules_from_other_keys() {
        for key in ["docker.io", "default", "noswap_wildcards", "localhost", "[EXACT]nginx", "a/b", "a:5000"]
        {
            assert!(is_rule_key(key), "{key}");
        }
        for key in ["", "maps", "mapz", "defualt", "quay"] {
            assert!(!is_rule_key(key), "{key}");
        }
    }

    #[test]
    fn takes_words_as_rules() {
        let words = ["docker.io=m.io/hub", "quay.io::m.io/a=b", "# x=y", "default::"].map(str::to_owned);
        let text = argument_rules(&words).unwrap();
        assert_eq!(text.text, "docker.io::m.io/hub\nquay.io::m.io/a=b\n# x=y\ndefault::");
        assert!(argument_rules(&["--maps".to_owned()]).is_err());
    }

    #[test]
    fn refuses_what_is_not_one_rule() {
        for (key, value) in [("#a.b", "m.io"), ("a.b c", "m.io"), ("a.b", "m.io\nc.d::m.io")] {
            assert!(rule_text(String::new(), key, value).is_err(), "{key}");
        }
        assert_eq!(rule_text(String::new(), "a.b", " m.io\n").unwrap().text, "a.b::m.io");
    }
}
